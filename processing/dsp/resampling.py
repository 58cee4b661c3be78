"""From samples without a hole to samples of the grid, and runs of these."""

from __future__ import annotations

import numpy as np

from processing.dsp.blocks import GRID_NS, Floats, Nanoseconds


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


def on_grid(t_ns: Nanoseconds, values: Floats, first: int, last: int) -> Floats:
    """Straight lines between samples, read at the samples ``first`` to ``last`` of the grid, shape (2, n, 3).

    Only products and sums of the two neighbours: what comes out does not depend on how many are asked for at once.

    Args:
        t_ns: shape (m,), growing.
        values: shape (2, m, 3).
        first: number on the grid, not before ``t_ns[0]``.
        last: number on the grid, not after ``t_ns[-1]``.
    """
    if len(t_ns) == 1:
        return values
    grid = np.arange(first * GRID_NS, last * GRID_NS + 1, GRID_NS, dtype=np.int64)
    right = t_ns.searchsorted(grid)
    if right[0] == 0:
        right[0] = 1  # the first sample lies on the grid
    left = right - 1
    t_left = t_ns[left]
    share = ((grid - t_left) / (t_ns[right] - t_left))[:, None]
    between: Floats = values.take(left, axis=1) * (1.0 - share) + values.take(right, axis=1) * share
    return between
