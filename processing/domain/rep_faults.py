"""What can be wrong with a repetition as the back shows it, and how people are told."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class RepFault(StrEnum):
    """What was wrong with a repetition. Knees that fall inward, say, are not seen from the back."""

    SHALLOW = "shallow"
    """Less than three quarters of the usual size."""
    TOO_FAST = "too_fast"
    TOO_SLOW = "too_slow"
    LEAN = "lean"
    """The trunk leans further forward than usual."""
    LUMBAR_FLEXION = "lumbar_flexion"
    """The lower back bends further than usual, which two sensors see."""
    PELVIS_TUCKED = "pelvis_tucked"
    """The pelvis turns back at the far end and forward again ("butt wink"), which one sensor sees."""
    TWIST = "twist"
    """The trunk turns more than usual."""


class Unit(StrEnum):
    """Unit of what a fault was seen by."""

    DEGREES = "deg"
    METRES = "m"
    SECONDS = "s"


class FaultSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A fault and the numbers that it follows from.

    Attributes:
        found: what was measured.
        usual: what it is held against: the size, lean or turn of this person's good repetitions, or the time limit.
    """

    fault: RepFault
    found: float
    usual: float
    unit: Unit


FAULT_WORDS: dict[RepFault, str] = {
    RepFault.SHALLOW: "The movement was only {found}; usually it is {usual}.",
    RepFault.TOO_FAST: "It took {found}; at least {usual} is asked for.",
    RepFault.TOO_SLOW: "It took {found}; at most {usual} is asked for.",
    RepFault.LEAN: "The trunk leaned forward by {found}, {more} more than usual.",
    RepFault.LUMBAR_FLEXION: "The lower back bent by {found}, {more} more than usual.",
    RepFault.PELVIS_TUCKED: "The pelvis tucked under by {found} at the far end, {more} more than usual.",
    RepFault.TWIST: "The trunk turned by {found}, {more} more than usual.",
}


def in_words(seen: FaultSeen) -> str:
    """One sentence for people, with the numbers."""
    return FAULT_WORDS[seen.fault].format(
        found=_number(seen.found, seen.unit),
        usual=_number(seen.usual, seen.unit),
        more=_number(seen.found - seen.usual, seen.unit),
    )


def _number(value: float, unit: Unit) -> str:
    match unit:
        case Unit.DEGREES:
            return f"{value:.0f}°"
        case Unit.METRES:
            return f"{value:.2f} m"
        case Unit.SECONDS:
            return f"{value:.1f} s"
