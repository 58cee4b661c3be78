"""What a real sensor does to the truth: mounting and slip, scale, bias, noise, quantisation, clock, loss.

Everything is a function of the sample's number or time and of values drawn once, so it is repeatable and
does not depend on how a query is cut.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from firmware_sim.mishaps import Fading, Slip, Stuck
from processing.domain.errors import SettingsError
from processing.domain.samples import GRAVITY_MPS2

Floats = npt.NDArray[np.float64]

COMMON_MOUNT = "up:+x,forward:-z"
"""A flat sensor on the back, its z axis out of the skin and its x axis up the spine."""

_MOUNT = re.compile(r"up:([+-])([xyz]),forward:([+-])([xyz])")
_BLOCK = 256
_NOISE_STREAM, _LOSS_STREAM = 0, 1
_FULL_SCALE = 32768


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """Clock of a wearable against true time: it shows ``offset_us`` at second 0 and runs fast by ``drift_ppm``."""

    offset_us: int = 0
    drift_ppm: float = 0.0

    def tick_us(self, t_s: float) -> int:
        """Reading at true time ``t_s``, microseconds, not wrapped."""
        return self.offset_us + round(t_s * 1e6 * self._speed)

    def time_s(self, elapsed_us: float | npt.NDArray[np.int64]) -> Floats:
        """True time at which the clock shows ``offset_us + elapsed_us``, seconds."""
        return np.asarray(elapsed_us, dtype=np.float64) / (1e6 * self._speed)

    @property
    def _speed(self) -> float:
        return 1.0 + self.drift_ppm * 1e-6


@dataclass(frozen=True, slots=True)
class BiasWander:
    """Slow drift of the six biases as sums of sinusoids of minutes; arrays of shape (k, 6), SI units."""

    amplitude: Floats
    period_s: Floats
    phase_rad: Floats

    def at(self, t_s: Floats) -> Floats:
        """Bias beyond the constant one at n instants, shape (n, 6)."""
        wander = np.zeros((t_s.size, 6))
        for amplitude, period_s, phase_rad in zip(self.amplitude, self.period_s, self.phase_rad, strict=True):
            wander += amplitude * np.sin(2.0 * np.pi * t_s[:, None] / period_s + phase_rad)
        return wander


@dataclass(frozen=True, slots=True)
class Imperfections:
    """One sensor as it is worn. Channels: acc x, y, z (m/s2), gyr x, y, z (rad/s), in the sensor frame.

    Attributes:
        mounting: rotation from the segment frame to the sensor frame, shape (3, 3).
        scale: gain of each channel, shape (6,), 1 for a perfect one.
        bias: constant bias of each channel, shape (6,).
        noise: standard deviation of white noise per sample, shape (6,).
        lost_fraction: share of samples that never leave the sensor.
        lost_together: samples that are lost as one.
        seed: key of noise and loss.
        slips: turns of the sensor on the skin, in order of time.
        fading: times without radio, None for a good link.
        stuck: times in which one reading is repeated.
    """

    mounting: Floats
    scale: Floats
    bias: Floats
    noise: Floats
    wander: BiasWander
    clock: DeviceClock
    lost_fraction: float
    lost_together: int
    seed: int
    slips: tuple[Slip, ...] = ()
    fading: Fading | None = None
    stuck: tuple[Stuck, ...] = ()

    def measured(self, first: int, t_s: Floats, acc: Floats, gyr: Floats) -> Floats:
        """Readings of consecutive samples, shape (n, 6), from the ideal ones in the segment frame, each (n, 3).

        ``first`` is the number of the first sample, ``t_s`` their true times.
        """
        felt, turning = _turned(self.mounting, acc), _turned(self.mounting, gyr)
        for slip in self.slips:
            felt, turning = slip.felt(t_s, felt, turning)
        turned = np.concatenate([felt, turning], axis=1)
        noise = self.noise * _blocks(self.seed, _NOISE_STREAM, first, t_s.size, 6)
        readings: Floats = turned * self.scale + self.bias + self.wander.at(t_s) + noise
        return readings

    def lost(self, first: int, t_s: Floats) -> npt.NDArray[np.bool_]:
        """Which of n consecutive samples from number ``first``, at true times ``t_s`` (shape (n,)), are lost."""
        gone = np.zeros(t_s.size, dtype=np.bool_) if self.fading is None else self.fading.at(self.seed, t_s)
        if self.lost_fraction <= 0.0:
            return gone
        group = (first + np.arange(t_s.size)) // self.lost_together
        draws = _uniform_blocks(self.seed, int(group[0]), int(group[-1] - group[0]) + 1)
        return np.asarray(gone | (draws[group - group[0]] < self.lost_fraction), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class SensorGrade:
    """How good a kind of sensor is: the spread that one sensor is drawn from.

    Noise is a standard deviation per sample; biases, scale error and mounting error are drawn evenly up to
    the given size, the clock's drift within plus and minus ``clock_ppm``.
    """

    acc_noise_mps2: float
    gyr_noise_dps: float
    acc_bias_mps2: float
    gyr_bias_dps: float
    gyr_wander_dps: float
    scale_error: float
    mounting_error_deg: float
    clock_ppm: float


GRADES: Mapping[str, SensorGrade] = MappingProxyType(
    {
        "ideal": SensorGrade(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        # A current IMU of the kind in clinical wearables, calibrated in the factory.
        "good": SensorGrade(0.02, 0.05, 0.05, 0.3, 0.02, 0.003, 4.0, 20.0),
        # An uncalibrated hobby board: gyro bias of several degrees per second, as in the squat recordings.
        "cheap": SensorGrade(0.06, 0.15, 0.15, 5.0, 0.1, 0.01, 8.0, 100.0),
    }
)
"""Sensors by quality; sizes are our estimates from data sheets and from the recordings' rest phases."""


