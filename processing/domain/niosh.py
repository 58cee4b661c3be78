"""The revised NIOSH lifting equation. Sensors on the back see neither load nor reach: somebody has to enter them."""

from __future__ import annotations

import math
from bisect import bisect_right
from enum import StrEnum

import msgspec

from processing.domain.errors import LumbarError

LOAD_CONSTANT_KG = 23.0
RAISED_INDEX = 1.0
HIGH_INDEX = 3.0
"""Lifting index above which the risk is raised, and high (signals.md §4.1)."""


class LiftUnknownError(LumbarError):
    """A lift of which something needed was not entered, or is out of the equation's range."""

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(what, problem)
        self.what = what
        self.problem = problem

    def __str__(self) -> str:
        return f"no lifting index: {self.what} {self.problem}"


class Coupling(StrEnum):
    """How well the load can be gripped."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Lift(msgspec.Struct, frozen=True, kw_only=True):
    """A lifting task; None is what nobody entered.

    Attributes:
        load_kg: weight lifted.
        reach_cm: horizontal distance of the hands from the ankles, H.
        height_cm: height of the hands at the start, V.
        travel_cm: vertical way of the load, D.
        twist_deg: asymmetry angle, A.
        per_min: lifts per minute, F.
        duration_h: hours of lifting without recovery.
        coupling: grip.
    """

    load_kg: float | None = None
    reach_cm: float | None = None
    height_cm: float | None = None
    travel_cm: float | None = None
    twist_deg: float | None = None
    per_min: float | None = None
    duration_h: float | None = None
    coupling: Coupling | None = None


_PER_MIN = (0.2, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0)
_LOW_CM = 75.0
_FREQUENCY = {
    # hours -> factors for hands below 75 cm, then from there on
    1.0: (
        (1.00, 0.97, 0.94, 0.91, 0.88, 0.84, 0.80, 0.75, 0.70, 0.60, 0.52, 0.45, 0.41, 0.37, 0.00, 0.00, 0.00),
        (1.00, 0.97, 0.94, 0.91, 0.88, 0.84, 0.80, 0.75, 0.70, 0.60, 0.52, 0.45, 0.41, 0.37, 0.34, 0.31, 0.28),
    ),
    2.0: (
        (0.95, 0.92, 0.88, 0.84, 0.79, 0.72, 0.60, 0.50, 0.42, 0.35, 0.30, 0.26, 0.00, 0.00, 0.00, 0.00, 0.00),
        (0.95, 0.92, 0.88, 0.84, 0.79, 0.72, 0.60, 0.50, 0.42, 0.35, 0.30, 0.26, 0.23, 0.21, 0.00, 0.00, 0.00),
    ),
    8.0: (
        (0.85, 0.81, 0.75, 0.65, 0.55, 0.45, 0.35, 0.27, 0.22, 0.18, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
        (0.85, 0.81, 0.75, 0.65, 0.55, 0.45, 0.35, 0.27, 0.22, 0.18, 0.15, 0.13, 0.00, 0.00, 0.00, 0.00, 0.00),
    ),
}
"""Frequency multiplier by lifts per minute (Waters et al. 1994, table 5; **from memory, check it there**)."""

_COUPLING = {Coupling.GOOD: (1.00, 1.00), Coupling.FAIR: (0.95, 1.00), Coupling.POOR: (0.90, 0.90)}
"""Coupling multiplier below 75 cm, and from there on (Waters et al. 1994, table 7; **from memory, check it there**)."""


def weight_limit_kg(lift: Lift) -> float:
    """Recommended weight limit of a task.

    ``23 kg x 25/H x (1 - 0.003 |V - 75|) x (0.82 + 4.5/D) x (1 - 0.0032 A) x FM x CM`` (Waters et al. 1993 and 1994,
    10.26616/NIOSHPUB94110revised092021; signals.md §4.1). 0 where the task is outside what anybody should lift.

    Raises:
        LiftUnknownError: something was not entered, or is no number that the equation takes.
    """
    reach_cm, height_cm = _known("reach", lift.reach_cm), _known("height of the hands", lift.height_cm)
    travel_cm, twist_deg = _known("vertical way", lift.travel_cm), _known("twist", lift.twist_deg)
    if lift.coupling is None:
        raise LiftUnknownError("grip", "was not entered")
    if reach_cm > 63.0 or height_cm > 175.0 or travel_cm > 175.0 or twist_deg > 135.0:
        return 0.0
    return (
        LOAD_CONSTANT_KG
        * (25.0 / max(25.0, reach_cm))
        * (1.0 - 0.003 * abs(height_cm - _LOW_CM))
        * (0.82 + 4.5 / max(25.0, travel_cm))
        * (1.0 - 0.0032 * twist_deg)
        * _frequency_multiplier(
            _known("lifts per minute", lift.per_min), _known("duration", lift.duration_h), height_cm
        )
        * _COUPLING[lift.coupling][height_cm >= _LOW_CM]
    )


def lifting_index(lift: Lift) -> float:
    """Load over the recommended weight limit.

    Raises:
        LiftUnknownError: something was not entered, or the task has no weight limit to compare with.
    """
    load_kg = _known("load", lift.load_kg)
    limit_kg = weight_limit_kg(lift)
    if limit_kg <= 0.0:
        raise LiftUnknownError("the task", "is outside the range in which anything should be lifted")
    return load_kg / limit_kg


def _frequency_multiplier(per_min: float, duration_h: float, height_cm: float) -> float:
    """Factor of the table, by the next higher frequency and duration in it: the careful side."""
    if duration_h > max(_FREQUENCY):
        raise LiftUnknownError("duration", "is longer than the 8 h that the equation knows")
    row = _FREQUENCY[min(hours for hours in _FREQUENCY if duration_h <= hours)][height_cm >= _LOW_CM]
    at = bisect_right(_PER_MIN, per_min - 1e-9)
    return row[at] if at < len(row) else 0.0


def _known(what: str, value: float | None) -> float:
    if value is None:
        raise LiftUnknownError(what, "was not entered")
    if not (math.isfinite(value) and value >= 0.0):
        raise LiftUnknownError(what, f"is {value}, which cannot be")
    return value
