from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks
from scipy.spatial.transform import Rotation

from firmware_sim.motion.body import draw_body
from firmware_sim.motion.movements import MOVEMENTS
from firmware_sim.motion.timeline import MovementError, Timeline
from firmware_sim.motion.truth import SetTruth
from processing.domain.exercises import CATALOGUE, Channel, UnknownExerciseError, exercise_of
from processing.domain.findings import RomDirection, RomSegment
from processing.domain.samples import Placement


def new_life(seed: int) -> Timeline:
    rng = np.random.default_rng(seed)
    return Timeline(draw_body(rng), rng)


def lumbar_zxy_deg(life: Timeline, truth: SetTruth) -> tuple[np.ndarray, np.ndarray]:
    """Lumbar angles against the start pose by another route than the simulator's: SciPy's rotations."""
    t_s = np.arange(truth.start_s, truth.end_s, 0.005)
    pelvis, thorax = (Rotation.from_matrix(life.motion(p, t_s).rotation) for p in Placement)
    lumbar = pelvis.inv() * thorax
    angles = (lumbar[0].inv() * lumbar).as_euler("ZXY", degrees=True)
    return t_s, angles * [-1.0, 1.0, 1.0]


def turning_points(t_s: np.ndarray, signal: np.ndarray, prominence: float) -> np.ndarray:
    return t_s[find_peaks(signal, prominence=prominence)[0]]


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_exercise_of_the_catalogue_has_a_motion_model(code: str) -> None:
    truth = new_life(1).append(code, reps=2, duration_s=5.0)
    assert truth.count() == 2 * len(exercise_of(code).channels)
    assert truth.end_s > truth.start_s


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("code", "plane", "prominence"),
    [
        ("standing_flexion_extension", 0, 20.0),
        ("standing_side_bend", 1, 12.0),
        ("standing_rotation", 2, 5.0),
        ("cat_cow", 0, 12.0),
    ],
)
def test_the_truth_counts_and_dates_the_peaks_of_the_lumbar_angle(
    code: str, plane: int, prominence: float, seed: int
) -> None:
    life = new_life(seed)
    truth = life.append(code, reps=5)
    t_s, angles = lumbar_zxy_deg(life, truth)
    peaks_s = turning_points(t_s, angles[:, plane], prominence)
    assert truth.count() == len(peaks_s) == 5
    # The lumbar spine reaches its end before the pelvis does and leaves it later, so its peak is a plateau.
    stated_s = np.array([rep.peak_s for rep in truth.reps])
    assert np.max(np.abs(peaks_s - stated_s)) < 0.6
    assert np.allclose(np.interp(stated_s, t_s, angles[:, plane]), np.interp(peaks_s, t_s, angles[:, plane]), atol=0.5)


@pytest.mark.parametrize("seed", range(3))
def test_the_truth_counts_squats_and_measures_their_depth(seed: int) -> None:
    life = new_life(seed)
    truth = life.append("squat", reps=6)
    t_s = np.arange(truth.start_s, truth.end_s, 0.005)
    height_m = life.motion(Placement.PELVIS, t_s).position_m[:, 1]
    assert len(turning_points(t_s, -height_m, 0.1)) == truth.count(Channel.VERTICAL) == 6
    for rep in truth.reps:
        within = height_m[(t_s >= rep.start_s) & (t_s <= rep.end_s)]
        assert rep.amplitude == pytest.approx(np.ptp(within), abs=0.002)
        assert abs(height_m[np.searchsorted(t_s, rep.peak_s)] - within.min()) < 0.01


@pytest.mark.parametrize("code", ["standing_flexion_extension", "standing_side_bend", "standing_rotation", "cat_cow"])
def test_the_range_of_motion_is_the_largest_angle_from_the_start_pose(code: str) -> None:
    life = new_life(7)
    truth = life.append(code, reps=3)
    _, angles = lumbar_zxy_deg(life, truth)
    pairs = (
        (RomDirection.FLEXION, RomDirection.EXTENSION),
        (RomDirection.RIGHT_BEND, RomDirection.LEFT_BEND),
        (RomDirection.LEFT_ROTATION, RomDirection.RIGHT_ROTATION),
    )
    reported = {rom.direction for rom in truth.rom}
    assert reported
    for plane, (positive, negative) in enumerate(pairs):
        if positive in reported:
            assert truth.rom_deg(RomSegment.LUMBAR, positive) == pytest.approx(angles[:, plane].max(), abs=0.05)
            assert truth.rom_deg(RomSegment.LUMBAR, negative) == pytest.approx(-angles[:, plane].min(), abs=0.05)