def draw_imperfections(
    grade: SensorGrade,
    rng: np.random.Generator,
    *,
    mount: str = COMMON_MOUNT,
    lost_fraction: float = 0.0,
    lost_together: int = 5,
    slips: tuple[Slip, ...] = (),
    fading: Fading | None = None,
    stuck: tuple[Stuck, ...] = (),
) -> Imperfections:
    """One sensor of a grade, worn as ``mount`` says but for a mounting error.

    Raises:
        SettingsError: ``mount`` cannot be read, or the loss is out of range.
    """
    if not (0.0 <= lost_fraction < 1.0 and lost_together >= 1):
        raise SettingsError(f"loss of {lost_fraction} in runs of {lost_together}; need 0 <= fraction < 1, runs >= 1")
    spread = np.repeat([grade.acc_bias_mps2, np.radians(grade.gyr_bias_dps)], 3)
    wander = np.repeat([0.0, np.radians(grade.gyr_wander_dps)], 3)
    axis = rng.normal(0.0, 1.0, 3)
    tilt = _rotation(axis / np.linalg.norm(axis), np.radians(grade.mounting_error_deg) * rng.uniform(0.3, 1.0))
    noise = np.repeat([grade.acc_noise_mps2, np.radians(grade.gyr_noise_dps)], 3)
    return Imperfections(
        mounting=tilt @ mount_rotation(mount),
        scale=1.0 + grade.scale_error * rng.uniform(-1.0, 1.0, 6),
        bias=spread * rng.uniform(-1.0, 1.0, 6),
        noise=noise,
        wander=BiasWander(
            amplitude=wander * rng.uniform(0.3, 1.0, (3, 6)),
            period_s=np.array([[180.0], [420.0], [1500.0]]) * rng.uniform(0.8, 1.2, (3, 6)),
            phase_rad=rng.uniform(0.0, 2.0 * np.pi, (3, 6)),
        ),
        clock=DeviceClock(int(rng.integers(0, 2**32)), float(grade.clock_ppm * rng.uniform(-1.0, 1.0))),
        lost_fraction=lost_fraction,
        lost_together=lost_together,
        seed=int(rng.integers(0, 2**63)),
        slips=slips,
        fading=fading,
        stuck=stuck,
    )


