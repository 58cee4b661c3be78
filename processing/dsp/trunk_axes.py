"""The lean of a trunk segment: where up is along its own axes, from orientation and calibrated axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from processing.dsp.blocks import BLOCK_NS

TICK_NS = 2 * BLOCK_NS
"""How often the lean of a trunk is looked at in everyday wear: ten times a second; the trunk moves below 2 Hz
(``lowpass.MOVEMENT_CUTOFF_HZ``)."""

Vector = tuple[float, float, float]


class Lean(NamedTuple):
    """Up, as a unit vector along the segment's ISB axes: X forward, Y up the spine, Z right."""

    x: float
    y: float
    z: float

    @property
    def flexion_deg(self) -> float:
        """Forward inclination in the sagittal plane, degrees; backward negative, -180 to 180."""
        return math.degrees(math.atan2(-self.x, self.y))

    @property
    def right_bend_deg(self) -> float:
        """Inclination to the right, degrees."""
        return -math.degrees(math.asin(max(-1.0, min(1.0, self.z))))

    def angle_deg(self, other: Lean) -> float:
        """Angle to another lean, degrees."""
        return angle_deg(self, other)


class TrunkAxes(NamedTuple):
    """Axes of a segment in the sensor's frame, unit vectors."""

    forward: Vector
    up: Vector
    right: Vector

    def lean(self, quat: Sequence[float]) -> Lean:
        """Lean for an orientation ``w, x, y, z``, sensor to earth."""
        up = up_of(quat)
        return Lean(_dot(self.forward, up), _dot(self.up, up), _dot(self.right, up))


def trunk_axes(up: Sequence[float], rightward: Sequence[float]) -> TrunkAxes | None:
    """Axes from the direction of up in the upright pose and the axis to the right, both in the sensor's frame.

    None if the two are less than 30° apart: which way is forward is then not known.
    """
    up_axis = unit((up[0], up[1], up[2]))
    along = _dot(up_axis, rightward)
    across = tuple(r - along * u for r, u in zip(rightward, up_axis, strict=True))
    if math.hypot(*across) < 0.5:
        return None
    right = unit((across[0], across[1], across[2]))
    return TrunkAxes(_cross(up_axis, right), up_axis, right)


def up_of(quat: Sequence[float]) -> Vector:
    """Up in the sensor's frame for an orientation ``w, x, y, z``, sensor to earth."""
    w, x, y, z = quat
    return 2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)


def angle_deg(one: Sequence[float], other: Sequence[float]) -> float:
    """Angle between two unit vectors, degrees."""
    return math.degrees(math.atan2(math.hypot(*_cross(one, other)), _dot(one, other)))


def unit(vector: Vector) -> Vector:
    """The vector at length 1."""
    length = math.hypot(*vector)
    return vector[0] / length, vector[1] / length, vector[2] / length


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Sequence[float], b: Sequence[float]) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
