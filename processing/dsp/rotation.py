"""Quaternion mathematics and the ISB angles. Quaternions are ``w, x, y, z``, sensor to earth (z up)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from processing.dsp.blocks import Floats


def _products(terms: Sequence[Mapping[str, float]]) -> Floats:
    """Table, shape (16, n), that sums products of two quaternions' parts, such as ``"wx"``, with their factors."""
    table = np.zeros((16, len(terms)))
    for column, factors in enumerate(terms):
        for parts, factor in factors.items():
            table[4 * "wxyz".index(parts[0]) + "wxyz".index(parts[1]), column] = factor
    return table


# Every formula below is quadratic: all sixteen products at once, then one table, cost two calls instead of dozens.
_HAMILTON = _products(
    (
        {"ww": 1, "xx": -1, "yy": -1, "zz": -1},
        {"wx": 1, "xw": 1, "yz": 1, "zy": -1},
        {"wy": 1, "xz": -1, "yw": 1, "zx": 1},
        {"wz": 1, "xy": 1, "yx": -1, "zw": 1},
    )
)

_UP_IN_SENSOR = _products(({"xz": 2, "wy": -2}, {"yz": 2, "wx": 2}, {"ww": 1, "xx": -1, "yy": -1, "zz": 1}))
_ISB = _products(
    (
        {"wz": 2, "xy": -2},
        {"wy": 2, "xz": -2},
        {"ww": 1, "xx": -1, "yy": 1, "zz": -1},
        {"ww": 1, "xx": -1, "yy": -1, "zz": 1},
        {"yz": 2, "wx": 2},
    )
)
"""Sines of flexion (negative) and rotation, their cosines, both over the cosine of the bend; sine of the bend."""

_CONJUGATE = np.array([1.0, -1.0, -1.0, -1.0])

_ISB_DEG = np.array([-1.0, 1.0, 1.0]) * (180.0 / math.pi)


def conjugate(q: Floats) -> Floats:
    """Inverse of unit quaternions, shape (..., 4)."""
    inverse: Floats = q * _CONJUGATE
    return inverse


def multiply(p: Floats, q: Floats) -> Floats:
    """Hamilton product of quaternions, shape (n, 4) or (4,) each; ``q`` is applied first."""
    return _summed(p, q, _HAMILTON)


def _summed(p: Floats, q: Floats, table: Floats) -> Floats:
    products = p[..., :, None] * q[..., None, :]
    summed: Floats = products.reshape(*products.shape[:-2], 16).dot(table)
    return summed


def rotate(q: Floats, v: Floats) -> Floats:
    """Vectors, shape (n, 3) or (3,), turned by quaternions, shape (n, 4) or (4,)."""
    w, u = q[..., :1], q[..., 1:]
    t = 2.0 * np.cross(u, v)
    turned: Floats = v + w * t + np.cross(u, t)
    return turned


def up_in_sensor(q: Floats) -> Floats:
    """The earth's z axis in the sensor's axes, shape (n, 3) or (3,)."""
    return _summed(q, q, _UP_IN_SENSOR)


def upward(q: Floats, v: Floats) -> Floats:
    """Vertical component, shape (n,), of sensor-frame vectors (n, 3) seen from the earth."""
    up: Floats = (up_in_sensor(q) * v).sum(axis=1)
    return up


def isb_angles_deg(q: Floats) -> Floats:
    """Flexion, right bend and left rotation, shape (n, 3), degrees.

    ``q``, shape (n, 4), turns the lower body's axes (X forward, Y up, Z right) into the upper one's. Cardan order
    Z-X-Y, equal to the joint coordinate system of Wu et al. 2002 (J Biomech 35:543): with ``R = Rz(a) Rx(b) Ry(c)``,
    flexion is ``-a``, right bend ``b``, left rotation ``c``. Singular only at a side bend of 90°.
    """
    parts = _summed(q, q, _ISB)
    angles: Floats = np.empty((len(q), 3))
    np.arctan2(parts[:, :2], parts[:, 2:4], out=angles[:, ::2])
    np.arcsin(np.minimum(np.maximum(parts[:, 4], -1.0), 1.0), out=angles[:, 1])
    return angles * _ISB_DEG


def heading_rad(axis_earth: Floats) -> float | None:
    """Direction of an earth-frame vector, shape (3,), in the horizontal plane; None if it points almost straight up.

    The limit of 0.5 (30° from the vertical) is where an error of the axis of 5° turns the heading by more than 10°.
    """
    x, y = float(axis_earth[0]), float(axis_earth[1])
    if math.hypot(x, y) < 0.5:
        return None
    return math.atan2(y, x)
