"""The exercise catalogue as data: nothing about an exercise lives in an ``if``."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from processing.domain.errors import LumbarError
from processing.domain.samples import Placement


class Posture(StrEnum):
    """Posture that an exercise is done in, as gravity shows it."""

    STANDING = "standing"
    SITTING = "sitting"
    QUADRUPED = "quadruped"


class Channel(StrEnum):
    """Signal whose turning points are the repetitions. Angles are relative to the start pose of the set."""

    FLEXION = "flexion"
    """Rotation about the segment's or joint's Z axis (ISB), flexion positive, degrees."""
    LATERAL_BEND = "lateral_bend"
    """Rotation about X, right bend positive, degrees."""
    AXIAL_ROTATION = "axial_rotation"
    """Rotation about Y, left rotation positive, degrees."""
    VERTICAL = "vertical"
    """Vertical displacement of the sensor, up positive, metres."""


class Counting(StrEnum):
    """How an exercise is dosed."""

    COUNTED = "counted"
    TIMED = "timed"


class Swing(StrEnum):
    """What one repetition of a channel looks like."""

    ONE_SIDED = "one_sided"
    """Out and back; the first direction of the set decides which."""
    DOWN_UP = "down_up"
    """Down and up again (squat)."""
    BOTH_SIDES = "both_sides"
    """One side, the other side, and back (side bend, rotation, flexion-extension)."""


class Evidence(StrEnum):
    """What the parameters of an exercise were checked against."""

    REAL = "real people"
    SIMULATION = "simulation only"


class CountedChannel(msgspec.Struct, frozen=True, kw_only=True):
    """One way of counting within an exercise.

    Attributes:
        segment: sensor that the channel is taken from; None means thorax relative to pelvis.
        fallback: segment used when the first one is not worn; None if the channel then cannot be told.
        floor: smallest peak-to-peak amplitude of a repetition, degrees or metres.
        fallback_floor: the same on the fallback segment, which may move less; None for ``floor``.
    """

    channel: Channel
    segment: Placement | None
    fallback: Placement | None
    swing: Swing
    floor: float
    fallback_floor: float | None = None


class Exercise(msgspec.Struct, frozen=True, kw_only=True):
    """One exercise of the catalogue; sources of the numbers: signals.md §3.5."""

    code: str
    name: str
    posture: Posture
    counting: Counting
    evidence: Evidence
    channels: tuple[CountedChannel, ...] = ()
    rom: tuple[Channel, ...] = ()
    """Planes whose range of motion a set of this exercise reports."""
    steps: bool = False
    """Whether a set of this exercise reports bouts of steps."""


class UnknownExerciseError(LumbarError):
    """An exercise code that the catalogue does not have."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return f"no exercise {self.code!r}; known: {', '.join(sorted(CATALOGUE))}"


def _rom(channel: Channel, floor: float) -> tuple[CountedChannel, ...]:
    # The pelvis moves a third of what T10 does (L4/5 33, 18 and 21 degrees against 82, 67 and 63, signals.md §2.5).
    return (
        CountedChannel(
            channel=channel,
            segment=Placement.THORAX,
            fallback=Placement.PELVIS,
            swing=Swing.BOTH_SIDES,
            floor=floor,
            fallback_floor=floor / 3.0,
        ),
    )


_EXERCISES = (
    Exercise(
        code="squat",
        name="Squat",
        posture=Posture.STANDING,
        counting=Counting.COUNTED,
        evidence=Evidence.REAL,
        channels=(
            CountedChannel(
                channel=Channel.VERTICAL,
                segment=Placement.PELVIS,
                fallback=Placement.THORAX,
                swing=Swing.DOWN_UP,
                floor=0.05,
            ),
        ),
    ),
    Exercise(
        code="standing_flexion_extension",
        name="Bend forward and back, standing",
        posture=Posture.STANDING,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        channels=_rom(Channel.FLEXION, 10.0),
        rom=(Channel.FLEXION,),
    ),
    Exercise(
        code="standing_side_bend",
        name="Side bend, standing",
        posture=Posture.STANDING,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        channels=_rom(Channel.LATERAL_BEND, 10.0),
        rom=(Channel.LATERAL_BEND,),
    ),
    Exercise(
        code="standing_rotation",
        name="Turn left and right, standing",
        posture=Posture.STANDING,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        channels=_rom(Channel.AXIAL_ROTATION, 10.0),
        rom=(Channel.AXIAL_ROTATION,),
    ),
    Exercise(
        code="seated_rom",
        name="Bend, side bend and turn, sitting",
        posture=Posture.SITTING,
        counting=Counting.COUNTED,
        evidence=Evidence.REAL,
        channels=_rom(Channel.FLEXION, 10.0) + _rom(Channel.LATERAL_BEND, 10.0) + _rom(Channel.AXIAL_ROTATION, 10.0),
        rom=(Channel.FLEXION, Channel.LATERAL_BEND, Channel.AXIAL_ROTATION),
    ),
    Exercise(
        code="cat_cow",
        name="Cat-cow",
        posture=Posture.QUADRUPED,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        channels=(
            CountedChannel(
                channel=Channel.FLEXION,
                segment=None,
                fallback=Placement.PELVIS,
                swing=Swing.BOTH_SIDES,
                floor=8.0,
            ),
        ),
        rom=(Channel.FLEXION,),
    ),
    Exercise(
        code="walking",
        name="Walking",
        posture=Posture.STANDING,
        counting=Counting.TIMED,
        evidence=Evidence.REAL,
        steps=True,
    ),
    Exercise(
        code="quiet_standing",
        name="Standing still",
        posture=Posture.STANDING,
        counting=Counting.TIMED,
        evidence=Evidence.SIMULATION,
    ),
    Exercise(
        code="quiet_sitting",
        name="Sitting still",
        posture=Posture.SITTING,
        counting=Counting.TIMED,
        evidence=Evidence.SIMULATION,
    ),
)

CATALOGUE: dict[str, Exercise] = {exercise.code: exercise for exercise in _EXERCISES}


def exercise_of(code: str) -> Exercise:
    """Exercise with this code.

    Raises:
        UnknownExerciseError: the catalogue has no such code.
    """
    try:
        return CATALOGUE[code]
    except KeyError:
        raise UnknownExerciseError(code) from None
