"""Strokes of one angle: how fast and how smoothly the wearer moves out to each side."""

from __future__ import annotations

import msgspec

from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.history import appended, length, numbers, without_first
from processing.dsp.smoothness import spectral_arc_length

PERIOD_S = BLOCK_NS / NS_PER_S

TURN_DEG = 5.0
"""Way back that ends a stroke: less is unsteadiness within it (estimate)."""

MIN_STROKE_DEG = 10.0
"""Smallest stroke whose speed is told (estimate: the noise of an angle is 1-2°)."""

PAUSE_BLOCKS = 40
"""A stroke is over, too, when its end stood for 2 s."""

MAX_BLOCKS = 240
"""A stroke longer than 12 s is cut, so that the state stays small."""

EDGE = 0.05
"""Speeds below this share of the peak at both ends are standing, not moving."""

OUTWARD = 0.25
"""A stroke goes out to a side if it ends beyond neutral by more than this share of its length: one that comes back to
neutral goes out to no side."""


class StrokesState(msgspec.Struct):
    """State of ``Strokes``; pairs are below and above neutral.

    Attributes:
        last: the last two angles, degrees.
        begin, best: where the stroke under way began, and its furthest angle.
        best_at: speeds up to that.
        rising: which way it goes; None before it is clear.
        speeds: °/s, since ``begin``, packed.
        peaks: largest speeds.
        smoothness, counts: sum of the spectral arc lengths, and of how many strokes.
    """

    last: list[float] = []
    begin: float = 0.0
    best: float = 0.0
    best_at: int = 0
    rising: bool | None = None
    speeds: bytes = b""
    peaks: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0])
    smoothness: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0])
    counts: list[int] = msgspec.field(default_factory=lambda: [0, 0])


class Strokes:
    """Cuts an angle at its turning points and measures the strokes that go out from neutral."""

    __slots__ = ("state",)

    def __init__(self, state: StrokesState | None = None) -> None:
        self.state = state or StrokesState()

    def take(self, angle_deg: float, neutral_deg: float) -> None:
        """Angle in the middle of a block, and where neutral is."""
        state = self.state
        if len(state.last) < 2:
            state.last.append(angle_deg)
            state.begin = state.last[-1]
            return
        before, now = state.last
        state.last = [now, angle_deg]
        state.speeds = appended(state.speeds, (angle_deg - before) / (2.0 * PERIOD_S))
        taken = length(state.speeds)
        if state.rising is None:
            self._start(now)
        elif (now > state.best) is state.rising and now != state.best:
            state.best, state.best_at = now, taken
        elif abs(now - state.best) > TURN_DEG:
            self._measure(neutral_deg)
            self._begin_at(state.best, without_first(state.speeds, state.best_at))
            self._start(now)
        elif taken - state.best_at > PAUSE_BLOCKS:
            self._measure(neutral_deg)
            self._begin_at(now, b"")
        if length(state.speeds) > MAX_BLOCKS:
            self._begin_at(now, b"")

    def finish(self, neutral_deg: float) -> None:
        """Measure the stroke under way: the set is over."""
        self._measure(neutral_deg)
        self.reset()

    def reset(self) -> None:
        """Drop the stroke under way (after a gap)."""
        self.state.last = []
        self._begin_at(0.0, b"")

    def peak_dps(self, side: int) -> float | None:
        """Largest speed of a stroke out to a side (0 below neutral, 1 above), None without one."""
        return self.state.peaks[side] if self.state.counts[side] else None

    def mean_smoothness(self, side: int) -> float | None:
        """Mean spectral arc length of the strokes out to a side, None without one."""
        count = self.state.counts[side]
        return self.state.smoothness[side] / count if count else None

    def _begin_at(self, angle_deg: float, speeds: bytes) -> None:
        state = self.state
        state.begin, state.rising, state.speeds = angle_deg, None, speeds

    def _start(self, now: float) -> None:
        state = self.state
        if abs(now - state.begin) > TURN_DEG:
            state.rising, state.best, state.best_at = now > state.begin, now, length(state.speeds)
        elif length(state.speeds) > PAUSE_BLOCKS:
            state.speeds = without_first(state.speeds, 1)

    def _measure(self, neutral_deg: float) -> None:
        state = self.state
        length = abs(state.best - state.begin)
        beyond = state.best - neutral_deg if state.rising else neutral_deg - state.best
        if state.rising is None or length < MIN_STROKE_DEG or beyond < OUTWARD * length:
            return
        speeds = _moving([speed if state.rising else -speed for speed in numbers(state.speeds)[: state.best_at]])
        smoothness = spectral_arc_length(speeds, PERIOD_S)
        if smoothness is None:
            return
        side = int(state.rising)
        state.peaks[side] = max(state.peaks[side], *speeds)
        state.smoothness[side] += smoothness
        state.counts[side] += 1


def _moving(speeds: list[float]) -> list[float]:
    """The speeds without the standing at both ends, as sizes: a moment of going back is one of moving."""
    least = EDGE * max(speeds, default=0.0)
    moving = [at for at, speed in enumerate(speeds) if speed > least]
    return [abs(speed) for speed in speeds[moving[0] : moving[-1] + 1]] if moving else []
