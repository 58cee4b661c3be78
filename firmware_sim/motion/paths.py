"""Paths of the joint coordinates: from pose to pose, trembling, and the sway that never stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from firmware_sim.motion.curves import Floats, Jet, product, smooth_step, total
from firmware_sim.motion.kinematics import COORDINATES, LUMBAR, Pose


class Path(Protocol):
    """Joint coordinates over time; constant before its first and after its last instant."""

    def at(self, t_s: Floats) -> Jet:
        """Coordinates at n instants, shape (n, 9)."""
        ...


class Keyframe(NamedTuple):
    """A pose that is reached, at rest, at an instant.

    ``lead`` is the lumbar spine's lead on the way there, as a fraction of it: at 0.1 the spine has arrived when a tenth
    of the time is left, and pelvis and hips set out when a tenth is over. Negative, the pelvis leads.
    """

    t_s: float
    pose: Pose
    lead: float = 0.0


class KeyframePath:
    """Smooth movement from pose to pose, at rest in each; two equal poses are a hold.

    Raises:
        ValueError: fewer than two keyframes, or their times do not increase.
    """

    def __init__(self, keyframes: tuple[Keyframe, ...]) -> None:
        self._t_s = np.array([frame.t_s for frame in keyframes])
        self._poses = np.array([frame.pose.coordinates() for frame in keyframes])
        self._lead = np.array([frame.lead for frame in keyframes])
        if len(keyframes) < 2 or np.any(np.diff(self._t_s) <= 0.0):
            raise ValueError("keyframes need at least two increasing times")

    def at(self, t_s: Floats) -> Jet:
        """Coordinates at n instants, shape (n, 9)."""
        leg = np.clip(np.searchsorted(self._t_s, t_s, side="right") - 1, 0, self._t_s.size - 2)
        start_s, seconds = self._t_s[leg], self._t_s[leg + 1] - self._t_s[leg]
        lead = self._lead[leg + 1]
        moving_s = seconds * (1.0 - np.abs(lead))
        rest = smooth_step(t_s, start_s + seconds * np.maximum(lead, 0.0), moving_s)
        lumbar = smooth_step(t_s, start_s - seconds * np.minimum(lead, 0.0), moving_s)
        start, way = self._poses[leg], self._poses[leg + 1] - self._poses[leg]
        parts = []
        for whole, spine in zip(rest, lumbar, strict=True):
            part = way * whole[:, None]
            part[:, LUMBAR] = way[:, LUMBAR] * spine[:, None]
            parts.append(part)
        return Jet(start + parts[0], parts[1], parts[2])


@dataclass(frozen=True, slots=True)
class Sum:
    """Paths on top of each other."""

    paths: tuple[Path, ...]

    def at(self, t_s: Floats) -> Jet:
        """Coordinates at n instants, shape (n, 9)."""
        path = self.paths[0].at(t_s)
        for other in self.paths[1:]:
            path = total(path, other.at(t_s))
        return path


class Trembling:
    """A sway that is there only within some spans of time; it grows and fades within ``RAMP_S`` at their ends.

    Raises:
        ValueError: spans that overlap, are out of order, or are no longer than twice ``RAMP_S``.
    """

    RAMP_S = 0.4

    def __init__(self, sway: Sway, spans: tuple[tuple[float, float], ...]) -> None:
        self._sway = sway
        edges = [
            edge for start_s, end_s in spans for edge in (start_s, start_s + self.RAMP_S, end_s - self.RAMP_S, end_s)
        ]
        self._t_s = np.array(edges)
        self._size = np.tile([0.0, 1.0, 1.0, 0.0], len(spans))
        if not spans or np.any(np.diff(self._t_s) <= 0.0):
            raise ValueError("spans of trembling need increasing times")

    def at(self, t_s: Floats) -> Jet:
        """Coordinates at n instants, shape (n, 9)."""
        leg = np.clip(np.searchsorted(self._t_s, t_s, side="right") - 1, 0, self._t_s.size - 2)
        step = smooth_step(t_s, self._t_s[leg], self._t_s[leg + 1] - self._t_s[leg])
        change = self._size[leg + 1] - self._size[leg]
        size = Jet(self._size[leg] + change * step.value, change * step.rate, change * step.acceleration)
        return product(Jet(*(part[:, None] for part in size)), self._sway.at(t_s))


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
