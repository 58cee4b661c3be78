"""Counts and ranges of motion against the simulator, which knows the truth: several people, two sensors and one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from firmware_sim.motion.movements import CALIBRATION
from firmware_sim.motion.truth import SetTruth
from firmware_sim.patient import draw_patient
from processing.analyzer.inputs import Ordered
from processing.analyzer.session import SessionAnalyzer
from processing.domain.commands import EndSession, EndSet, SensorPlacement, StartExercise, StartSession
from processing.domain.findings import (
    CalibrationDone,
    Finding,
    GapSeen,
    RepCompleted,
    RomMeasured,
    SetCompleted,
    StepBout,
)
from processing.domain.ids import SensorId
from processing.domain.rejections import CountingStopped, RejectionReason
from processing.domain.rhythm_findings import CyclingBout
from processing.domain.samples import GRAVITY_MPS2, Placement
from processing.dsp.blocks import SampleBlock

SESSION = "00000000-0000-4000-8000-000000000001"
EPOCH_NS = 1_760_000_000_000_000_000
BOTH = (Placement.PELVIS, Placement.THORAX)
EXERCISES = (
    "squat",
    "standing_flexion_extension",
    "standing_side_bend",
    "standing_rotation",
    "walking",
    "quiet_standing",
    "cat_cow",
    "quiet_sitting",
)
ROUND_AND_ROUND = ("aquatic_walking", "stationary_bike")
ROM_TOLERANCE_DEG = 2.0


@dataclass(frozen=True)
class Run:
    truth: Sequence[SetTruth]
    findings: Sequence[Finding]

    def of_set(self, kind: type, number: int) -> list:
        return [finding for finding in self.findings if isinstance(finding, kind) and finding.set_number == number]


def ns(t_s: float) -> int:
    return EPOCH_NS + round(t_s * 1e9)


def run(
    seed: int,
    placements: tuple[Placement, ...] = BOTH,
    grade: str = "good",
    lost_fraction: float = 0.0,
    exercises: Sequence[str] = EXERCISES,
    asked: str | None = None,
) -> Run:
    """A person calibrates and does every exercise; ``asked`` is what the commands say instead."""
    patient = draw_patient(np.random.default_rng(seed), placements=placements, grade=grade, lost_fraction=lost_fraction)
    patient.timeline.append(CALIBRATION)
    truth = [patient.timeline.append(code, reps=4, duration_s=20.0) for code in exercises]
    worn = tuple(SensorPlacement(sensor_id=place.value, placement=place) for place in placements)
    analyzer = SessionAnalyzer(
        StartSession(session_id=SESSION, sensors=worn), ns(0.0), {SensorId(place.value): True for place in placements}
    )
    findings: list[Finding] = []
    for one in truth:
        findings += analyzer.feed(
            Ordered(ns(one.start_s), StartExercise(session_id=SESSION, exercise=asked or one.exercise))
        )
        findings += analyzer.feed(Ordered(ns(one.end_s), EndSet(session_id=SESSION)))
    findings += analyzer.feed(Ordered(ns(truth[-1].end_s), EndSession(session_id=SESSION)))
    for second in range(int(truth[-1].end_s) + 2):
        for place, source in patient.sources.items():
            for part in source.runs(float(second), second + 1.0):
                t_ns = ns(part.t_s) + np.arange(len(part.counts), dtype=np.int64) * (source.period_us * 1000)
                acc = part.counts[:, :3] * (source.acc_range_g * GRAVITY_MPS2 / 32768)
                gyr = part.counts[:, 3:] * (np.radians(source.gyr_range_dps) / 32768)
                findings += analyzer.feed(SampleBlock(SensorId(place.value), t_ns, acc, gyr))
    assert analyzer.ended
    return Run(truth, findings)


def assert_counts_and_ranges(result: Run) -> None:
    for number, truth in enumerate(result.truth, 1):
        (done,) = result.of_set(SetCompleted, number)
        assert done.exercise == truth.exercise
        for channel, count in done.reps.items():
            expected = sum(1 for rep in truth.reps if rep.channel == channel)
            assert count == expected, (truth.exercise, channel)
        for rom in result.of_set(RomMeasured, number):
            expected_deg = truth.rom_deg(rom.segment, rom.direction)
            assert expected_deg is not None
            assert rom.angle_deg == pytest.approx(expected_deg, abs=ROM_TOLERANCE_DEG), (truth.exercise, rom.direction)


@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_two_sensors_count_exactly_and_measure_within_two_degrees(seed: int) -> None:
    result = run(seed)
    assert_counts_and_ranges(result)
    moved = [done for done in result.findings if isinstance(done, SetCompleted) and done.reps]
    assert [done.exercise for done in moved] == [
        "squat",
        "standing_flexion_extension",
        "standing_side_bend",
        "standing_rotation",
        "cat_cow",
    ]
    assert len([rom for rom in result.findings if isinstance(rom, RomMeasured)]) == 8
    methods = [(done.placement, done.method) for done in result.findings if isinstance(done, CalibrationDone)]
    assert {(place, "functional") for place in BOTH} <= set(methods)
    assert not [gap for gap in result.findings if isinstance(gap, GapSeen)]


@pytest.mark.parametrize("placement", BOTH)
@pytest.mark.parametrize("seed", [11, 12])
def test_one_sensor_counts_exactly_what_it_can_tell(seed: int, placement: Placement) -> None:
    result = run(seed, (placement,))
    assert_counts_and_ranges(result)
    uncounted = {done.exercise for done in result.findings if isinstance(done, SetCompleted) and not done.reps}
    timed = {"walking", "quiet_standing", "quiet_sitting"}
    assert uncounted == (timed if placement is Placement.PELVIS else timed | {"cat_cow"})


def test_a_cheap_sensor_with_a_bias_of_several_degrees_per_second_will_do() -> None:
    assert_counts_and_ranges(run(21, grade="cheap"))


def test_five_percent_of_lost_samples_change_no_count() -> None:
    assert_counts_and_ranges(run(22, lost_fraction=0.05))


def test_repetitions_lie_where_the_person_moved() -> None:
    result = run(31, exercises=("standing_flexion_extension", "standing_side_bend"))
    for number, truth in enumerate(result.truth, 1):
        for rep, true in zip(result.of_set(RepCompleted, number), truth.reps, strict=True):
            assert (rep.t0_ns - EPOCH_NS) / 1e9 == pytest.approx(true.start_s, abs=0.5)
            assert (rep.t_peak_ns - EPOCH_NS) / 1e9 == pytest.approx(true.peak_s, abs=0.3)
            assert (rep.t1_ns - EPOCH_NS) / 1e9 == pytest.approx(true.end_s, abs=1.2)
            assert rep.amplitude == pytest.approx(true.amplitude, rel=0.1)


@pytest.mark.parametrize(
    ("seed", "code"), [(12, "bridge"), (36, "bridge"), (11, "superman"), (14, "pelvic_tilt"), (12, "crunch")]
)
def test_a_hold_at_the_far_end_of_a_repetition_is_timed(seed: int, code: str) -> None:
    result = run(seed, exercises=(code,))
    reps = result.of_set(RepCompleted, 1)
    for rep, hold in zip(reps, result.truth[0].holds, strict=True):
        assert rep.hold_s == pytest.approx(hold.seconds, abs=0.4)
        assert (rep.t0_ns - EPOCH_NS) / 1e9 + rep.out_s == pytest.approx(hold.start_s, abs=0.3)
        assert rep.out_s + rep.hold_s + rep.back_s == pytest.approx(rep.tempo_s)


@pytest.mark.parametrize("placement", BOTH)
@pytest.mark.parametrize("seed", [41, 42])
def test_steps_are_counted_while_walking_and_climbing_stairs(seed: int, placement: Placement) -> None:
    result = run(seed, (placement,), exercises=("walking", "stairs_up", "stairs_down"), asked="walking")
    for truth in result.truth:
        bouts = [one for one in result.findings if isinstance(one, StepBout) and one.t1_ns <= ns(truth.end_s)]
        (bout,) = [one for one in bouts if one.t0_ns >= ns(truth.start_s)]
        assert bout.steps == pytest.approx(truth.steps, abs=1)
        assert bout.cadence_per_min == pytest.approx(truth.cadence_per_min, abs=3.0)


def test_the_brisk_part_of_a_walk_is_timed() -> None:
    result = run(41, exercises=("walking",))
    (bout,) = [one for one in result.findings if isinstance(one, StepBout)]
    assert result.truth[0].cadence_per_min > 104.0
    assert bout.brisk_s == pytest.approx((bout.t1_ns - bout.t0_ns) / 1e9, abs=1.5)


@pytest.mark.parametrize("seed", [43, 44])
def test_steps_in_water_and_turns_of_the_crank_are_told_with_their_confidence(seed: int) -> None:
    result = run(seed, exercises=ROUND_AND_ROUND, grade="cheap", lost_fraction=0.03)
    water, bike = result.truth
    (steps,) = [one for one in result.findings if isinstance(one, StepBout)]
    # The first and the last two steps grow out of standing still and are too weak.
    assert water.steps - 3 <= steps.steps <= water.steps
    assert steps.cadence_per_min == pytest.approx(water.cadence_per_min, abs=2.0)
    (ride,) = [one for one in result.findings if isinstance(one, CyclingBout)]
    assert ride.quality <= 0.5
    assert ride.cadence_per_min == pytest.approx(bike.cadence_per_min, abs=3.0)
    assert (ride.t1_ns - ride.t0_ns) / 1e9 == pytest.approx(bike.active_s, abs=6.0)


def test_who_walks_off_in_a_set_is_told_that_counting_has_stopped() -> None:
    result = run(45, exercises=("walking",), asked="standing_side_bend")
    (stopped,) = result.of_set(CountingStopped, 1)
    assert stopped.reason is RejectionReason.WALKING
    assert not result.of_set(RepCompleted, 1)
    assert not run(45, exercises=("standing_side_bend",)).of_set(CountingStopped, 1)


@pytest.mark.parametrize("seed", [51, 52])
@pytest.mark.parametrize("asked", ["squat", "seated_rom", "bridge"])
def test_walking_and_keeping_still_are_no_repetitions_of_anything(seed: int, asked: str) -> None:
    result = run(seed, exercises=("walking", "quiet_standing", "quiet_sitting"), asked=asked)
    done = [one for one in result.findings if isinstance(one, SetCompleted)]
    assert [one.exercise for one in done] == [asked] * 3
    assert all(one.reps for one in done)
    assert not [rep for rep in result.findings if isinstance(rep, RepCompleted)]
