"""What the simulated patients are asked to do, and how much of it fits into the time that is left."""

from __future__ import annotations

from dataclasses import dataclass

CALIBRATION = "calibration"
"""Not an exercise of the catalogue: stand still, then bend three times."""


@dataclass(frozen=True, slots=True)
class Part:
    """One set, and about how long it takes including the pauses around it, seconds (measured, rounded up).

    ``duration_s`` is that of each hold or of what is timed, ``faulty_share`` of the repetitions go wrong.
    """

    exercise: str
    reps: int
    duration_s: float
    about_s: float
    faulty_share: float = 0.0


_CALIBRATE = Part(CALIBRATION, 3, 0.0, 24.0)
_SQUAT = Part("squat", 5, 0.0, 22.0)
_TIRED_SQUAT = Part("squat", 6, 0.0, 25.0, faulty_share=0.3)
_FLEXION = Part("standing_flexion_extension", 3, 0.0, 27.0)
_SIDE_BEND = Part("standing_side_bend", 3, 0.0, 24.0)
_ROTATION = Part("standing_rotation", 3, 0.0, 24.0)
_CAT_COW = Part("cat_cow", 4, 0.0, 29.0)
_BIRD_DOG = Part("bird_dog", 4, 0.0, 60.0)
_PLANK = Part("high_plank", 1, 15.0, 35.0)
_WALK = Part("walking", 1, 20.0, 28.0)
_STAND = Part("quiet_standing", 1, 10.0, 13.0)

_SCRIPTS = (
    (_SQUAT, _CALIBRATE, _FLEXION, _CAT_COW, _WALK, _TIRED_SQUAT),
    (_CALIBRATE, _SIDE_BEND, _ROTATION, _PLANK, _STAND, _SQUAT),
    (_CALIBRATE, _CAT_COW, _FLEXION, _TIRED_SQUAT, _BIRD_DOG, _WALK),
)


def script_of(patient: int) -> tuple[Part, ...]:
    """Parts for a patient; the scripts repeat after three patients."""
    return _SCRIPTS[patient % len(_SCRIPTS)]


def fits(part: Part, left_s: float | None) -> bool:
    """Tell whether a part will be done before the time is over; without a limit everything fits."""
    return left_s is None or part.about_s <= left_s
