"""From turning points to repetitions."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from processing.domain.exercises import Swing
from processing.dsp.blocks import NS_PER_S
from processing.dsp.turning_points import Point, Turn

RETURNED = 0.7
"""Part of the way back after which a repetition that goes no further is over."""

SETTLED_NS = NS_PER_S // 2
"""Time without further return that ends such a repetition."""

LONGEST_PAUSE_NS = 12 * NS_PER_S
"""Time in neutral after one side of a movement to both sides that ends it: as long as the longest repetition that is as
prescribed for the ranges of motion (``tempo_s`` of the catalogue). What follows later is another repetition."""

_FIXED_SIDE: dict[str, int] = {"down_up": -1, "up_down": 1}
"""Side of the turn that is counted, for swings that fix it."""


class FarEnd(NamedTuple):
    """When a repetition reached its far end, and how long it stayed there, nanoseconds."""

    reached_ns: int
    held_ns: int


class Rep(NamedTuple):
    """One repetition; times on the channel's axis, amplitude peak to peak in its unit, far end where it is known."""

    t0_ns: int
    t_peak_ns: int
    t1_ns: int
    amplitude: float
    far_end: FarEnd | None = None

    def earlier(self, by_ns: int) -> Rep:
        """The same some time before."""
        far_end = self.far_end and self.far_end._replace(reached_ns=self.far_end.reached_ns - by_ns)
        return Rep(self.t0_ns - by_ns, self.t_peak_ns - by_ns, self.t1_ns - by_ns, self.amplitude, far_end)


class Half(msgspec.Struct, frozen=True):
    """A repetition whose way out is confirmed."""

    side: int
    begin: Point
    peak: Point
    amplitude: float


class RepetitionsState(msgspec.Struct):
    """State of ``Repetitions``.

    ``returned_ns`` is when the half under way had come back from its peak, ``level_ns`` when it had come back to
    neutral from ``other``, the furthest point on the other side. ``paused_ns`` is since when it has stayed in neutral.
    """

    side: int = 0
    half: Half | None = None
    returned_ns: int | None = None
    other: Point | None = None
    level_ns: int | None = None
    paused_ns: int | None = None


class Repetitions:
    """Pairs turns into repetitions as the exercise's ``Swing`` says.

    One-sided movements count one turn per repetition, on the side of the first turn (down for a squat), over when the
    movement has come back. Movements to both sides are opened by a turn away from neutral and over with the turn on the
    other side, or when the movement reverses in neutral because the person leaves that side out. Movements to either
    side are one-sided ones whose side may change from one to the next; their amplitude is that from neutral.
    """

    __slots__ = ("_both", "_either", "state")

    def __init__(self, swing: Swing, state: RepetitionsState | None = None) -> None:
        self._both = swing is Swing.BOTH_SIDES
        self._either = swing is Swing.EITHER_SIDE
        self.state = state or RepetitionsState(side=_FIXED_SIDE.get(swing, 0))

    def turn(self, turn: Turn, now_ns: int) -> Rep | None:
        """Take a confirmed turn; the repetition that it completes."""
        state = self.state
        half = state.half
        if half is not None and turn.side != half.side and not self._either:
            if self._both and not (turn.reversed or turn.is_far):
                return None
            state.half = None
            return self._done(half, self._end(turn, now_ns), turn.amplitude)
        if not self.opens(turn):
            return None
        rep = None if half is None else self._done(half, self._back(half, turn.begin.t_ns), half.amplitude)
        amplitude = abs(turn.point.value) if self._either else turn.amplitude
        state.half = Half(turn.side, turn.begin, turn.point, amplitude)
        state.returned_ns = state.other = state.level_ns = state.paused_ns = None
        return rep

    def opens(self, turn: Turn) -> bool:
        """Whether a turn is the way out of a repetition."""
        opening = self.opening(turn)
        if opening and not (self._both or self._either):
            self.state.side = turn.side
        return opening

    def opening(self, turn: Turn) -> bool:
        """The same, without taking the side of a first turn for that of the set."""
        if self._both or self._either:
            return turn.is_far
        return (turn.reversed or turn.is_far) and turn.side == (self.state.side or turn.side)

    def settle(self, now: Point, best: Point | None) -> Rep | None:
        """Watch the way back after the turn; ends a repetition that has come back and goes no further."""
        state = self.state
        half = state.half
        if half is None:
            return None
        back = (half.peak.value - now.value) * half.side
        if state.returned_ns is None and back >= RETURNED * half.amplitude:
            state.returned_ns = now.t_ns
        if self._both and best is not None:
            self._watch_level(now, best, half)
            return self._paused(now, half)
        if self._both or state.returned_ns is None or best is None or now.t_ns - best.t_ns < SETTLED_NS:
            return None
        state.half = None
        return self._done(half, best.t_ns, half.amplitude)

    def _paused(self, now: Point, half: Half) -> Rep | None:
        """The repetition of one side only, once the person has stayed in neutral for too long to go on to the other."""
        state = self.state
        if abs(now.value) > (1.0 - RETURNED) * abs(half.peak.value):
            state.paused_ns = None
        elif state.paused_ns is None:
            state.paused_ns = now.t_ns
        elif now.t_ns - state.paused_ns >= LONGEST_PAUSE_NS:
            state.half = None
            return self._done(half, state.paused_ns, half.amplitude)
        return None

    def _watch_level(self, now: Point, best: Point, half: Half) -> None:
        state = self.state
        if state.other is None or (best.value - state.other.value) * half.side < 0.0:
            state.other, state.level_ns = best, None
        left, beyond = -now.value * half.side, -state.other.value * half.side
        if state.level_ns is None and left <= max((1.0 - RETURNED) * beyond, 0.0):
            state.level_ns = now.t_ns

    def finish(self, now_ns: int) -> Rep | None:
        """The set is over: a repetition whose way out is confirmed counts."""
        half = self.state.half
        self.state.half = None
        return None if half is None else self._done(half, self._back(half, now_ns), half.amplitude)

    def reset(self) -> None:
        """Drop the repetition under way (after a gap)."""
        self.state.half = None

    def _end(self, turn: Turn, now_ns: int) -> int:
        """End of a repetition whose turn on the other side is confirmed: back in neutral, if that is known."""
        if not self._both:
            return turn.point.t_ns
        if self.state.other == turn.point and self.state.level_ns is not None:
            return self.state.level_ns
        return now_ns

    def _back(self, half: Half, now_ns: int) -> int:
        """End of a repetition that was given up waiting for: back from the other side if that came soon after."""
        returned_ns, level_ns = self.state.returned_ns, self.state.level_ns
        if returned_ns is None:
            return now_ns
        soon_ns = returned_ns + 2 * (returned_ns - half.begin.t_ns)
        return level_ns if level_ns is not None and returned_ns < level_ns <= soon_ns else returned_ns

    def _done(self, half: Half, t1_ns: int, amplitude: float) -> Rep:
        return Rep(half.begin.t_ns, half.peak.t_ns, max(t1_ns, half.peak.t_ns), amplitude)
