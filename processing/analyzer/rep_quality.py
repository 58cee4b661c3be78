"""How repetitions were done: size and time, and how far trunk and pelvis went meanwhile, against what is usual."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import msgspec
import numpy as np

from processing.analyzer.counters import AXES
from processing.analyzer.sources import PLACEMENTS, assign, assign_segment
from processing.domain.commands import RepTarget
from processing.domain.exercise_types import Channel, Exercise, FaultRule, Swing
from processing.domain.findings import RomSegment
from processing.domain.rep_faults import FaultSeen, RepFault, Unit
from processing.domain.samples import Placement
from processing.dsp.blocks import BLOCK_NS, NS_PER_S, Floats
from processing.dsp.rep_phases import far_end_of
from processing.dsp.rep_shape import LEAD_NS, Reach, Sampled, dip_deg, reach_of
from processing.dsp.repetitions import FarEnd, Rep
from processing.dsp.segment import joint_angles_deg, segment_angles_deg

SHALLOW = 0.75
"""Fraction of the usual size below which a repetition is shallow. Squats asked to be partial reached 0.63-0.70 of the
size of the same person's correct ones, whose spread is 4-20 % (squat_lowback, 3 people)."""

ENOUGH = 3
"""Repetitions from which what is usual is known: the fewest of which one odd one does not decide (median)."""

MOST = 60
"""Repetitions of a channel that are kept to be judged at the end of a set."""

TRACE_POINTS = 120
TRACE_STEP_BLOCKS = 2
"""Orientations are kept ten times a second, or less often where repetitions last long, so that 120 are enough."""

LATE_S = 5.0
"""A repetition is known this long after its end at the latest: rest closes it after 2 s, and it waits 2 s more while it
may have been a step."""


_SIDED = {Channel.LATERAL_BEND, Channel.AXIAL_ROTATION}
"""Channels that go to the left and to the right."""

_SIDED_SWINGS = {Swing.BOTH_SIDES, Swing.EITHER_SIDE}
"""Swings that go to both, within a repetition or from one to the next."""


_POSE = struct.Struct("<q4f")
"""A time, and the rotation of a segment since its neutral pose: 24 bytes where Python objects would take 240."""


class Shape(msgspec.Struct, frozen=True, array_like=True):
    """A repetition in numbers.

    ``reaches_deg`` is one number per rule of the exercise, None where it could not be seen; ``right_deg`` and
    ``left_deg`` how far the channel went to each side, None where it has no sides, or went to the other one only.
    """

    number: int
    amplitude: float
    tempo_s: float
    reaches_deg: tuple[float | None, ...]
    right_deg: float | None
    left_deg: float | None
    valid: bool = True


class RepQualityState(msgspec.Struct):
    """State of ``RepQuality``: orientations of late (packed), and the repetitions of each channel."""

    target: RepTarget | None = None
    traces: dict[Placement, bytes] = msgspec.field(default_factory=dict)
    shapes: dict[Channel, list[Shape]] = msgspec.field(default_factory=dict)


