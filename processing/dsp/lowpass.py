"""Second-order filters on single numbers.

Plain floats instead of arrays: on five samples at a time a Python loop is faster than a call of ``sosfilt``, its
state is two numbers per section, and it cannot depend on how many samples come at once.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
from scipy.signal import butter

from processing.dsp.blocks import BLOCK_SAMPLES, GRID_S, NS_PER_S


class SectionsState(msgspec.Struct):
    """State of ``Sections``: two numbers per section."""

    memory: list[float]
    primed: bool = False


class Sections:
    """Cascade of second-order sections, direct form II transposed."""

    def __init__(self, sections: tuple[tuple[float, ...], ...], state: SectionsState | None = None) -> None:
        self._sections = sections
        self.state = state or SectionsState([0.0] * (2 * len(sections)))

    def step(self, value: float) -> float:
        """Next output; the first input is taken to have lasted forever, so there is no jump at the start."""
        if not self.state.primed:
            self._prime(value)
        memory = self.state.memory
        for index, (b0, b1, b2, _, a1, a2) in enumerate(self._sections):
            at = 2 * index
            out = b0 * value + memory[at]
            memory[at] = b1 * value - a1 * out + memory[at + 1]
            memory[at + 1] = b2 * value - a2 * out
            value = out
        return value

    def reset(self) -> None:
        """Forget everything; the next input starts anew."""
        self.state.primed = False

    def _prime(self, value: float) -> None:
        for index, (b0, b1, b2, _, a1, a2) in enumerate(self._sections):
            out = value * (b0 + b1 + b2) / (1.0 + a1 + a2)
            self.state.memory[2 * index] = out - b0 * value
            self.state.memory[2 * index + 1] = b2 * value - a2 * out
            value = out
        self.state.primed = True


def _design(
    order: int, cutoff_hz: float | tuple[float, float], kind: Literal["lowpass", "bandpass"], rate_hz: float
) -> tuple[tuple[float, ...], ...]:
    sos = butter(order, cutoff_hz, kind, fs=rate_hz, output="sos")
    return tuple(tuple(float(number) for number in row) for row in sos)


MOVEMENT_CUTOFF_HZ = 2.0
"""Trunk repetitions last 1.5-10 s (signals.md §3.5); steps and tremor lie above."""

_MOVEMENT = _design(2, MOVEMENT_CUTOFF_HZ, "lowpass", 1.0 / GRID_S)

MOVEMENT_DELAY_NS = round(math.sqrt(2.0) / (2.0 * math.pi * MOVEMENT_CUTOFF_HZ) * NS_PER_S)
"""Delay of a second-order Butterworth low-pass for slow signals, sqrt(2) / (2 pi fc): 0.113 s."""

STEP_BAND_HZ = (0.8, 2.8)
"""Band of the vertical acceleration of walking (signals.md §3.5)."""

_STEPS = _design(1, STEP_BAND_HZ, "bandpass", 1.0 / (BLOCK_SAMPLES * GRID_S))
"""A single section: a steeper one rings on after the stamp of a foot and is late. One value a block will do, the band
ends far below 10 Hz."""


def movement_lowpass(state: SectionsState | None = None) -> Sections:
    """Low-pass of the exercise channel."""
    return Sections(_MOVEMENT, state)


def step_bandpass(state: SectionsState | None = None) -> Sections:
    """Band-pass of the vertical acceleration of walking, for one value a block."""
    return Sections(_STEPS, state)
