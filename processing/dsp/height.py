"""How the height of a sensor changed between two moments of rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class HeightChange(NamedTuple):
    """Lowest height and height at the end, metres from the beginning."""

    lowest_m: float
    net_m: float


def height_change(ups_mps2: Sequence[float], step_s: float) -> HeightChange:
    """Height from evenly spaced vertical accelerations, gravity included, of a movement that rests at both ends.

    At least one. Their mean is taken as 1 g: then the speed is 0 at both ends as it should be, and a constant error of
    the accelerometer changes nothing.
    """
    level_mps2 = sum(ups_mps2) / len(ups_mps2)
    speed_mps = height_m = lowest_m = 0.0
    for up_mps2 in ups_mps2:
        speed_mps += (up_mps2 - level_mps2) * step_s
        height_m += speed_mps * step_s
        lowest_m = min(lowest_m, height_m)
    return HeightChange(lowest_m, height_m)
