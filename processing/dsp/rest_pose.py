"""How a sensor lies in one rest compared with another: what a slip on the skin leaves behind."""

from __future__ import annotations

import math
from collections.abc import Sequence


def tilt_between_deg(one: Sequence[float], other: Sequence[float]) -> float:
    """Angle between the directions of up, of any length, that a sensor sees in its own frame in two rests, degrees."""
    cosine = sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def lateral_between_deg(one: Sequence[float], other: Sequence[float], rightward: Sequence[float]) -> float:
    """Part of that angle by which the axis to the right has come up, degrees, at least 0: a lean to the side."""
    before, after = (
        math.asin(max(-1.0, min(1.0, sum(a * b for a, b in zip(up, rightward, strict=True)) / math.hypot(*up))))
        for up in (one, other)
    )
    return math.degrees(abs(after - before))


def turn_between_deg(one: Sequence[float], other: Sequence[float]) -> float:
    """Turn about the vertical from one quaternion to another, -180 to 180 degrees."""
    # Twist of other · conj(one) about z.
    w = sum(a * b for a, b in zip(one, other, strict=True))
    z = one[0] * other[3] - one[3] * other[0] - one[2] * other[1] + one[1] * other[2]
    return _wrapped_deg(math.degrees(2.0 * math.atan2(z, w)))


def apart_deg(one_deg: float, other_deg: float) -> float:
    """Size of the difference of two angles, 0 to 180 degrees."""
    return abs(_wrapped_deg(one_deg - other_deg))


def _wrapped_deg(angle_deg: float) -> float:
    return (angle_deg + 180.0) % 360.0 - 180.0
