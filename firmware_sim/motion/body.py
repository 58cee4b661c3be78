"""One simulated person: size, mobility, pace and sway, drawn from a generator.

Nominal values and their spread follow the field notes (ranges of motion of healthy and of painful backs,
tempo and depth of squats, sway); what has no source there is an estimate for the simulator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.motion.kinematics import COORDINATES, NEUTRAL, Pose
from firmware_sim.motion.paths import Sway
from processing.domain.exercises import Posture

_SWAY_PERIODS_S = (7.3, 4.1, 2.6)
_SWAY_ANGLE_DEG = 0.12
_SWAY_PLACE_M = 0.0015
_BREATH_S = 4.0
_BREATH_DEG = 0.5
_TREMOR_HZ = 6.0
_TREMOR_DEG = 0.06


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
        tremor: what holding a pose with effort adds: deeper breathing and trembling.
        reach: factor on the size of exercises on the floor, 1 for the nominal person.
        vigour: 0 for small and slow, 1 for large and fast ways of doing the same exercise.
        fatigue: share of amplitude that is gone after many repetitions; tempo suffers half as much again.
        asymmetry: what the second side does more (or less) than the first, as a fraction of it.
        spill_bend: side bend that comes with flexion of the trunk, as a fraction of it.
        spill_turn: axial rotation that comes with flexion of the trunk, as a fraction of it.
        two_bends: squats with a bend of the trunk on the way down and another on the way up.
        tilts_forward: pelvic tilts go forward beyond neutral after going back.
        right_first: side that one-sided exercises are done on, and two-sided ones begin with.
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
    tremor: Sway
    reach: float
    vigour: float
    fatigue: float
    asymmetry: float
    spill_bend: float
    spill_turn: float
    two_bends: bool
    tilts_forward: bool
    right_first: bool

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

        Sitting down turns the pelvis back by 18 degrees and flattens the lordosis by 16 (Endo et al. 2012); on hands
        and knees and lying the trunk is level. Who lies on the side has rolled there from the back.
        """
        fall_m, lying_m = 0.26 * self.height_m, -0.47 * self.height_m
        side = -1.0 if self.right_first else 1.0
        poses = {
            Posture.STANDING: NEUTRAL,
            Posture.SITTING: Pose(
                pelvis_flexion_deg=-18.0, lumbar_flexion_deg=16.0, hip_up_m=-fall_m, hip_forward_m=-0.7 * fall_m
            ),
            Posture.HALF_KNEELING: Pose(
                pelvis_flexion_deg=4.0, lumbar_flexion_deg=-4.0, hip_up_m=-0.24 * self.height_m
            ),
            Posture.QUADRUPED: Pose(pelvis_flexion_deg=90.0, hip_up_m=-0.27 * self.height_m, hip_forward_m=-0.10),
            Posture.SUPINE: Pose(pelvis_flexion_deg=-90.0, hip_up_m=lying_m, hip_forward_m=-0.30),
            Posture.PRONE: Pose(
                pelvis_flexion_deg=90.0, lumbar_flexion_deg=-4.0, hip_up_m=lying_m, hip_forward_m=-0.30
            ),
            Posture.SIDE_LYING: Pose(
                pelvis_flexion_deg=-90.0, pelvis_turn_deg=90.0 * side, hip_up_m=lying_m + 0.05, hip_forward_m=-0.30
            ),
            Posture.HEAD_DOWN: Pose(
                pelvis_flexion_deg=145.0, lumbar_flexion_deg=-8.0, hip_up_m=0.05, hip_forward_m=-0.25
            ),
        }
        return poses[posture]

    def spilt(self, pose: Pose, times: float = 1.0) -> Pose:
        """The pose with the side bend and turn that this person adds to flexion of the trunk, ``times`` over."""
        trunk_deg = times * (pose.pelvis_flexion_deg + pose.lumbar_flexion_deg)
        return pose.moved(
            Pose(lumbar_bend_deg=self.spill_bend * trunk_deg, lumbar_turn_deg=self.spill_turn * trunk_deg)
        )


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
        tremor=draw_tremor(rng),
        reach=float(rng.uniform(0.8, 1.2)),
        vigour=float(rng.uniform(0.0, 1.0)),
        fatigue=float(rng.uniform(0.0, 0.15)),
        asymmetry=float(rng.uniform(-0.15, 0.15)),
        spill_bend=float(rng.uniform(-0.08, 0.08)),
        spill_turn=float(rng.uniform(-0.08, 0.08)),
        two_bends=bool(rng.uniform() < 0.25),
        tilts_forward=bool(rng.uniform() < 0.4),
        right_first=bool(rng.uniform() < 0.5),
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


def draw_tremor(rng: np.random.Generator) -> Sway:
    """Breathing of 0.2-0.3 Hz, up to 1 degree peak to peak, and trembling of 4-8 Hz (sizes: estimates)."""
    shape = (2, COORDINATES)
    largest = np.zeros(shape)
    largest[0, [0, 3]] = np.radians(_BREATH_DEG)
    largest[1, :6] = np.radians(_TREMOR_DEG)
    frequency_hz = np.array([[1.0 / _BREATH_S], [_TREMOR_HZ]]) * rng.uniform(0.75, 1.25, shape)
    return Sway(
        amplitude=largest * rng.uniform(0.3, 1.0, shape),
        frequency_hz=frequency_hz,
        phase_rad=rng.uniform(0.0, 2.0 * np.pi, shape),
    )