def draw_slip(rng: np.random.Generator, at_s: float, *, mount: str = COMMON_MOUNT) -> Slip:
    """A slip of 15 to 30 degrees (estimate), within a second or creeping over up to two minutes.

    The sensor turns in the plane of the skin or peels off sideways, in equal parts.

    Raises:
        SettingsError: ``mount`` cannot be read.
    """
    forward, up, _ = mount_rotation(mount).T
    axis = forward if rng.uniform() < 0.5 else up
    seconds = float(rng.uniform(0.3, 1.0) if rng.uniform() < 0.5 else rng.uniform(20.0, 120.0))
    angle_deg = float(rng.uniform(15.0, 30.0) * rng.choice([-1.0, 1.0]))
    return Slip(at_s, seconds, (float(axis[0]), float(axis[1]), float(axis[2])), angle_deg)


def upside_down(mount: str) -> str:
    """The mount of a sensor put on the wrong way up.

    Raises:
        SettingsError: ``mount`` cannot be read.
    """
    match = _MOUNT.fullmatch(mount)
    if match is None:
        raise SettingsError(f"mount {mount!r}: write two different sensor axes, for example {COMMON_MOUNT!r}")
    return f"up:{'-' if match[1] == '+' else '+'}{match[2]},forward:{match[3]}{match[4]}"


def mount_rotation(mount: str) -> Floats:
    """Rotation from the segment frame to the sensor frame, shape (3, 3), of a mount such as ``"up:+x,forward:-z"``.

    Raises:
        SettingsError: not of that form, or both directions on one axis.
    """
    match = _MOUNT.fullmatch(mount)
    if match is None or match[2] == match[4]:
        raise SettingsError(f"mount {mount!r}: write two different sensor axes, for example {COMMON_MOUNT!r}")
    up, forward = _axis(match[1], match[2]), _axis(match[3], match[4])
    return np.stack([forward, up, np.cross(forward, up)], axis=1)


def quantised(readings: Floats, acc_range_g: float, gyr_range_dps: float) -> npt.NDArray[np.int16]:
    """Raw counts, shape (n, 6), of readings in SI units; saturates at the ranges."""
    counts = np.rint(readings / count_scale(acc_range_g, gyr_range_dps))
    return np.clip(counts, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def count_scale(acc_range_g: float, gyr_range_dps: float) -> Floats:
    """SI units per count of the six channels, shape (6,)."""
    return np.repeat([acc_range_g * GRAVITY_MPS2, np.radians(gyr_range_dps)], 3) / _FULL_SCALE


def _axis(sign: str, name: str) -> Floats:
    axis = np.zeros(3)
    axis["xyz".index(name)] = 1.0 if sign == "+" else -1.0
    return axis


def _turned(matrix: Floats, vector: Floats) -> Floats:
    # Sums written out: BLAS may add in another order when n changes.
    x, y, z = vector[:, 0], vector[:, 1], vector[:, 2]
    return np.stack([row[0] * x + row[1] * y + row[2] * z for row in matrix], axis=1)


def _rotation(axis: Floats, angle_rad: float) -> Floats:
    """Rotation about a unit axis (Rodrigues)."""
    x, y, z = axis
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turned: Floats = np.eye(3) + np.sin(angle_rad) * skew + (1.0 - np.cos(angle_rad)) * (skew @ skew)
    return turned


def _generator(seed: int, stream: int, block: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array([seed, 2 * block + stream], dtype=np.uint64)))


def _blocks(seed: int, stream: int, first: int, count: int, width: int) -> Floats:
    """Standard normal rows for consecutive numbers, drawn in blocks so that a number always gets the same row."""
    start, stop = first // _BLOCK, (first + count - 1) // _BLOCK
    drawn = [_generator(seed, stream, block).standard_normal((_BLOCK, width)) for block in range(start, stop + 1)]
    rows: Floats = np.concatenate(drawn)[first - start * _BLOCK :][:count]
    return rows


def _uniform_blocks(seed: int, first: int, count: int) -> Floats:
    """Numbers in [0, 1) for consecutive numbers, the same for a number in every call."""
    start, stop = first // _BLOCK, (first + count - 1) // _BLOCK
    drawn = [_generator(seed, _LOSS_STREAM, block).random(_BLOCK) for block in range(start, stop + 1)]
    rows: Floats = np.concatenate(drawn)[first - start * _BLOCK :][:count]
    return rows
