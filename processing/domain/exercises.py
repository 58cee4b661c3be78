"""The exercise catalogue as data: nothing about an exercise lives in an ``if``."""

from __future__ import annotations

from processing.domain.errors import LumbarError
from processing.domain.exercise_types import (
    Channel,
    CountedChannel,
    Counting,
    Evidence,
    Exercise,
    FaultRule,
    HoldSpec,
    Posture,
    Swing,
)
from processing.domain.floor_exercises import FLOOR_EXERCISES
from processing.domain.upright_exercises import UPRIGHT_EXERCISES

__all__ = [
    "CATALOGUE",
    "Channel",
    "CountedChannel",
    "Counting",
    "Evidence",
    "Exercise",
    "FaultRule",
    "HoldSpec",
    "Posture",
    "Swing",
    "UnknownExerciseError",
    "exercise_of",
]

CATALOGUE: dict[str, Exercise] = {exercise.code: exercise for exercise in UPRIGHT_EXERCISES + FLOOR_EXERCISES}


class UnknownExerciseError(LumbarError):
    """An exercise code that the catalogue does not have."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return f"no exercise {self.code!r}; known: {', '.join(sorted(CATALOGUE))}"


def exercise_of(code: str) -> Exercise:
    """Exercise with this code.

    Raises:
        UnknownExerciseError: the catalogue has no such code.
    """
    try:
        return CATALOGUE[code]
    except KeyError:
        raise UnknownExerciseError(code) from None
