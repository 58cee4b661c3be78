"""The life of one simulated patient: a sequence of movements that may grow while it is being sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from firmware_sim.motion.body import Body
from firmware_sim.motion.curves import Floats, Jet, total
from firmware_sim.motion.kinematics import (
    COORDINATES,
    Motion,
    Pose,
    angles_zxy_deg,
    motion_of,
    relative,
)
from firmware_sim.motion.movements import CALIBRATION, REPEATED, RepMark, repetitions, walk
from firmware_sim.motion.paths import Keyframe, KeyframePath, Path
from firmware_sim.motion.truth import RepTruth, RomTruth, SetTruth
from processing.domain.errors import LumbarError
from processing.domain.exercises import Channel, Counting, Exercise, Posture, exercise_of
from processing.domain.findings import RomDirection, RomSegment
from processing.domain.samples import Placement

LEAD_IN_S = 2.0
"""Stillness between the start of a set and its first movement."""

REST_S = 2.5
"""Stillness between the last movement of a set and its end."""

_CALIBRATION_STILL_S = 5.0
_TRUTH_RATE_HZ = 200.0
_POSTURE_CHANGE_S = 2.6
_PLANE = {Channel.FLEXION: 0, Channel.LATERAL_BEND: 1, Channel.AXIAL_ROTATION: 2}
_DIRECTIONS = {
    Channel.FLEXION: (RomDirection.FLEXION, RomDirection.EXTENSION),
    Channel.LATERAL_BEND: (RomDirection.RIGHT_BEND, RomDirection.LEFT_BEND),
    Channel.AXIAL_ROTATION: (RomDirection.LEFT_ROTATION, RomDirection.RIGHT_ROTATION),
}


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
        self._place_m = 0.0
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

    def append(self, code: str, *, reps: int = 8, duration_s: float = 20.0, not_before_s: float = 0.0) -> SetTruth:
        """Let the person do a set of an exercise (or ``CALIBRATION``) after everything else, and tell its truth.

        The person first changes posture if the exercise needs another one. ``reps`` counts for exercises made of
        repetitions (per plane in ``seated_rom``; the calibration always has three bends), ``duration_s`` for the
        timed ones.

        Raises:
            UnknownExerciseError: the catalogue has no such exercise.
            MovementError: no motion model for it, or ``reps`` or ``duration_s`` out of range.
        """
        exercise = None if code == CALIBRATION else exercise_of(code)
        timed = exercise is not None and exercise.counting is Counting.TIMED
        if not timed and code not in REPEATED:
            raise MovementError(f"no motion model for exercise {code!r}")
        if not (1 <= reps <= 1000 and 1.0 <= duration_s <= 86_400.0):
            raise MovementError(f"{code}: {reps} repetitions, {duration_s} s; need 1-1000 and 1-86400 s")
        start_s = self._take_posture(
            Posture.STANDING if exercise is None else exercise.posture, max(self._end_s, not_before_s)
        )
        if exercise is None:
            return self._repeat(code, 3, start_s, _CALIBRATION_STILL_S, None)
        if not timed:
            return self._repeat(code, reps, start_s, LEAD_IN_S, exercise)
        return self._walk(duration_s, start_s) if code == "walking" else self._stay(code, duration_s, start_s)

    def settle(self, code: str, *, not_before_s: float = 0.0) -> float:
        """Let the person take the posture that an exercise (or ``CALIBRATION``) starts from.

        Returns the second from which they stay in it.

        Raises:
            UnknownExerciseError: the catalogue has no such exercise.
        """
        posture = Posture.STANDING if code == CALIBRATION else exercise_of(code).posture
        self._end_s = self._take_posture(posture, max(self._end_s, not_before_s))
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
        return self._body.posture(self._posture).moved(Pose(hip_forward_m=self._place_m))

    def _take_posture(self, posture: Posture, start_s: float) -> float:
        if posture is self._posture:
            return start_s
        before = self._neutral()
        self._posture = posture
        end_s = start_s + _POSTURE_CHANGE_S * self._body.pace
        self._add(start_s, KeyframePath((Keyframe(start_s, before), Keyframe(end_s, self._neutral()))))
        return end_s + 1.0

    def _add(self, start_s: float, path: Path) -> None:
        self._stretches.append(_Stretch(start_s, path))

    def _repeat(self, code: str, reps: int, start_s: float, still_s: float, exercise: Exercise | None) -> SetTruth:
        begin_s = start_s + still_s
        plans = REPEATED[code](self._body)
        frames, marks = repetitions(plans, reps, Keyframe(begin_s, self._neutral()), self._body, self._rng)
        self._add(begin_s, KeyframePath(frames))
        self._end_s = frames[-1].t_s + REST_S
        if exercise is None:
            return SetTruth(code, start_s, self._end_s)
        reps_truth = self._rep_truths(exercise, marks)
        return SetTruth(code, start_s, self._end_s, reps_truth, self._rom_truths(exercise, start_s, self._end_s))

    def _walk(self, duration_s: float, start_s: float) -> SetTruth:
        path = walk(duration_s, self._neutral(), start_s + LEAD_IN_S, self._body)
        self._add(path.start_s, path)
        self._place_m += path.length_m
        self._end_s = path.end_s + REST_S
        return SetTruth("walking", start_s, self._end_s, steps=path.steps)

    def _stay(self, code: str, duration_s: float, start_s: float) -> SetTruth:
        self._end_s = start_s + duration_s
        return SetTruth(code, start_s, self._end_s)

    def _rep_truths(self, exercise: Exercise, marks: tuple[RepMark, ...]) -> tuple[RepTruth, ...]:
        numbers: dict[Channel, int] = {}
        found = []
        for mark in marks:
            numbers[mark.channel] = numbers.get(mark.channel, 0) + 1
            amplitude = self._amplitude(exercise, mark)
            found.append(
                RepTruth(
                    exercise.code,
                    mark.channel,
                    numbers[mark.channel],
                    mark.start_s,
                    mark.peak_s,
                    mark.end_s,
                    amplitude,
                )
            )
        return tuple(found)

    def _amplitude(self, exercise: Exercise, mark: RepMark) -> float:
        counted = next(counted for counted in exercise.channels if counted.channel is mark.channel)
        t_s = _instants(mark.start_s, mark.end_s)
        if mark.channel is Channel.VERTICAL:
            return float(np.ptp(self.motion(counted.segment or Placement.PELVIS, t_s).position_m[:, 1]))
        angles = self._from_start(mark.start_s, t_s)
        segment = RomSegment.LUMBAR if counted.segment is None else RomSegment(counted.segment.value)
        return float(np.ptp(angles[segment][:, _PLANE[mark.channel]]))

    def _rom_truths(self, exercise: Exercise, start_s: float, end_s: float) -> tuple[RomTruth, ...]:
        if not exercise.rom:
            return ()
        angles = self._from_start(start_s, _instants(start_s, end_s))
        found = []
        for segment, values in angles.items():
            for channel in exercise.rom:
                plane = values[:, _PLANE[channel]]
                positive, negative = _DIRECTIONS[channel]
                found.append(RomTruth(segment, positive, max(0.0, float(np.max(plane)))))
                found.append(RomTruth(segment, negative, max(0.0, float(-np.min(plane)))))
        return tuple(found)

    def _from_start(self, start_s: float, t_s: Floats) -> dict[RomSegment, Floats]:
        """Angles in degrees, (n, 3), against the pose at ``start_s``."""
        first = np.array([start_s])
        pelvis, thorax = (self.motion(placement, t_s).rotation for placement in (Placement.PELVIS, Placement.THORAX))
        pelvis_0, thorax_0 = (self.motion(place, first).rotation for place in (Placement.PELVIS, Placement.THORAX))
        lumbar, lumbar_0 = relative(pelvis, thorax), relative(pelvis_0, thorax_0)
        pairs = (
            (RomSegment.LUMBAR, lumbar_0, lumbar),
            (RomSegment.PELVIS, pelvis_0, pelvis),
            (RomSegment.THORAX, thorax_0, thorax),
        )
        return {segment: angles_zxy_deg(relative(base[0], rotation)) for segment, base, rotation in pairs}


def _instants(start_s: float, end_s: float) -> Floats:
    return np.linspace(start_s, end_s, max(2, round((end_s - start_s) * _TRUTH_RATE_HZ) + 1))
