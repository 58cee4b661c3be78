"""Whether a range of motion differs from the person's own baseline."""

from __future__ import annotations

import math
from enum import StrEnum

from processing.domain.findings import RomDirection, RomMeasured

FLEXION_DEG = 10.0
OTHER_DEG = 8.0
"""Smallest difference that is taken for a change, until there are test-retest data of this system. Estimate: the
minimal detectable change between days is 5-15° with comparable sensors (Laird 2016, PMC5034504; signals.md §2.5)."""


class RomTrend(StrEnum):
    """What a range did since the baseline."""

    GREATER = "greater"
    SMALLER = "smaller"
    UNCHANGED = "unchanged"
    """Not more than measuring twice may differ."""


def trend(now: RomMeasured, baseline: RomMeasured) -> RomTrend | None:
    """What a range did since the baseline; None if the two cannot be compared.

    They can be if exercise, segment, direction and method are the same. A difference is a change if it is beyond both
    the smallest one that is taken for a change and the noise bands of the two measurements together.
    """
    if _what(now) != _what(baseline):
        return None
    smallest = FLEXION_DEG if now.direction is RomDirection.FLEXION else OTHER_DEG
    band = math.hypot(now.noise_deg or 0.0, baseline.noise_deg or 0.0)
    difference = now.angle_deg - baseline.angle_deg
    if abs(difference) <= max(smallest, band):
        return RomTrend.UNCHANGED
    return RomTrend.GREATER if difference > 0.0 else RomTrend.SMALLER


def _what(one: RomMeasured) -> tuple[str, str, str, str]:
    return one.exercise, one.segment, one.direction, one.method
