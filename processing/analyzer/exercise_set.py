"""One set of one exercise: counting, range of motion, steps."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from processing.analyzer.admission import Admission, AdmissionState
from processing.analyzer.bouts import report_bout
from processing.analyzer.calibration import Calibrator
from processing.analyzer.counters import AngleCounters, AngleCountersState, Outcome
from processing.analyzer.holding import Holding, HoldingState
from processing.analyzer.ledger import Ledger
from processing.analyzer.neutral_poses import NeutralPoses, angles_of
from processing.analyzer.range_of_motion import RIGHTED_WITHIN_DEG, RangeOfMotion, RangeOfMotionState
from processing.analyzer.rep_quality import RepQualityState
from processing.analyzer.sensor import Frame
from processing.analyzer.sensor_watch import Doubt, SensorWatch
from processing.analyzer.set_reps import SetReps, SetRepsState
from processing.analyzer.sources import PLACEMENTS, assign, drifting_channel, is_vertical, rom_segment
from processing.analyzer.start_pose import (
    LYING_FROM_DEG,
    Pose,
    StartPose,
    StartPoseState,
    inclination_deg,
    report_stopped,
)
from processing.analyzer.vertical_counter import VerticalCounter, VerticalCounterState
from processing.domain.commands import StartExercise
from processing.domain.exercises import Channel, CountedChannel, Exercise, exercise_of
from processing.domain.findings import RomSegment, SetStarted
from processing.domain.rejections import RejectionReason
from processing.domain.samples import GRAVITY_MPS2, Placement
from processing.dsp.blocks import GRID_NS, Floats
from processing.dsp.rotation import upward
from processing.dsp.segment import NeutralState

DOUBTED_QUALITY = 0.3
"""Quality of a repetition, or count of a set, during which a sensor was not to be trusted (estimate)."""


class ExerciseSetState(msgspec.Struct):
    """State of an ``ExerciseSet``."""

    code: str
    number: int
    t0_ns: int
    worn: tuple[Placement, ...]
    reps: SetRepsState
    levels_mps2: dict[Placement, float] = msgspec.field(default_factory=dict)
    neutrals: dict[Placement, NeutralState] = msgspec.field(default_factory=dict)
    angles: dict[RomSegment, AngleCountersState] = msgspec.field(default_factory=dict)
    verticals: dict[RomSegment, VerticalCounterState] = msgspec.field(default_factory=dict)
    admission: AdmissionState | None = None
    start_pose: StartPoseState = msgspec.field(default_factory=StartPoseState)
    holding: HoldingState = msgspec.field(default_factory=HoldingState)
    rom: RangeOfMotionState = msgspec.field(default_factory=RangeOfMotionState)


class ExerciseSet:
    """Counts and measures from the command that began the set to the one that ends it."""

    def __init__(
        self,
        state: ExerciseSetState,
        calibrators: Mapping[Placement, Calibrator],
        watches: Mapping[Placement, SensorWatch],
    ) -> None:
        self.state = state
        self.exercise: Exercise = exercise_of(state.code)
        self._calibrators = calibrators
        self._watches = watches
        self._neutrals = NeutralPoses(self.exercise.posture, calibrators, state.neutrals)
        self._rom_segment = rom_segment(state.worn)
        self._rom = RangeOfMotion(self.exercise, self._rom_segment, state.rom)
        self._holding = Holding(self.exercise, state.number, state.worn, self._trusted_quality, state.holding)
        self._reps = SetReps(self.exercise, state.worn, self._trusted_quality, state.reps)
        self._angles: dict[RomSegment, AngleCounters] = {}
        self._verticals: dict[RomSegment, VerticalCounter] = {}
        self._compose_counters()
        # Steps gate every channel and are the result of walking; posture and steps are felt best lowest down.
        self._lowest = Placement.PELVIS if Placement.PELVIS in state.worn else Placement.THORAX
        self._admission = Admission(self.exercise.tempo_s, state.admission)
        state.admission = self._admission.state
        self._start_pose = StartPose(self.exercise.posture, state.start_pose)
        # In a fixed order: findings of different segments must not change places.
        self._measured = sorted({*self._angles, self._rom_segment} if self.exercise.rom else self._angles)
        self._newest: dict[Placement, Floats] = {}

    @classmethod
    def begin(
        cls,
        order: StartExercise,
        number: int,
        t_ns: int,
        calibrators: Mapping[Placement, Calibrator],
        watches: Mapping[Placement, SensorWatch],
        levels_mps2: Mapping[Placement, float],
        ledger: Ledger,
    ) -> ExerciseSet:
        """A new set.

        Args:
            order: the exercise, and what a good repetition of this person is like, where known.
            number: number of the set in the session.
            t_ns: time of the command.
            calibrators: of the sensors worn.
            watches: of the same.
            levels_mps2: 1 g as each sensor at rest reads it, where known.
            ledger: takes the findings.

        Raises:
            UnknownExerciseError: the catalogue has no such code.
        """
        code, reps = order.exercise, SetRepsState(number, t_ns, quality=RepQualityState(order.target))
        state = ExerciseSetState(code, number, t_ns, tuple(sorted(calibrators)), reps, dict(levels_mps2))
        begun = cls(state, calibrators, watches)
        ledger.add(
            SetStarted, t0_ns=t_ns, t1_ns=t_ns, algorithm="command/1", quality=1.0, exercise=code, set_number=number
        )
        return begun

    def reps(self) -> dict[str, int]:
        """Repetitions so far, by channel."""
        return dict(self._reps.state.reps)

    @property
    def held_s(self) -> float | None:
        """How long the pose of the exercise has been held now, None while it is not."""
        return self._holding.held_s

    def shift(self, by_ns: int, ledger: Ledger) -> None:
        """The clock was set anew: what is under way ends on the old one, and the set is dated back from the new time.

        To be called while doubts about the sensors still stand on the old clock.
        """
        for segment, counter in self._counters():
            self._report(counter.reset(), segment, ledger)
        report_bout(self._admission.interrupt(), self.exercise, ledger)
        self._report_settled(None, ledger)
        self.state.t0_ns += by_ns
        self._start_pose.shift(by_ns)
        self._reps.shift(by_ns)
        self._rom.shift(by_ns)
        self._holding.shift(by_ns)

    def _compose_counters(self) -> None:
        state = self.state
        groups: dict[RomSegment, list[CountedChannel]] = {}
        for channel in self.exercise.channels:
            assigned = assign(channel, state.worn)
            if assigned is None:
                continue
            segment, counted = assigned
            state.reps.reps.setdefault(counted.channel.value, 0)
            if is_vertical(counted):
                self._verticals[segment] = VerticalCounter(
                    counted,
                    state.levels_mps2.get(PLACEMENTS[segment][0], GRAVITY_MPS2),
                    state.verticals.get(segment),
                )
                state.verticals[segment] = self._verticals[segment].state
            else:
                groups.setdefault(segment, []).append(counted)
        for segment, channels in groups.items():
            self._angles[segment] = AngleCounters(
                tuple(channels), drifting_channel(self.exercise.posture), state.angles.get(segment)
            )
            state.angles[segment] = self._angles[segment].state

    def step(self, frames: Mapping[Placement, Frame], rests_ns: Mapping[Placement, int], ledger: Ledger) -> None:
        """Take the frames of a block and how long each sensor has been at rest."""
        inclined_deg = self._inclined_deg(frames)
        self._walk(frames, inclined_deg, ledger)
        held = self._holds_start_pose(frames, inclined_deg, rests_ns, ledger)
        self._holding.step(frames, self._calibrators, ledger)
        if any(frame.righted for frame in frames.values()):
            self._begin_anew(frames)
        rotations = self._neutrals.rotations(frames) if held else {}
        self._newest = rotations
        self._reps.quality.observe(next(iter(frames.values())).block.t0_ns, rotations)
        for segment in self._measured:
            needed = PLACEMENTS[segment]
            if not all(placement in rotations for placement in needed):
                continue
            angles = angles_of(segment, rotations)
            resumed = any(frames[placement].resumed for placement in needed)
            t0_ns = frames[needed[0]].block.t0_ns
            rest_ns = min(rests_ns[placement] for placement in needed)
            self._count_angles(segment, t0_ns, angles, rest_ns, ledger, resumed=resumed)
            if segment is self._rom_segment:
                bridged = max(frames[placement].block.bridged for placement in needed)
                began = self._reps.began
                self._rom.step(t0_ns, angles, rest_ns, resumed=resumed, began=began, bridged=bridged)
        self._report_settled(min(frame.block.t0_ns for frame in frames.values()), ledger)

    def _inclined_deg(self, frames: Mapping[Placement, Frame]) -> float | None:
        """Inclination of the spine, None where it is unknown or the exercise is done upright and it does not matter."""
        frame = frames.get(self._lowest)
        if frame is None or self.exercise.posture.is_upright:
            return None
        upward = self._calibrators[self._lowest].upward
        return None if upward is None else inclination_deg(frame.quats[0], upward)

    def _holds_start_pose(
        self,
        frames: Mapping[Placement, Frame],
        inclined_deg: float | None,
        rests_ns: Mapping[Placement, int],
        ledger: Ledger,
    ) -> bool:
        frame = frames.get(self._lowest)
        if frame is None or not (self._angles or self.exercise.rom):
            return True
        t_ns = frame.block.t0_ns
        walking = self._admission.is_walking(t_ns)
        pose = self._start_pose.step(t_ns, inclined_deg, rests_ns[self._lowest], walking=walking)
        if pose is Pose.LOST:
            self._neutrals.clear()
            self._rom.pose_lost()
            for segment, counters in self._angles.items():
                reason = RejectionReason.WALKING if walking else RejectionReason.POSTURE
                self._report(counters.restart(reason), segment, ledger)
            if self.exercise.posture.is_upright:
                report_stopped(self.state.code, self.state.number, t_ns, ledger)
        return pose is Pose.HELD

    def live(self) -> dict[RomSegment, tuple[float, float, float]]:
        """Newest angles of all segments that can be told, degrees; computed only when a screen asks."""
        newest = {placement: rotations[-1:] for placement, rotations in self._newest.items()}
        told = [segment for segment, needed in PLACEMENTS.items() if all(one in newest for one in needed)]
        angles = {segment: angles_of(segment, newest)[0].tolist() for segment in told}
        return {segment: (flexion, bend, rotation) for segment, (flexion, bend, rotation) in angles.items()}

    def _begin_anew(self, frames: Mapping[Placement, Frame]) -> None:
        """A still pose righted the inclination: if the person still rests where the set began, this is its begin."""
        tilts_deg = self._neutrals.tilts_deg(frames)
        if self._reps.began or not tilts_deg or max(tilts_deg) > RIGHTED_WITHIN_DEG:
            return
        self._neutrals.clear()
        for counters in self._angles.values():
            counters.restart(RejectionReason.POSTURE)
        self._rom.restart()
        self._reps.quality.restart()

    def _count_angles(
        self, segment: RomSegment, t0_ns: int, angles: Floats, rest_ns: int, ledger: Ledger, *, resumed: bool
    ) -> None:
        counters = self._angles.get(segment)
        if counters is None:
            return
        if resumed:
            self._report(counters.reset(), segment, ledger)
        self._report(counters.step(t0_ns, angles, rest_ns), segment, ledger)

    def _walk(self, frames: Mapping[Placement, Frame], inclined_deg: float | None, ledger: Ledger) -> None:
        """Steps and vertical channels: everything that needs gravity only."""
        if self._lowest in frames:
            lying = inclined_deg is not None and inclined_deg >= LYING_FROM_DEG
            report_bout(self._admission.step(frames[self._lowest], lying=lying), self.exercise, ledger)
        for segment, counter in self._verticals.items():
            frame = frames.get(PLACEMENTS[segment][0])
            if frame is None:
                continue
            if frame.resumed:
                self._report(counter.reset(), segment, ledger)
            t0_ns = frame.block.t0_ns
            walking = self._admission.is_walking(t0_ns)
            for row, up_mps2 in enumerate(upward(frame.quats, frame.block.acc).tolist()):
                self._report(counter.step(t0_ns + row * GRID_NS, up_mps2, walking=walking), segment, ledger)

    def _counters(self) -> list[tuple[RomSegment, AngleCounters | VerticalCounter]]:
        return [*self._angles.items(), *self._verticals.items()]

    def channels(self) -> dict[Channel, float]:
        """Newest value of each channel that is counted, degrees or metres, for people to look at."""
        return {channel: value for _, one in self._counters() for channel, value in one.newest().items()}

    def provisional(self) -> dict[str, int]:
        """Repetitions by channel, with those under way from their turn on; they may be taken back."""
        return {channel.value: count for _, one in self._counters() for channel, count in one.provisional().items()}

    def finish(self, t_ns: int, ledger: Ledger) -> None:
        """End the set: what is under way, its ranges of motion, its summary."""
        for segment, counter in self._counters():
            self._report(counter.finish(t_ns), segment, ledger)
        report_bout(self._admission.finish(), self.exercise, ledger)
        self._report_settled(None, ledger)
        self._holding.finish(self.state.t0_ns, t_ns, ledger)
        doubt = self._doubt(PLACEMENTS[self._rom_segment], self.state.t0_ns, t_ns)
        self._rom.report(self.state.number, self.state.t0_ns, t_ns, self._calibrators, doubt, ledger)
        self._reps.finish(t_ns, self._trusted_quality(self.state.worn, self.state.t0_ns, t_ns), ledger)

    def _report(self, outcomes: list[Outcome], segment: RomSegment, ledger: Ledger) -> None:
        if outcomes:  # seldom
            self._reps.report(self._admission.put(outcomes, segment), segment, ledger)

    def _report_settled(self, now_ns: int | None, ledger: Ledger) -> None:
        for segment, outcome in self._admission.settled(now_ns):
            self._reps.report((outcome,), segment, ledger)

    def _trusted_quality(self, placements: tuple[Placement, ...], t0_ns: int, t1_ns: int) -> float:
        """Quality of what rests on these sensors, lower if one of them was not to be trusted in that time."""
        quality = min(self._calibrators[placement].quality for placement in placements)
        return quality if self._doubt(placements, t0_ns, t1_ns) is None else min(quality, DOUBTED_QUALITY)

    def _doubt(self, placements: tuple[Placement, ...], t0_ns: int, t1_ns: int) -> Doubt | None:
        doubts = (self._watches[placement].doubt_within(t0_ns, t1_ns) for placement in placements)
        return next((doubt for doubt in doubts if doubt is not None), None)
