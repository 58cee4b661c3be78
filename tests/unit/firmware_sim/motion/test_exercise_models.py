"""Do the motion models move as the exercises do, and does the truth say so?"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.signal import find_peaks

from firmware_sim.motion.body import draw_body
from firmware_sim.motion.course import CAREFUL, Manner
from firmware_sim.motion.movements import ACTIVITIES, EXERCISES
from firmware_sim.motion.timeline import MovementError, Timeline
from firmware_sim.motion.truth import Fault, SetTruth
from processing.domain.exercises import CATALOGUE, Channel, Counting, Posture
from processing.domain.samples import GRAVITY_MPS2, Placement

PLACES = {
    Posture.STANDING: (0.0, 1.0, 0.0),
    Posture.HALF_KNEELING: (0.0, 1.0, 0.0),
    Posture.QUADRUPED: (-1.0, 0.0, 0.0),
    Posture.PRONE: (-1.0, 0.0, 0.0),
    Posture.SUPINE: (1.0, 0.0, 0.0),
}
HELD = sorted(code for code, one in CATALOGUE.items() if one.counting in (Counting.HELD, Counting.PATIENT_STARTED))


def new_life(seed: int, **changes: float | bool) -> Timeline:
    rng = np.random.default_rng(seed)
    return Timeline(dataclasses.replace(draw_body(rng), **changes), rng)


def force(life: Timeline, placement: Placement, t_s: np.ndarray) -> np.ndarray:
    return life.imu(placement, t_s).acc / GRAVITY_MPS2


def pelvis_height_m(life: Timeline, t_s: np.ndarray) -> np.ndarray:
    return life.motion(Placement.PELVIS, t_s).position_m[:, 1]


def inclination_deg(life: Timeline, placement: Placement, t_s: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(life.motion(placement, t_s).rotation[:, 1, 1]))


def test_every_exercise_of_the_catalogue_has_exactly_one_model_in_its_posture() -> None:
    assert EXERCISES.keys() == CATALOGUE.keys()
    assert not EXERCISES.keys() & ACTIVITIES.keys()
    for code, movement in EXERCISES.items():
        assert movement.posture is CATALOGUE[code].posture, code


@pytest.mark.parametrize("code", sorted(EXERCISES))
def test_a_set_starts_with_gravity_where_the_posture_puts_it(code: str) -> None:
    posture = CATALOGUE[code].posture
    life = new_life(1)
    truth = life.append(code, reps=1, duration_s=6.0)
    felt = force(life, Placement.PELVIS, np.array([truth.start_s]))[0]
    if posture is Posture.SIDE_LYING:
        assert abs(felt[2]) > 0.98
    elif posture is Posture.SITTING:
        assert felt[1] > 0.9
    else:
        assert felt @ np.array(PLACES[posture]) > 0.98


@pytest.mark.parametrize("right", [True, False])
def test_the_side_that_a_person_lies_on_is_the_lower_one(*, right: bool) -> None:
    life = new_life(1, right_first=right)
    truth = life.append("side_plank", reps=1, duration_s=5.0)
    felt = force(life, Placement.PELVIS, np.array([truth.start_s]))[0]
    # What lies on the right has its right-hand axis down, so gravity is felt along the left one.
    assert np.sign(felt[2]) == (-1.0 if right else 1.0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("code", sorted(code for code, one in CATALOGUE.items() if one.counting is Counting.COUNTED))
def test_every_careful_repetition_is_larger_than_the_floor_and_in_the_usual_tempo(code: str, seed: int) -> None:
    truth = new_life(seed).append(code, reps=4)
    exercise = CATALOGUE[code]
    assert exercise.tempo_s is not None
    for rep in truth.reps:
        floor = next(one.floor for one in exercise.channels if one.channel is rep.channel)
        assert rep.amplitude > 1.3 * floor
        assert exercise.tempo_s[0] < rep.end_s - rep.start_s < exercise.tempo_s[1]
        assert rep.fault is None


@pytest.mark.parametrize(
    ("code", "placement", "sign"),
    [
        ("bridge", Placement.PELVIS, -1.0),
        ("pelvic_tilt", Placement.PELVIS, -1.0),
        ("crunch", Placement.THORAX, 1.0),
        ("superman", Placement.THORAX, -1.0),
        ("mckenzie_press_up", Placement.THORAX, -1.0),
        ("downward_dog", Placement.PELVIS, 1.0),
    ],
)
def test_flexion_and_extension_lying_have_the_signs_of_the_clinic(code: str, placement: Placement, sign: float) -> None:
    life = new_life(2, vigour=0.9)
    truth = life.append(code, reps=1)
    peak_s = truth.reps[0].peak_s
    before, at_peak = life.motion(placement, np.array([truth.start_s, peak_s])).rotation
    # Flexion turns the body about minus its own right-hand axis.
    turned = before.T @ at_peak
    assert sign * turned[0, 1] > np.sin(np.radians(5.0))


def test_a_life_is_told_as_postures_with_changes_between_them() -> None:
    life = new_life(2)
    for code in ("squat", "bridge", "crunch", "side_plank", "cat_cow", "walking"):
        life.append(code, reps=1, duration_s=5.0)
    postures = life.postures
    order = (Posture.STANDING, Posture.SUPINE, Posture.SIDE_LYING, Posture.QUADRUPED, Posture.STANDING)
    assert tuple(one.posture for one in postures) == order
    assert postures[-1].end_s is None
    for one, following in itertools.pairwise(postures):
        assert one.end_s is not None
        assert one.start_s < one.end_s < following.start_s


def test_in_the_downward_dog_the_head_is_down() -> None:
    life = new_life(3)
    truth = life.append("downward_dog", reps=2)
    for rep in truth.reps:
        assert force(life, Placement.PELVIS, np.array([rep.peak_s]))[0, 1] < -0.5


def test_a_bridge_lifts_the_pelvis_and_turns_the_thorax_less() -> None:
    life = new_life(4)
    rep = life.append("bridge", reps=1).reps[0]
    t_s = np.array([rep.start_s, rep.peak_s])
    assert 0.12 < np.diff(pelvis_height_m(life, t_s))[0] < 0.35
    pelvis, thorax = (np.ptp(inclination_deg(life, place, t_s)) for place in Placement)
    assert thorax < 0.9 * pelvis


def test_sit_to_stand_bends_the_trunk_twice_and_lifts_the_pelvis_once() -> None:
    life = new_life(5)
    truth = life.append("sit_to_stand", reps=5)
    t_s = np.arange(truth.start_s, truth.end_s, 0.01)
    height_m = pelvis_height_m(life, t_s)
    assert len(find_peaks(height_m, prominence=0.2)[0]) == truth.count(Channel.VERTICAL) == 5
    assert len(find_peaks(inclination_deg(life, Placement.THORAX, t_s), prominence=10.0)[0]) == 10
    for rep in truth.reps:
        assert height_m[np.searchsorted(t_s, rep.peak_s)] > height_m.max() - 0.05


def test_some_people_bend_twice_in_a_squat_and_the_others_once() -> None:
    for two_bends in (True, False):
        life = new_life(6, two_bends=two_bends)
        truth = life.append("squat", reps=4)
        tilt = inclination_deg(life, Placement.PELVIS, np.arange(truth.start_s, truth.end_s, 0.01))
        assert len(find_peaks(tilt, prominence=5.0)[0]) == (8 if two_bends else 4)
        assert truth.count() == 4


def test_tired_people_get_smaller_and_slower() -> None:
    tired, fresh = (new_life(7, fatigue=fatigue, unsteadiness=0.0).append("squat", reps=20) for fatigue in (0.15, 0.0))
    lasting = [truth.reps[-1].end_s - truth.reps[-1].start_s for truth in (tired, fresh)]
    assert tired.reps[-1].amplitude < 0.9 * fresh.reps[-1].amplitude
    assert lasting[0] > 1.1 * lasting[1]
    assert fresh.reps[-1].amplitude == pytest.approx(fresh.reps[0].amplitude, rel=0.02)


def test_people_do_the_same_exercise_differently() -> None:
    sizes = [new_life(seed).append("crunch", reps=1).reps[0].amplitude for seed in range(12)]
    assert max(sizes) > 3.0 * min(sizes)


def faulty(code: str, seed: int = 8) -> SetTruth:
    return new_life(seed, unsteadiness=0.0, fatigue=0.0).append(code, reps=40, manner=Manner(faulty_share=0.5))


def test_about_as_many_repetitions_as_asked_for_are_faulty_in_every_way() -> None:
    faults = [rep.fault for rep in faulty("squat").reps]
    assert 10 <= sum(fault is not None for fault in faults) <= 30
    assert set(faults) == {None, *Fault}


def test_a_partial_repetition_goes_about_half_the_way() -> None:
    truth = faulty("squat")
    usual = max(rep.amplitude for rep in truth.reps)
    partial = [rep.amplitude / usual for rep in truth.reps if rep.fault is Fault.PARTIAL]
    assert partial
    assert all(0.4 < size < 0.65 for size in partial)


def test_faults_show_where_they_should() -> None:
    life = new_life(8, unsteadiness=0.0, fatigue=0.0, two_bends=False)
    truth = life.append("squat", reps=40, manner=Manner(faulty_share=0.5))
    shown = {rep.fault: life.angles(np.array([rep.peak_s])) for rep in truth.reps}
    good = shown[None]
    assert np.allclose(shown[Fault.LEAN].pelvis[0, 0] - good.pelvis[0, 0], 20.0, atol=1.5)
    assert np.allclose(shown[Fault.LUMBAR_FLEXION].lumbar[0, 0] - good.lumbar[0, 0], 18.0, atol=1.5)
    assert np.allclose(abs(shown[Fault.TWIST].thorax[0, 2] - good.thorax[0, 2]), 15.0, atol=3.0)


@pytest.mark.parametrize("code", HELD)
def test_a_hold_lasts_as_long_as_asked_and_is_still(code: str) -> None:
    life = new_life(9)
    truth = life.append(code, reps=2, duration_s=15.0)
    assert truth.count() == 0
    assert len(truth.holds) == 2
    for hold in truth.holds:
        assert 15.0 < hold.seconds < 16.5
        t_s = np.arange(hold.start_s + 0.5, hold.end_s - 0.5, 0.01)
        # Trembling of 4-8 Hz is not movement: stillness is judged after smoothing over a second.
        rates = life.imu(Placement.PELVIS, t_s).gyr
        smooth = np.stack([np.convolve(axis, np.ones(100) / 100.0, "valid") for axis in rates.T], axis=1)
        assert np.degrees(np.max(np.linalg.norm(smooth, axis=1))) < 4.0


@pytest.mark.parametrize("code", HELD)
def test_between_holds_the_person_is_back_in_the_start_pose(code: str) -> None:
    life = new_life(10)
    truth = life.append(code, reps=2, duration_s=6.0)
    between_s = 0.5 * (truth.holds[0].end_s + truth.holds[1].start_s)
    start, between = force(life, Placement.PELVIS, np.array([truth.start_s, between_s]))
    cosine = start @ between / np.sqrt((start @ start) * (between @ between))
    assert cosine > np.cos(np.radians(2.0))


def test_a_break_ends_a_hold_and_begins_another() -> None:
    life = new_life(11)
    truth = life.append("side_plank", reps=1, duration_s=30.0, manner=Manner(breaks=2))
    assert len(truth.holds) == 3
    pauses = [b.start_s - a.end_s for a, b in itertools.pairwise(truth.holds)]
    assert all(1.0 < pause < 3.0 for pause in pauses)
    assert sum(hold.seconds for hold in truth.holds) == pytest.approx(30.0, abs=2.5)


def test_long_planks_sag_and_short_ones_hardly() -> None:
    long = max(new_life(seed).append("low_plank", reps=1, duration_s=60.0).holds[0].sag_deg for seed in range(6))
    short = max(new_life(seed).append("low_plank", reps=1, duration_s=5.0).holds[0].sag_deg for seed in range(6))
    assert 4.0 < long < 12.0
    assert short < 2.5


def test_repetitions_with_a_hold_tell_when_it_was_held() -> None:
    truth = new_life(12, vigour=0.5).append("bird_dog", reps=3)
    assert truth.count() == 3
    assert len(truth.holds) == 3
    assert all(4.0 < hold.seconds < 12.0 for hold in truth.holds)
    assert new_life(12, vigour=0.9).append("bridge", reps=3).holds == ()


def test_foot_contacts_are_the_lowest_points_of_the_pelvis() -> None:
    life = new_life(13)
    truth = life.append("walking", duration_s=20.0)
    assert truth.steps == len(truth.step_times_s)
    t_s = np.arange(truth.start_s, truth.end_s, 0.002)
    height_m = pelvis_height_m(life, t_s)
    lowest_s = t_s[find_peaks(-height_m, prominence=0.01)[0]]
    inner = np.array(truth.step_times_s[2:-2])
    assert np.max(np.min(np.abs(inner[:, None] - lowest_s), axis=1)) < 0.06
    assert np.mean(np.diff(truth.step_times_s)) == pytest.approx(60.0 / truth.cadence_per_min, rel=0.02)


def test_stairs_lead_up_and_down_by_seventeen_centimetres_a_step() -> None:
    life = new_life(14)
    for code, sign in (("stairs_up", 1.0), ("stairs_down", -1.0)):
        truth = life.append(code, duration_s=15.0)
        before, after = pelvis_height_m(life, np.array([truth.start_s, truth.end_s]))
        assert after - before == pytest.approx(sign * 0.17 * (truth.steps - 2), abs=0.02)
    stood = life.append("quiet_standing", duration_s=2.0)
    assert np.ptp(pelvis_height_m(life, np.arange(stood.start_s, stood.end_s, 0.1))) < 0.02


def test_walking_up_stairs_leans_more_than_walking_and_less_than_30_degrees() -> None:
    leans = {}
    for code in ("walking", "stairs_up"):
        life = new_life(15)
        truth = life.append(code, duration_s=15.0)
        leans[code] = inclination_deg(life, Placement.THORAX, np.arange(truth.start_s, truth.end_s, 0.01)).max()
    assert leans["walking"] < 12.0 < leans["stairs_up"] < 30.0


def test_cycling_has_minutes_and_a_cadence_but_no_steps() -> None:
    truth = new_life(16).append("stationary_bike", duration_s=60.0)
    assert truth.steps == 0
    assert truth.active_s == pytest.approx(60.0, abs=1.0)
    assert 50.0 <= truth.cadence_per_min <= 90.0


def test_walking_in_water_is_slower_and_softer() -> None:
    lives = {code: new_life(17) for code in ("walking", "aquatic_walking")}
    truths = {code: life.append(code, duration_s=20.0) for code, life in lives.items()}
    assert truths["aquatic_walking"].cadence_per_min == pytest.approx(truths["walking"].cadence_per_min / 1.5)
    spread = {
        code: np.std(force(life, Placement.PELVIS, np.arange(5.0, 15.0, 0.01))[:, 1]) for code, life in lives.items()
    }
    assert spread["aquatic_walking"] < 0.5 * spread["walking"]


@pytest.mark.parametrize(
    ("code", "lowest_deg", "highest_deg", "knees_bent"),
    [
        ("bend", 40.0, 80.0, False),
        ("stoop_lift", 75.0, 115.0, False),
        ("squat_lift", 40.0, 80.0, True),
        ("twisted_lift", 55.0, 100.0, False),
    ],
)
def test_bends_and_lifts_tell_how_far_they_went(
    code: str, lowest_deg: float, highest_deg: float, *, knees_bent: bool
) -> None:
    life = new_life(18)
    truth = life.append(code, reps=3)
    assert len(truth.bends) == 3
    assert truth.reps == ()
    for bend in truth.bends:
        assert lowest_deg < bend.peak_flexion_deg < highest_deg
        assert bend.knees_bent is knees_bent
        assert (bend.twist_deg > 8.0) == (code == "twisted_lift")
        fall_m = -np.diff(pelvis_height_m(life, np.array([bend.start_s, bend.peak_s])))[0]
        assert (fall_m > 0.25) == knees_bent


def test_slumped_sitting_flexes_the_lumbar_spine_by_12_to_25_degrees_against_upright() -> None:
    life = new_life(19)
    upright = life.append("sitting_upright", duration_s=20.0).sitting[0]
    slumped = life.append("sitting_slumped", duration_s=20.0).sitting[0]
    assert (upright.slump, slumped.slump) == (0.0, 1.0)
    flexion = [life.angles(np.arange(one.start_s, one.end_s, 0.1)).lumbar[:, 0].mean() for one in (upright, slumped)]
    assert 12.0 < flexion[1] - flexion[0] < 25.0


@pytest.mark.parametrize(
    ("code", "manner"),
    [
        ("squat", Manner(faulty_share=0.5)),
        ("bird_dog", CAREFUL),
        ("high_plank", Manner(breaks=1)),
        ("stationary_bike", CAREFUL),
        ("twisted_lift", CAREFUL),
    ],
)
def test_samples_do_not_depend_on_how_they_are_asked_for(code: str, manner: Manner) -> None:
    life = new_life(20, two_bends=True)
    truth = life.append(code, reps=2, duration_s=8.0, manner=manner)
    t_s = np.arange(truth.start_s, truth.end_s, 0.02)
    whole = life.imu(Placement.THORAX, t_s)
    for size in (3, 50):
        parts = [life.imu(Placement.THORAX, t_s[i : i + size]) for i in range(0, t_s.size, size)]
        assert np.array_equal(whole.acc, np.concatenate([part.acc for part in parts]))
        assert np.array_equal(whole.gyr, np.concatenate([part.gyr for part in parts]))


@pytest.mark.parametrize("manner", [Manner(faulty_share=1.5), Manner(breaks=-1), Manner(breaks=9)])
def test_an_impossible_manner_is_refused(manner: Manner) -> None:
    with pytest.raises(MovementError):
        new_life(0).append("low_plank", reps=1, duration_s=20.0, manner=manner)
