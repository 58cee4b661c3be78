"""The rows of the sets that count, on simulated people recorded as in the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.analyzer.inputs import Ordered
from processing.domain.exercises import exercise_of
from processing.dsp.blocks import SampleBlock
from service.cli.evaluation import figures
from service.cli.evaluation.core_speed import core_speed_figures
from service.cli.evaluation.counting import Count, count_figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, read_recording
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.robustness import robustness_figures
from service.cli.evaluation.seated_trunk import PLANES, seated_trunk_figures
from service.cli.evaluation.simulated import simulated_figures, simulated_session
from service.cli.evaluation.sit_to_stand import sit_to_stand_figures
from service.cli.evaluation.squats import squat_figures
from service.cli.evaluation.step_baseline import step_baselines
from service.cli.evaluation.walking import matched, walk_against, walking_figures
from tests.unit.service.cli.evaluation_folders import simulated_arrays, write

SHIFT_S = 0.5


def first_of(rows: list[Figure], measure: str) -> Figure:
    return next(row for row in rows if row.measure == measure)


def write_squats(folder: Path, name: str, *, told: int | None = None, shift_s: float = 0.0) -> None:
    truth, arrays = simulated_arrays("squat_lowback", "squat")
    marks = [
        np.searchsorted(arrays["t"], [getattr(rep, side) + shift_s for rep in truth.reps])
        for side in ("start_s", "end_s")
    ]
    count = np.int64(truth.count() if told is None else told)
    write(folder, "squat_lowback", name, {}, rep_start_idx=marks[0], rep_end_idx=marks[1], rep_count=count, **arrays)


def test_squats_are_scored_per_recording_and_person(tmp_path: Path) -> None:
    write_squats(tmp_path, "Q90_correct_set1")
    write_squats(tmp_path, "Q91_correct_set1", told=6)
    rows = squat_figures(Folder(tmp_path), Progress())
    exact = first_of(rows, figures.EXACT)
    assert (exact.people, exact.recordings, exact.repetitions) == (2, 2, 10)
    assert exact.value == 50.0
    assert exact.per_person == {"Q90": 100.0, "Q91": 0.0}
    assert exact.worst == "Q91_correct_set1 (4 for 6)"


def test_marks_set_elsewhere_move_the_boundaries_and_the_latency_after_them(tmp_path: Path) -> None:
    write_squats(tmp_path / "marked", "Q90_correct_set1")
    write_squats(tmp_path / "shifted", "Q90_correct_set1", shift_s=SHIFT_S)
    marked = squat_figures(Folder(tmp_path / "marked"), Progress())
    shifted = squat_figures(Folder(tmp_path / "shifted"), Progress())
    assert first_of(marked, figures.BOUNDARIES).repetitions == 4
    stated = [[row.value for row in rows if row.measure == figures.LATENCY] for rows in (marked, shifted)]
    assert stated[0][0] == stated[1][0]
    assert stated[0][1] - stated[1][1] == pytest.approx(SHIFT_S, abs=0.03)
    assert stated[0][2] > stated[0][0] > 0.0


def write_seated(folder: Path, name: str) -> None:
    truth, arrays = simulated_arrays("trunk_seated", "seated_rom", reps=2)
    counts = [float(sum(rep.channel.value == plane for rep in truth.reps)) for plane in PLANES]
    write(folder, "trunk_seated", name, {}, rep_count=np.array([counts[0], counts[1], np.nan]), **arrays)


def test_planes_without_a_known_count_are_not_scored(tmp_path: Path) -> None:
    write_seated(tmp_path, "T90_1")
    exact = first_of(seated_trunk_figures(Folder(tmp_path), Progress()), figures.EXACT)
    assert (exact.people, exact.recordings, exact.repetitions) == (1, 1, 4)
    assert exact.value is not None


def test_every_disturbance_is_scored_on_every_recording(tmp_path: Path) -> None:
    write_seated(tmp_path, "T90_1")
    rows = robustness_figures(Folder(tmp_path), Progress())
    assert len(rows) == 9
    assert all(row.value is not None and row.recordings == 1 for row in rows)
    assert {row.measure for row in rows if not row.comparison} == {
        target.measure for target in figures.TARGETS if target.set == figures.ROBUSTNESS
    }
    late = first_of(rows, figures.OFFSET_SWING)
    assert late.value is not None
    assert 0.0 < late.value < 3.0


def test_only_recordings_that_state_a_count_are_sit_to_stands(tmp_path: Path) -> None:
    truth, arrays = simulated_arrays("sit_to_stand_bench", "sit_to_stand")
    write(tmp_path, "sit_to_stand_bench", "B90_sts", {"rep_count": truth.count()}, **arrays)
    write(tmp_path, "sit_to_stand_bench", "B90_calib", {"rep_count": None}, **arrays)
    exact = first_of(sit_to_stand_figures(Folder(tmp_path), Progress()), figures.EXACT)
    assert (exact.value, exact.recordings, exact.repetitions) == (100.0, 1, 4)


def test_steps_outside_the_reference_bouts_are_no_errors(tmp_path: Path) -> None:
    truth, arrays = simulated_arrays("walking_lowback", "walking")
    steps_s = np.array(truth.step_times_s)
    half = steps_s[: steps_s.size // 2]
    for reference, contacts in (("indip", steps_s), ("stereophoto", half)):
        arrays[f"ref_{reference}_initial_contact_t"] = contacts
        arrays[f"ref_{reference}_bouts"] = np.array([[contacts[0], contacts[-1]]])
    write(tmp_path, "walking_lowback", "M_HA090_Test5_Trial1", {}, **arrays)
    rows = walking_figures(Folder(tmp_path), Progress())
    against = [row for row in rows if row.measure == figures.STEP_F1]
    assert [row.comparison for row in against] == [False, True]
    assert list(against[0].per_person) == ["M_HA090"]
    assert all(row.value is not None and row.value > 0.9 for row in against)
    assert first_of(rows, figures.FALSE_REPS).value is not None
    (simple,) = step_baselines(Folder(tmp_path), Progress())
    assert simple.baseline is not None
    assert simple.value is not None
    assert simple.value > 0.8
    assert "of 36 settings the middle one" in simple.method


def test_what_a_reference_does_not_speak_of_is_told_apart(tmp_path: Path) -> None:
    contacts, bouts = np.array([1.0, 1.5, 2.0]), np.array([[0.5, 2.5]])
    arrays = {"ref_indip_initial_contact_t": contacts, "ref_indip_bouts": bouts}
    path = write(tmp_path, "walking_lowback", "M_HA090_Test5_Trial1", {}, **arrays)
    walk = walk_against(read_recording(path), np.array([1.0, 1.5, 7.0, 8.0]), "indip")
    assert (walk.matched, walk.found, walk.true, walk.outside) == (2, 2, 3, 2)
    assert walk.f1 == pytest.approx(0.8)


def test_simulated_people_are_the_same_every_time_and_differ_from_each_other() -> None:
    squat = [exercise_of("squat")]
    once, again, other = (simulated_session(number, squat) for number in (0, 0, 1))
    assert once.truths == again.truths
    assert all(np.array_equal(a.acc, b.acc) for a, b in zip(once.session.blocks, again.session.blocks, strict=True))
    assert once.truths != other.truths


def test_commands_come_before_the_samples_that_reach_their_time() -> None:
    simulated = simulated_session(0, [exercise_of("squat"), exercise_of("bridge")])
    newest_ns = 0
    orders = 0
    for piece in simulated.inputs():
        if isinstance(piece, SampleBlock):
            newest_ns = max(newest_ns, int(piece.t_ns[-1]))
        else:
            assert isinstance(piece, Ordered)
            assert piece.t_ns >= newest_ns
            orders += 1
    assert orders == 5


def test_simulated_sets_are_compared_with_their_truth() -> None:
    exercises = [exercise_of("standing_flexion_extension"), exercise_of("side_plank")]
    rows = simulated_figures(1, Progress(), exercises)
    truths = simulated_session(0, exercises).truths
    exact = first_of(rows, figures.EXACT)
    assert exact.repetitions == truths[0].count() > 0
    assert exact.value == 100.0
    assert first_of(rows, figures.HOLD_ERROR).repetitions == len(truths[1].holds) == 2


def test_speed_is_stated_for_both_ways_of_feeding() -> None:
    rows = core_speed_figures(Progress())
    assert [row.comparison for row in rows] == [False, True]
    assert all(row.value is not None and row.value > 1.0 for row in rows)


def test_no_count_at_all_is_no_score() -> None:
    assert [row.value for row in count_figures("a", "b", [])] == [None, None]


def test_a_count_two_off_is_neither_exact_nor_within_one() -> None:
    counts = [Count("P", "r1", "", 3, 3), Count("P", "r2", "", 4, 3), Count("Q", "r3", "", 5, 3)]
    exact, near = count_figures("a", "b", counts)
    assert exact.value == pytest.approx(100.0 / 3.0)
    assert near.value == pytest.approx(200.0 / 3.0)
    assert exact.worst == near.worst == "r3 (5 for 3)"


TIMES = st.lists(st.integers(0, 200), max_size=12, unique=True).map(lambda ticks: np.array(sorted(ticks)) / 10.0)


@given(TIMES, TIMES)
def test_matching_is_symmetric_and_never_pairs_a_time_twice(one: np.ndarray, other: np.ndarray) -> None:
    pairs = matched(one, other, 0.55)
    assert pairs == matched(other, one, 0.55)
    assert pairs <= min(one.size, other.size)
    assert matched(one, one, 0.55) == one.size
    near = np.abs(one[:, None] - other[None, :]) <= 0.55
    assert (pairs > 0) == bool(near.any())
