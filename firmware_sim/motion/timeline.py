"""The life of one simulated patient: a sequence of movements that may grow while it is being sampled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from firmware_sim.motion.body import Body
from firmware_sim.motion.course import CAREFUL, Course, Manner, Movement, Request
from firmware_sim.motion.curves import Floats, Jet, total
from firmware_sim.motion.kinematics import (
    COORDINATES,
    Motion,
    Pose,
    angles_zxy_deg,
    motion_of,
    relative,
)
from firmware_sim.motion.measuring import bend_truths, hold_truths, rep_truths, rom_truths
from firmware_sim.motion.movements import ACTIVITIES, MOVEMENTS
from firmware_sim.motion.paths import Keyframe, KeyframePath, Path
from firmware_sim.motion.truth import PostureTruth, SetTruth
from processing.domain.errors import LumbarError
from processing.domain.exercises import Exercise, Posture, exercise_of
from processing.domain.samples import Placement

_UPRIGHT = (Posture.STANDING, Posture.SITTING, Posture.HALF_KNEELING)
_POSTURE_CHANGE_S = 2.6
_LYING_DOWN_S = 4.5
"""Time to change posture: between upright ones (and hands and knees), and to or from lying (estimates)."""


class MovementError(LumbarError):
    """A movement that cannot be simulated as asked for."""


class Imu(NamedTuple):
    """What an ideal sensor reads whose axes are those of its segment: m/s2 and rad/s, both (n, 3)."""

    acc: Floats
    gyr: Floats


@dataclass(frozen=True, slots=True)
class Angles:
    """True angles in degrees, each (n, 3): flexion, right bend, left turn."""

    lumbar: Floats
    pelvis: Floats
    thorax: Floats


class _Stretch(NamedTuple):
    start_s: float
    path: Path


class Timeline:
    """Movements of one person, from second 0 without end.

    After the last movement the person stays in posture and sways, so that samples can be drawn for ever. What lies
    before the ``start`` of a newly appended movement never changes; who samples in real time appends with
    ``not_before_s`` no earlier than what was sampled last.
    """

    def __init__(self, body: Body, rng: np.random.Generator) -> None:
        self._body = body
        self._rng = rng
        self._posture = Posture.STANDING
        self._end_s = 0.0
        self._place = Pose()
        self._taken: list[PostureTruth] = [PostureTruth(Posture.STANDING, 0.0, None)]
        still = KeyframePath((Keyframe(0.0, Pose()), Keyframe(1.0, Pose())))
        self._stretches = [_Stretch(0.0, still)]

    @property
    def body(self) -> Body:
        """The person."""
        return self._body

    @property
    def end_s(self) -> float:
        """End of the last movement."""
        return self._end_s

    @property
    def postures(self) -> tuple[PostureTruth, ...]:
        """Postures in order of time; between two of them the person is changing over."""
        return tuple(self._taken)

    def append(
        self,
        code: str,
        *,
        reps: int = 8,
        duration_s: float = 20.0,
        not_before_s: float = 0.0,
        manner: Manner = CAREFUL,
    ) -> SetTruth:
        """Let the person do a set of an exercise (or one of ``ACTIVITIES``) after everything else, and tell its truth.

        The person first changes posture if the exercise needs another one. ``reps`` is the number of repetitions
        (per plane in ``seated_rom``; the calibration always has three bends) or of holds, ``duration_s`` the length of
        each hold or of what is timed.

        Raises:
            UnknownExerciseError: the catalogue has no such exercise.
            MovementError: no motion model for it, or a number out of range.
        """
        exercise = None if code in ACTIVITIES else exercise_of(code)
        movement = _movement(code)
        if not (1 <= reps <= 1000 and 1.0 <= duration_s <= 86_400.0):
            raise MovementError(f"{code}: {reps} repetitions, {duration_s} s; need 1-1000 and 1-86400 s")
        if not (0.0 <= manner.faulty_share <= 1.0 and 0 <= manner.breaks <= duration_s / 5.0):
            raise MovementError(f"{code}: {manner}; need a share of 0-1 and at most one break in five seconds")
        start_s = self._take_posture(movement.posture, max(self._end_s, not_before_s))
        begin_s = start_s + movement.lead_in_s
        course = movement.course(Request(self._body, self._rng, self._neutral(), begin_s, reps, duration_s, manner))
        if course.path is not None:
            self._stretches.append(_Stretch(begin_s, course.path))
        self._place = self._place.moved(course.travelled)
        self._end_s = course.end_s + movement.rest_s
        return self._truth(code, exercise, course, start_s, begin_s)

    def settle(self, code: str, *, not_before_s: float = 0.0) -> float:
        """Let the person take the posture that an exercise (or one of ``ACTIVITIES``) starts from.

        Returns the second from which they stay in it.

        Raises:
            UnknownExerciseError: the catalogue has no such exercise.
            MovementError: no motion model for it.
        """
        if code not in ACTIVITIES:
            exercise_of(code)
        self._end_s = self._take_posture(_movement(code).posture, max(self._end_s, not_before_s))
        return self._end_s

    def motion(self, placement: Placement, t_s: Floats) -> Motion:
        """True motion of the segment frame at a sensor's place, at n instants (seconds, shape (n,))."""
        return motion_of(self._coordinates(t_s), self._body, placement)

    def imu(self, placement: Placement, t_s: Floats) -> Imu:
        """What an ideal sensor, aligned with its segment, reads at n instants (seconds, shape (n,))."""
        motion = self.motion(placement, t_s)
        return Imu(motion.specific_force(), motion.rate)

    def angles(self, t_s: Floats) -> Angles:
        """True angles at n instants: lumbar as thorax against pelvis, segments against the world."""
        pelvis = self.motion(Placement.PELVIS, t_s).rotation
        thorax = self.motion(Placement.THORAX, t_s).rotation
        return Angles(angles_zxy_deg(relative(pelvis, thorax)), angles_zxy_deg(pelvis), angles_zxy_deg(thorax))

    def _coordinates(self, t_s: Floats) -> Jet:
        starts = np.array([stretch.start_s for stretch in self._stretches])
        owner = np.maximum(np.searchsorted(starts, t_s, side="right") - 1, 0)
        coordinates = Jet(*(np.zeros((t_s.size, COORDINATES)) for _ in range(3)))
        for index in np.unique(owner):
            chosen = owner == index
            for part, values in zip(coordinates, self._stretches[index].path.at(t_s[chosen]), strict=True):
                part[chosen] = values
        return total(coordinates, self._body.sway.at(t_s))

    def _neutral(self) -> Pose:
        return self._body.posture(self._posture).moved(self._place)

    def _take_posture(self, posture: Posture, start_s: float) -> float:
        if posture is self._posture:
            return start_s
        lying = {posture, self._posture} - {*_UPRIGHT, Posture.QUADRUPED}
        before = self._neutral()
        self._posture = posture
        end_s = start_s + self._body.pace * (_LYING_DOWN_S if lying else _POSTURE_CHANGE_S)
        change = KeyframePath((Keyframe(start_s, before), Keyframe(end_s, self._neutral())))
        self._stretches.append(_Stretch(start_s, change))
        self._taken[-1] = replace(self._taken[-1], end_s=start_s)
        self._taken.append(PostureTruth(posture, end_s, None))
        return end_s + 1.0

    def _truth(self, code: str, exercise: Exercise | None, course: Course, start_s: float, begin_s: float) -> SetTruth:
        truth = SetTruth(
            exercise=code,
            start_s=start_s,
            end_s=self._end_s,
            steps=len(course.step_times_s),
            step_times_s=course.step_times_s,
            active_s=0.0 if course.cadence_per_min is None else course.end_s - begin_s,
            cadence_per_min=course.cadence_per_min,
            bends=bend_truths(self, course),
            sitting=course.sitting,
        )
        if exercise is None:
            return truth
        hold = exercise.hold
        spans = tuple(span for span in course.holds if hold is None or span.end_s - span.start_s >= hold.min_s)
        return replace(
            truth,
            reps=rep_truths(self, exercise, course.reps),
            rom=rom_truths(self, exercise, start_s, self._end_s),
            holds=hold_truths(self, Placement.PELVIS if hold is None else hold.segment, spans),
        )


def _movement(code: str) -> Movement:
    try:
        return MOVEMENTS[code]
    except KeyError:
        raise MovementError(f"no motion model for exercise {code!r}") from None
