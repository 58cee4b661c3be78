"""Findings about poses that are held."""

from __future__ import annotations

from processing.domain.exercise_types import Posture
from processing.domain.found import Found, RefusalReason
from processing.domain.samples import Placement


class HoldCompleted(Found, frozen=True, kw_only=True, tag="hold_completed"):
    """A pose was held from ``t0_ns``, with 95 % of the way into it done, to ``t1_ns``, with 5 % of the way out done.

    Attributes:
        number: counts from 1 within the set.
        placement: sensor that saw it.
        posture: posture while holding.
        seconds: how long it was held, breaks included.
        sag_deg: how far the segment leaned from the first second to the last.
        sway_deg: root mean square of the lean about the pose, which is followed slowly.
        breaks: times that the pose was left for less than 0.7 s.
        whole: False if a gap in the samples or the end of the set cut the hold off: it lasted at least this long.
    """

    exercise: str
    set_number: int
    number: int
    placement: Placement
    posture: Posture
    seconds: float
    sag_deg: float
    sway_deg: float
    breaks: int
    whole: bool


class HoldRefused(Found, frozen=True, kw_only=True, tag="hold_refused"):
    """No holds for this set, and why."""

    exercise: str
    set_number: int
    reason: RefusalReason
    detail: str
