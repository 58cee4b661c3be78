"""Turning points of a channel: where it changes direction by more than a threshold that follows the person."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

import msgspec

from processing.dsp.plane_share import Span, share_of, span_at

FOLLOW = 0.33
"""Threshold as a fraction of the median swing. A half-done repetition (0.45 of the usual size) must still turn the
channel, and wobbles on the way must not. On trunk_seated 0.28 to 0.35 give the same counts for each of the six people,
and 0.33 loses fewer of them than 0.3 when a twentieth of the samples is missing; that is why it was chosen, with all
six in view. Nobody was left out at 0.33. At 0.3, `lumbar evaluate --leave-one-out` counted 96.8 % of the sets of those
left out exactly, with the scale that suited the others, against 98.4 % with 0.3 for all. It also confirms earlier than
the 0.5 of signals.md §3.3."""

MEMORY = 5
"""Swings that the median is taken over (signals.md §3.2)."""

RESTED = 0.7
"""Fraction of the median swing that counts without a return when the person rests (signals.md §3.4 no. 8)."""


FAR = 0.275
"""Distance from neutral, as a fraction of the swing, from which a turn is on its side and not a return to neutral. The
second side of an even pair lies at 1/2, that of a side 0.4 as large as the other at 0.29; people settling after a side
bend overshoot by up to 0.26 (trunk_seated)."""


TURNED_NS = 100_000_000
"""Time since the furthest point from which the movement seems to have turned: with the delay of the filter, 0.11 s, a
turn shows 0.2 s after it was made, within the 0.3 s of signals.md §7 no. 4."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """A moment of the channels: time, own value, and the values of all channels of the segment."""

    t_ns: int
    value: float
    axes: tuple[float, ...] = ()


class Turn(NamedTuple):
    """A confirmed turning point.

    ``side`` is +1 at the top of a swing up and -1 at the bottom of a swing down; ``begin`` is where the swing began.
    ``reversed`` is false if the person only came to rest. ``is_far`` tells whether the turn lies away from neutral
    (0), so that it is no mere return. ``share`` is the part of the swing in all movement of the segment: 1 if only
    this axis moved.
    """

    side: int
    point: Point
    begin: Point
    reversed: bool
    is_far: bool
    share: float

    @property
    def amplitude(self) -> float:
        """Size of the swing that ended here, in the channel's unit."""
        return abs(self.point.value - self.begin.value)


class TurningPointsState(msgspec.Struct):
    """State of ``TurningPoints``.

    ``begin`` is the last turn, ``best`` the furthest point since. ``out_ns`` is the last moment near ``begin`` or
    neutral, ``now`` spans the axes since the last rest at ``begin``; ``best_out_ns`` and ``then`` are what these were
    when ``best`` was reached. ``since`` spans the axes from ``best`` on.
    """

    side: int = 0
    begin: Point | None = None
    best: Point | None = None
    out_ns: int = 0
    best_out_ns: int = 0
    now: Span | None = None
    then: Span | None = None
    since: Span | None = None
    swings: list[float] = []


