"""Whether a movement went beyond the range of a sensor: the tops of its signal are then flat, at a range that exists.

The range of a stream is not stated anywhere: recordings have none, and a device may scale its counts as it likes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from processing.domain.samples import GRAVITY_MPS2
from processing.dsp.blocks import Floats, GridBlock

ACC_RANGES_G = (2.0, 4.0, 8.0, 16.0, 32.0)
GYR_RANGES_DPS = (125.0, 245.0, 250.0, 286.7, 500.0, 573.4, 1000.0, 1146.9, 2000.0, 2293.8, 4000.0)
"""Full scales of the usual IMUs, nominal and (ST, 8.75 m°/s per count and its multiples) as the counts end; from
their data sheets, from memory."""

RANGE_TOLERANCE = 0.01
"""Ranges are calibrated: trunk_seated and sit_to_stand_bench end 0.3 % beyond the nominal one."""

FLAT_SAMPLES = 3
"""Equal samples in a row that make a flat top, 20 ms: noise of a real sensor makes even two rare at speed (one pair in
all recordings at hand), and a stream of 50 Hz gives three for two equal ones."""

_ACC_RANGES = np.array(ACC_RANGES_G) * GRAVITY_MPS2
_GYR_RANGES = np.radians(GYR_RANGES_DPS)
_LOWEST_ACC_MPS2 = ACC_RANGES_G[0] * GRAVITY_MPS2 * (1.0 - RANGE_TOLERANCE)
_LOWEST_GYR_RADPS = math.radians(GYR_RANGES_DPS[0]) * (1.0 - RANGE_TOLERANCE)
_CALM_ACC_MPS2 = 1.1 * GRAVITY_MPS2
_CALM_GYR_RADPS = 0.4 * _LOWEST_GYR_RADPS
"""Means of a block below which no top of it is looked for: two of five samples at the range come above, but for knocks
of acceleration too short to tilt anything."""

_EQUAL = 1e-9


class FlatTopsState(msgspec.Struct):
    """Last samples, six numbers each, as long as they lie at the end of some range."""

    tail: list[list[float]] = msgspec.field(default_factory=list)


class FlatTops:
    """Looks for flat tops, also across the border of blocks."""

    __slots__ = ("state",)

    def __init__(self, state: FlatTopsState | None = None) -> None:
        self.state = state or FlatTopsState()

    def update(self, block: GridBlock) -> bool:
        """Take a block; whether a flat top lies in it."""
        means = block.means
        calm = _is_small(means[:3], _CALM_GYR_RADPS) and _is_small(means[3:], _CALM_ACC_MPS2)
        if calm or _is_within_all_ranges(block):
            self.state.tail = []
            return False
        rows = np.concatenate((block.acc, block.gyr), axis=1)
        if self.state.tail:
            rows = np.concatenate((np.array(self.state.tail), rows))
        self.state.tail = rows[1 - FLAT_SAMPLES :].tolist()
        return _has_flat_top(rows)

    def reset(self) -> None:
        """Forget (after a gap)."""
        self.state.tail = []


def _is_within_all_ranges(block: GridBlock) -> bool:
    return _is_small(_numbers(block.acc), _LOWEST_ACC_MPS2) and _is_small(_numbers(block.gyr), _LOWEST_GYR_RADPS)


def _numbers(values: Floats) -> list[float]:
    numbers: list[float] = values.ravel().tolist()  # on so few numbers much faster than NumPy
    return numbers


def _is_small(numbers: Sequence[float], limit: float) -> bool:
    return max(numbers) < limit and min(numbers) > -limit


def _has_flat_top(rows: Floats) -> bool:
    size = np.abs(rows)
    at_range = np.concatenate((_is_near(size[:, :3], _ACC_RANGES), _is_near(size[:, 3:], _GYR_RANGES)), axis=1)
    flat = at_range[1:] & (np.abs(rows[1:] - rows[:-1]) <= _EQUAL * size[1:])
    for _ in range(FLAT_SAMPLES - 2):
        flat = flat[1:] & flat[:-1]
    return bool(np.any(flat))


def _is_near(size: Floats, ranges: Floats) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.any(np.abs(size[:, :, None] - ranges) <= RANGE_TOLERANCE * ranges, axis=2)
    return near
