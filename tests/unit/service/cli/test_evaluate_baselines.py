"""Simple counters beside the analyzer, and how their settings are chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.recording import Track
from processing.domain.samples import GRAVITY_MPS2
from service.cli.evaluation import figures
from service.cli.evaluation.baselines import (
    ACCELERATION_PEAKS,
    AUTOCORRELATION,
    PLANE_PEAKS,
    RATE_HZ,
    TILT_PEAKS,
    SimpleCounter,
    Trial,
    body_frame,
    counts_by,
)
from service.cli.evaluation.counting_baselines import seated_trunk_baselines, sit_to_stand_baselines
from service.cli.evaluation.figures import Figure, Target, judged
from service.cli.evaluation.folder import Folder
from service.cli.evaluation.left_out import left_out
from service.cli.evaluation.progress import Progress
from tests.unit.service.cli.evaluation_folders import simulated_arrays, tilting, write

REPS = 5
COUNTERS = (ACCELERATION_PEAKS, TILT_PEAKS, AUTOCORRELATION)


def bending(person: str, *, swing_deg: float = 40.0, truth: int = REPS) -> Trial:
    """Somebody who leans forward and comes back five times, three seconds each, and stands before and after."""
    t_s = np.arange(0.0, 25.0, 1.0 / RATE_HZ)
    acc, gyr, _ = tilting(np.minimum(t_s, 4.0 + 3.0 * REPS), swing_deg)
    gyr[t_s > 4.0 + 3.0 * REPS] = 0.0
    acc = acc * (1.0 + 0.2 * np.abs(gyr[:, [1]]))
    return Trial(person, f"{person}_1", "", truth, *body_frame(Track(t_s, acc, gyr), "up:+x,forward:-z"))


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: counter.name)
def test_every_counter_can_count_clean_bends(counter: SimpleCounter) -> None:
    trials = [bending("A"), bending("B", swing_deg=50.0)]
    series = [counter.series(trial) for trial in trials]
    assert any([counter.count(one, setting) for one in series] == [REPS, REPS] for setting in counter.settings)


def test_a_person_is_counted_with_the_setting_that_suits_the_others() -> None:
    alone = [one.found for one in counts_by(TILT_PEAKS, [bending("A")])]
    # Nobody counts A right, so that A's own truth would choose the setting that counts most.
    trials = [bending("A", truth=99), bending("B"), bending("C")]
    found = {one.person: one.found for one in counts_by(TILT_PEAKS, trials)}
    assert alone == [REPS]
    assert found == {"A": REPS, "B": REPS, "C": REPS}


@given(st.integers(2, 5), st.integers(1, 4), st.randoms(use_true_random=False))
def test_nobodys_own_scores_choose_their_setting(people: int, settings: int, random: np.random.Generator) -> None:
    names = [f"P{number}" for number in range(people) for _ in range(2)]
    scores = np.array([[random.random() for _ in names] for _ in range(settings)])
    chosen = left_out(names, scores)
    for person in chosen:
        own = np.array([name == person for name in names])
        changed = np.where(own, -scores, scores)
        assert left_out(names, changed)[person] == chosen[person]


def test_where_there_is_one_person_the_first_setting_stands() -> None:
    assert left_out(["A", "A"], np.array([[0.0, 0.0], [1.0, 1.0]])) == {"A": 0}


def test_the_body_frame_is_right_forward_up() -> None:
    t_s = np.arange(100) / 100.0
    still = np.tile([-GRAVITY_MPS2, 0.0, 0.0], (100, 1))
    turning = np.tile([0.0, 0.0, 1.0], (100, 1))
    acc, gyr = body_frame(Track(t_s, still, turning), "up:-x,forward:+z")
    assert acc[0] == pytest.approx([0.0, 0.0, GRAVITY_MPS2])
    assert gyr[0] == pytest.approx([0.0, 1.0, 0.0])


def test_planes_are_told_apart_by_their_angle() -> None:
    trial = bending("A")
    by_plane = {
        plane: max(PLANE_PEAKS.count(PLANE_PEAKS.series(one), setting) for setting in PLANE_PEAKS.settings)
        for plane in ("flexion", "lateral_bend", "axial_rotation")
        for one in [Trial("A", "1", plane, REPS, trial.acc, trial.gyr)]
    }
    assert by_plane == {"flexion": REPS, "lateral_bend": 0, "axial_rotation": 0}


def test_a_recording_without_extremes_tells_no_plane_where_it_is(tmp_path: Path) -> None:
    _, arrays = simulated_arrays("trunk_seated", "seated_rom", reps=2)
    extremes = {"t_sagittal_pos": np.array([6.0, 9.0]), "t_sagittal_neg": np.array([7.0, 10.0])}
    write(tmp_path, "trunk_seated", "T90_1", {}, rep_count=np.array([2.0, 2.0, 2.0]), **arrays, **extremes)
    rows = seated_trunk_baselines(Folder(tmp_path), Progress())
    assert [(row.measure, row.repetitions) for row in rows if row.measure == figures.EXACT] == [
        (figures.EXACT, 6),
        (figures.EXACT, 2),
        (figures.EXACT, 2),
    ]


def test_the_best_simple_method_stands_beside_the_figure_that_is_judged(tmp_path: Path) -> None:
    truth, arrays = simulated_arrays("sit_to_stand_bench", "sit_to_stand")
    write(tmp_path, "sit_to_stand_bench", "B90_sts", {"rep_count": truth.count()}, **arrays)
    simple = sit_to_stand_baselines(Folder(tmp_path), Progress())
    assert {row.baseline for row in simple} == {counter.name for counter in COUNTERS}
    assert all(row.target is None for row in judged(simple))


def a_figure(value: float, baseline: str | None) -> Figure:
    return Figure(set="s", measure="m", method="", unit="°", value=value, people=1, recordings=1, baseline=baseline)


@pytest.mark.parametrize(("limit", "best"), [("at_most", "low"), ("at_least", "high")])
def test_which_simple_method_is_best_depends_on_the_target(limit: str, best: str) -> None:
    target = Target(set="s", measure="m", unit="°", **{limit: 2.0})
    rows = judged([a_figure(1.0, None), a_figure(5.0, "low"), a_figure(9.0, "high")], targets=[target])
    assert rows[0].baseline is not None
    assert rows[0].baseline.name == best
    assert [row.target is None for row in rows] == [False, True, True]
    assert (rows[0].at_most, rows[0].at_least) == (target.at_most, target.at_least)
