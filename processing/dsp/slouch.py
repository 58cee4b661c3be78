"""Whether the wearer sits slouched, between upright and slumped as the person does it (signals.md §4.2)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from processing.dsp.blocks import NS_PER_S
from processing.dsp.trunk_axes import Vector, angle_deg

ENTER_SHARE = 0.5
"""Way from upright to slump beyond which it is slouching: the passive bending moment rises steeply beyond half of the
range of flexion (signals.md §4.2)."""

RELEASE_SHARE = 0.35
"""Way below which slouching is over (signals.md §4.2)."""

FLOOR_DEG = 5.0
"""Angle from upright below which nothing is slouching, whatever the share (signals.md §4.2)."""

USUAL_SLUMP_DEG = 10.0
"""Slump of a person who has not shown theirs: lumbar flexion of habitual sitting less that of upright sitting (Alshehri
2025, 10.3390/jcm14217518; signals.md §4.2). Half of it is the floor."""

RELEASE_DWELL_NS = 2 * NS_PER_S
"""How long slouching must be over to end it: a breath is not sitting up (estimate)."""

DELAYS_NS = (30 * NS_PER_S, 120 * NS_PER_S)
"""How long slouching lasts before a reminder is due, for coaching and for gentle use (signals.md §4.2)."""


class Sitting(NamedTuple):
    """How somebody sits: way from upright (0) to slump (1), and the largest angle of a sensor from upright, degrees."""

    share: float
    angle_deg: float


def sitting_between(ups: list[Vector], upright: list[Vector], slump: list[Vector] | None) -> Sitting:
    """Where a pose lies on the way from upright to slump.

    The way is the straight line between the directions of up in all sensors' frames together; a pose beside it is
    projected. So with two sensors a lean from the hips, which turns the pelvis the other way than slumping, is none.

    Args:
        ups: up in the frame of each sensor.
        upright: the same in the upright pose.
        slump: the same in the slumped pose; None takes it to be ``USUAL_SLUMP_DEG`` away, in any direction.
    """
    angle = max(angle_deg(now, own) for now, own in zip(ups, upright, strict=True))
    if slump is None:
        return Sitting(angle / USUAL_SLUMP_DEG, angle)
    along = across = 0.0
    for now, begin, end in zip(ups, upright, slump, strict=True):
        for a, b, c in zip(now, begin, end, strict=True):
            along += (a - b) * (c - b)
            across += (c - b) * (c - b)
    return Sitting(along / across, angle)


class Slouched(NamedTuple):
    """Slouching that is over, from its first to its last moment."""

    t0_ns: int
    t1_ns: int
    share: float
    angle_deg: float


class SlouchState(msgspec.Struct):
    """State of ``Slouch``; sums are over the slouching under way."""

    since_ns: int | None = None
    newest_ns: int = 0
    released_ns: int | None = None
    share_sum: float = 0.0
    count: int = 0
    angle_deg: float = 0.0
    cues: int = 0


class Slouch:
    """Slouching with hysteresis and dwell, and when a reminder is due."""

    def __init__(self, state: SlouchState | None = None) -> None:
        self.state = state or SlouchState()

    @property
    def slouched(self) -> bool:
        """Whether the pose is slouched now, however short."""
        return self.state.since_ns is not None and self.state.released_ns is None

    def step(self, t_ns: int, sitting: Sitting) -> Slouched | None:
        """Take how the person sits; the slouching that ended, if one did that lasted for the shortest delay."""
        state = self.state
        enters = sitting.share > ENTER_SHARE and sitting.angle_deg >= FLOOR_DEG
        if state.since_ns is None:
            if enters:
                self.state = SlouchState(since_ns=t_ns)
                self._take(t_ns, sitting)
            return None
        if enters or (state.released_ns is None and sitting.share >= RELEASE_SHARE):
            state.released_ns = None
            self._take(t_ns, sitting)
            return None
        if state.released_ns is None:
            state.released_ns = t_ns
        return self.finish() if t_ns - state.released_ns >= RELEASE_DWELL_NS else None

    def cue_due(self) -> int | None:
        """The delay that has just passed, nanoseconds; each is told once."""
        state = self.state
        if state.since_ns is None or state.cues >= len(DELAYS_NS):
            return None
        delay_ns = DELAYS_NS[state.cues]
        if state.newest_ns - state.since_ns < delay_ns:
            return None
        state.cues += 1
        return delay_ns

    def finish(self) -> Slouched | None:
        """End the slouching under way; None if it was too short."""
        state, self.state = self.state, SlouchState()
        if state.since_ns is None or state.newest_ns - state.since_ns < DELAYS_NS[0]:
            return None
        return Slouched(state.since_ns, state.newest_ns, state.share_sum / state.count, state.angle_deg)

    def _take(self, t_ns: int, sitting: Sitting) -> None:
        state = self.state
        state.newest_ns = t_ns
        state.share_sum += sitting.share
        state.count += 1
        state.angle_deg = max(state.angle_deg, sitting.angle_deg)
