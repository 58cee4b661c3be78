"""Poses that simulated people hold, with two sensors and one, cheap ones, loss, breaks and a gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from firmware_sim.imperfections import count_scale
from firmware_sim.motion.course import CAREFUL, Manner
from firmware_sim.motion.movements import CALIBRATION
from firmware_sim.motion.truth import SetTruth
from firmware_sim.patient import draw_patient
from processing.analyzer.inputs import Ordered, SessionInput
from processing.analyzer.session import SessionAnalyzer
from processing.domain.commands import EndSession, EndSet, SensorPlacement, StartExercise, StartSession
from processing.domain.exercises import CATALOGUE, Counting
from processing.domain.findings import Finding, LiveFrame
from processing.domain.found import RefusalReason
from processing.domain.hold_findings import HoldCompleted, HoldRefused
from processing.domain.ids import SensorId
from processing.domain.samples import Placement
from processing.dsp.blocks import SampleBlock

SESSION = "00000000-0000-4000-8000-000000000001"
BOTH = (Placement.PELVIS, Placement.THORAX)
POSES = tuple(sorted(code for code, one in CATALOGUE.items() if one.counting is Counting.HELD))
HELD_S = 12.0


@dataclass(frozen=True)
class Holding:
    truths: Sequence[SetTruth]
    findings: Sequence[Finding]
    frames: Sequence[LiveFrame]

    def of_set(self, number: int) -> list[HoldCompleted]:
        return [one for one in self.findings if isinstance(one, HoldCompleted) and one.set_number == number]


def ns(t_s: float) -> int:
    return round(t_s * 1e9)


def hold(
    seed: int,
    codes: Sequence[str],
    placements: tuple[Placement, ...] = BOTH,
    grade: str = "good",
    lost_fraction: float = 0.0,
    manner: Manner = CAREFUL,
    hole_s: tuple[float, float] = (0.0, 0.0),
    *,
    calibrated: bool = True,
    asked: str | None = None,
) -> Holding:
    """A person calibrates and holds every pose twice; ``hole_s`` is without samples, from the start of each set.

    ``asked`` is what the commands say instead.
    """
    patient = draw_patient(np.random.default_rng(seed), placements=placements, grade=grade, lost_fraction=lost_fraction)
    if calibrated:
        patient.timeline.append(CALIBRATION)
    truths = [patient.timeline.append(code, reps=2, duration_s=HELD_S, manner=manner) for code in codes]
    worn = tuple(SensorPlacement(sensor_id=place.value, placement=place) for place in placements)
    given: list[tuple[int, SessionInput]] = []
    for one in truths:
        given.append(
            (
                ns(one.start_s),
                Ordered(ns(one.start_s), StartExercise(session_id=SESSION, exercise=asked or one.exercise)),
            )
        )
        given.append((ns(one.end_s), Ordered(ns(one.end_s), EndSet(session_id=SESSION))))
    given.append((ns(truths[-1].end_s), Ordered(ns(truths[-1].end_s), EndSession(session_id=SESSION))))
    holes = [(ns(one.start_s + hole_s[0]), ns(one.start_s + hole_s[1])) for one in truths]
    for place, source in patient.sources.items():
        scale = count_scale(source.acc_range_g, source.gyr_range_dps)
        for part in source.runs(0.0, truths[-1].end_s + 2.0):
            readings = part.counts * scale
            t_ns = ns(part.t_s) + np.arange(len(readings), dtype=np.int64) * (source.period_us * 1000)
            kept = ~np.any([(t_ns >= begin) & (t_ns < end) for begin, end in holes], axis=0)
            for run in np.split(np.flatnonzero(kept), np.flatnonzero(np.diff(np.flatnonzero(kept)) > 1) + 1):
                for at in range(0, run.size, 100):
                    rows = run[at : at + 100]
                    acc, gyr = np.ascontiguousarray(readings[rows, :3]), np.ascontiguousarray(readings[rows, 3:])
                    given.append((int(t_ns[rows[-1]]), SampleBlock(SensorId(place.value), t_ns[rows], acc, gyr)))
    analyzer = SessionAnalyzer(
        StartSession(session_id=SESSION, sensors=worn), 0, {SensorId(place.value): True for place in placements}
    )
    findings: list[Finding] = []
    frames: list[LiveFrame] = []
    for _, piece in sorted(given, key=lambda one: one[0]):
        findings += analyzer.feed(piece)
        frame = analyzer.live()
        if frame is not None:
            frames.append(frame)
    return Holding(truths, findings, frames)


def assert_times(result: Holding, within_s: float = 0.6) -> None:
    for number, truth in enumerate(result.truths, start=1):
        found = result.of_set(number)
        assert [one.number for one in found] == list(range(1, len(truth.holds) + 1)), truth.exercise
        for one, held in zip(found, truth.holds, strict=True):
            assert one.seconds == pytest.approx(held.seconds, abs=within_s), truth.exercise
            assert one.t0_ns / 1e9 == pytest.approx(held.start_s, abs=within_s), truth.exercise
            assert one.whole


@pytest.mark.parametrize(("seed", "grade", "lost"), [(11, "good", 0.0), (12, "cheap", 0.03)])
def test_every_pose_is_timed_and_rest_before_between_and_after_is_none(seed: int, grade: str, lost: float) -> None:
    result = hold(seed, POSES, grade=grade, lost_fraction=lost)
    assert_times(result)
    for number, truth in enumerate(result.truths, start=1):
        for one, held in zip(result.of_set(number), truth.holds, strict=True):
            assert one.posture is CATALOGUE[truth.exercise].hold.posture
            assert one.sag_deg == pytest.approx(held.sag_deg, abs=1.5)
            assert one.sway_deg < 2.0


@pytest.mark.parametrize("placement", BOTH)
def test_one_sensor_times_what_it_can_see_and_refuses_the_rest(placement: Placement) -> None:
    seen = [code for code in POSES if placement in CATALOGUE[code].sensors_enough]
    unseen = [code for code in POSES if code not in seen]
    result = hold(13, [*seen, *unseen], (placement,))
    assert_times(Holding(result.truths[: len(seen)], result.findings, result.frames))
    refused = [one.exercise for one in result.findings if isinstance(one, HoldRefused)]
    assert refused == unseen
    assert bool(unseen) == (placement is Placement.PELVIS) or placement is Placement.THORAX


def test_a_plank_given_up_for_two_seconds_is_two_holds() -> None:
    result = hold(14, ("high_plank", "side_plank"), manner=Manner(breaks=1))
    assert [len(truth.holds) for truth in result.truths] == [4, 4]
    assert_times(result)


def test_the_time_of_a_gap_is_not_held() -> None:
    result = hold(15, ("knee_to_chest",), hole_s=(8.0, 11.0))
    before, after, second = result.of_set(1)
    gap_s = tuple(result.truths[0].start_s + at_s for at_s in (8.0, 11.0))
    assert not before.whole
    assert not after.whole
    assert second.whole
    assert before.t1_ns / 1e9 <= gap_s[0] + 0.3
    assert after.t0_ns / 1e9 >= gap_s[1] - 0.3
    assert before.seconds + after.seconds < result.truths[0].holds[0].seconds - 2.0


def test_a_screen_shows_how_long_a_pose_has_been_held() -> None:
    result = hold(16, ("low_plank",))
    shown = [frame.held_s for frame in result.frames if frame.held_s is not None]
    assert max(shown) == pytest.approx(max(one.seconds for one in result.truths[0].holds), abs=1.5)
    assert result.frames[-1].held_s is None


def test_without_knowing_how_the_sensor_sits_no_hold_is_stated() -> None:
    result = hold(17, ("knee_to_chest",), calibrated=False)
    assert result.of_set(1) == []
    assert [one.reason for one in result.findings if isinstance(one, HoldRefused)] == [RefusalReason.NO_AXIS]


def test_who_lies_on_the_back_holds_no_plank() -> None:
    result = hold(18, ("knee_to_chest",), asked="high_plank")
    assert result.of_set(1) == []
    assert [one.reason for one in result.findings if isinstance(one, HoldRefused)] == [RefusalReason.MOVING]
