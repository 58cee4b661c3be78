"""Angles, axes, filters and gates against independent references."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt, sosfilt_zi
from scipy.spatial.transform import Rotation

from processing.domain.exercises import Posture, Swing
from processing.domain.ids import SensorId
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, GRID_NS, GRID_S, NS_PER_S, GridBlock, SampleBlock
from processing.dsp.excursion import Excursion
from processing.dsp.functional_axis import FunctionalAxis
from processing.dsp.lowpass import STEP_BAND_HZ, Section, movement_lowpass, step_bandpass
from processing.dsp.mounting import MountError, rightward_of
from processing.dsp.repetitions import Repetitions
from processing.dsp.resampling import grid_number_from, on_grid
from processing.dsp.rotation import conjugate, isb_angles_deg, multiply, rotate, upward
from processing.dsp.segment import Neutral, joint_angles_deg, segment_angles_deg
from processing.dsp.timeline import Timeline
from processing.dsp.turning_points import Point, Turn, TurningPoints
from processing.dsp.vertical import Vertical

SENSOR = SensorId("s")
ANGLE = st.floats(-80.0, 80.0)


def wxyz(rotation: Rotation) -> np.ndarray:
    return np.atleast_2d(rotation.as_quat(scalar_first=True))


@given(ANGLE, ANGLE, ANGLE)
def test_isb_angles_undo_a_rotation_made_of_them(flexion: float, bend: float, turn: float) -> None:
    made = Rotation.from_euler("ZXY", [-flexion, bend, turn], degrees=True)
    assert isb_angles_deg(wxyz(made))[0] == pytest.approx([flexion, bend, turn], abs=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_quaternion_products_and_rotations_agree_with_scipy(seed: int) -> None:
    a, b = Rotation.random(random_state=seed), Rotation.random(random_state=seed // 2 + 1)
    v = np.array([0.3, -1.0, 2.0])
    product = multiply(wxyz(a)[0], wxyz(b)[0])
    assert rotate(product, v) == pytest.approx((a * b).apply(v))
    assert rotate(conjugate(wxyz(a)[0]), a.apply(v)) == pytest.approx(v)
    assert upward(wxyz(a), v[None])[0] == pytest.approx(a.apply(v)[2])


# Anatomical axes in the earth of the test: columns X forward, Y up, Z right when facing along ``heading``.
def upright(heading_deg: float) -> Rotation:
    axes = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    return Rotation.from_euler("z", heading_deg, degrees=True) * Rotation.from_matrix(axes)


@given(ANGLE, ANGLE, ANGLE, st.floats(-180, 180), st.floats(-180, 180), st.integers(0, 1000))
def test_joint_angles_need_neither_the_headings_nor_how_the_sensors_sit(
    flexion: float, bend: float, turn: float, heading_1: float, heading_2: float, seed: int
) -> None:
    mounts = [Rotation.random(random_state=seed + k) for k in (0, 7)]
    joint = Rotation.from_euler("ZXY", [-flexion, bend, turn], degrees=True)
    pelvis_tilt = Rotation.from_euler("Z", -20.0, degrees=True)
    rotations = []
    for heading, mount, moved in ((heading_1, mounts[0], pelvis_tilt), (heading_2, mounts[1], pelvis_tilt * joint)):
        neutral = Neutral.at(wxyz(upright(heading) * mount)[0], mount.inv().apply([0.0, 0.0, 1.0]), Posture.STANDING)
        assert neutral is not None
        rotations.append(neutral.rotation_since(wxyz(upright(heading) * moved * mount)))
    assert joint_angles_deg(*rotations)[0] == pytest.approx([flexion, bend, turn], abs=1e-6)
    assert segment_angles_deg(rotations[0])[0] == pytest.approx([20.0, 0.0, 0.0], abs=1e-6)


def test_flexion_of_a_level_trunk_on_hands_and_knees_is_flexion() -> None:
    level = upright(30.0) * Rotation.from_euler("Z", -90.0, degrees=True)
    neutral = Neutral.at(wxyz(level)[0], np.array([0.0, 0.0, 1.0]), Posture.QUADRUPED)
    assert neutral is not None
    arched = level * Rotation.from_euler("Z", -15.0, degrees=True)
    assert segment_angles_deg(neutral.rotation_since(wxyz(arched)))[0] == pytest.approx([15.0, 0.0, 0.0], abs=1e-9)


def test_a_vertical_axis_to_the_right_tells_no_heading() -> None:
    assert Neutral.at(np.array([1.0, 0, 0, 0]), np.array([0.0, 0.1, 1.0]), Posture.STANDING) is None


def test_a_mount_names_the_axis_to_the_right() -> None:
    assert rightward_of("up:+x,forward:-z").tolist() == [0.0, -1.0, 0.0]
    assert rightward_of("up:+y,forward:+x").tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("text", ["", "up:+x", "up:+x,forward:-x", "up:x,forward:-z", "up:+x,forward:-z "])
def test_what_is_no_mount_is_refused(text: str) -> None:
    with pytest.raises(MountError, match="no mount"):
        rightward_of(text)


@pytest.mark.parametrize(
    ("ours", "sos"),
    [
        (movement_lowpass, butter(2, 2.0, fs=100.0, output="sos")),
        (step_bandpass, butter(1, STEP_BAND_HZ, "bandpass", fs=20.0, output="sos")),
    ],
)
def test_the_filters_are_scipys_butterworth(ours: Callable[[], Section], sos: np.ndarray) -> None:
    values = np.random.default_rng(1).normal(0.0, 1.0, 300).cumsum() + 20.0
    expected, _ = sosfilt(sos, values, zi=sosfilt_zi(sos) * values[0])
    section = ours()
    assert [section.step(float(value)) for value in values] == pytest.approx(expected.tolist())


def test_one_bad_sample_never_reaches_the_grid() -> None:
    t_ns = np.arange(100, dtype=np.int64) * GRID_NS
    acc, gyr = np.ones((100, 3)), np.zeros((100, 3))
    acc[20], acc[21, 1], gyr[22, 2], gyr[23] = np.nan, np.inf, -np.inf, 1e9
    timeline = Timeline(0, present=True)
    timeline.push(SampleBlock(SENSOR, t_ns, acc, gyr))
    taken = [timeline.take(at) for at in range(19)]
    assert timeline.broken == 4
    assert all(block is not None and np.all(block.acc == 1.0) and np.all(block.gyr == 0.0) for block in taken)


@given(st.lists(st.integers(1, 25_000_000), min_size=1, max_size=60), st.integers(0, 20_000_000))
def test_the_grid_lies_on_straight_lines_between_samples(periods_ns: list[int], begin_ns: int) -> None:
    t_ns = begin_ns + np.cumsum(np.array([0, *periods_ns], dtype=np.int64))
    values = np.random.default_rng(2).normal(0.0, 1.0, (2, len(t_ns), 3))
    first, last = grid_number_from(begin_ns), int(t_ns[-1]) // GRID_NS
    if first > last:
        return
    grid = on_grid(t_ns.tolist(), values, first, last)
    at_ns = np.arange(first, last + 1) * GRID_NS
    for channel in range(3):
        for kind in range(2):
            assert grid[kind, :, channel] == pytest.approx(np.interp(at_ns, t_ns, values[kind, :, channel]))


def test_short_holes_are_bridged_and_long_ones_are_gaps() -> None:
    t_ns = np.arange(200, dtype=np.int64) * GRID_NS
    kept = ~(((t_ns > 500_000_000) & (t_ns < 740_000_000)) | ((t_ns > 1_200_000_000) & (t_ns < 1_500_000_000)))
    values = np.stack([t_ns / 1e9] * 3, axis=1)
    timeline = Timeline(0, present=True)
    timeline.push(SampleBlock(SENSOR, t_ns[kept], values[kept], values[kept]))
    taken = [timeline.take(at) for at in range(39)]
    missing = {at for at, block in enumerate(taken) if block is None}
    assert missing == set(range(24, 30))
    for block in taken:
        if block is not None:
            assert block.acc[:, 0] == pytest.approx(block.t0_ns / 1e9 + np.arange(BLOCK_SAMPLES) * GRID_S)


def test_samples_that_step_back_in_time_are_counted_and_dropped() -> None:
    t_ns = np.array([0, 10, 20, 15, 18, 25, 30], dtype=np.int64) * 1_000_000
    timeline = Timeline(0, present=True)
    timeline.push(SampleBlock(SENSOR, t_ns, np.zeros((7, 3)), np.zeros((7, 3))))
    timeline.push(SampleBlock(SENSOR, np.array([28_000_000, 40_000_000]), np.zeros((2, 3)), np.zeros((2, 3))))
    assert timeline.late == 3
    assert timeline.take(0) is not None


def test_a_time_stamp_of_another_age_does_not_move_the_watermark() -> None:
    timeline = Timeline(0, present=True)
    timeline.push(SampleBlock(SENSOR, np.array([0, 2**61], dtype=np.int64), np.zeros((2, 3)), np.zeros((2, 3))))
    assert (timeline.broken, timeline.known_ns) == (1, 0)


def constant(index: int, acc: list[float], gyr: list[float]) -> GridBlock:
    return GridBlock(index, np.tile(np.array(acc), (5, 1)), np.tile(np.array(gyr), (5, 1)))


@given(st.integers(0, 1000))
def test_bends_find_the_axis_however_the_sensor_sits(seed: int) -> None:
    mount = Rotation.random(random_state=seed)
    axis = FunctionalAxis()
    for at in range(160):
        # First excursion forward: about the axis to the left.
        rate = -math.radians(60.0) * math.sin(2.0 * math.pi * at / 80.0)
        block = constant(at, [0.0, 0.0, 0.0], mount.inv().apply([0.1 * rate, 0.0, rate]).tolist())
        axis.update(block, np.zeros(3))
    found, explained = axis.axis(mount.inv().apply([0.0, 1.0, 0.0]))
    assert found is not None
    assert explained > 0.95
    assert float(found.rightward @ mount.inv().apply([0.0, 0.0, 1.0])) > math.cos(math.radians(7.0))


def test_wriggling_is_no_axis() -> None:
    rng = np.random.default_rng(5)
    axis = FunctionalAxis()
    for at in range(200):
        axis.update(constant(at, [0.0, 0.0, 0.0], rng.normal(0.0, 1.0, 3).tolist()), np.zeros(3))
    assert axis.has_enough
    assert axis.axis(np.array([0.0, 1.0, 0.0]))[0] is None


def count(values: list[float], swing: Swing, floor: float) -> int:
    """Repetitions of a channel given at 100 Hz."""
    turns, reps = TurningPoints(floor), Repetitions(swing)
    found = 0
    for at, value in enumerate(values):
        now = Point(at * GRID_NS, value)
        turn = turns.step(now)
        rep = reps.turn(turn, now.t_ns) if turn is not None else None
        rep = rep or reps.settle(now, turns.state.best)
        found += rep is not None
    last = turns.rest(now)
    found += last is not None and reps.turn(last, now.t_ns) is not None
    return found + (reps.finish(now.t_ns) is not None)


def moves(*poses: float) -> list[float]:
    """Smooth movement of 1 s from pose to pose, beginning at 0."""
    values, here = [0.0] * 50, 0.0
    for pose in poses:
        values += [here + (pose - here) * 0.5 * (1.0 - math.cos(math.pi * k / 100.0)) for k in range(1, 101)]
        here = pose
    return values + [here] * 50


@given(st.integers(1, 8), st.floats(15.0, 80.0), st.floats(0.0, 1.0))
def test_pairs_of_sides_are_counted_once_whatever_the_second_side(reps: int, first: float, second: float) -> None:
    assert count(moves(*([first, -second * first, 0.0] * reps)), Swing.BOTH_SIDES, 10.0) == reps


@given(st.integers(1, 8), st.floats(15.0, 80.0))
def test_one_sided_movements_are_counted_in_either_direction(reps: int, size: float) -> None:
    assert count(moves(*([size, 0.0] * reps)), Swing.ONE_SIDED, 10.0) == reps
    assert count(moves(*([-size, 0.0] * reps)), Swing.ONE_SIDED, 10.0) == reps
    assert count(moves(*([-size, 0.0] * reps)), Swing.DOWN_UP, 10.0) == reps


def test_a_side_after_which_the_person_pauses_is_over_with_its_return_and_not_with_the_next_movement() -> None:
    turns, reps = TurningPoints(10.0, rests_at_zero=True), Repetitions(Swing.BOTH_SIDES)
    found = []
    for at, value in enumerate([*moves(30.0, 0.0), *([0.0] * 2000), *moves(-30.0, 0.0), *([0.0] * 2000)]):
        now = Point(at * GRID_NS, value)
        turn = turns.step(now)
        found += [reps.turn(turn, now.t_ns)] if turn is not None else []
        found += [reps.settle(now, turns.state.best)]

    assert [round((rep.t1_ns - rep.t0_ns) / NS_PER_S, 1) for rep in found if rep is not None] == [1.4, 1.4]


def test_small_movements_are_no_repetitions() -> None:
    assert count(moves(*([8.0, -1.0] * 10)), Swing.BOTH_SIDES, 10.0) == 0


def test_cross_talk_of_another_plane_has_a_small_share_and_does_not_change_the_threshold() -> None:
    turns = TurningPoints(10.0, min_share=0.5)
    turned = []
    for at, value in enumerate(moves(60.0, 0.0, 60.0, 0.0, 60.0, 0.0)):
        turned.append(turns.step(Point(at * GRID_NS, 0.4 * value, (0.4 * value, value, 0.0))))
    found = [turn for turn in turned if turn is not None]
    assert [turn.side for turn in found] == [1, -1, 1, -1, 1]
    assert max(turn.share for turn in found) < 0.2
    assert turns.threshold == 10.0


def two_planes(*legs: tuple[float, float]) -> list[tuple[float, ...]]:
    """Angles of two planes that move from leg to leg in straight lines of a second each."""
    ends = np.array([(0.0, 0.0), *legs])
    at = np.arange(100 * len(legs)) / 100.0
    planes = [np.interp(at, np.arange(len(ends)), ends[:, axis]) for axis in (0, 1)]
    return [(float(one), float(other), 0.0) for one, other in zip(*planes, strict=True)]


def turns_of(turns: TurningPoints, angles: list[tuple[float, ...]], first: int = 0) -> list[Turn]:
    """Turns of the first plane that most of the movement belongs to."""
    found = [turns.step(Point((first + at) * GRID_NS, axes[0], axes)) for at, axes in enumerate(angles)]
    return [turn for turn in found if turn is not None and turn.share >= 0.5]


def test_what_another_plane_did_before_a_turn_was_certain_counts_against_the_next_swing() -> None:
    turns = TurningPoints(10.0, min_share=0.5)
    # The second plane goes out and back while the first one lingers near its turn.
    found = turns_of(turns, two_planes((30.0, 0.0), (24.0, 40.0), (24.0, 0.0), (0.0, 0.0), (30.0, 0.0), (0.0, 0.0)))
    assert [turn.point.value for turn in found] == [pytest.approx(30.0), pytest.approx(30.0)]


def test_what_another_plane_did_before_a_rest_counts_against_nothing() -> None:
    turns = TurningPoints(10.0, min_share=0.5)
    before = two_planes((30.0, 0.0), (16.0, 0.0), (16.0, 80.0), (16.0, 0.0))
    assert len(turns_of(turns, before)) == 1
    assert turns.rest(Point(len(before) * GRID_NS, 16.0, (16.0, 0.0, 0.0))) is None
    after = [(16.0 + one, other, 0.0) for one, other, _ in two_planes((-46.0, 0.0), (0.0, 0.0))]
    assert [turn.point.value for turn in turns_of(turns, after, len(before) + 1)] == [pytest.approx(-30.0)]


def test_vertical_displacement_is_metres() -> None:
    vertical = Vertical()
    # 0.2 m up and down at 0.5 Hz: slow enough for a squat, fast against the leak.
    omega = 2.0 * math.pi * 0.5
    heights = [vertical.step(9.80665 - 0.2 * omega**2 * math.sin(omega * at * GRID_S)) for at in range(2000)]
    assert max(heights[1000:]) - min(heights[1000:]) == pytest.approx(0.4, rel=0.2)


def test_drift_of_the_vertical_axis_does_not_count_as_range() -> None:
    excursion = Excursion(2)
    for at in range(600):
        phase = at % 60
        turn = 20.0 * math.sin(2.0 * math.pi * phase / 40.0) if phase < 40 else 0.0
        angles = np.tile([0.0, 0.0, turn + 0.05 * at], (5, 1))
        excursion.take(angles, at_rest=phase >= 40)
    assert excursion.below_above(2) == (pytest.approx(20.0, abs=2.0), pytest.approx(20.0, abs=2.0))
    assert excursion.below_above(0) == (0.0, 0.0)


def test_a_minute_after_the_last_rest_in_neutral_the_drifting_axis_is_not_told_any_more() -> None:
    excursion = Excursion(2)
    for at in range(4000):
        excursion.take(np.tile([0.005 * at, 0.0, 0.005 * at], (5, 1)), at_rest=False)
    assert excursion.below_above(2)[1] == pytest.approx(0.005 * 1200, abs=0.01)
    assert excursion.below_above(0)[1] == pytest.approx(0.005 * 4000, abs=0.01)


def test_blocks_are_aligned_to_the_absolute_grid() -> None:
    assert BLOCK_NS == BLOCK_SAMPLES * GRID_NS == 50_000_000
