"""Angles of a segment, or between two, against the neutral pose of a set.

Everything rests on one calibrated axis per sensor, the one that points to the wearer's right. In the neutral
pose it tells the heading; gravity tells the rest. So neither a sensor that sits askew nor a posture other
than upright needs a case of its own, and no Euler angle of a sensor against the earth is ever taken.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from processing.domain.exercises import Posture
from processing.dsp.blocks import Floats
from processing.dsp.rotation import conjugate, heading_rad, isb_angles_deg, multiply, rotate, up_in_sensor

_RIGHT_HEADING_RAD = -math.pi / 2.0
"""Heading of the right-hand axis when forward is the earth's x axis and up its z axis."""

# Rows: anatomical X (forward), Y (up the spine), Z (right) in the earth frame that the neutral pose defines.
_UPRIGHT = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
_FACE_DOWN = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
_FACE_UP = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])

_AXES_IN_EARTH: dict[str, Floats] = {
    # By the name of the posture; lying on the side is missing, because the axis to the right then tells no heading.
    "standing": _UPRIGHT,
    "sitting": _UPRIGHT,
    "half_kneeling": _UPRIGHT,
    "quadruped": _FACE_DOWN,
    "prone": _FACE_DOWN,
    "head_down": _FACE_DOWN,
    "supine": _FACE_UP,
}


class NeutralState(msgspec.Struct, frozen=True):
    """Value of a ``Neutral``."""

    inverse: tuple[float, ...]
    axes: tuple[float, ...]


class Neutral:
    """Neutral pose of one segment."""

    __slots__ = ("_since", "state")

    def __init__(self, state: NeutralState) -> None:
        self.state = state
        # A product with a fixed quaternion is linear, and so is the turn into anatomical axes: one matrix does both.
        self._since = multiply(np.eye(4), np.array(state.inverse))
        self._since[:, 1:] = self._since[:, 1:].dot(np.array(state.axes).reshape(3, 3).T)

    @classmethod
    def at(cls, quat: Floats, rightward: Floats, posture: Posture) -> Neutral | None:
        """Neutral pose from a quaternion, shape (4,), and the sensor axis to the right, shape (3,).

        None if that axis points up or down, where it tells no heading, or the posture has no such neutral pose.
        """
        anatomical = _AXES_IN_EARTH.get(posture)
        heading = heading_rad(rotate(quat, rightward))
        if heading is None or anatomical is None:
            return None
        turn = _RIGHT_HEADING_RAD - heading
        cos, sin = math.cos(turn), math.sin(turn)
        level = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        axes = np.einsum("ij,jk->ik", anatomical, level)
        return cls(NeutralState(tuple(conjugate(quat).tolist()), tuple(axes.ravel().tolist())))

    def tilt_deg(self, quat: Floats) -> float:
        """Angle between where up is now and where it was in the neutral pose, both seen by the sensor, degrees."""
        before = up_in_sensor(conjugate(np.array(self.state.inverse)))
        cosine = float(before.dot(up_in_sensor(quat)))
        return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))

    def rotation_since(self, quats: Floats) -> Floats:
        """Rotation of the segment since neutral, shape (n, 4), about the anatomical axes of the neutral pose."""
        since: Floats = quats.dot(self._since)
        return since


def segment_angles_deg(since_neutral: Floats) -> Floats:
    """Flexion, right bend, left rotation of one segment against its neutral pose, shape (n, 3)."""
    return isb_angles_deg(since_neutral)


def joint_angles_deg(lower: Floats, upper: Floats) -> Floats:
    """The same of the upper segment against the lower one, both as rotations since neutral, shape (n, 4)."""
    return isb_angles_deg(multiply(conjugate(lower), upper))
