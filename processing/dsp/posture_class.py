"""Which posture the trunk is in, from gravity, with hysteresis and dwell."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from processing.domain.posture_types import TrunkPosture
from processing.dsp.blocks import NS_PER_S
from processing.dsp.trunk_axes import Lean

FORWARD_FAVOUR_DEG = 40.0
"""How much longer a trunk that leans forward counts as upright: the border to face down then lies at about 63° instead
of 45°, between the deepest lean of the pelvis in stooping (59°, signals.md §3.5) and a trunk that lies level
(estimate)."""

HEAD_DOWN_DEG = 140.0
"""Flexion of the trunk in a downward dog: 40-60° below the horizontal (signals.md §3.5)."""

MARGIN_DEG = 10.0
"""How much nearer another posture must be to replace the one before (estimate)."""

DWELL_NS = 2 * NS_PER_S
"""How long it must be so: a bend and a step over something are shorter (estimate)."""

SIT_PELVIS_DEG = 18.3 / 2.0
SIT_LUMBAR_DEG = 16.6 / 2.0
"""Half of how far sitting down turns the pelvis back and flattens the lordosis (Endo 2012, n = 50; signals.md §4.2)."""

STAND_PELVIS_DEG = SIT_PELVIS_DEG / 2.0
STAND_LUMBAR_DEG = SIT_LUMBAR_DEG / 2.0
"""Within a quarter of it a person stands as in the still pose of the calibration."""

_SURELY_UPRIGHT = math.cos(math.radians(38.0))
"""Vertical part of the spine's axis above which a trunk is upright whatever it was before: the nearest border lies at
45° less half of the margin, 40°."""

_FLEXED = math.radians(HEAD_DOWN_DEG)
_LEANS = {
    TrunkPosture.UPRIGHT: Lean(0.0, 1.0, 0.0),
    TrunkPosture.FACE_DOWN: Lean(-1.0, 0.0, 0.0),
    TrunkPosture.SUPINE: Lean(1.0, 0.0, 0.0),
    TrunkPosture.LEFT_SIDE: Lean(0.0, 0.0, 1.0),
    TrunkPosture.RIGHT_SIDE: Lean(0.0, 0.0, -1.0),
    TrunkPosture.HEAD_DOWN: Lean(-math.sin(_FLEXED), math.cos(_FLEXED), 0.0),
}


class Taken(NamedTuple):
    """A posture that is over."""

    posture: TrunkPosture
    t0_ns: int
    t1_ns: int


class PostureClassState(msgspec.Struct):
    """State of ``PostureClass``: the posture and since when, and the one that may replace it."""

    posture: TrunkPosture | None = None
    since_ns: int = 0
    newest_ns: int = 0
    next: TrunkPosture | None = None
    next_ns: int = 0


class PostureClass:
    """Posture after posture; each when it is over."""

    def __init__(self, state: PostureClassState | None = None) -> None:
        self.state = state or PostureClassState()

    @property
    def posture(self) -> TrunkPosture | None:
        """The posture now, None before the first has lasted."""
        return self.state.posture

    def step(self, t_ns: int, lean: Lean, upright: TrunkPosture) -> Taken | None:
        """Take the lean at a time, shape of being upright included; the posture that ended, if one did.

        Args:
            t_ns: time, at least as often as every half second.
            lean: of the lowest sensor worn: the pelvis leans less than the thorax when people stoop.
            upright: what the person does if the trunk is upright, ``UPRIGHT`` where that is unknown.
        """
        state = self.state
        state.newest_ns = t_ns
        found = _nearest(lean, state.posture)
        found = upright if found is TrunkPosture.UPRIGHT else found
        if found is state.posture:
            state.next = None
            return None
        if found is not state.next:
            state.next, state.next_ns = found, t_ns
        if t_ns - state.next_ns < DWELL_NS:
            return None
        ended = None if state.posture is None else Taken(state.posture, state.since_ns, state.next_ns)
        state.posture, state.since_ns, state.next = found, state.next_ns, None
        return ended

    def finish(self) -> Taken | None:
        """End the posture under way and forget it."""
        state = self.state
        ended = None if state.posture is None else Taken(state.posture, state.since_ns, state.newest_ns)
        self.state = PostureClassState()
        return ended


def _nearest(lean: Lean, before: TrunkPosture | None) -> TrunkPosture:
    """Nearest posture, ``UPRIGHT`` for every upright one; the one before is favoured by the margin."""
    if lean.y > _SURELY_UPRIGHT:
        return TrunkPosture.UPRIGHT
    favoured = before if before in _LEANS else TrunkPosture.UPRIGHT
    best, smallest = TrunkPosture.UPRIGHT, math.inf
    for posture, own in _LEANS.items():
        away_deg = lean.angle_deg(own)
        if posture is TrunkPosture.UPRIGHT:
            away_deg -= FORWARD_FAVOUR_DEG * max(0.0, -lean.x)
        if before is not None and posture is favoured:
            away_deg -= MARGIN_DEG
        if away_deg < smallest:
            best, smallest = posture, away_deg
    return best


def upright_as(
    pelvis_flexion_deg: float, thorax_flexion_deg: float, before: TrunkPosture, *, walking: bool
) -> TrunkPosture:
    """Whether an upright person sits or stands, by both sensors against the still standing pose.

    What was seen last holds until the other is seen: who leans forward on a chair looks like neither.
    """
    lumbar_deg = thorax_flexion_deg - pelvis_flexion_deg
    if walking:
        return TrunkPosture.STANDING
    if pelvis_flexion_deg <= -SIT_PELVIS_DEG and lumbar_deg >= SIT_LUMBAR_DEG:
        return TrunkPosture.SITTING
    if abs(pelvis_flexion_deg) <= STAND_PELVIS_DEG and abs(lumbar_deg) <= STAND_LUMBAR_DEG:
        return TrunkPosture.STANDING
    return before
