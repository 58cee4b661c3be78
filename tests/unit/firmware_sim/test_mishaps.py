"""Slips, saturation, wrong wearing and fading of the simulated sensors."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from firmware_sim.imperfections import COMMON_MOUNT, count_scale, draw_slip, mount_rotation, upside_down
from firmware_sim.mishaps import Fading, Slip, Stuck
from firmware_sim.patient import SimulatedPatient, SimulatedSource, Wearing, draw_patient
from processing.domain.errors import SettingsError
from processing.domain.samples import Placement


def patient(wearing: Wearing | None = None, seed: int = 1, **options: float | Fading) -> SimulatedPatient:
    found = draw_patient(np.random.default_rng(seed), grade="ideal", wearing=wearing or Wearing(), **options)
    found.timeline.append("squat", reps=2)
    return found


def readings(source: SimulatedSource, t0_s: float, t1_s: float) -> np.ndarray:
    scale = count_scale(source.acc_range_g, source.gyr_range_dps)
    return np.concatenate([run.counts * scale for run in source.runs(t0_s, t1_s)])


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(a @ b / np.sqrt((a @ a) * (b @ b)))))


@pytest.mark.parametrize("seconds", [0.5, 40.0])
def test_a_slip_turns_gravity_by_its_angle_and_the_gyroscope_feels_it(seconds: float) -> None:
    # About the skin's normal (sensor z), so that gravity along x turns in full.
    slip = Slip(20.0, seconds, (0.0, 0.0, 1.0), 22.0)
    source = patient(Wearing(slips={Placement.PELVIS: (slip,)})).sources[Placement.PELVIS]
    before, after = (readings(source, t, t + 2.0)[:, :3].mean(axis=0) for t in (17.5, 21.0 + seconds))
    assert angle_deg(before, after) == pytest.approx(22.0, abs=1.0)
    calm = patient().sources[Placement.PELVIS]
    felt = readings(source, 20.0, 20.0 + seconds)[:, 5] - readings(calm, 20.0, 20.0 + seconds)[:, 5]
    assert np.degrees(felt.sum() / 100.0) == pytest.approx(-22.0, abs=1.0)


def test_before_a_slip_nothing_is_different() -> None:
    slip = draw_slip(np.random.default_rng(3), 20.0)
    slipped = patient(Wearing(slips={Placement.THORAX: (slip,)})).sources
    calm = patient().sources
    assert np.array_equal(readings(slipped[Placement.THORAX], 0.0, 20.0), readings(calm[Placement.THORAX], 0.0, 20.0))
    assert np.array_equal(readings(slipped[Placement.PELVIS], 0.0, 90.0), readings(calm[Placement.PELVIS], 0.0, 90.0))


def test_drawn_slips_lie_in_the_skin_or_peel_off_it_and_step_or_creep() -> None:
    slips = [draw_slip(np.random.default_rng(seed), 10.0) for seed in range(40)]
    assert {tuple(np.abs(np.round(slip.axis, 6))) for slip in slips} == {(0.0, 0.0, 1.0), (1.0, 0.0, 0.0)}
    assert all(15.0 <= abs(slip.angle_deg) <= 30.0 for slip in slips)
    assert {slip.seconds > 10.0 for slip in slips} == {True, False}


def test_a_slipping_sensor_gives_the_same_samples_however_they_are_asked_for() -> None:
    slip = Slip(5.0, 3.0, (0.6, 0.8, 0.0), 20.0)
    found = patient(Wearing(slips={Placement.PELVIS: (slip,)}), fading=Fading(10.0, 0.5), lost_fraction=0.02)
    source = found.sources[Placement.PELVIS]
    parts = [
        readings(source, a, b) for a, b in itertools.pairwise([0.0, 0.53, 4.9, 5.05, 6.7, 9.0]) if source.runs(a, b)
    ]
    assert np.array_equal(readings(source, 0.0, 9.0), np.concatenate(parts))


def test_a_stuck_sensor_repeats_one_reading_however_it_is_asked() -> None:
    stuck = patient(Wearing(stuck={Placement.PELVIS: (Stuck(4.0, 2.0),)})).sources[Placement.PELVIS]
    sound = patient().sources[Placement.PELVIS]
    whole = readings(stuck, 0.0, 9.0)
    repeated = readings(stuck, 4.0, 6.0)
    assert len(repeated) == 200
    assert (repeated == repeated[0]).all()
    assert np.array_equal(readings(stuck, 5.0, 5.5), repeated[100:150])
    assert np.array_equal(
        np.delete(whole, slice(400, 600), axis=0), np.delete(readings(sound, 0.0, 9.0), slice(400, 600), axis=0)
    )


def test_swapped_sensors_feel_each_others_segment() -> None:
    told, swapped = patient().sources, patient(Wearing(swapped=True)).sources
    pelvis, thorax = told[Placement.PELVIS], told[Placement.THORAX]
    scale = count_scale(8.0, 1000.0).max()
    assert np.allclose(readings(swapped[Placement.PELVIS], 0.0, 9.0), readings(thorax, 0.0, 9.0), atol=2.0 * scale)
    assert np.allclose(readings(swapped[Placement.THORAX], 0.0, 9.0), readings(pelvis, 0.0, 9.0), atol=2.0 * scale)


def test_an_upside_down_sensor_feels_gravity_the_other_way_round() -> None:
    wrong = patient(Wearing(upside_down=frozenset({Placement.THORAX}))).sources
    assert readings(wrong[Placement.PELVIS], 0.0, 1.0)[:, 0].mean() > 9.0
    assert readings(wrong[Placement.THORAX], 0.0, 1.0)[:, 0].mean() < -9.0
    turned = mount_rotation(upside_down(COMMON_MOUNT)) @ mount_rotation(COMMON_MOUNT).T
    assert np.allclose(turned, np.diag([-1.0, -1.0, 1.0]))


def test_a_small_range_saturates() -> None:
    source = patient(gyr_range_dps=31.25).sources[Placement.PELVIS]
    rates = np.degrees(readings(source, 0.0, 10.0)[:, 3:])
    free = np.degrees(readings(patient().sources[Placement.PELVIS], 0.0, 10.0)[:, 3:])
    assert np.abs(free).max() > 32.0
    assert np.abs(rates).max() == pytest.approx(31.25, abs=0.01)


def test_fading_takes_the_radio_away_for_as_long_as_asked_on_average() -> None:
    source = patient(fading=Fading(per_min=6.0, mean_s=0.8)).sources[Placement.PELVIS]
    runs = source.runs(0.0, 1200.0)
    holes_s = [b.t_s - a.t_s - len(a.counts) * 0.01 for a, b in itertools.pairwise(runs)]
    assert 80 <= len(holes_s) <= 160
    # Fades that overlap merge, so their number and mean length are judged together.
    assert sum(holes_s) / 1200.0 == pytest.approx(6.0 * 0.8 / 60.0, rel=0.4)
    assert max(holes_s) < 12.0


def test_single_losses_look_like_those_of_the_real_recordings() -> None:
    source = patient(lost_fraction=0.019, lost_together=1).sources[Placement.PELVIS]
    runs = source.runs(0.0, 600.0)
    missing = np.array([round((b.t_s - a.t_s) / 0.01) - len(a.counts) for a, b in itertools.pairwise(runs)])
    assert missing.sum() / 60_000 == pytest.approx(0.019, rel=0.15)
    assert np.mean(missing == 1) > 0.93
    assert missing.max() <= 4


def test_what_is_worn_wrongly_does_not_change_the_person() -> None:
    wearing = Wearing(swapped=True, upside_down=frozenset(Placement))
    wrong, told = patient(wearing), patient()
    assert dataclasses.astuple(wrong.timeline.body)[:3] == dataclasses.astuple(told.timeline.body)[:3]
    t_s = np.arange(0.0, 9.0, 0.1)
    assert np.array_equal(wrong.timeline.imu(Placement.PELVIS, t_s).acc, told.timeline.imu(Placement.PELVIS, t_s).acc)


def test_impossible_mounts_and_ranges_are_refused() -> None:
    with pytest.raises(SettingsError):
        upside_down("up:x")
    with pytest.raises(SettingsError):
        patient(gyr_range_dps=0.0)
