"""Shapes that the signal core works on: raw blocks as they come, and blocks of the uniform grid."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from processing.domain.entries import Samples, StreamOpened
from processing.domain.ids import SensorId

Floats = NDArray[np.float64]
Nanoseconds = NDArray[np.int64]

GRID_NS = 10_000_000
"""Period of the grid: 100 Hz is enough for walking and more than enough for the trunk (signals.md §6)."""

GRID_S = GRID_NS / 1e9

BLOCK_SAMPLES = 5
"""Grid samples that are computed together. Blocks are aligned to the absolute grid, so arrays have the same
shape and content however the input was cut: that is what makes results independent of the cutting, bit for bit."""

BLOCK_NS = BLOCK_SAMPLES * GRID_NS

NS_PER_S = 1_000_000_000


MAX_SCALE = 1e6
"""Value of one count, SI units, from which on a scale is absurd."""


@dataclass(frozen=True, slots=True)
class SampleBlock:
    """Consecutive raw samples of one sensor, in the sensor's frame.

    Attributes:
        t_ns: shape (n,), int64, UTC in nanoseconds; need not be even.
        acc: shape (n, 3), m/s².
        gyr: shape (n, 3), rad/s.
    """

    sensor_id: SensorId
    t_ns: Nanoseconds
    acc: Floats
    gyr: Floats

    def __len__(self) -> int:
        return len(self.t_ns)

    def part(self, begin: int, end: int) -> SampleBlock:
        """Samples ``begin`` to ``end`` (exclusive)."""
        return SampleBlock(self.sensor_id, self.t_ns[begin:end], self.acc[begin:end], self.gyr[begin:end])

    def where(self, chosen: NDArray[np.bool_]) -> SampleBlock:
        """Samples that a mask, shape (n,), chooses."""
        return SampleBlock(self.sensor_id, self.t_ns[chosen], self.acc[chosen], self.gyr[chosen])


def block_of(samples: Samples, stream: StreamOpened) -> SampleBlock:
    """Samples of a log entry in SI units, on the times that the gateway froze into it."""
    counts = np.frombuffer(samples.packed, _COUNT, samples.count * 6).reshape(-1, 2, 3)
    t_ns = _ticks_ns(len(counts), stream.period_ns) + samples.t0_ns
    values = counts * _scales(stream.acc_scale, stream.gyr_scale)
    return SampleBlock(SensorId(stream.sensor_id), t_ns, values[:, 0], values[:, 1])


_COUNT = np.dtype("<i2")


@lru_cache(maxsize=1024)
def _ticks_ns(count: int, period_ns: int) -> Nanoseconds:
    """Times of an entry's samples after its first one; most entries of a stream are equally long."""
    return np.arange(count, dtype=np.int64) * period_ns


@lru_cache(maxsize=1024)
def _scales(acc: float, gyr: float) -> Floats:
    """Both scales, shape (2, 1). An absurd one is no number: its samples are then none either, and are thrown out."""
    return np.array([[scale if abs(scale) <= MAX_SCALE else math.nan] for scale in (acc, gyr)])


@dataclass(slots=True, eq=False)
class GridBlock:
    """``BLOCK_SAMPLES`` samples of one sensor on the grid, without holes.

    Attributes:
        index: number of the block since 1970; its first sample is at ``index * BLOCK_NS``.
        acc: shape (5, 3), m/s², C-contiguous.
        gyr: shape (5, 3), rad/s, C-contiguous.
        bridged: how many of the five lie in a hole that is longer than the period of a slow sensor.
    """

    index: int
    acc: Floats
    gyr: Floats
    bridged: int = 0
    _means: tuple[float, ...] | None = field(default=None, init=False, repr=False)

    @property
    def means(self) -> tuple[float, ...]:
        """Mean rate and mean acceleration, six numbers; several stages ask for them, so they are kept."""
        if self._means is None:
            sums = (*np.add.reduce(self.gyr).tolist(), *np.add.reduce(self.acc).tolist())
            self._means = tuple(one / BLOCK_SAMPLES for one in sums)
        return self._means

    @property
    def t0_ns(self) -> int:
        """UTC of the first sample."""
        return self.index * BLOCK_NS


def start_of(block_index: int) -> int:
    """UTC of the first sample of a block, nanoseconds."""
    return block_index * BLOCK_NS


def first_block_from(t_ns: int) -> int:
    """Index of the first block that starts at or after a time."""
    return -(-t_ns // BLOCK_NS)
