"""Turning points of a channel: where it changes direction by more than a threshold that follows the person."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

import msgspec

FOLLOW = 0.5
"""Threshold as a fraction of the median swing (signals.md §3.2: 0.5-0.6; a plateau on both real sets)."""

MEMORY = 5
"""Swings that the median is taken over (signals.md §3.2)."""

CLOSING = 0.7
"""Fraction of the median swing that counts without a return when the person rests (signals.md §3.4 no. 8)."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """A moment of the channels: time, own value, and the values of all channels of the segment."""

    t_ns: int
    value: float
    axes: tuple[float, ...] = ()


class Turn(NamedTuple):
    """A confirmed turning point.

    ``side`` is +1 at the top of a swing up and -1 at the bottom of a swing down; ``begin`` is where the swing began.
    """

    side: int
    point: Point
    begin: Point

    @property
    def amplitude(self) -> float:
        """Size of the swing that ended here, in the channel's unit."""
        return abs(self.point.value - self.begin.value)


class TurningPointsState(msgspec.Struct):
    """State of ``TurningPoints``: the last turn, the best point since, and the sizes of the last swings."""

    side: int = 0
    begin: Point | None = None
    best: Point | None = None
    swings: list[float] = []


class TurningPoints:
    """Turning points with hysteresis, one sample after the other.

    A turn is confirmed when the channel has come back by ``max(floor, FOLLOW * median of the last swings)``. A swing
    whose share of the movement of all axes is below ``min_share`` is cross-talk of another plane: it turns the channel
    round but is neither reported nor remembered.
    """

    def __init__(self, floor: float, min_share: float = 0.0, state: TurningPointsState | None = None) -> None:
        self._floor = floor
        self._min_share = min_share
        self.state = state or TurningPointsState()
        self._follow()

    @property
    def threshold(self) -> float:
        """Movement back that confirms a turn, in the channel's unit."""
        return self._threshold

    def step(self, now: Point) -> Turn | None:
        """Take the next sample; a turn if one became certain."""
        state = self.state
        if state.begin is None or state.best is None:
            state.begin = state.best = now
            return None
        if state.side == 0:
            self._set_out(now, state.begin, state.best)
            return None
        if (now.value - state.begin.value) * state.side < 0.0:
            # Only after a close: the swing goes on in the old direction, so its turn moves along.
            state.begin = state.best = now
            return None
        if (now.value - state.best.value) * state.side > 0.0:
            state.best = now
            return None
        if (state.best.value - now.value) * state.side < self._threshold:
            return None
        return self._turn(now)

    def close(self, now: Point) -> Turn | None:
        """The person rests: the swing under way counts if it is large enough without a return."""
        state = self.state
        if state.side == 0 or state.begin is None or state.best is None:
            return None
        usual = median(state.swings) if state.swings else self._floor / CLOSING
        if abs(state.best.value - state.begin.value) < max(self._floor, CLOSING * usual):
            return None
        return self._turn(now)

    def reset(self) -> None:
        """Forget the swing under way (after a gap); the usual size stays."""
        self.state.side = 0
        self.state.begin = self.state.best = None

    def _set_out(self, now: Point, lowest: Point, highest: Point) -> None:
        """Before the first swing: ``begin`` holds the lowest point, ``best`` the highest."""
        state = self.state
        if now.value - lowest.value >= self._floor:
            state.side, state.best = 1, now
        elif highest.value - now.value >= self._floor:
            state.side, state.begin, state.best = -1, highest, now
        elif now.value < lowest.value:
            state.begin = now
        elif now.value > highest.value:
            state.best = now

    def _turn(self, now: Point) -> Turn | None:
        state = self.state
        assert state.begin is not None
        assert state.best is not None
        turn = Turn(state.side, state.best, state.begin)
        state.side, state.begin, state.best = -state.side, state.best, now
        if self._min_share and _share(turn) < self._min_share:
            return None
        state.swings = [*state.swings, turn.amplitude][-MEMORY:]
        self._follow()
        return turn

    def _follow(self) -> None:
        swings = self.state.swings
        self._threshold = max(self._floor, FOLLOW * median(swings)) if swings else self._floor


def _share(turn: Turn) -> float:
    """Part that the channel has in the change of all axes from the begin of the swing to its end."""
    total = sum(abs(end - begin) for end, begin in zip(turn.point.axes, turn.begin.axes, strict=True))
    return turn.amplitude / total if total > 0.0 else 1.0
