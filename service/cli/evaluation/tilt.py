"""Tilt: where up is as a sensor sees it, and how far two answers are apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, lfilter, lfilter_zi

from processing.dsp.blocks import GRID_S, NS_PER_S, Floats, Nanoseconds

BASELINE_HZ = 1.0
"""Cut-off of the accelerometer-only baseline (signals.md §1.1)."""

BASELINE = "accelerometer, 1 Hz"
"""Short name of that baseline."""

Mask = npt.NDArray[np.bool_]


def up_of(quats: Floats) -> Floats:
    """Direction of up in the sensor's frame, shape (n, 3), of quaternions sensor to earth, shape (n, 4)."""
    w, x, y, z = quats.T
    up: Floats = np.stack((2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)), axis=-1)
    return up


def up_by_accelerometer(acc: Floats) -> Floats:
    """The baseline: causal second-order low-pass of the acceleration on the grid, shape (n, 3), as a direction."""
    b, a = butter(2, BASELINE_HZ, fs=1.0 / GRID_S)
    start = lfilter_zi(b, a)[:, None] * acc[0]
    smooth: Floats = lfilter(b, a, acc, axis=0, zi=start)[0]
    return unit(smooth)


def unit(vectors: Floats) -> Floats:
    """Vectors, shape (n, 3), of length 1."""
    with np.errstate(invalid="ignore"):
        scaled: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return scaled


def seconds(t_ns: Nanoseconds) -> Floats:
    """Nanoseconds as seconds."""
    t_s: Floats = t_ns / NS_PER_S
    return t_s


def directions_at(t_s: Floats, known_s: Floats, known: Floats, max_step_s: float) -> Floats:
    """Directions at other times, shape (m, 3), by straight lines between neighbours, NaN where these are too far apart.

    Args:
        t_s: times wanted, shape (m,).
        known_s: times known, shape (n,), increasing.
        known: directions there, shape (n, 3); NaN where unknown.
        max_step_s: largest distance in time between the neighbours.
    """
    usable = np.isfinite(known).all(axis=1)
    known_s, known = known_s[usable], known[usable]
    if known_s.size < 2:
        return np.full((t_s.size, 3), np.nan)
    right = np.clip(np.searchsorted(known_s, t_s), 1, known_s.size - 1)
    left = right - 1
    span_s = known_s[right] - known_s[left]
    share = (t_s - known_s[left]) / span_s
    between = known[left] * (1.0 - share)[:, None] + known[right] * share[:, None]
    between[(span_s > max_step_s) | (share < 0.0) | (share > 1.0)] = np.nan
    return unit(between)


def both_known(one: Floats, other: Floats) -> Mask:
    """Rows, shape (n,), in which both directions are known."""
    return np.logical_and(np.isfinite(one).all(axis=1), np.isfinite(other).all(axis=1))


def angle_between_deg(one: Floats, other: Floats) -> Floats:
    """Angles between directions, shape (n,), degrees."""
    across = np.linalg.norm(np.cross(one, other), axis=1)
    angles: Floats = np.degrees(np.arctan2(across, (one * other).sum(axis=1)))
    return angles


def aligned(found: Floats, truth: Floats) -> Floats:
    """Directions found, shape (n, 3), turned by the one constant rotation that brings them closest to the truth.

    Least squares over the rows given (Kabsch 1976): it takes out how the markers sit on the sensor.
    """
    u, _, vt = np.linalg.svd(found.T @ truth)
    mirror = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    turned: Floats = found @ (u @ mirror @ vt)
    return turned


def sagittal_deg(up: Floats) -> Floats:
    """Forward tilt of a sensor whose x axis points up and z axis backwards, shape (n,), degrees."""
    tilt: Floats = np.degrees(np.arctan2(up[:, 2], up[:, 0]))
    return tilt


def frontal_deg(up: Floats) -> Floats:
    """Sideward tilt of such a sensor, shape (n,), degrees."""
    tilt: Floats = np.degrees(np.arctan2(up[:, 1], np.hypot(up[:, 0], up[:, 2])))
    return tilt


def rms(values: Floats) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(values**2)))
