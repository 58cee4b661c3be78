"""How far an angle went within a repetition, and whether it dipped at its far end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from processing.dsp.blocks import NS_PER_S

FAR_END_NS = 3 * NS_PER_S // 20
"""The far end of a repetition is within 0.15 s of its turning point."""


class Sampled(NamedTuple):
    """An angle at a time."""

    t_ns: int
    angle_deg: float


class Reach(NamedTuple):
    """How far an angle went above and below where it began, degrees, at least 0."""

    above_deg: float
    below_deg: float


def reach_of(trace: Sequence[Sampled]) -> Reach:
    """Reach of an angle over a repetition; ``trace`` is in order of time and not empty."""
    away = [wrapped_deg(one.angle_deg - trace[0].angle_deg) for one in trace]
    return Reach(max(away), -min(away))


def dip_deg(trace: Sequence[Sampled], turn_ns: int) -> float:
    """How far the angle is lower at the far end than before **and** after it, degrees, at least 0.

    A pelvis that tucks under at the bottom of a squat turns forward on the way down, back at the bottom, forward and
    back again on the way up. A slow lean alone has its largest angle at the bottom, and so no dip.
    """
    end = [one.angle_deg for one in trace if abs(one.t_ns - turn_ns) <= FAR_END_NS]
    before = [one.angle_deg for one in trace if one.t_ns <= turn_ns]
    after = [one.angle_deg for one in trace if one.t_ns >= turn_ns]
    if not (end and before and after):
        return 0.0
    return max(0.0, min(max(before), max(after)) - sum(end) / len(end))


def wrapped_deg(angle_deg: float) -> float:
    """The same angle from -180 to 180 degrees."""
    return (angle_deg + 180.0) % 360.0 - 180.0
