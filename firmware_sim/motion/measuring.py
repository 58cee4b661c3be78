"""Truth of a set, measured on the trajectory itself with the formulas of the clinic."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from firmware_sim.motion.course import Course, RepMark, Span
from firmware_sim.motion.curves import Floats
from firmware_sim.motion.kinematics import Motion, angles_zxy_deg, relative
from firmware_sim.motion.truth import BendTruth, HoldTruth, RepTruth, RomTruth
from processing.domain.exercises import Channel, Exercise
from processing.domain.findings import RomDirection, RomSegment
from processing.domain.samples import Placement

_RATE_HZ = 200.0
_SAG_OVER_S = 1.0
_PLANE = {Channel.FLEXION: 0, Channel.LATERAL_BEND: 1, Channel.AXIAL_ROTATION: 2}
_DIRECTIONS = {
    Channel.FLEXION: (RomDirection.FLEXION, RomDirection.EXTENSION),
    Channel.LATERAL_BEND: (RomDirection.RIGHT_BEND, RomDirection.LEFT_BEND),
    Channel.AXIAL_ROTATION: (RomDirection.LEFT_ROTATION, RomDirection.RIGHT_ROTATION),
}


class Moving(Protocol):
    """Somebody whose trajectory is known."""

    def motion(self, placement: Placement, t_s: Floats) -> Motion:
        """True motion of the segment frame at a sensor's place, at n instants (seconds, shape (n,))."""
        ...


def rep_truths(person: Moving, exercise: Exercise, marks: tuple[RepMark, ...]) -> tuple[RepTruth, ...]:
    """Repetitions with their amplitudes, numbered within their channel."""
    numbers: dict[Channel, int] = {}
    found = []
    for mark in marks:
        numbers[mark.channel] = numbers.get(mark.channel, 0) + 1
        found.append(
            RepTruth(
                exercise=exercise.code,
                channel=mark.channel,
                number=numbers[mark.channel],
                start_s=mark.start_s,
                peak_s=mark.peak_s,
                end_s=mark.end_s,
                amplitude=_amplitude(person, exercise, mark),
                fault=mark.fault,
            )
        )
    return tuple(found)


def rom_truths(person: Moving, exercise: Exercise, start_s: float, end_s: float) -> tuple[RomTruth, ...]:
    """Ranges of motion in the planes that the exercise reports, from the pose at ``start_s``."""
    if not exercise.rom:
        return ()
    angles = _from_start(person, start_s, _instants(start_s, end_s))
    found = []
    for segment, values in angles.items():
        for channel in exercise.rom:
            plane = values[:, _PLANE[channel]]
            positive, negative = _DIRECTIONS[channel]
            found.append(RomTruth(segment, positive, max(0.0, float(np.max(plane)))))
            found.append(RomTruth(segment, negative, max(0.0, float(-np.min(plane)))))
    return tuple(found)


def hold_truths(person: Moving, placement: Placement, spans: tuple[Span, ...]) -> tuple[HoldTruth, ...]:
    """Poses held, with the sag of the segment at ``placement``."""
    return tuple(HoldTruth(span.start_s, span.end_s, _sag_deg(person, placement, span)) for span in spans)


def bend_truths(person: Moving, course: Course) -> tuple[BendTruth, ...]:
    """Bends of daily life: what their marks say, and how far they went."""
    if course.bent_knees is None:
        return ()
    found = []
    for mark in course.reps:
        t_s = _instants(mark.start_s, mark.end_s)
        inclination = np.degrees(np.arccos(np.clip(person.motion(Placement.THORAX, t_s).rotation[:, 1, 1], -1.0, 1.0)))
        twist = _from_start(person, mark.start_s, t_s)[RomSegment.LUMBAR][:, 2]
        found.append(
            BendTruth(
                start_s=mark.start_s,
                peak_s=mark.peak_s,
                end_s=mark.end_s,
                peak_flexion_deg=float(np.max(inclination)),
                twist_deg=float(np.max(np.abs(twist))),
                knees_bent=course.bent_knees,
            )
        )
    return tuple(found)


def _amplitude(person: Moving, exercise: Exercise, mark: RepMark) -> float:
    counted = next(counted for counted in exercise.channels if counted.channel is mark.channel)
    t_s = _instants(mark.start_s, mark.end_s)
    if mark.channel is Channel.VERTICAL:
        return float(np.ptp(person.motion(counted.segment or Placement.PELVIS, t_s).position_m[:, 1]))
    angles = _from_start(person, mark.start_s, t_s)
    segment = RomSegment.LUMBAR if counted.segment is None else RomSegment(counted.segment.value)
    return float(np.ptp(angles[segment][:, _PLANE[mark.channel]]))


def _sag_deg(person: Moving, placement: Placement, span: Span) -> float:
    over_s = min(_SAG_OVER_S, 0.25 * (span.end_s - span.start_s))
    first, last = (
        # The middle row of a rotation is the direction of up as the segment sees it.
        person.motion(placement, _instants(start_s, start_s + over_s)).rotation[:, 1, :].mean(axis=0)
        for start_s in (span.start_s, span.end_s - over_s)
    )
    cosine = float(np.sum(first * last) / np.sqrt(np.sum(first**2) * np.sum(last**2)))
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _from_start(person: Moving, start_s: float, t_s: Floats) -> dict[RomSegment, Floats]:
    """Angles in degrees, (n, 3), against the pose at ``start_s``."""
    first = np.array([start_s])
    pelvis, thorax = (person.motion(placement, t_s).rotation for placement in (Placement.PELVIS, Placement.THORAX))
    pelvis_0, thorax_0 = (person.motion(place, first).rotation for place in (Placement.PELVIS, Placement.THORAX))
    lumbar, lumbar_0 = relative(pelvis, thorax), relative(pelvis_0, thorax_0)
    pairs = (
        (RomSegment.LUMBAR, lumbar_0, lumbar),
        (RomSegment.PELVIS, pelvis_0, pelvis),
        (RomSegment.THORAX, thorax_0, thorax),
    )
    return {segment: angles_zxy_deg(relative(base[0], rotation)) for segment, base, rotation in pairs}


def _instants(start_s: float, end_s: float) -> Floats:
    return np.linspace(start_s, end_s, max(2, round((end_s - start_s) * _RATE_HZ) + 1))
