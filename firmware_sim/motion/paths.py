"""Paths of the joint coordinates: from pose to pose, walking, and the sway that never stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from firmware_sim.motion.curves import Floats, Jet, product, sine, smooth_start, smooth_step, total
from firmware_sim.motion.kinematics import COORDINATES, Pose

_HIP_FORWARD = 6


class Path(Protocol):
    """Joint coordinates over time; constant before its first and after its last instant."""

    def at(self, t_s: Floats) -> Jet:
        """Coordinates at n instants, shape (n, 9)."""
        ...


class Keyframe(NamedTuple):
    """A pose that is reached, at rest, at an instant."""

    t_s: float
    pose: Pose


class KeyframePath:
    """Smooth movement from pose to pose, at rest in each; two equal poses are a hold.

    Raises:
        ValueError: fewer than two keyframes, or their times do not increase.
    """

    def __init__(self, keyframes: tuple[Keyframe, ...]) -> None:
        self._t_s = np.array([frame.t_s for frame in keyframes])
        self._poses = np.array([frame.pose.coordinates() for frame in keyframes])
        if len(keyframes) < 2 or np.any(np.diff(self._t_s) <= 0.0):
            raise ValueError("keyframes need at least two increasing times")

    def at(self, t_s: Floats) -> Jet:
        """Coordinates at n instants, shape (n, 9)."""
        leg = np.clip(np.searchsorted(self._t_s, t_s, side="right") - 1, 0, self._t_s.size - 2)
        step = smooth_step(t_s, self._t_s[leg], self._t_s[leg + 1] - self._t_s[leg])
        start, way = self._poses[leg], self._poses[leg + 1] - self._poses[leg]
        return Jet(start + way * step.value[:, None], way * step.rate[:, None], way * step.acceleration[:, None])


@dataclass(frozen=True, slots=True)
class Oscillation:
    """One sinusoid of gait: ``swing`` times the sine of ``per_step`` cycles a step plus ``phase_rad``."""

    per_step: float
    phase_rad: float
    swing: Pose


@dataclass(frozen=True, slots=True)
class WalkingPath:
    """Level walking in a straight line from a standing pose and back to it.

    The phase runs from 0 to ``steps``; foot contacts are at 1, 2, ... ``steps``. It wanders by 0.05
    of a step (``wander`` slow cycles over the whole way), so that no two steps take equally long. The swing
    grows within the first step and fades within the last; speed takes two steps each. At least four steps.
    """

    start_s: float
    seconds: float
    steps: int
    wander: int
    speed_mps: float
    stand: Pose
    oscillations: tuple[Oscillation, ...]

    @property
    def end_s(self) -> float:
        """Instant at which the person stands again."""
        return self.start_s + self.seconds

    @property
    def length_m(self) -> float:
        """Way between the two standing poses."""
        return self.speed_mps * (self.seconds - 2.0 * self._step_s)

    @property
    def _step_s(self) -> float:
        return self.seconds / self.steps

    def at(self, t_s: Floats) -> Jet:
        """Coordinates at n instants, shape (n, 9)."""
        phase = self._phase(t_s)
        up = smooth_step(t_s, self.start_s, self._step_s)
        down = smooth_step(t_s, self.end_s - self._step_s, self._step_s)
        envelope = Jet(*(a - b for a, b in zip(up, down, strict=True)))
        path = Jet(
            np.tile(self.stand.coordinates(), (t_s.size, 1)),
            np.zeros((t_s.size, COORDINATES)),
            np.zeros((t_s.size, COORDINATES)),
        )
        for wave in self.oscillations:
            turns = 2.0 * np.pi * wave.per_step
            angle = Jet(wave.phase_rad + turns * phase.value, turns * phase.rate, turns * phase.acceleration)
            swing = wave.swing.coordinates()
            path = total(path, Jet(*(part[:, None] * swing for part in product(envelope, sine(angle)))))
        return self._travelling(path, t_s)

    def _phase(self, t_s: Floats) -> Jet:
        clipped = np.clip(t_s, self.start_s, self.end_s) - self.start_s
        slow = 2.0 * np.pi * self.wander / self.seconds
        mean_rate = self.steps / self.seconds
        s, c = np.sin(slow * clipped), np.cos(slow * clipped)
        return Jet(mean_rate * clipped + 0.05 * s, mean_rate + 0.05 * slow * c, -0.05 * slow * slow * s)

    def _travelling(self, path: Jet, t_s: Floats) -> Jet:
        go = smooth_start(t_s, self.start_s, 2.0 * self._step_s)
        stop = smooth_start(t_s, self.end_s - 2.0 * self._step_s, 2.0 * self._step_s)
        for part, started, stopped in zip(path, go, stop, strict=True):
            part[:, _HIP_FORWARD] += self.speed_mps * (started - stopped)
        return path


@dataclass(frozen=True, slots=True)
class Sway:
    """Postural sway and breathing: sums of slow sinusoids on every coordinate, for ever.

    All arrays have shape (k, 9): amplitude in radians or metres, frequency in Hz, phase in radians.
    """

    amplitude: Floats
    frequency_hz: Floats
    phase_rad: Floats

    def at(self, t_s: Floats) -> Jet:
        """Coordinates to add at n instants, shape (n, 9)."""
        value, rate, acceleration = (np.zeros((t_s.size, COORDINATES)) for _ in range(3))
        for amplitude, frequency_hz, phase_rad in zip(self.amplitude, self.frequency_hz, self.phase_rad, strict=True):
            omega = 2.0 * np.pi * frequency_hz
            angle = omega * t_s[:, None] + phase_rad
            s, c = np.sin(angle), np.cos(angle)
            value += amplitude * s
            rate += amplitude * omega * c
            acceleration -= amplitude * omega * omega * s
        return Jet(value, rate, acceleration)