def test_side_bends_go_right_first_and_turns_left_first() -> None:
    for code, plane in (("standing_side_bend", 1), ("standing_rotation", 2), ("standing_flexion_extension", 0)):
        life = new_life(11)
        rep = life.append(code, reps=1).reps[0]
        assert life.angles(np.array([rep.peak_s])).lumbar[0, plane] > 5.0


def test_steps_are_the_rises_of_the_walking_pelvis() -> None:
    life = new_life(5)
    truth = life.append("walking", duration_s=20.0)
    t_s = np.arange(truth.start_s, truth.end_s, 0.005)
    height_m = life.motion(Placement.PELVIS, t_s).position_m[:, 1]
    assert len(turning_points(t_s, height_m, 0.01)) == truth.steps
    assert truth.count() == 0


@pytest.mark.parametrize("code", ["squat", "walking", "cat_cow", "quiet_sitting"])
def test_a_sample_does_not_depend_on_how_the_query_is_cut(code: str) -> None:
    life = new_life(2)
    truth = life.append(code, reps=2, duration_s=5.0)
    t_s = np.arange(0.0, truth.end_s + 3.0, 0.01)
    for placement in Placement:
        whole = life.imu(placement, t_s)
        for size in (1, 7, 50):
            parts = [life.imu(placement, t_s[i : i + size]) for i in range(0, t_s.size, size)]
            assert np.array_equal(whole.acc, np.concatenate([part.acc for part in parts]))
            assert np.array_equal(whole.gyr, np.concatenate([part.gyr for part in parts]))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), codes=st.lists(st.sampled_from(sorted(MOVEMENTS)), max_size=4))
def test_any_sequence_of_movements_is_smooth(seed: int, codes: list[str]) -> None:
    life = new_life(seed)
    for code in codes:
        life.append(code, reps=1, duration_s=4.0)
    t_s = np.arange(0.0, life.end_s + 2.0, 0.01)
    for placement in Placement:
        imu = life.imu(placement, t_s)
        assert np.max(np.abs(np.diff(imu.acc, axis=0))) < 1.5
        assert np.max(np.abs(np.diff(imu.gyr, axis=0))) < np.radians(12.0)
        assert np.max(np.linalg.norm(imu.gyr, axis=1)) < np.radians(250.0)


def test_a_later_movement_changes_nothing_before_it() -> None:
    life = new_life(4)
    life.append("squat", reps=2)
    t_s = np.arange(0.0, life.end_s + 60.0, 0.01)
    before = life.imu(Placement.PELVIS, t_s)
    truth = life.append("cat_cow", reps=2, not_before_s=life.end_s + 30.0)
    after = life.imu(Placement.PELVIS, t_s)
    unchanged = t_s < truth.start_s - 6.0
    assert np.array_equal(before.acc[unchanged], after.acc[unchanged])
    assert not np.array_equal(before.acc, after.acc)


def test_the_person_is_still_in_the_neutral_pose_when_a_set_starts() -> None:
    life = new_life(6)
    for code in ("cat_cow", "seated_rom", "standing_side_bend"):
        truth = life.append(code, reps=1)
        gyr = life.imu(Placement.PELVIS, np.arange(truth.start_s, truth.reps[0].start_s, 0.01)).gyr
        assert np.degrees(np.max(np.linalg.norm(gyr, axis=1))) < 3.0
        assert truth.reps[0].start_s - truth.start_s >= 1.9


def test_equal_seeds_give_equal_lives_and_others_differ() -> None:
    truths = [new_life(seed).append("squat", reps=3) for seed in (8, 8, 9)]
    assert truths[0] == truths[1]
    assert truths[0] != truths[2]


def test_unknown_and_impossible_movements_are_refused() -> None:
    life = new_life(0)
    with pytest.raises(UnknownExerciseError):
        life.append("handstand")
    with pytest.raises(MovementError):
        life.append("squat", reps=0)
    with pytest.raises(MovementError):
        life.append("walking", duration_s=0.0)
    assert life.end_s == 0.0


def test_who_has_settled_starts_the_set_without_changing_posture() -> None:
    life = new_life(12)
    settled_s = life.settle("cat_cow", not_before_s=3.0)
    assert settled_s > 3.0
    gravity = life.imu(Placement.PELVIS, np.array([settled_s])).acc[0]
    assert gravity[0] < -9.5
    assert life.append("cat_cow", reps=1).start_s == settled_s
    with pytest.raises(UnknownExerciseError):
        life.settle("handstand")
