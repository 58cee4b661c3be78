"""How two sensors on one spine move together: which one more, and whether about axes that belong together."""

from __future__ import annotations

import math
import struct
from operator import add

import msgspec
import numpy as np

from processing.dsp.blocks import Floats

STILL_RADPS = math.radians(10.0)
"""Rate below which neither sensor is taken to move."""


_MOMENTS = struct.Struct("27d")


class MovingTogetherState(msgspec.Struct):
    """Second moments of the two rates, each about its own sensor's axes, and of one with the other (row: lower).

    Nine numbers each, one array after the other, packed; none before the first movement.
    """

    moments: bytes = b""
    blocks: int = 0


class MovingTogether:
    """Moments over the blocks in which either sensor moves."""

    __slots__ = ("state",)

    def __init__(self, state: MovingTogetherState | None = None) -> None:
        self.state = state or MovingTogetherState()

    def update(self, lower_radps: list[float], upper_radps: list[float]) -> None:
        """Take the mean rates of a block, without bias."""
        if max(math.hypot(*lower_radps), math.hypot(*upper_radps)) < STILL_RADPS:
            return
        state = self.state
        products = [
            a * b
            for one, other in ((lower_radps, lower_radps), (upper_radps, upper_radps), (lower_radps, upper_radps))
            for a in one
            for b in other
        ]
        before = _MOMENTS.unpack(state.moments) if state.moments else (0.0,) * len(products)
        state.moments = _MOMENTS.pack(*map(add, before, products))
        state.blocks += 1

    def lower_by_upper(self) -> float:
        """Root mean square rate of the lower sensor over that of the upper one, 1 if neither moved."""
        if not self.state.blocks:
            return 1.0
        moments = _MOMENTS.unpack(self.state.moments)
        lower, upper = sum(moments[0:9:4]), sum(moments[9:18:4])
        if upper <= 0.0:
            return 1.0 if lower <= 0.0 else math.inf
        return math.sqrt(lower / upper)

    def agreement(self, lower_axis: Floats, upper_axis: Floats) -> float:
        """Correlation, -1 to 1, of the rates about two axes, shape (3,) each; 0 if one of them did not turn."""
        if not self.state.blocks:
            return 0.0
        lower, upper, cross = np.frombuffer(self.state.moments).reshape(3, 3, 3)
        power = float(lower_axis @ lower @ lower_axis) * float(upper_axis @ upper @ upper_axis)
        return float(lower_axis @ cross @ upper_axis) / math.sqrt(power) if power > 0.0 else 0.0
