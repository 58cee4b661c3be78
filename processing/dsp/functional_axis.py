"""Flexion axis of a sensor from a few bends forward and back (signals.md §2.2)."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np

from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, GRID_S, NS_PER_S, Floats, GridBlock

MIN_EXPLAINED = 0.8
"""Smallest share of the gyroscope's variance on the axis (signals.md §2.2)."""

MOVING_RADPS = math.radians(10.0)
"""Rate above which a sample belongs to a bend."""

FIRST_EXCURSION_RAD = math.radians(10.0)
"""Turn that shows which way the first bend goes: well above sway, well below the smallest useful bend."""

ENOUGH_RAD = math.radians(60.0)
"""Path of all bends together: one bend of 30° and back."""

SETTLED_NS = 3 * NS_PER_S // 2
"""Rest that ends the bends."""

MIN_LEVEL = math.cos(math.radians(30.0))
"""The axis must lie within 30° of the horizontal, or the movement was no bend."""


class FlexionAxis(NamedTuple):
    """Sensor axis, shape (3,), that points to the wearer's right, and the variance share that it explains."""

    rightward: Floats
    explained: float


class FunctionalAxisState(msgspec.Struct):
    """State of ``FunctionalAxis``: sums over the moving blocks and the way turned so far, none before the first."""

    moments: list[float] = []
    path_rad: float = 0.0
    turned: list[float] = []
    first: list[float] | None = None
    quiet_ns: int = 0


class FunctionalAxis:
    """Principal axis of the rate while bending. The first excursion is taken to be flexion."""

    __slots__ = ("state",)

    def __init__(self, state: FunctionalAxisState | None = None) -> None:
        self.state = state or FunctionalAxisState()

    def update(self, block: GridBlock, bias_radps: Floats) -> None:
        """Take a block."""
        state = self.state
        rate = np.array(block.means[:3]) - bias_radps
        speed = math.sqrt(float((rate**2).sum()))
        if speed < MOVING_RADPS:
            state.quiet_ns += BLOCK_NS
            return
        state.quiet_ns = 0
        state.path_rad += speed * GRID_S * BLOCK_SAMPLES
        outer = np.multiply.outer(rate, rate).ravel().tolist()
        before = state.moments
        state.moments = [old + new for old, new in zip(before, outer, strict=True)] if before else outer
        if state.first is None:
            turned = state.turned or (0.0, 0.0, 0.0)
            state.turned = [old + new * GRID_S * BLOCK_SAMPLES for old, new in zip(turned, rate.tolist(), strict=True)]
            if math.hypot(*state.turned) >= FIRST_EXCURSION_RAD:
                state.first = state.turned

    @property
    def has_enough(self) -> bool:
        """Whether the wearer bent far enough for a verdict."""
        return self.state.path_rad >= ENOUGH_RAD

    @property
    def has_settled(self) -> bool:
        """Whether the wearer bent far enough and has come to rest."""
        return self.has_enough and self.state.quiet_ns >= SETTLED_NS

    def axis(self, up: Floats) -> tuple[FlexionAxis | None, float]:
        """The axis, None if there is no clear one, and the explained share.

        Args:
            up: sensor axis, shape (3,), that points up in the still pose.
        """
        if self.state.first is None:
            return None, 0.0
        values, vectors = np.linalg.eigh(np.array(self.state.moments).reshape(3, 3))
        explained = float(np.clip(values[2] / values.sum(), 0.0, 1.0))
        axis = vectors[:, 2]
        # Flexion turns about the axis to the left: X (forward) goes down.
        if float((axis * np.array(self.state.first)).sum()) > 0.0:
            axis = -axis
        level = axis - up * float((axis * up).sum())
        length = math.sqrt(float((level**2).sum()))
        if explained < MIN_EXPLAINED or length < MIN_LEVEL:
            return None, explained
        return FlexionAxis(level / length, explained), explained
