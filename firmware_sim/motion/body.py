"""One simulated person: size, mobility, pace and sway, drawn from a generator.

Nominal values and their spread follow the field notes (ranges of motion of healthy and of painful backs,
tempo and depth of squats, sway); what has no source there is an estimate for the simulator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.motion.kinematics import COORDINATES, Pose
from firmware_sim.motion.paths import Sway
from processing.domain.exercises import Posture

_SWAY_PERIODS_S = (7.3, 4.1, 2.6)
_SWAY_ANGLE_DEG = 0.12
_SWAY_PLACE_M = 0.0015


@dataclass(frozen=True, slots=True)
class Body:
    """A person.

    Attributes:
        height_m: stature; lever arms grow with it.
        flexion_mobility: factor on every flexion and extension, 1 for the nominal person.
        bend_mobility: factor on every side bend.
        turn_mobility: factor on every axial rotation.
        coupling: axial rotation that comes with a side bend and the reverse, as a fraction of it.
        squat_depth_m: how far the hip goes down in a squat.
        pace: factor on every duration, 1 for the nominal tempo.
        step_s: time of one step.
        unsteadiness: relative spread of amplitude and tempo from repetition to repetition.
        sway: sway and breathing.
    """

    height_m: float
    flexion_mobility: float
    bend_mobility: float
    turn_mobility: float
    coupling: float
    squat_depth_m: float
    pace: float
    step_s: float
    unsteadiness: float
    sway: Sway

    @property
    def pelvis_sensor_m(self) -> tuple[float, float, float]:
        """From the hip centre to the sensor on the sacrum (S1), pelvis frame."""
        return self._scaled(-0.10, 0.08)

    @property
    def lumbar_joint_m(self) -> tuple[float, float, float]:
        """From the hip centre to the lumbar joint (about L4), pelvis frame."""
        return self._scaled(-0.06, 0.14)

    @property
    def thorax_sensor_m(self) -> tuple[float, float, float]:
        """From the lumbar joint to the sensor over T12/L1, thorax frame."""
        return self._scaled(-0.07, 0.11)

    def _scaled(self, forward_m: float, up_m: float) -> tuple[float, float, float]:
        factor = self.height_m / 1.70
        return (factor * forward_m, factor * up_m, 0.0)

    def posture(self, posture: Posture) -> Pose:
        """Neutral pose of a posture.

        Sitting down turns the pelvis back by 18 degrees and flattens the lordosis by 16 (Endo et al. 2012);
        on hands and knees the trunk is level.
        """
        match posture:
            case Posture.STANDING:
                return Pose()
            case Posture.SITTING:
                fall_m = 0.26 * self.height_m
                return Pose(
                    pelvis_flexion_deg=-18.0, lumbar_flexion_deg=16.0, hip_up_m=-fall_m, hip_forward_m=-0.7 * fall_m
                )
            case Posture.QUADRUPED:
                return Pose(pelvis_flexion_deg=90.0, hip_up_m=-0.27 * self.height_m, hip_forward_m=-0.10)


def draw_body(rng: np.random.Generator) -> Body:
    """A person like any other, all properties drawn from ``rng``."""
    return Body(
        height_m=float(np.clip(rng.normal(1.70, 0.09), 1.50, 1.95)),
        flexion_mobility=float(rng.uniform(0.90, 1.10)),
        bend_mobility=float(rng.uniform(0.85, 1.15)),
        turn_mobility=float(rng.uniform(0.85, 1.15)),
        coupling=float(rng.uniform(-0.15, 0.05)),
        squat_depth_m=float(rng.uniform(0.30, 0.48)),
        pace=float(rng.uniform(0.85, 1.20)),
        step_s=float(rng.uniform(0.50, 0.60)),
        unsteadiness=float(rng.uniform(0.03, 0.07)),
        sway=draw_sway(rng),
    )


def draw_sway(rng: np.random.Generator) -> Sway:
    """Sway of a few tenths of a degree and of millimetres, slower than 0.5 Hz."""
    shape = (len(_SWAY_PERIODS_S), COORDINATES)
    largest = np.full(COORDINATES, np.radians(_SWAY_ANGLE_DEG))
    largest[6:] = _SWAY_PLACE_M
    periods_s = np.array(_SWAY_PERIODS_S)[:, None] * rng.uniform(0.85, 1.15, shape)
    return Sway(
        amplitude=largest * rng.uniform(0.4, 1.0, shape),
        frequency_hz=1.0 / periods_s,
        phase_rad=rng.uniform(0.0, 2.0 * np.pi, shape),
    )
