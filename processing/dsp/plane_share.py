"""How much of a movement lies in one plane, where several planes are counted at once."""

from __future__ import annotations

import msgspec

TURNED_ROUND_DEG = 90.0
"""No trunk turns so far (T10 against the earth: 63 ± 19° from side to side, signals.md §2.5): the whole person has
turned round, and where neutral is, is not known."""


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Lowest and highest value of every axis over a while."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    def widened(self, axes: tuple[float, ...]) -> Span:
        """Span that holds these values as well."""
        return Span(tuple(map(min, self.low, axes)), tuple(map(max, self.high, axes)))


def span_at(axes: tuple[float, ...]) -> Span:
    """Span of a moment."""
    return Span(axes, axes)


def share_of(swing: float, place: float, axes: tuple[float, ...], span: Span | None) -> float:
    """Part of a swing in all movement: by the way since the last rest or by the place of the turn, whichever is less.

    The way is the squared movement of the channel over that of all axes. Of a swing that began before the rest only
    what came after it counts: the others' movement is known since then only. The place is the squared distance from
    neutral over that of all axes: a swing back from one plane into another's movement is mostly way, but ends
    in the other plane.

    Args:
        swing: movement of the channel from turn to turn, degrees.
        place: its value at the turn, from neutral; one of ``axes``.
        axes: all angles at the turn, from neutral.
        span: what the axes did since the last rest, None where it is not known.
    """
    if span is None:
        return 1.0
    spans = [(high - low) ** 2 for low, high in zip(span.low, span.high, strict=True)]
    own = spans[axes.index(place)]
    # The channel's own span is at least its swing since then; what it wandered beyond that counts against it.
    way = _part(min(swing**2, own), sum(spans))
    if max(map(abs, axes)) > TURNED_ROUND_DEG:
        return way
    return min(way, _part(place**2, sum(axis * axis for axis in axes)))


def _part(one: float, total: float) -> float:
    return one / total if total > 0.0 else 1.0
