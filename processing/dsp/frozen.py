"""Whether a sensor repeats itself: no IMU gives the same six numbers twice for long, not even at rest."""

from __future__ import annotations

import msgspec

from processing.dsp.blocks import BLOCK_NS, GridBlock

_EQUAL = 1e-9
"""Relative difference of what interpolation makes of equal samples."""


class FrozenState(msgspec.Struct):
    """The last sample of the last block, six numbers, and the begin of the first block that is all like it."""

    last: list[float] = msgspec.field(default_factory=list)
    since_ns: int | None = None


class Frozen:
    """How long all six channels have stood still to the last bit."""

    def __init__(self, state: FrozenState | None = None) -> None:
        self.state = state or FrozenState()

    def update(self, block: GridBlock) -> int:
        """Take a block; the duration of the standstill up to its end in nanoseconds, 0 while the sensor measures."""
        state = self.state
        before, state.last = state.last, [*block.acc[-1].tolist(), *block.gyr[-1].tolist()]
        if not _same(before, state.last) or not _all_same(block, state.last):
            state.since_ns = None
            return 0
        if state.since_ns is None:
            state.since_ns = block.t0_ns
        return block.t0_ns + BLOCK_NS - state.since_ns

    def reset(self) -> None:
        """Forget (after a gap)."""
        self.state.since_ns = None
        self.state.last = []


def _all_same(block: GridBlock, sample: list[float]) -> bool:
    rows = zip(block.acc.tolist(), block.gyr.tolist(), strict=True)
    return all(_same([*acc, *gyr], sample) for acc, gyr in rows)


def _same(one: list[float], other: list[float]) -> bool:
    # A list without a sample is like nothing; the first channel that differs decides.
    return bool(one) and all(abs(a - b) <= _EQUAL * abs(b) for a, b in zip(one, other, strict=True))
