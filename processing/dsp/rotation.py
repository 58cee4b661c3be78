"""Quaternion mathematics and the ISB angles. Quaternions are ``w, x, y, z``, sensor to earth (z up)."""

from __future__ import annotations

import math

import numpy as np

from processing.dsp.blocks import Floats


def conjugate(q: Floats) -> Floats:
    """Inverse of unit quaternions, shape (..., 4)."""
    inverse: Floats = q * np.array([1.0, -1.0, -1.0, -1.0])
    return inverse


def multiply(p: Floats, q: Floats) -> Floats:
    """Hamilton product of quaternions, shape (n, 4) or (4,) each; ``q`` is applied first."""
    pw, px, py, pz = p[..., 0], p[..., 1], p[..., 2], p[..., 3]
    qw, qx, qy, qz = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    return np.stack(
        (
            pw * qw - px * qx - py * qy - pz * qz,
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
        ),
        axis=-1,
    )


def rotate(q: Floats, v: Floats) -> Floats:
    """Vectors, shape (n, 3) or (3,), turned by quaternions, shape (n, 4) or (4,)."""
    w, u = q[..., :1], q[..., 1:]
    t = 2.0 * np.cross(u, v)
    turned: Floats = v + w * t + np.cross(u, t)
    return turned


def upward(q: Floats, v: Floats) -> Floats:
    """Vertical component, shape (n,), of sensor-frame vectors (n, 3) seen from the earth."""
    w, x, y, z = q[:, 0], q[:, 1], q[:, 2], q[:, 3]
    up: Floats = (
        2.0 * (x * z - w * y) * v[:, 0] + 2.0 * (y * z + w * x) * v[:, 1] + (1.0 - 2.0 * (x * x + y * y)) * v[:, 2]
    )
    return up


def isb_angles_deg(q: Floats) -> Floats:
    """Flexion, right bend and left rotation, shape (n, 3), degrees.

    ``q``, shape (n, 4), turns the lower body's axes (X forward, Y up, Z right) into the upper one's. Cardan order
    Z-X-Y, equal to the joint coordinate system of Wu et al. 2002 (J Biomech 35:543): with ``R = Rz(a) Rx(b) Ry(c)``,
    flexion is ``-a``, right bend ``b``, left rotation ``c``. Singular only at a side bend of 90°.
    """
    w, x, y, z = q[:, 0], q[:, 1], q[:, 2], q[:, 3]
    flexion = -np.arctan2(2.0 * (w * z - x * y), 1.0 - 2.0 * (x * x + z * z))
    bend = np.arcsin(np.clip(2.0 * (y * z + w * x), -1.0, 1.0))
    rotation = np.arctan2(2.0 * (w * y - x * z), 1.0 - 2.0 * (x * x + y * y))
    angles: Floats = np.degrees(np.stack((flexion, bend, rotation), axis=-1))
    return angles


def heading_rad(axis_earth: Floats) -> float | None:
    """Direction of an earth-frame vector, shape (3,), in the horizontal plane; None if it points almost straight up.

    The limit of 0.5 (30° from the vertical) is where an error of the axis of 5° turns the heading by more than 10°.
    """
    x, y = float(axis_earth[0]), float(axis_earth[1])
    if math.hypot(x, y) < 0.5:
        return None
    return math.atan2(y, x)
