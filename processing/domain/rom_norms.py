"""What ranges of motion and speeds of the lumbar spine people of an age have."""

from __future__ import annotations

from collections.abc import Mapping

from processing.domain.findings import RomDirection

YOUNGEST, OLDEST = 16.0, 90.0
"""Ages that Troke et al. measured, years."""

_RANGES_DEG: Mapping[RomDirection, tuple[float, float]] = {
    # At the youngest and the oldest age. Troke et al. 2001 (Clin Rehabil 15:371), n = 405, standing (signals.md §2.5).
    RomDirection.FLEXION: (72.0, 40.0),
    RomDirection.EXTENSION: (29.0, 6.0),
    RomDirection.RIGHT_BEND: (29.0, 15.0),
    RomDirection.LEFT_BEND: (29.0, 15.0),
    RomDirection.RIGHT_ROTATION: (7.0, 7.0),
    RomDirection.LEFT_ROTATION: (7.0, 7.0),
}

_SPEEDS_DPS: tuple[tuple[float, float, Mapping[RomDirection, float]], ...] = (
    # Ages from and to, years. Consmueller et al. 2012 (PLoS One 7:e50135), n = 429, lordosis (signals.md §2.5).
    (20.0, 36.0, {RomDirection.FLEXION: 114.0, RomDirection.EXTENSION: 73.0}),
    (36.0, 51.0, {RomDirection.FLEXION: 100.0, RomDirection.EXTENSION: 57.0}),
    (51.0, 76.0, {RomDirection.FLEXION: 83.0, RomDirection.EXTENSION: 47.0}),
)


def range_norm_deg(direction: RomDirection, age_years: float) -> float | None:
    """Range of the lumbar spine of people of an age, degrees; None outside the ages measured.

    Between the youngest and the oldest a straight line is drawn, which is an estimate; men and women are not told
    apart, because the sources disagree about them (signals.md §2.5).
    """
    if not YOUNGEST <= age_years <= OLDEST:
        return None
    young, old = _RANGES_DEG[direction]
    return young + (old - young) * (age_years - YOUNGEST) / (OLDEST - YOUNGEST)


def speed_norm_dps(direction: RomDirection, age_years: float) -> float | None:
    """Mean range of the angular velocity of the lordosis, °/s; None where nobody measured it.

    It is the span from the fastest flexing to the fastest extending during the movement, not the speed one way: compare
    it with the sum of both.
    """
    for begin, end, speeds in _SPEEDS_DPS:
        if begin <= age_years < end:
            return speeds.get(direction)
    return None
