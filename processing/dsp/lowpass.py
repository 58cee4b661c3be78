"""Second-order filters on single numbers.

Plain floats instead of arrays: on five samples at a time a Python loop is faster than a call of ``sosfilt``, its
state is two numbers, and it cannot depend on how many samples come at once.
"""

from __future__ import annotations

import math

import msgspec

from processing.dsp.blocks import BLOCK_SAMPLES, GRID_S, NS_PER_S


class SectionState(msgspec.Struct):
    """State of a ``Section``: what it remembers of one and of two values before."""

    first: float = 0.0
    second: float = 0.0
    primed: bool = False


class Section:
    """One second-order section, direct form II transposed."""

    __slots__ = ("_coefficients", "state")

    def __init__(self, coefficients: tuple[float, float, float, float, float], state: SectionState | None) -> None:
        """Section with the coefficients b0, b1, b2, a1, a2 (a0 is 1)."""
        self._coefficients = coefficients
        self.state = state or SectionState()

    def step(self, value: float) -> float:
        """Next output; the first input is taken to have lasted forever, so there is no jump at the start."""
        state = self.state
        if not state.primed:
            self._prime(value)
        b0, b1, b2, a1, a2 = self._coefficients
        out = b0 * value + state.first
        state.first = b1 * value - a1 * out + state.second
        state.second = b2 * value - a2 * out
        return out

    def reset(self) -> None:
        """Forget everything; the next input starts anew."""
        self.state.primed = False

    def _prime(self, value: float) -> None:
        b0, b1, b2, a1, a2 = self._coefficients
        out = value * (b0 + b1 + b2) / (1.0 + a1 + a2)
        self.state.first, self.state.second, self.state.primed = out - b0 * value, b2 * value - a2 * out, True


def _lowpass(cutoff_hz: float, rate_hz: float) -> tuple[float, float, float, float, float]:
    """Butterworth low-pass of second order, from the analog one by the bilinear transform.

    Two lines of algebra instead of ``scipy.signal``, which costs a worker 77 MB.
    """
    k = math.tan(math.pi * cutoff_hz / rate_hz)
    norm = 1.0 / (1.0 + math.sqrt(2.0) * k + k * k)
    b0 = k * k * norm
    return b0, 2.0 * b0, b0, 2.0 * (k * k - 1.0) * norm, (1.0 - math.sqrt(2.0) * k + k * k) * norm


def _bandpass(low_hz: float, high_hz: float, rate_hz: float) -> tuple[float, float, float, float, float]:
    """Butterworth band-pass of first order, in the same way."""
    low, high = math.tan(math.pi * low_hz / rate_hz), math.tan(math.pi * high_hz / rate_hz)
    width, centre = high - low, low * high
    norm = 1.0 / (1.0 + width + centre)
    return width * norm, 0.0, -width * norm, 2.0 * (centre - 1.0) * norm, (1.0 - width + centre) * norm


MOVEMENT_CUTOFF_HZ = 2.0
"""Trunk repetitions last 1.5-10 s (signals.md §3.5); steps and tremor lie above."""

_MOVEMENT = _lowpass(MOVEMENT_CUTOFF_HZ, 1.0 / GRID_S)

MOVEMENT_DELAY_NS = round(math.sqrt(2.0) / (2.0 * math.pi * MOVEMENT_CUTOFF_HZ) * NS_PER_S)
"""Delay of a second-order Butterworth low-pass for slow signals, sqrt(2) / (2 pi fc): 0.113 s."""

STEP_BAND_HZ = (0.8, 2.8)
"""Band of the vertical acceleration of walking (signals.md §3.5)."""

_STEPS = _bandpass(*STEP_BAND_HZ, 1.0 / (BLOCK_SAMPLES * GRID_S))
"""A single section: a steeper one rings on after the stamp of a foot and is late. One value a block will do, the band
ends far below 10 Hz."""


def movement_lowpass(state: SectionState | None = None) -> Section:
    """Low-pass of the exercise channel."""
    return Section(_MOVEMENT, state)


def step_bandpass(state: SectionState | None = None) -> Section:
    """Band-pass of the vertical acceleration of walking, for one value a block."""
    return Section(_STEPS, state)
