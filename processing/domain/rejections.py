"""Findings about movements that looked like repetitions and were not counted."""

from __future__ import annotations

from enum import StrEnum

from processing.domain.exercises import Channel
from processing.domain.found import Found


class RejectionReason(StrEnum):
    """Why a movement was not counted as a repetition."""

    TOO_SMALL = "too_small"
    """Smaller than the least amplitude of the exercise, or than two fifths of the person's usual one."""
    TOO_FAST = "too_fast"
    """In less than half of the shortest time that is prescribed: a jerk or a sway."""
    OTHER_PLANE = "other_plane"
    """Most of the movement lay in another plane."""
    TURNED_ROUND = "turned_round"
    """It went further than a trunk can: the whole person turned."""
    WALKING = "walking"
    """The person walked."""
    POSTURE = "posture"
    """The trunk was not in the posture of the exercise."""
    GAP = "gap"
    """Samples are missing before the movement was over."""


REJECTION_WORDS: dict[RejectionReason, str] = {
    RejectionReason.TOO_SMALL: "The movement was too small.",
    RejectionReason.TOO_FAST: "The movement was too short.",
    RejectionReason.OTHER_PLANE: "Most of the movement went in another direction.",
    RejectionReason.TURNED_ROUND: "The whole body turned.",
    RejectionReason.WALKING: "This was walking.",
    RejectionReason.POSTURE: "The body was upright.",
    RejectionReason.GAP: "Samples were missing during the movement.",
}


class RepRejected(Found, frozen=True, kw_only=True, tag="rep_rejected"):
    """A movement that was not counted: from ``t0_ns`` to its turning point at ``t_peak_ns`` (equal to ``t1_ns``).

    ``amplitude`` is the size of the movement as far as it was seen, in degrees, or metres for ``Channel.VERTICAL``.
    A set reports at most ``MAX_REJECTED`` of them.
    """

    exercise: str
    set_number: int
    channel: Channel
    t_peak_ns: int
    amplitude: float
    reason: RejectionReason


class CountingStopped(Found, frozen=True, kw_only=True, tag="counting_stopped"):
    """From here on a set counts and measures no angles: the pose that it began from is lost.

    What was counted until then stands. For more the set must be started again.
    """

    exercise: str
    set_number: int
    reason: RejectionReason


MAX_REJECTED = 100
"""Rejections that one set reports; in sets without end (walking about while a squat is asked for) more say nothing
new."""
