"""Whether the trunk is held still, and for how long (ISO style, signals.md §4.2)."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from processing.dsp.blocks import NS_PER_S
from processing.dsp.trunk_axes import TICK_NS

CUTOFF_HZ = 1.0
"""Low-pass of the angle (signals.md §4.2); first order, which passes no ripple on and needs one number."""

MAX_CHANGE_DEG = 5.0
"""Change that ends a static posture (signals.md §4.2)."""

REFERENCE_S = 10.0
"""Time constant of what the change is measured from: who sags by a degree in five seconds is still static, and a fixed
reference would give them a new holding time every time (estimate)."""

MAX_SPEED_DPS = 5.0
"""Speed that ends it (signals.md §4.2)."""

MIN_STATIC_NS = 4 * NS_PER_S
"""Time from which a posture is static (ISO 11226 and EN 1005-4, **from memory**)."""

_FOLLOW = -math.expm1(-TICK_NS / NS_PER_S / REFERENCE_S)
_KEEP = math.exp(-2.0 * math.pi * CUTOFF_HZ * TICK_NS / NS_PER_S)


class Held(NamedTuple):
    """A static posture: its span and mean angle, degrees."""

    t0_ns: int
    t1_ns: int
    angle_deg: float


class StaticPostureState(msgspec.Struct):
    """State of ``StaticPosture``; the sum is of the ``count`` angles since ``since_ns``."""

    smooth_deg: float | None = None
    since_ns: int | None = None
    reference_deg: float = 0.0
    newest_ns: int = 0
    sum_deg: float = 0.0
    count: int = 0


class StaticPosture:
    """Static posture after static posture, of one angle."""

    def __init__(self, state: StaticPostureState | None = None) -> None:
        self.state = state or StaticPostureState()

    @property
    def held(self) -> Held | None:
        """The static posture under way, None if it is not one yet."""
        state = self.state
        if state.since_ns is None or state.newest_ns - state.since_ns < MIN_STATIC_NS:
            return None
        return Held(state.since_ns, state.newest_ns, state.sum_deg / state.count)

    def step(self, t_ns: int, angle_deg: float) -> Held | None:
        """Take the angle, once per tick; the static posture that ended, if one did."""
        state = self.state
        before = angle_deg if state.smooth_deg is None else state.smooth_deg
        smooth = angle_deg + _KEEP * (before - angle_deg)
        state.smooth_deg = smooth
        moves = abs(smooth - before) * NS_PER_S / TICK_NS >= MAX_SPEED_DPS
        ended = None
        if state.since_ns is not None and (moves or abs(smooth - state.reference_deg) >= MAX_CHANGE_DEG):
            ended = self.held
            state.since_ns = None
        if state.since_ns is None and not moves:
            state.since_ns, state.reference_deg, state.sum_deg, state.count = t_ns, smooth, 0.0, 0
        if state.since_ns is not None:
            state.newest_ns = t_ns
            state.reference_deg += _FOLLOW * (smooth - state.reference_deg)
            state.sum_deg += smooth
            state.count += 1
        return ended

    def finish(self) -> Held | None:
        """End the static posture under way and forget everything."""
        ended = self.held
        self.state = StaticPostureState()
        return ended
