"""Largest angles from the neutral pose of a set."""

from __future__ import annotations

import math

import msgspec

from processing.dsp.blocks import Floats

NEAR_NEUTRAL_DEG = 5.0
"""Distance of the other axes from neutral within which a rest is a rest in the neutral pose."""

NEAR_START_DEG = 2.0
NEAR_FRACTION = 1.0 / 3.0
"""Distance of the drifting axis from its neutral, absolute and as a fraction of the largest excursion so far: a rest
further out is a held turn and must not be taken for drift."""

KNOWN_BLOCKS = 1200
"""Blocks (60 s) after a rest in neutral for which the drifting axis is still told: by then it is off by 5°
(signals.md §2.3: 5.4°/min between two sensors), which is as much as a range is taken to change by."""

UNTOLD_DEG = 5.0
"""What the axis may go further after that time before its range is not told: so much is drift."""

REST_GAIN = 0.2
"""Step of the drifting neutral towards the angle per block of rest (50 ms), a time constant of about 0.25 s."""


class ExcursionState(msgspec.Struct):
    """Extremes relative to neutral, and where neutral lies, degrees, one number per axis.

    Attributes:
        since_neutral: blocks since the last rest in neutral.
        untold: extremes of the drifting axis too long after such a rest.
        lowest_at, highest_at: at the extremes, blocks since the last rest in neutral (0 on an axis that does not
            drift), and how far the other axes were from neutral.
    """

    lowest: list[float]
    highest: list[float]
    neutral: list[float]
    neutral_blocks: int = 0
    blocks: int = 0
    since_neutral: int = 0
    untold: tuple[float, float] = (0.0, 0.0)
    lowest_at: list[tuple[int, float]] = msgspec.field(default_factory=lambda: [(0, 0.0)] * 3)
    highest_at: list[tuple[int, float]] = msgspec.field(default_factory=lambda: [(0, 0.0)] * 3)


class Excursion:
    """Extremes of the three angles from neutral.

    The axis that was vertical in the neutral pose cannot be told from gravity, and its angle drifts by some degrees a
    minute (signals.md §2.3). Its neutral therefore follows the angle whenever the wearer rests in the neutral pose, so
    that its range is an excursion within the repetition; without such a rest it is not told for longer than a minute.
    """

    def __init__(self, drifting_axis: int, state: ExcursionState | None = None) -> None:
        self._drifting = drifting_axis
        self.state = state or ExcursionState([0.0] * 3, [0.0] * 3, [0.0] * 3)

    def take(self, angles_deg: Floats, *, at_rest: bool) -> None:
        """Angles of a block, shape (n, 3), and whether the wearer is at rest."""
        state = self.state
        state.blocks += 1
        state.since_neutral += 1
        # Plain floats: for five samples each call of NumPy costs more than the whole loop.
        axes = list(zip(*angles_deg.tolist(), strict=True))
        if at_rest:
            self._follow_drift([sum(angles) / len(angles) for angles in axes])
        for axis, (angles, neutral) in enumerate(zip(axes, state.neutral, strict=True)):
            low, high = min(angles) - neutral, max(angles) - neutral
            if low < state.lowest[axis] or high > state.highest[axis]:
                if axis != self._drifting or state.since_neutral <= KNOWN_BLOCKS:
                    self._stretch(axis, low, high, angles_deg)
                else:
                    state.untold = (min(state.untold[0], low), max(state.untold[1], high))

    def settle_neutral(self, angles_deg: Floats) -> None:
        """Angles of a block, shape (n, 3), while the wearer rests in the neutral pose before the first movement."""
        state = self.state
        state.neutral_blocks += 1
        state.since_neutral = 0
        weight = 1.0 / state.neutral_blocks
        mean = angles_deg.mean(axis=0).tolist()
        state.neutral = [old + weight * (new - old) for old, new in zip(state.neutral, mean, strict=True)]
        if state.neutral_blocks == 1:
            # What was measured against the provisional neutral pose does not hold any more.
            state.lowest, state.highest, state.untold = [0.0] * 3, [0.0] * 3, (0.0, 0.0)

    def take_neutral_anew(self) -> None:
        """The next angles are 0 in the neutral pose; what was reached before stays."""
        self.state.neutral = [0.0] * 3
        self.state.since_neutral = 0

    def is_told(self, axis: int) -> bool:
        """Whether the angle went no further, too long after a rest in neutral, than what ``below_above`` says."""
        low, high = self.state.untold
        further = max(self.state.lowest[axis] - low, high - self.state.highest[axis])
        return axis != self._drifting or further <= UNTOLD_DEG

    def below_above(self, axis: int) -> tuple[float, float]:
        """How far the angle went below and above neutral, degrees, at least 0."""
        return max(-self.state.lowest[axis], 0.0), max(self.state.highest[axis], 0.0)

    def _stretch(self, axis: int, low: float, high: float, angles_deg: Floats) -> None:
        state = self.state
        if low < state.lowest[axis]:
            state.lowest[axis] = low
            state.lowest_at[axis] = self._circumstances(axis, angles_deg)
        if high > state.highest[axis]:
            state.highest[axis] = high
            state.highest_at[axis] = self._circumstances(axis, angles_deg)

    def _circumstances(self, axis: int, angles_deg: Floats) -> tuple[int, float]:
        state = self.state
        others = [
            angle - neutral
            for index, (angle, neutral) in enumerate(zip(angles_deg[-1].tolist(), state.neutral, strict=True))
            if index != axis
        ]
        return state.since_neutral if axis == self._drifting else 0, math.hypot(*others)

    def circumstances(self, axis: int) -> tuple[tuple[int, float], tuple[int, float]]:
        """Of the angles of ``below_above``: blocks since the last rest in neutral and degrees in the other planes."""
        return self.state.lowest_at[axis], self.state.highest_at[axis]

    def _follow_drift(self, mean: list[float]) -> None:
        state = self.state
        axis = self._drifting
        away = [angle - neutral for angle, neutral in zip(mean, state.neutral, strict=True)]
        if is_neutral_rest(away, axis, max(state.highest[axis], -state.lowest[axis])):
            state.neutral[axis] += REST_GAIN * away[axis]
            state.since_neutral = 0


def is_neutral_rest(away_deg: list[float], drifting_axis: int, reach_deg: float) -> bool:
    """Whether a rest is one in the neutral pose, so that the drifting axis is seen to be 0 there.

    Args:
        away_deg: the three angles from neutral.
        drifting_axis: which of them drifts.
        reach_deg: largest distance from neutral of that one so far.
    """
    others = (abs(away) for axis, away in enumerate(away_deg) if axis != drifting_axis)
    near_deg = max(NEAR_START_DEG, NEAR_FRACTION * reach_deg)
    return max(others) <= NEAR_NEUTRAL_DEG and abs(away_deg[drifting_axis]) <= near_deg
