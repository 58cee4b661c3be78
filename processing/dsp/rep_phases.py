"""When an angle was near the far end of a repetition, which parts its time into out, hold and back."""

from __future__ import annotations

from collections.abc import Sequence

from processing.dsp.rep_shape import Sampled, away_from_neutral
from processing.dsp.repetitions import FarEnd
from processing.dsp.turning_points import FAR

NEAR = 0.1
"""Part of the way from neutral to a far end that is near the far end (our definition). A movement as smooth as a sine
that turns without any pause spends a fifth of its time there."""

WOBBLE_DEG = 1.5
"""Where this is more than that part, it is near: breathing and trembling are 1-2° (signals.md §3.5) and must not end
the hold of a small movement."""

WIDEST = 0.2
"""But never more than this part of the way, lest a small movement be near its end most of the time (estimate)."""


def far_end_of(trace: Sequence[Sampled], begin_ns: int, turn_ns: int, *, both: bool) -> FarEnd | None:
    """Time at the far end of a repetition that begins and turns at these times: from getting near to leaving for good.

    With ``both`` the repetition goes to the other side too, and time near that end is added, if it was made use of.
    ``trace`` is in order of time, not empty, and ends with the repetition. None if that ended before it was seen to
    leave: a counter that has seen a side being held for long does not wait for the return.
    """
    away = away_from_neutral(trace, begin_ns)
    side = 1.0 if min(away, key=lambda one: abs(one.t_ns - turn_ns)).angle_deg >= 0.0 else -1.0
    way, other = ([Sampled(one.t_ns, sign * one.angle_deg) for one in away] for sign in (side, -side))
    top, bottom = (max(one.angle_deg for one in either) for either in (way, other))
    held = [_near(way, top)]
    if both and bottom >= FAR * (top + bottom):
        held.append(_near(other, bottom))
    if any(left_ns == away[-1].t_ns for _, left_ns in held):
        return None
    return FarEnd(held[0][0], sum(left_ns - reached_ns for reached_ns, left_ns in held))


def _near(way: Sequence[Sampled], top: float) -> tuple[int, int]:
    """First and last moment at which an angle is near the top of its way."""
    level = top - min(max(NEAR * top, WOBBLE_DEG), WIDEST * top)
    return _first_above(way, level), _first_above(way[::-1], level)


def _first_above(way: Sequence[Sampled], level: float) -> int:
    at = next(at for at, one in enumerate(way) if one.angle_deg >= level)
    if at == 0:
        return way[0].t_ns
    outside, inside = way[at - 1], way[at]
    part = (inside.angle_deg - level) / (inside.angle_deg - outside.angle_deg)
    return inside.t_ns + round(part * (outside.t_ns - inside.t_ns))
