"""Whether a sensor repeats itself: no IMU gives the same six numbers twice for long, not even at rest."""

from __future__ import annotations

import msgspec

from processing.dsp.blocks import BLOCK_NS, GridBlock

_EQUAL = 1e-9
"""Relative difference of what interpolation makes of equal samples."""


class FrozenState(msgspec.Struct):
    """Means of the last block, six numbers, and the begin of the first block that is all like them."""

    last: tuple[float, ...] | None = None
    since_ns: int | None = None


class Frozen:
    """How long all six channels have stood still to the last bit."""

    __slots__ = ("state",)

    def __init__(self, state: FrozenState | None = None) -> None:
        self.state = state or FrozenState()

    def update(self, block: GridBlock) -> int:
        """Take a block; the duration of the standstill up to its end in nanoseconds, 0 while the sensor measures."""
        state = self.state
        before, state.last = state.last, block.means
        if before is None or not _same(before, block.means) or not _is_constant(block):
            state.since_ns = None
            return 0
        if state.since_ns is None:
            state.since_ns = block.t0_ns
        return block.t0_ns + BLOCK_NS - state.since_ns

    def reset(self) -> None:
        """Forget (after a gap)."""
        self.state.since_ns = None
        self.state.last = None


def _is_constant(block: GridBlock) -> bool:
    rows = zip(block.gyr.tolist(), block.acc.tolist(), strict=True)
    return all(_same((*gyr, *acc), block.means) for gyr, acc in rows)


def _same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    # The last channel, one of acceleration, decides nearly always.
    if abs(one[-1] - other[-1]) > _EQUAL * abs(other[-1]):
        return False
    return all(abs(a - b) <= _EQUAL * abs(b) for a, b in zip(one, other, strict=True))
