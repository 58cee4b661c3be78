"""How far off a range of motion may be: the half width of its 95 % band."""

from __future__ import annotations

import math

SENSOR_DEG = 1.2
"""Of the tilt of one sensor over a movement, standard deviation (measured: wheelchair_trunk, mean absolute error of
ranges 0.7 to 0.9°, docs/accuracy.md)."""

NEUTRAL_DEG = 1.0
"""Of the neutral pose: swaying and breathing (signals.md §3.5: 1-2° at 0.2-0.5 Hz, estimate)."""

STATED_AXIS_RAD = math.radians(5.0)
FOUND_AXIS_RAD = math.radians(3.0)
"""How far the axis to the right may be askew, standard deviation (estimates: a mount that was stated, and an axis found
from bends). So much of an angle in another plane passes for one in this plane (signals.md §2.3)."""

DRIFT_DPS = 5.4 / 60.0
"""Drift of the angle between two sensors about the vertical (measured: signals.md §2.3)."""

LOSS_DEG = 20.0
"""Per share of lost samples, standard deviation: 5 % in packets of five cost 1.9° and 20 % cost 5.5° at the 95th
percentile (measured: signals.md §6)."""

TWO_SIDED_95 = 1.96


def half_width_deg(
    *, sensors: int, found_axis: bool, aside_deg: float, drifting_s: float = 0.0, lost_share: float = 0.0
) -> float:
    """Half width of the 95 % band of a range, degrees.

    The parts are taken as independent. What skin and placement add from day to day is not in it.

    Args:
        sensors: one for a segment, two for a joint.
        found_axis: the axis to the right was found from bends; else a mount was stated.
        aside_deg: angle in the other planes where the range was reached.
        drifting_s: time since the last rest in neutral, for the axis that drifts.
        lost_share: share of the samples that the grid had to bridge.
    """
    askew_rad = FOUND_AXIS_RAD if found_axis else STATED_AXIS_RAD
    parts = (
        SENSOR_DEG * math.sqrt(sensors),
        NEUTRAL_DEG,
        math.sin(askew_rad) * aside_deg,
        DRIFT_DPS * drifting_s,
        LOSS_DEG * lost_share,
    )
    return TWO_SIDED_95 * math.hypot(*parts)
