"""How far an angle went within a repetition, and whether it dipped at its far end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from processing.dsp.blocks import NS_PER_S

FAR_END_NS = 3 * NS_PER_S // 20
"""The far end of a repetition is within 0.15 s of its turning point."""


LEAD_NS = 7 * NS_PER_S // 10
"""How long before its stated begin a repetition may have begun (0.3-0.5 s in side bends and turns, simulated)."""


class Sampled(NamedTuple):
    """An angle at a time."""

    t_ns: int
    angle_deg: float


class Reach(NamedTuple):
    """How far an angle went above and below where it began, degrees, at least 0."""

    above_deg: float
    below_deg: float


def reach_of(trace: Sequence[Sampled], begin_ns: int) -> Reach:
    """Reach of an angle over a repetition that begins at a time; ``trace`` as in ``away_from_neutral``."""
    away = [one.angle_deg for one in away_from_neutral(trace, begin_ns)]
    return Reach(max(away), -min(away))


def away_from_neutral(trace: Sequence[Sampled], begin_ns: int) -> list[Sampled]:
    """The angle from the calmest moment in the lead before a repetition that begins at a time, and since that.

    A counter says that a movement began when it has gone some way. ``trace`` is in order of time and not empty.
    """
    lead = [one for one in trace if one.t_ns <= begin_ns] or [trace[0]]
    following = [*trace[1 : len(lead) + 1], trace[-1]]
    changes = [abs(wrapped_deg(after.angle_deg - one.angle_deg)) for one, after in zip(lead, following, strict=False)]
    neutral = lead[changes.index(min(changes))]
    return [
        Sampled(one.t_ns, wrapped_deg(one.angle_deg - neutral.angle_deg)) for one in trace if one.t_ns >= neutral.t_ns
    ]


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
