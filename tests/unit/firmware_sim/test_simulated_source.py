from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.imperfections import (
    COMMON_MOUNT,
    GRADES,
    DeviceClock,
    count_scale,
    draw_imperfections,
    mount_rotation,
    quantised,
)
from firmware_sim.patient import SimulatedPatient, SimulatedSource, draw_patient
from firmware_sim.source import SampleRun, SampleSource
from processing.domain.errors import SettingsError
from processing.domain.samples import Placement

_: SampleSource = draw_patient(np.random.default_rng(0)).sources[Placement.PELVIS]


def moving_patient(seed: int = 1, grade: str = "cheap", lost_fraction: float = 0.0) -> SimulatedPatient:
    patient = draw_patient(np.random.default_rng(seed), grade=grade, lost_fraction=lost_fraction)
    patient.timeline.append("squat", reps=2)
    return patient


def flat(source: SampleSource, runs: tuple[SampleRun, ...]) -> list[tuple[int, tuple[int, ...]]]:
    """Every sample as device tick and counts."""
    return [
        (run.tick_us + source.period_us * i, tuple(int(count) for count in row))
        for run in runs
        for i, row in enumerate(run.counts)
    ]


@given(cuts=st.lists(st.floats(0.0, 12.0), max_size=12), lost=st.sampled_from([0.0, 0.2]))
def test_samples_do_not_depend_on_how_they_are_asked_for(cuts: list[float], lost: float) -> None:
    source = moving_patient(lost_fraction=lost).sources[Placement.THORAX]
    edges = [0.0, *sorted(cuts), 12.0]
    parts = [source.runs(t0_s, t1_s) for t0_s, t1_s in itertools.pairwise(edges)]
    assert flat(source, tuple(run for part in parts for run in part)) == flat(source, source.runs(0.0, 12.0))


def test_asking_sample_by_sample_misses_none_and_repeats_none() -> None:
    source = moving_patient().sources[Placement.PELVIS]
    (whole,) = source.runs(0.0, 3.0)
    period_s = source.period_us * 1e-6 / (1.0 + source._imperfections.clock.drift_ppm * 1e-6)
    times = [source._time_s(np.array(k))[()] for k in range(301)]
    single = [source.runs(t0_s, t1_s) for t0_s, t1_s in itertools.pairwise(times)]
    assert [len(runs) for runs in single] == [1] * 300
    assert [runs[0].counts.shape for runs in single] == [(1, 6)] * 300
    assert np.array_equal(np.concatenate([runs[0].counts for runs in single]), whole.counts[:300])
    assert single[7][0].t_s == pytest.approx(7 * period_s)


def test_equal_seeds_give_equal_samples_and_others_differ() -> None:
    first, again, other = (moving_patient(seed).sources[Placement.PELVIS].runs(0.0, 5.0)[0] for seed in (1, 1, 2))
    assert first.tick_us == again.tick_us
    assert np.array_equal(first.counts, again.counts)
    assert not np.array_equal(first.counts, other.counts)


def test_the_grade_of_the_sensors_does_not_change_the_person() -> None:
    ideal, cheap = (moving_patient(3, grade).timeline for grade in ("ideal", "cheap"))
    t_s = np.arange(0.0, 10.0, 0.1)
    assert np.array_equal(ideal.imu(Placement.PELVIS, t_s).acc, cheap.imu(Placement.PELVIS, t_s).acc)


def test_an_ideal_sensor_reads_the_truth_within_half_a_count() -> None:
    patient = moving_patient(grade="ideal")
    source = patient.sources[Placement.THORAX]
    (run,) = source.runs(0.0, 10.0)
    t_s = run.t_s + np.arange(run.counts.shape[0]) * source.period_us * 1e-6
    imu = patient.timeline.imu(Placement.THORAX, t_s)
    mount = mount_rotation(COMMON_MOUNT)
    truth = np.concatenate([imu.acc @ mount.T, imu.gyr @ mount.T], axis=1)
    scale = count_scale(source.acc_range_g, source.gyr_range_dps)
    assert np.max(np.abs(run.counts * scale - truth) / scale) < 0.5001


