"""Largest angles from the neutral pose of a set."""

from __future__ import annotations

import msgspec

from processing.dsp.blocks import Floats


class ExcursionState(msgspec.Struct):
    """Extremes and where the neutral pose lay, degrees, one number per axis."""

    lowest: list[float]
    highest: list[float]
    neutral: list[float]
    neutral_blocks: int = 0
    blocks: int = 0


class Excursion:
    """Extremes of the three angles, and the mean angle while the wearer still stood in the neutral pose."""

    def __init__(self, state: ExcursionState | None = None) -> None:
        self.state = state or ExcursionState([0.0] * 3, [0.0] * 3, [0.0] * 3)

    def take(self, angles_deg: Floats) -> None:
        """Angles of a block, shape (n, 3)."""
        low, high = angles_deg.min(axis=0).tolist(), angles_deg.max(axis=0).tolist()
        state = self.state
        if not state.blocks:
            state.lowest, state.highest = low, high
        else:
            state.lowest = [min(pair) for pair in zip(state.lowest, low, strict=True)]
            state.highest = [max(pair) for pair in zip(state.highest, high, strict=True)]
        state.blocks += 1

    def take_neutral(self, angles_deg: Floats) -> None:
        """Angles of a block, shape (n, 3), during which the wearer stood in the neutral pose."""
        state = self.state
        state.neutral_blocks += 1
        weight = 1.0 / state.neutral_blocks
        mean = angles_deg.mean(axis=0).tolist()
        state.neutral = [old + weight * (new - old) for old, new in zip(state.neutral, mean, strict=True)]

    def below_above(self, axis: int) -> tuple[float, float]:
        """How far the angle went below and above neutral, degrees, at least 0."""
        neutral = self.state.neutral[axis]
        return max(neutral - self.state.lowest[axis], 0.0), max(self.state.highest[axis] - neutral, 0.0)