class TurningPoints:
    """Turning points with hysteresis, one sample after the other.

    A turn is confirmed when the channel has come back by ``max(floor, FOLLOW * median of the last swings)``. A swing
    whose share of the movement of all axes is below ``min_share`` is cross-talk of another plane: it turns the channel
    round and is reported, but its size is not remembered.
    """

    __slots__ = ("_floor", "_from_zero", "_min_share", "_rests_at_zero", "_threshold", "state")

    def __init__(
        self,
        floor: float,
        min_share: float = 0.0,
        state: TurningPointsState | None = None,
        *,
        rests_at_zero: bool = False,
        from_zero: bool = False,
    ) -> None:
        """Turning points of one channel.

        Args:
            floor: smallest swing, in the channel's unit.
            min_share: smallest share of the movement of all axes, 0 for any.
            state: state to go on from.
            rests_at_zero: whether 0 is the neutral pose, so that a movement sets out from there and not from the
                turn on the other side. Not so for the vertical channel, whose zero wanders.
            from_zero: whether the usual size of a swing is that from neutral, because each side is a movement of
                its own.
        """
        self._floor = floor
        self._min_share = min_share
        self._rests_at_zero = rests_at_zero
        self._from_zero = from_zero
        self.state = state or TurningPointsState()
        self._follow()

    @property
    def threshold(self) -> float:
        """Movement back that confirms a turn, in the channel's unit."""
        return self._threshold

    def step(self, now: Point, *, at_rest: bool = False) -> Turn | None:
        """Take the next sample, and whether the wearer is at rest; a turn if one became certain."""
        state = self.state
        if state.begin is None or state.best is None:
            self._start(now)
            return None
        self._follow_out(now, state.begin, state.best, at_rest=at_rest)
        if state.side == 0:
            self._set_out(now, state.begin, state.best)
            return None
        if (state.best.value - now.value) * state.side >= self._threshold:
            return self._turn(now, reversed_there=True)
        if (now.value - state.begin.value) * state.side < 0.0:
            # Only after a rest: the swing goes on in the old direction, so its turn moves along.
            self._begin(now)
        elif (now.value - state.best.value) * state.side > 0.0:
            self._reach(now)
        return None

    def rest(self, now: Point) -> Turn | None:
        """The person has come to rest: the swing under way counts if it is large enough without a return.

        A rest away from neutral holds the turn; a rest in neutral is a new start.
        """
        state = self.state
        if state.side == 0 or state.begin is None or state.best is None:
            return None
        if self._min_share:
            # What the other axes did before a rest is no part of the movement after it.
            state.now = state.since = self._span(now)
        usual = median(state.swings) if state.swings else self._floor / RESTED
        if abs(state.best.value - state.begin.value) < max(self._floor, RESTED * usual):
            return None
        turn = self._turn(now, reversed_there=False)
        if turn.share < self._min_share or not turn.is_far:
            self._start(now)
        return turn

    def small(self, now: Point) -> Turn | None:
        """At rest in neutral: what went out by half the floor or more and came back without being a swing, once."""
        state = self.state
        if state.begin is None or state.best is None or abs(now.value) > 0.5 * self._floor:
            return None
        near, out = sorted((state.begin, state.best), key=lambda point: abs(point.value - now.value))
        size = abs(out.value - near.value)
        if size < 0.5 * self._floor or abs(out.value - now.value) < RESTED * size:
            return None
        self._start(now)
        if near.t_ns >= out.t_ns:
            return None  # The way back of the swing before.
        return Turn(1 if out.value > near.value else -1, out, near, reversed=True, is_far=True, share=1.0)

    def turning(self, now_ns: int) -> Turn | None:
        """The turn that the movement under way seems to have made, before it is certain.

        It has come back a little, and the swing has 70 % of the usual size (signals.md §3.4 no. 9).
        """
        state = self.state
        if state.side == 0 or state.begin is None or state.best is None or now_ns - state.best.t_ns < TURNED_NS:
            return None
        usual = median(state.swings) if state.swings else 0.0
        if abs(state.best.value - state.begin.value) < max(self._floor, RESTED * usual):
            return None
        far = self._is_far(state.best, state.begin, state.best)
        share = self._share(state.begin, state.best)
        return Turn(state.side, state.best, state.begin, reversed=True, is_far=far, share=share)

    def reset(self) -> None:
        """Forget the swing under way (after a gap); the usual size stays."""
        self.state.side = 0
        self.state.begin = self.state.best = None

    def _start(self, now: Point) -> None:
        self.state.side = 0
        self._begin(now)

    def _begin(self, now: Point) -> None:
        state = self.state
        state.begin = state.best = now
        state.out_ns = state.best_out_ns = now.t_ns
        state.now = state.then = state.since = self._span(now)

    def _reach(self, now: Point) -> None:
        state = self.state
        state.best, state.best_out_ns, state.then = now, state.out_ns, state.now
        state.since = self._span(now)

    def _follow_out(self, now: Point, begin: Point, best: Point, *, at_rest: bool) -> None:
        """Keep when the movement set out, and the span of the axes since the last rest before that."""
        state = self.state
        if state.side:
            near = (now.value - begin.value) * state.side < 0.5 * self._floor
        else:
            near = at_rest or abs(now.value - 0.5 * (begin.value + best.value)) < 0.25 * self._floor
        near = near or (self._rests_at_zero and abs(now.value) < 0.5 * self._floor)
        if near:
            state.out_ns = now.t_ns
        if not self._min_share:
            return
        if near and at_rest:
            state.now = self._span(now)
        elif state.now is not None:
            state.now = state.now.widened(now.axes)
        if state.since is not None:
            state.since = state.since.widened(now.axes)

    def _set_out(self, now: Point, lowest: Point, highest: Point) -> None:
        """Before the first swing: ``begin`` holds the lowest point, ``best`` the highest."""
        state = self.state
        # Out of neutral a swing is half as large as from side to side.
        enough = max(self._floor, 0.5 * self._threshold)
        if now.value - lowest.value >= enough:
            state.side = 1
            self._reach(now)
        elif highest.value - now.value >= enough:
            state.side, state.begin = -1, highest
            self._reach(now)
        elif now.value < lowest.value:
            state.begin = now
        elif now.value > highest.value:
            state.best = now

    def _turn(self, now: Point, *, reversed_there: bool) -> Turn:
        state = self.state
        assert state.begin is not None
        assert state.best is not None
        share = self._share(state.begin, state.best)
        begin = Point(max(state.best_out_ns, state.begin.t_ns), state.begin.value, state.begin.axes)
        # Where a person comes to rest is what counts, not how far they had overshot on the way there.
        far = self._is_far(state.best, state.begin, state.best if reversed_there else now)
        turn = Turn(state.side, state.best, begin, reversed_there, far, share)
        state.side, state.begin, state.best = -state.side, state.best, now
        state.out_ns = state.best_out_ns = max(state.begin.t_ns, state.out_ns)
        # What the axes did between the turn and now belongs to the new swing.
        since = state.since or self._span(state.begin)
        state.now = state.then = None if since is None else since.widened(now.axes)
        state.since = self._span(now)
        if share >= self._min_share:
            size = abs(turn.point.value) if self._from_zero else turn.amplitude
            state.swings = [*state.swings, size][-MEMORY:]
            self._follow()
        return turn

    def _span(self, point: Point) -> Span | None:
        """Span to be widened; None where every share will do, so that nobody asks for it."""
        return span_at(point.axes) if self._min_share else None

    def _share(self, begin: Point, best: Point) -> float:
        if not self._min_share:
            return 1.0
        return share_of(best.value - begin.value, best.value, best.axes, self.state.then)

    def _is_far(self, best: Point, begin: Point, place: Point) -> bool:
        if self._from_zero and self.state.swings:
            return abs(place.value) >= max(0.5 * self._floor, FAR * median(self.state.swings))
        return abs(place.value) >= FAR * abs(best.value - begin.value)

    def _follow(self) -> None:
        swings = self.state.swings
        self._threshold = max(self._floor, FOLLOW * median(swings)) if swings else self._floor