class RepQuality:
    """Judges repetitions: at once against the target or the person's own so far, and all of them at the end."""

    def __init__(self, exercise: Exercise, worn: tuple[Placement, ...], state: RepQualityState) -> None:
        self.state = state
        self._exercise = exercise
        self._rules = tuple((rule, assign_segment(rule.segment, rule.fallback, worn)) for rule in exercise.faults)
        self._swings = {one.channel: one.swing for one in exercise.channels if one.channel in AXES}
        length_s = LATE_S + (exercise.tempo_s[1] if exercise.tempo_s else 0.0)
        self._stride = max(TRACE_STEP_BLOCKS, -(-round(length_s * NS_PER_S / BLOCK_NS) // TRACE_POINTS))
        self._traced = self._seen_by(worn)

    def observe(self, t0_ns: int, rotations: Mapping[Placement, Floats]) -> None:
        """Take the rotations since neutral of a block, shape (5, 4) each."""
        if not self._traced or (t0_ns // BLOCK_NS) % self._stride:
            return
        for placement, quats in rotations.items():
            if placement not in self._traced:
                continue
            trace = self.state.traces.get(placement, b"") + _POSE.pack(t0_ns, *quats[-1].tolist())
            self.state.traces[placement] = trace[-TRACE_POINTS * _POSE.size :]

    def _seen_by(self, worn: tuple[Placement, ...]) -> frozenset[Placement]:
        """Sensors that angles which count, and rules, are seen by; the others leave no trace."""
        assigned = (assign(channel, worn) for channel in self._exercise.channels if channel.channel in AXES)
        segments = {one.segment for one in assigned if one is not None} | {segment for _, segment in self._rules}
        return frozenset(place for segment in segments if segment is not None for place in PLACEMENTS[segment])

    def restart(self) -> None:
        """Neutral is another pose from here on, or the clock another one: what was seen before does not compare."""
        self.state.traces.clear()

    def judge(self, channel: Channel, segment: RomSegment, rep: Rep, number: int) -> tuple[FaultSeen, ...]:
        """Faults of a repetition that is over, as far as what is usual is known yet."""
        shape = self._shape(channel, segment, rep, number)
        shapes = self.state.shapes.setdefault(channel, [])
        faults = self._faults(shape, [one for one in shapes if one.valid])
        shapes.append(msgspec.structs.replace(shape, valid=not faults))
        del shapes[:-MOST]
        return faults

    def far_end(self, channel: Channel, segment: RomSegment, rep: Rep) -> FarEnd | None:
        """Far end of a repetition of an angle, None for other channels and where it was not seen throughout."""
        swing = self._swings.get(channel)
        trace = self._trace(segment, channel, rep) if swing is not None else ()
        return far_end_of(trace, rep.t0_ns, rep.t_peak_ns, both=swing is Swing.BOTH_SIDES) if trace else None

    def finally_faulty(self, channel: Channel) -> dict[int, tuple[FaultSeen, ...]]:
        """Faults by number of the repetition, with all repetitions of the set to tell what is usual."""
        shapes = self.state.shapes.get(channel, [])
        judged = {one.number: self._faults(one, shapes) for one in shapes}
        return {number: faults for number, faults in judged.items() if faults}

    def judged(self, channel: Channel) -> int:
        """Repetitions that the end of the set looks at."""
        return len(self.state.shapes.get(channel, []))

    def watched(self, channel: Channel) -> tuple[RepFault, ...]:
        """Faults that could have been seen at the end of the set."""
        shapes = self.state.shapes.get(channel, [])
        watched = [RepFault.TOO_FAST, RepFault.TOO_SLOW] if self._exercise.tempo_s else []
        if self._usual_amplitude(shapes) is not None:
            watched.append(RepFault.SHALLOW)
        for index, (rule, _) in enumerate(self._rules):
            seen = any(one.reaches_deg[index] is not None for one in shapes)
            if seen and self._usual_deg(rule.fault, index, shapes) is not None:
                watched.append(rule.fault)
        return tuple(watched)

    def sides_deg(self, channel: Channel) -> tuple[float, float] | None:
        """Median reach to the left and to the right, None where the channel has no sides or nothing was seen."""
        shapes = self.state.shapes.get(channel, [])
        left = [one.left_deg for one in shapes if one.left_deg is not None]
        right = [one.right_deg for one in shapes if one.right_deg is not None]
        return (median(left), median(right)) if left and right else None

    def _shape(self, channel: Channel, segment: RomSegment, rep: Rep, number: int) -> Shape:
        reaches = tuple(self._reach_deg(rule, own, rep) for rule, own in self._rules)
        right, left = self._sides(segment, channel, rep)
        return Shape(number, rep.amplitude, (rep.t1_ns - rep.t0_ns) / NS_PER_S, reaches, right, left)

    def _sides(self, segment: RomSegment, channel: Channel, rep: Rep) -> tuple[float | None, float | None]:
        """How far a repetition went to the right and to the left, None where it did not mean to."""
        swing = self._swings.get(channel)
        sides = self._reach(segment, channel, rep) if channel in _SIDED and swing in _SIDED_SWINGS else None
        if sides is None:
            return None, None
        # Right bend is positive, and so is left rotation.
        right, left = sides if channel is Channel.LATERAL_BEND else (sides.below_deg, sides.above_deg)
        if swing is Swing.BOTH_SIDES:
            return right, left
        return (right, None) if right > left else (None, left)

    def _reach_deg(self, rule: FaultRule, segment: RomSegment | None, rep: Rep) -> float | None:
        if segment is None:
            return None
        if rule.fault is RepFault.PELVIS_TUCKED:
            trace = self._trace(segment, rule.channel, rep)
            return dip_deg(trace, rep.t_peak_ns) if trace else None
        reach = self._reach(segment, rule.channel, rep)
        if reach is None:
            return None
        return reach.above_deg if rule.channel is Channel.FLEXION else max(reach)

    def _reach(self, segment: RomSegment, channel: Channel, rep: Rep) -> Reach | None:
        trace = self._trace(segment, channel, rep)
        return reach_of(trace, rep.t0_ns) if trace else None

    def _trace(self, segment: RomSegment, channel: Channel, rep: Rep) -> Sequence[Sampled]:
        """One angle of a segment within a repetition and shortly before; empty unless seen from begin to end."""
        step_ns = self._stride * BLOCK_NS
        poses = [
            {t_ns: rotation for t_ns, *rotation in _POSE.iter_unpack(trace) if rep.t0_ns - LEAD_NS <= t_ns}
            for trace in (self.state.traces.get(place, b"") for place in PLACEMENTS[segment])
        ]
        times = [t_ns for t_ns in poses[0] if t_ns <= rep.t1_ns and all(t_ns in one for one in poses)]
        if not times or times[0] > rep.t0_ns + step_ns or times[-1] < rep.t1_ns - 2 * step_ns:
            return ()
        rotations = [np.array([one[t_ns] for t_ns in times]) for one in poses]
        angles = segment_angles_deg(*rotations) if len(rotations) == 1 else joint_angles_deg(*rotations)
        return list(map(Sampled, times, angles[:, AXES.index(channel)].tolist()))

    def _faults(self, shape: Shape, known: Sequence[Shape]) -> tuple[FaultSeen, ...]:
        found = [*self._size_fault(shape, known), *self._time_fault(shape)]
        for index, (rule, _) in enumerate(self._rules):
            reach_deg, usual_deg = shape.reaches_deg[index], self._usual_deg(rule.fault, index, known)
            if reach_deg is not None and usual_deg is not None and reach_deg > usual_deg + rule.margin_deg:
                found.append(FaultSeen(fault=rule.fault, found=reach_deg, usual=usual_deg, unit=Unit.DEGREES))
        return tuple(found)

    def _size_fault(self, shape: Shape, known: Sequence[Shape]) -> list[FaultSeen]:
        usual = self._usual_amplitude(known)
        if usual is None or shape.amplitude >= SHALLOW * usual:
            return []
        vertical = any(one.channel is Channel.VERTICAL for one in self._exercise.channels)
        unit = Unit.METRES if vertical else Unit.DEGREES
        return [FaultSeen(fault=RepFault.SHALLOW, found=shape.amplitude, usual=usual, unit=unit)]

    def _time_fault(self, shape: Shape) -> list[FaultSeen]:
        if self._exercise.tempo_s is None:
            return []
        shortest_s, longest_s = self._exercise.tempo_s
        if shape.tempo_s < shortest_s:
            return [FaultSeen(fault=RepFault.TOO_FAST, found=shape.tempo_s, usual=shortest_s, unit=Unit.SECONDS)]
        if shape.tempo_s > longest_s:
            return [FaultSeen(fault=RepFault.TOO_SLOW, found=shape.tempo_s, usual=longest_s, unit=Unit.SECONDS)]
        return []

    def usual(self, channel: Channel) -> RepTarget:
        """What the repetitions of a channel were like; None where fewer than three were seen."""
        shapes = self.state.shapes.get(channel, [])
        reaches = {
            rule.fault: _median_of(one.reaches_deg[index] for one in shapes)
            for index, (rule, _) in enumerate(self._rules)
        }
        return RepTarget(
            amplitude=_median_of(one.amplitude for one in shapes),
            lean_deg=reaches.get(RepFault.LEAN),
            tuck_deg=reaches.get(RepFault.PELVIS_TUCKED),
            lumbar_flexion_deg=reaches.get(RepFault.LUMBAR_FLEXION),
            twist_deg=reaches.get(RepFault.TWIST),
        )

    def _usual_amplitude(self, known: Sequence[Shape]) -> float | None:
        target = self.state.target
        # One number cannot be the size in several planes.
        if target is not None and target.amplitude is not None and len(self._exercise.channels) == 1:
            return target.amplitude
        return _median_of(one.amplitude for one in known)

    def _usual_deg(self, fault: RepFault, index: int, known: Sequence[Shape]) -> float | None:
        stated_deg = None if self.state.target is None else _stated_deg(self.state.target, fault)
        return _median_of(one.reaches_deg[index] for one in known) if stated_deg is None else stated_deg


def _median_of(values: Iterable[float | None]) -> float | None:
    """Median of what is known, None for too little."""
    known = [value for value in values if value is not None]
    return median(known) if len(known) >= ENOUGH else None


def _stated_deg(target: RepTarget, fault: RepFault) -> float | None:
    stated = {
        RepFault.LEAN: target.lean_deg,
        RepFault.LUMBAR_FLEXION: target.lumbar_flexion_deg,
        RepFault.PELVIS_TUCKED: target.tuck_deg,
        RepFault.TWIST: target.twist_deg,
    }
    return stated.get(fault)
