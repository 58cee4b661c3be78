"""From samples without a hole to samples of the grid, and runs of these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from processing.dsp.blocks import GRID_NS, Floats


class Run:
    """Consecutive samples of the grid.

    Attributes:
        first: number of the first one since 1970.
        values: shape (2, n, 3), acceleration and rate; a stretch of either is contiguous, as VQF wants it.
    """

    __slots__ = ("first", "values")

    def __init__(self, first: int, values: Floats) -> None:
        self.first = first
        self.values = values

    @property
    def end(self) -> int:
        """Number after the last sample."""
        return self.first + int(self.values.shape[1])

    def extend(self, values: Floats, keep_from: int) -> None:
        """Append what comes next and drop what lies before a number."""
        drop = min(max(keep_from - self.first, 0), self.values.shape[1])
        self.values = np.concatenate((self.values[:, drop:], values), axis=1)
        self.first += drop

    def packed(self, keep_from: int) -> tuple[int, bytes]:
        """The run without what lies before a number: its first number and its values, little-endian."""
        drop = min(max(keep_from - self.first, 0), self.values.shape[1])
        return self.first + drop, self.values[:, drop:].tobytes()

    @classmethod
    def unpacked(cls, first: int, values: bytes) -> Run:
        """The run that ``packed`` was called on."""
        return cls(first, np.frombuffer(values, np.float64).reshape(2, -1, 3))


def grid_number_from(t_ns: int) -> int:
    """Number of the first sample of the grid at or after a time."""
    return -(-t_ns // GRID_NS)


def on_grid(times_ns: Sequence[int], values: Floats, first: int, last: int) -> Floats:
    """Straight lines between samples, read at the samples ``first`` to ``last`` of the grid, shape (2, n, 3).

    Only products and sums of the two neighbours: what comes out does not depend on how many are asked for at once.

    Args:
        times_ns: m times, growing.
        values: shape (2, m, 3).
        first: number on the grid, not before the first time.
        last: number on the grid, not after the last time.
    """
    if len(times_ns) == 1:
        return values
    # Times in plain numbers: for the few samples of an entry each call of NumPy costs more than the whole loop.
    rights: list[int] = []
    shares: list[float] = []
    right = 1
    for number in range(first, last + 1):
        t_ns = number * GRID_NS
        while times_ns[right] < t_ns:
            right += 1
        rights.append(right)
        shares.append((t_ns - times_ns[right - 1]) / (times_ns[right] - times_ns[right - 1]))
    neighbours = values.take([[right - 1 for right in rights], rights], axis=1)
    weights = np.array(([1.0 - share for share in shares], shares))[:, :, None]
    between: Floats = np.add.reduce(neighbours * weights, axis=1)
    return between
