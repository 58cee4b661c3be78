"""Orientation of one sensor against gravity: VQF without magnetometer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from vqf import VQF

from processing.dsp.blocks import BLOCK_SAMPLES, GRID_S, Floats, GridBlock
from processing.dsp.rotation import conjugate, multiply
from processing.dsp.stillness import StillPose

CLIP_BEFORE_REST_DPS = 10.0
"""Bias that VQF may estimate while no still pose told it: cheap sensors have several °/s, and VQF's default of 2
then fails (signals.md §6: 23° instead of 3.4°)."""

CLIP_AFTER_REST_DPS = 2.0
"""VQF's default, enough for what is left after the mean of a still pose was subtracted. A small limit keeps slow,
even movements from passing for bias."""


PRIMING_BLOCKS = 10
"""Blocks (0.5 s) ahead whose mean acceleration gives the first inclination. From the first sample alone it would be as
wrong as that sample is noisy: a shift of the grid by 10 ms then moved ranges of motion by 1° (trunk_seated)."""

TAU_AT_REST_S = 6.0
HALVING_RATE_RADPS = math.radians(300.0)
RATE_MEMORY_S = 10.0
"""How long the accelerometer is averaged before it corrects the inclination (VQF's ``tauAcc``): 6 s for a sensor that
hardly turns, half of it at a rate of 300 °/s (root mean square over about 10 s).

Errors of the gyroscope (scale, misaligned axes, sampling) grow with the rate, those of the accelerometer with how the
body is accelerated, so the best time falls as the rate grows. The trunk of a person is accelerated for seconds and
turns slowly; a sensor shaken by hand is the other extreme. No constant serves both: VQF's default of 3 s is best on
BROAD (0.71°, low back on wheelchair_trunk 2.40°), 5 s on the body (0.78° and 2.20°). The three numbers were chosen on
both sets and lie on a plateau (5-8 s with 200-450 °/s); chosen anew without each person or trial, they cost 0.02°."""

_INCLINATION = ("accQuat", "lastAccLp", "accLpState")
"""What VQF knows of the inclination, by the names of its state."""

_RATE_SHARE = BLOCK_SAMPLES * GRID_S / RATE_MEMORY_S


class OrientationState(msgspec.Struct):
    """State of an ``Orientation``; ``vqf`` is VQF's own state dictionary."""

    bias_radps: tuple[float, float, float]
    rested: bool
    mean_square: float
    turn: tuple[float, float, float, float]
    vqf: dict[str, Any]


class Orientation:
    """Streaming orientation, one block after the other.

    Laidig & Seel 2023 (Information Fusion 91:187), parameters at their defaults except the bias limit and ``tauAcc``.
    The heading is arbitrary but continuous, also across a gap (the sensor is then taken to point where it pointed
    before).
    """

    __slots__ = ("_bias", "_mean_square", "_rested", "_turn", "_turned", "_vqf")

    def __init__(self) -> None:
        self._bias = np.zeros(3)
        self._rested = False
        self._mean_square = 0.0
        self._turn_by(np.array([1.0, 0.0, 0.0, 0.0]))
        self._vqf = self._filter()

    def update(self, block: GridBlock) -> Floats:
        """Quaternions, shape (5, 4), sensor to earth."""
        rate = np.ascontiguousarray(block.gyr - self._bias)
        self._mean_square += _RATE_SHARE * (_mean_square(rate) - self._mean_square)
        self._vqf.setTauAcc(_tau_s(self._mean_square))
        out = self._vqf.updateBatch(rate, block.acc)
        quat: Floats = np.asarray(out["quat6D"]).dot(self._turned)
        return quat

    @property
    def bias_radps(self) -> Floats:
        """Gyroscope bias, shape (3,): still pose plus what VQF found since."""
        bias: Floats = self._bias + self._vqf.getBiasEstimate()[0]
        return bias

    @property
    def rested(self) -> bool:
        """Whether a still pose told the bias."""
        return self._rested

    @property
    def wander_radps(self) -> Floats:
        """Bias that VQF has found beyond the one of the still pose, shape (3,)."""
        wander: Floats = self._vqf.getBiasEstimate()[0]
        return wander

    def begin_from(self, pose: StillPose, before: Floats) -> None:
        """Take the mean rate of a still pose as the bias, and begin again with what the pose shows.

        Before, the filter turned with a bias that it did not know, and what that did to the inclination would go on
        for seconds (with ±5 °/s it changed ranges of motion by 6°). Everything but the heading therefore comes from
        the pose, so that any constant bias gives the same orientations.

        Args:
            pose: the pose, which has just ended.
            before: last quaternion, shape (4,), whose heading is kept.
        """
        self._bias = pose.gyr.copy()
        self._rested = True
        self._vqf = self._filter()
        samples = np.repeat(pose.means, BLOCK_SAMPLES, axis=0)
        self._vqf.updateBatch(np.ascontiguousarray(samples[:, :3] - pose.gyr), np.ascontiguousarray(samples[:, 3:]))
        self._turn_by(_heading_between(np.asarray(self._vqf.getQuat6D()), before))

    def prime(self, ahead: Sequence[GridBlock], before: Floats | None) -> None:
        """Start, or start again after a gap: inclination from the accelerometer, bias kept, heading as it was.

        Args:
            ahead: the next blocks, at least one; they are looked at and not consumed.
            before: last quaternion before the gap, shape (4,); None at the very start.
        """
        bias, sigma = self._vqf.getBiasEstimate()
        self._mean_square = sum(_mean_square(block.gyr - self._bias) for block in ahead) / len(ahead)
        trial = self._started(bias, sigma)
        for block in ahead:
            trial.updateBatch(np.ascontiguousarray(block.gyr - self._bias), block.acc)
        self._vqf = self._started(bias, sigma)
        state: Any = self._vqf.state
        state.update({name: trial.state[name] for name in _INCLINATION})
        self._vqf.state = state
        if before is not None:
            self._turn_by(_heading_between(np.asarray(self._vqf.getQuat6D()), before))

    def _turn_by(self, turn: Floats) -> None:
        """Turn what VQF says about the vertical; a product with a fixed quaternion is a product with a matrix."""
        self._turn = turn
        self._turned = multiply(turn, np.eye(4))

    def _started(self, bias: Floats, sigma: float) -> VQF:
        fresh = self._filter()
        fresh.setBiasEstimate(np.ascontiguousarray(bias), sigma)
        return fresh

    def state(self) -> OrientationState:
        """State as a value."""
        bias = self._bias.tolist()
        return OrientationState(
            bias_radps=(bias[0], bias[1], bias[2]),
            rested=self._rested,
            mean_square=self._mean_square,
            turn=tuple(self._turn.tolist()),
            vqf=dict(self._vqf.state),
        )

    @classmethod
    def from_state(cls, state: OrientationState) -> Orientation:
        """Orientation that goes on where ``state`` was taken, bit for bit."""
        orientation = cls()
        orientation._bias = np.array(state.bias_radps)
        orientation._rested = state.rested
        orientation._mean_square = state.mean_square
        orientation._turn_by(np.array(state.turn))
        orientation._vqf = orientation._filter()
        vqf_state: Any = state.vqf
        orientation._vqf.state = vqf_state
        return orientation

    def _filter(self) -> VQF:
        clip_dps = CLIP_AFTER_REST_DPS if self._rested else CLIP_BEFORE_REST_DPS
        return VQF(GRID_S, biasClip=clip_dps, tauAcc=_tau_s(self._mean_square))


def _mean_square(rate: Floats) -> float:
    return float(np.vdot(rate, rate)) / len(rate)


def _tau_s(mean_square: float) -> float:
    return TAU_AT_REST_S / (1.0 + math.sqrt(mean_square) / HALVING_RATE_RADPS)


def _heading_between(now: Floats, before: Floats) -> Floats:
    """Turn about the vertical, shape (4,), that brings ``now`` closest to ``before``."""
    between = multiply(before, conjugate(now))
    length = float(np.hypot(between[0], between[3]))
    if length < 1e-6:
        return np.array([1.0, 0.0, 0.0, 0.0])
    return np.array([between[0] / length, 0.0, 0.0, between[3] / length])
