"""From a request ("eight squats, some of them wrong") to a course: a path and what lies where on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from firmware_sim.motion.body import Body
from firmware_sim.motion.kinematics import NEUTRAL, Pose
from firmware_sim.motion.paths import Path
from firmware_sim.motion.truth import Fault, SittingTruth
from processing.domain.exercises import Channel, Posture

LEAD_IN_S = 2.0
"""Stillness between the start of a set and its first movement."""

REST_S = 2.5
"""Stillness between the last movement of a set and its end."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a set is done beyond what the person is like.

    Attributes:
        faulty_share: share of repetitions that are done wrong, drawn one by one.
        breaks: times that each held pose is given up for about two seconds.
    """

    faulty_share: float = 0.0
    breaks: int = 0


CAREFUL = Manner()
"""Nothing on purpose goes wrong."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person shall do.

    Attributes:
        neutral: pose to begin and end in.
        begin_s: instant at which the first movement begins.
        reps: repetitions, or holds.
        duration_s: seconds of each hold, or of what is timed.
    """

    body: Body
    rng: np.random.Generator
    neutral: Pose
    begin_s: float
    reps: int
    duration_s: float
    manner: Manner = CAREFUL


class Span(NamedTuple):
    """From an instant to another, seconds."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class RepMark:
    """Where a repetition lies; the peak is the middle of the hold at its first turning point."""

    channel: Channel
    start_s: float
    peak_s: float
    end_s: float
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """A movement in time.

    Attributes:
        path: joint coordinates, None to stay as before.
        end_s: instant at which the last movement is over.
        reps: repetitions in order of time.
        holds: poses held.
        step_times_s: foot contacts.
        cadence_per_min: of steps or of the crank.
        travelled: where the neutral pose is now, from where it was.
        bent_knees: whether the bends of daily life (``reps`` of an activity) were made with bent knees.
        sitting: ways of sitting.
    """

    path: Path | None
    end_s: float
    reps: tuple[RepMark, ...] = ()
    holds: tuple[Span, ...] = ()
    step_times_s: tuple[float, ...] = ()
    cadence_per_min: float | None = None
    travelled: Pose = NEUTRAL
    bent_knees: bool | None = None
    sitting: tuple[SittingTruth, ...] = ()


class Movement(Protocol):
    """A kind of movement: the motion model of an exercise, a calibration or an activity."""

    @property
    def posture(self) -> Posture:
        """Posture to begin and end in."""
        ...

    @property
    def lead_in_s(self) -> float:
        """Stillness before the first movement, seconds."""
        ...

    @property
    def rest_s(self) -> float:
        """Stillness after the last movement, seconds."""
        ...

    def course(self, request: Request) -> Course:
        """The movement as this person does it now."""
        ...


@dataclass(frozen=True, slots=True)
class Staying:
    """Staying in a posture for ``duration_s``."""

    posture: Posture
    lead_in_s: float = 0.0
    rest_s: float = 0.0

    def course(self, request: Request) -> Course:
        """Nothing but sway."""
        return Course(None, request.begin_s + request.duration_s)
