"""From turning points to repetitions."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

import msgspec

from processing.domain.exercises import Swing
from processing.dsp.blocks import NS_PER_S
from processing.dsp.turning_points import Point, Turn

RETURNED = 0.7
"""Part of the way back after which a repetition that goes no further is over."""

SETTLED_NS = NS_PER_S // 2
"""Time without further return that ends such a repetition."""

SHALLOW = 0.5
"""Fraction of the median amplitude below which a repetition is shallow."""

MEMORY = 9
"""Repetitions that this median is taken over."""


class Rep(NamedTuple):
    """One repetition; times on the channel's axis, amplitude peak to peak in its unit."""

    t0_ns: int
    t_peak_ns: int
    t1_ns: int
    amplitude: float
    shallow: bool


class Half(msgspec.Struct, frozen=True):
    """A repetition whose way out is confirmed."""

    side: int
    begin: Point
    peak: Point
    amplitude: float


class RepetitionsState(msgspec.Struct):
    """State of ``Repetitions``."""

    side: int = 0
    half: Half | None = None
    amplitudes: list[float] = []


class Repetitions:
    """Pairs turns into repetitions as the exercise's ``Swing`` says.

    One-sided movements count one turn per repetition, on the side of the first turn (down for a squat). Movements to
    both sides count one pair of turns, so a first turn that only comes from how the person got into the pose does
    not count.
    """

    def __init__(self, swing: Swing, state: RepetitionsState | None = None) -> None:
        self._both = swing is Swing.BOTH_SIDES
        self.state = state or RepetitionsState(side=-1 if swing is Swing.DOWN_UP else 0)

    def turn(self, turn: Turn, now_ns: int) -> Rep | None:
        """Take a confirmed turn; the repetition that it completes."""
        state = self.state
        half = state.half
        if half is not None and turn.side != half.side:
            state.half = None
            return self._done(half, self._end(half, turn, now_ns), max(half.amplitude, turn.amplitude))
        if self._both and half is not None:
            return None
        if not self._both:
            state.side = state.side or turn.side
            if turn.side != state.side:
                return None
        state.half = Half(turn.side, turn.begin, turn.point, turn.amplitude)
        return None if half is None else self._done(half, turn.begin.t_ns, half.amplitude)

    def settle(self, best: Point | None, now_ns: int) -> Rep | None:
        """End a one-sided repetition that has come back and goes no further."""
        half = self.state.half
        if self._both or half is None or best is None or now_ns - best.t_ns < SETTLED_NS:
            return None
        if (half.peak.value - best.value) * half.side < RETURNED * half.amplitude:
            return None
        self.state.half = None
        return self._done(half, best.t_ns, half.amplitude)

    def finish(self, now_ns: int) -> Rep | None:
        """The set is over: a one-sided repetition under way counts, half a pair does not."""
        half = self.state.half
        self.state.half = None
        if self._both or half is None:
            return None
        return self._done(half, now_ns, half.amplitude)

    def reset(self) -> None:
        """Drop the repetition under way (after a gap)."""
        self.state.half = None

    def _end(self, half: Half, turn: Turn, now_ns: int) -> int:
        """End of a pair: back at the begin if the second side stayed there, else when half way back from it."""
        if not self._both or abs(turn.point.value - half.begin.value) < (1.0 - RETURNED) * half.amplitude:
            return turn.point.t_ns
        return now_ns

    def _done(self, half: Half, t1_ns: int, amplitude: float) -> Rep:
        amplitudes = self.state.amplitudes
        shallow = bool(amplitudes) and amplitude < SHALLOW * median(amplitudes)
        self.state.amplitudes = [*amplitudes, amplitude][-MEMORY:]
        return Rep(half.begin.t_ns, half.peak.t_ns, max(t1_ns, half.peak.t_ns), amplitude, shallow)