def test_lost_samples_split_runs_and_the_rest_is_untouched() -> None:
    whole = moving_patient(lost_fraction=0.0).sources[Placement.PELVIS]
    lossy = moving_patient(lost_fraction=0.1).sources[Placement.PELVIS]
    kept = dict(flat(lossy, lossy.runs(0.0, 60.0)))
    everything = dict(flat(whole, whole.runs(0.0, 60.0)))
    assert kept.items() <= everything.items()
    assert 0.05 < 1.0 - len(kept) / len(everything) < 0.15
    runs = lossy.runs(0.0, 60.0)
    steps = [b.tick_us - a.tick_us - len(a.counts) * lossy.period_us for a, b in itertools.pairwise(runs)]
    assert all(step % (5 * lossy.period_us) == 0 and step > 0 for step in steps)


def test_noise_and_bias_have_the_size_that_was_drawn() -> None:
    person = draw_patient(np.random.default_rng(5), grade="ideal").timeline
    rng = np.random.default_rng(6)
    worn = draw_imperfections(GRADES["cheap"], rng)
    source = SimulatedSource(person, Placement.PELVIS, worn)
    (run,) = source.runs(0.0, 120.0)
    readings = run.counts * count_scale(source.acc_range_g, source.gyr_range_dps)
    gyr = readings[:, 3:]
    assert np.allclose(np.degrees(gyr.mean(axis=0) - worn.bias[3:]), 0.0, atol=0.3)
    assert np.std(np.diff(gyr, axis=0)) == pytest.approx(np.sqrt(2.0) * worn.noise[3], rel=0.1)
    assert np.linalg.norm(readings[:, :3].mean(axis=0)) == pytest.approx(9.80665, abs=0.4)


def test_a_fast_clock_takes_more_samples_in_true_time() -> None:
    person = draw_patient(np.random.default_rng(5)).timeline
    steady = draw_imperfections(GRADES["ideal"], np.random.default_rng(1))
    fast = dataclasses.replace(steady, clock=DeviceClock(offset_us=4_294_000_000, drift_ppm=10_000.0))
    source = SimulatedSource(person, Placement.PELVIS, fast)
    (run,) = source.runs(0.0, 10.0)
    assert len(run.counts) == 1010
    assert run.tick_us == source.tick_us(run.t_s) == 4_294_000_000
    (late,) = source.runs(9.0, 10.0)
    assert abs(late.tick_us - source.tick_us(late.t_s)) <= 1
    assert (late.tick_us - run.tick_us) % source.period_us == 0


def test_readings_beyond_the_range_saturate() -> None:
    counts = quantised(np.array([[1e3, -1e3, 0.0, 1e3, -1e3, 0.0]]), 8.0, 1000.0)
    assert counts.tolist() == [[32767, -32768, 0, 32767, -32768, 0]]


def test_a_mount_puts_the_named_axes_up_and_forward() -> None:
    mount = mount_rotation("up:+x,forward:-z")
    assert (mount @ [0.0, 1.0, 0.0]).tolist() == [1.0, 0.0, 0.0]
    assert (mount @ [1.0, 0.0, 0.0]).tolist() == [0.0, 0.0, -1.0]
    assert np.linalg.det(mount) == pytest.approx(1.0)
    assert np.array_equal(mount_rotation("up:+y,forward:+x"), np.eye(3))


@pytest.mark.parametrize("mount", ["", "up:+x", "up:+x,forward:-x", "up:x,forward:z", "up:+w,forward:+x"])
def test_an_unreadable_mount_is_refused(mount: str) -> None:
    with pytest.raises(SettingsError):
        mount_rotation(mount)


def test_impossible_settings_of_a_patient_are_refused() -> None:
    with pytest.raises(SettingsError):
        draw_patient(np.random.default_rng(0), grade="superb")
    with pytest.raises(SettingsError):
        draw_patient(np.random.default_rng(0), lost_fraction=1.0)


def test_an_empty_or_reversed_stretch_of_time_has_no_samples() -> None:
    source = moving_patient().sources[Placement.PELVIS]
    assert source.runs(2.0, 2.0) == ()
    assert source.runs(3.0, 2.0) == ()
    assert source.runs(-5.0, 0.0) == ()
