"""Rigid-body kinematics of pelvis and thorax: from joint coordinates to what two sensors feel.

World frame: X forward, Y up, Z right (ISB). Segment frames likewise when standing upright. The pelvis
turns about the hip centre, the thorax about one lumbar joint on the pelvis; each sensor sits on its
segment with a lever arm. Angles are Z-X-Y (flexion, bend, turn), Wu et al. 2002: right bend and left
turn are positive; flexion is positive forward, hence minus the rotation about Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from firmware_sim.motion.curves import Floats, Jet
from processing.domain.samples import GRAVITY_MPS2, Placement

COORDINATES = 9
"""Pelvis flexion, bend, turn; lumbar flexion, bend, turn (rad); hip centre forward, up, right (m)."""

_PELVIS = slice(0, 3)
LUMBAR = slice(3, 6)
"""Place of the lumbar angles among the coordinates."""
_HIP = slice(6, 9)


class Pose(NamedTuple):
    """Where the body is: pelvis against the world, thorax against the pelvis, hip centre in the world."""

    pelvis_flexion_deg: float = 0.0
    pelvis_bend_deg: float = 0.0
    pelvis_turn_deg: float = 0.0
    lumbar_flexion_deg: float = 0.0
    lumbar_bend_deg: float = 0.0
    lumbar_turn_deg: float = 0.0
    hip_forward_m: float = 0.0
    hip_up_m: float = 0.0
    hip_right_m: float = 0.0

    def scaled(self, factor: float) -> Pose:
        """The pose with every coordinate times ``factor``."""
        return Pose(*(factor * value for value in self))

    def moved(self, by: Pose) -> Pose:
        """The pose with the coordinates of ``by`` added."""
        return Pose(*(a + b for a, b in zip(self, by, strict=True)))

    def coordinates(self) -> Floats:
        """Coordinates, shape (9,), radians and metres."""
        values = np.array(self, dtype=np.float64)
        values[:6] = np.radians(values[:6])
        return values


NEUTRAL = Pose()
"""Standing upright; as an offset, no change."""


class LeverArms(Protocol):
    """Vectors that place joint and sensors on a body, metres, in the frame of their segment."""

    @property
    def pelvis_sensor_m(self) -> tuple[float, float, float]:
        """From the hip centre to the pelvis sensor."""
        ...

    @property
    def lumbar_joint_m(self) -> tuple[float, float, float]:
        """From the hip centre to the lumbar joint, in the pelvis frame."""
        ...

    @property
    def thorax_sensor_m(self) -> tuple[float, float, float]:
        """From the lumbar joint to the thorax sensor, in the thorax frame."""
        ...


@dataclass(frozen=True, slots=True)
class Motion:
    """One sensor's frame over n instants.

    Attributes:
        rotation: segment to world, shape (n, 3, 3).
        position_m: sensor in the world, shape (n, 3).
        rate: angular rate in the segment frame, rad/s, shape (n, 3).
        acceleration: of the position, in the world, m/s2, shape (n, 3).
    """

    rotation: Floats
    position_m: Floats
    rate: Floats
    acceleration: Floats

    def specific_force(self) -> Floats:
        """What an accelerometer aligned with the segment reads, m/s2, shape (n, 3): R^T (p'' - g)."""
        felt: Floats = self.acceleration + np.array([0.0, GRAVITY_MPS2, 0.0])
        return _apply(np.swapaxes(self.rotation, 1, 2), felt)


class _Turning(NamedTuple):
    rotation: Floats
    rate: Floats
    rate_change: Floats


def motion_of(coordinates: Jet, arms: LeverArms, placement: Placement) -> Motion:
    """Motion of the sensor at a placement from the joint coordinates, shape (n, 9)."""
    pelvis = _turning(Jet(*(part[:, _PELVIS] for part in coordinates)))
    hip = Jet(*(part[:, _HIP] for part in coordinates))
    if placement is Placement.PELVIS:
        carried = _carried(pelvis, arms.pelvis_sensor_m)
        return Motion(pelvis.rotation, hip.value + carried[0], pelvis.rate, hip.acceleration + carried[1])
    joint = _carried(pelvis, arms.lumbar_joint_m)
    thorax = _chained(pelvis, _turning(Jet(*(part[:, LUMBAR] for part in coordinates))))
    carried = _carried(thorax, arms.thorax_sensor_m)
    position = hip.value + joint[0] + carried[0]
    return Motion(thorax.rotation, position, thorax.rate, hip.acceleration + joint[1] + carried[1])


def rotation_zxy(angles_rad: Floats) -> Floats:
    """Rotation matrices, shape (n, 3, 3), of flexion, bend and turn, shape (n, 3)."""
    return _turning(Jet(angles_rad, np.zeros_like(angles_rad), np.zeros_like(angles_rad))).rotation


def angles_zxy_deg(rotation: Floats) -> Floats:
    """Flexion, right bend and left turn in degrees, shape (n, 3), of rotations, shape (n, 3, 3)."""
    flexion = -np.arctan2(-rotation[:, 0, 1], rotation[:, 1, 1])
    bend = np.arcsin(np.clip(rotation[:, 2, 1], -1.0, 1.0))
    turn = np.arctan2(-rotation[:, 2, 0], rotation[:, 2, 2])
    angles_deg: Floats = np.degrees(np.stack([flexion, bend, turn], axis=1))
    return angles_deg


def relative(base: Floats, rotation: Floats) -> Floats:
    """Rotations seen from ``base``: base^T R; both (n, 3, 3), or ``base`` (3, 3)."""
    return _matmul(np.swapaxes(np.broadcast_to(base, rotation.shape), 1, 2), rotation)


def _apply(matrix: Floats, vector: Floats) -> Floats:
    # Sums written out: BLAS may add in another order when n changes.
    x, y, z = vector[:, 0], vector[:, 1], vector[:, 2]
    rows = (matrix[:, row, 0] * x + matrix[:, row, 1] * y + matrix[:, row, 2] * z for row in range(3))
    rotated: Floats = np.stack(tuple(rows), axis=1)
    return rotated


def _matmul(a: Floats, b: Floats) -> Floats:
    return np.stack([_apply(a, b[:, :, column]) for column in range(3)], axis=2)


def _cross(a: Floats, b: Floats) -> Floats:
    return np.stack(
        [
            a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
            a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
            a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
        ],
        axis=1,
    )


def _turning(angles: Jet) -> _Turning:
    """Rotation Rz(-flexion) Rx(bend) Ry(turn) with its rate and the change of that, in the body frame."""
    a, b, c = -angles.value[:, 0], angles.value[:, 1], angles.value[:, 2]
    a1, b1, c1 = -angles.rate[:, 0], angles.rate[:, 1], angles.rate[:, 2]
    a2, b2, c2 = -angles.acceleration[:, 0], angles.acceleration[:, 1], angles.acceleration[:, 2]
    sa, ca, sb, cb, sc, cc = np.sin(a), np.cos(a), np.sin(b), np.cos(b), np.sin(c), np.cos(c)
    rotation = np.empty((a.size, 3, 3))
    rotation[:, 0, 0] = ca * cc - sa * sb * sc
    rotation[:, 0, 1] = -sa * cb
    rotation[:, 0, 2] = ca * sc + sa * sb * cc
    rotation[:, 1, 0] = sa * cc + ca * sb * sc
    rotation[:, 1, 1] = ca * cb
    rotation[:, 1, 2] = sa * sc - ca * sb * cc
    rotation[:, 2, 0] = -cb * sc
    rotation[:, 2, 1] = sb
    rotation[:, 2, 2] = cb * cc
    # Rate before the turn about Y: u = (b', a' sin b, a' cos b); then u goes through Ry(c)^T and c' is added on Y.
    ux, uy, uz = b1, a1 * sb, a1 * cb
    vx, vy, vz = b2, a2 * sb + a1 * b1 * cb, a2 * cb - a1 * b1 * sb
    rate = np.stack([cc * ux - sc * uz, uy + c1, sc * ux + cc * uz], axis=1)
    change = np.stack(
        [
            cc * vx - sc * vz - c1 * (sc * ux + cc * uz),
            vy + c2,
            sc * vx + cc * vz + c1 * (cc * ux - sc * uz),
        ],
        axis=1,
    )
    return _Turning(rotation, rate, change)


def _chained(outer: _Turning, inner: _Turning) -> _Turning:
    """Body that turns by ``inner`` on a body that turns by ``outer``."""
    rotation = _matmul(outer.rotation, inner.rotation)
    back = np.swapaxes(inner.rotation, 1, 2)
    carried = _apply(back, outer.rate)
    change = _apply(back, outer.rate_change) - _cross(inner.rate, carried) + inner.rate_change
    return _Turning(rotation, carried + inner.rate, change)


def _carried(turning: _Turning, arm_m: tuple[float, float, float]) -> tuple[Floats, Floats]:
    """Place and acceleration, world frame, of a point fixed to a turning body, against its origin."""
    arm = np.broadcast_to(np.array(arm_m), turning.rate.shape)
    felt = _cross(turning.rate_change, arm) + _cross(turning.rate, _cross(turning.rate, arm))
    return _apply(turning.rotation, arm), _apply(turning.rotation, felt)
