"""Share of the samples that were lost of late."""

from __future__ import annotations

import msgspec

from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, NS_PER_S, GridBlock

MEMORY_S = 5.0
"""Time constant: a few repetitions' worth of samples, enough that chance (packets of five) does not decide."""

_GAIN = BLOCK_NS / NS_PER_S / MEMORY_S


class LossState(msgspec.Struct):
    """Lost share, 0 to 1."""

    share: float = 0.0


class Loss:
    """Exponential mean over what the grid had to bridge; gaps, where it has no blocks, are not part of it."""

    __slots__ = ("state",)

    def __init__(self, state: LossState | None = None) -> None:
        self.state = state or LossState()

    def update(self, block: GridBlock) -> float:
        """Take a block; the share up to it."""
        self.state.share += _GAIN * (block.bridged / BLOCK_SAMPLES - self.state.share)
        return self.state.share
