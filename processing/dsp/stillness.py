"""Whether the wearer keeps still, judged by spread: cheap sensors report several °/s at rest (signals.md §6)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from processing.domain.samples import GRAVITY_MPS2
from processing.dsp.blocks import BLOCK_NS, NS_PER_S, Floats, GridBlock

POSE_S = 3.0
"""Length of a still pose that calibrates (signals.md §2.2)."""

MAX_RATE_RADPS = math.radians(5.0)
"""Largest departure from the mean rate of a still pose (signals.md §2.2)."""

MAX_ACC_STD_MPS2 = 0.2
"""Largest spread of acceleration in a still pose (signals.md §2.2)."""

MAX_BIAS_RADPS = math.radians(25.0)
"""A mean rate above this is turning, not bias: MPU-6050-class sensors are specified to ±20 °/s."""

GRAVITY_TOLERANCE = 0.2
"""Share of 1 g by which an accelerometer at rest may be off. MPU-6050-class sensors are specified to 3 % of scale and
0.08 g of offset (data sheet, from memory); what is further off is a dead channel or a wrong scale, and tells no up."""

_POSE_BLOCKS = round(POSE_S * NS_PER_S / BLOCK_NS)

_LEVEL_BLOCKS = 10


def feels_gravity(acc_mps2: Sequence[float]) -> bool:
    """Whether an acceleration at rest, three numbers, is as long as gravity."""
    return abs(math.hypot(*acc_mps2) - GRAVITY_MPS2) <= GRAVITY_TOLERANCE * GRAVITY_MPS2


class StillPose(NamedTuple):
    """A still pose in the sensor frame, rates in rad/s and accelerations in m/s².

    Attributes:
        gyr: mean rate, shape (3,).
        acc: mean acceleration, shape (3,).
        means: rate and acceleration of each block of the pose, old to new, shape (60, 6).
    """

    gyr: Floats
    acc: Floats
    means: Floats


class StillnessState(msgspec.Struct):
    """Block means of the last 3 s, shape (n, 6) as bytes."""

    means: bytes = b""


class Stillness:
    """Window of the last 3 s of a sensor."""

    __slots__ = ("_filled", "_means")

    def __init__(self) -> None:
        self._means = np.zeros((_POSE_BLOCKS, 6))
        self._filled = 0

    def update(self, block: GridBlock) -> None:
        """Take a block."""
        self._means[self._filled % _POSE_BLOCKS] = block.means
        self._filled += 1

    def pose(self) -> StillPose | None:
        """Means of the window if the wearer kept still through all of it, and gravity was felt."""
        if self._filled < _POSE_BLOCKS:
            return None
        ordered = self._ordered()
        mean = ordered.mean(axis=0)
        away = ordered - mean
        rate = float(np.sqrt((away[:, :3] ** 2).sum(axis=1)).max())
        spread = math.sqrt(float((away[:, 3:] ** 2).sum(axis=1).mean()))
        turning = float(np.sqrt((mean[:3] ** 2).sum()))
        if rate >= MAX_RATE_RADPS or spread >= MAX_ACC_STD_MPS2 or turning >= MAX_BIAS_RADPS:
            return None
        if not feels_gravity(mean[3:].tolist()):
            return None
        return StillPose(mean[:3], mean[3:], ordered)

    def level_mps2(self) -> float | None:
        """Mean of the last half second of acceleration as a length, which at rest is 1 g as this sensor reads it.

        None before that, or where it is none.
        """
        if self._filled < _LEVEL_BLOCKS:
            return None
        mean = self._ordered()[-_LEVEL_BLOCKS:, 3:].mean(axis=0).tolist()
        return math.hypot(*mean) if feels_gravity(mean) else None

    def reset(self) -> None:
        """Forget the window (after a gap)."""
        self._filled = 0

    def state(self) -> StillnessState:
        """State as a value."""
        return StillnessState(self._ordered().tobytes())

    @classmethod
    def from_state(cls, state: StillnessState) -> Stillness:
        """Window that goes on where ``state`` was taken."""
        stillness = cls()
        rows = np.frombuffer(state.means, np.float64).reshape(-1, 6)
        stillness._means[: len(rows)] = rows
        stillness._filled = len(rows)
        return stillness

    def _ordered(self) -> Floats:
        """Rows from old to new, so that sums do not depend on where the ring begins."""
        if self._filled < _POSE_BLOCKS:
            return self._means[: self._filled].copy()
        return np.roll(self._means, -(self._filled % _POSE_BLOCKS), axis=0)


class RestState(msgspec.Struct):
    """State of ``Rest``."""

    since_ns: int | None = None


class Rest:
    """How long the wearer has been at rest within an exercise, by angular rate alone."""

    __slots__ = ("state",)

    MAX_RATE_RADPS = math.radians(8.0)
    """Holding still with tremor and breathing stays below (signals.md §3.5, hold detection)."""

    def __init__(self, state: RestState | None = None) -> None:
        self.state = state or RestState()

    def update(self, block: GridBlock, bias_radps: Floats) -> None:
        """Take a block."""
        x, y, z = bias_radps.tolist()
        rate = block.means
        if math.hypot(rate[0] - x, rate[1] - y, rate[2] - z) > self.MAX_RATE_RADPS:
            self.state.since_ns = None
        elif self.state.since_ns is None:
            self.state.since_ns = block.t0_ns

    def lasts_ns(self, now_ns: int) -> int:
        """Duration of the rest under way, 0 while moving."""
        return 0 if self.state.since_ns is None else now_ns - self.state.since_ns

    def reset(self) -> None:
        """Forget (after a gap)."""
        self.state.since_ns = None
