"""What a sensor is not to be trusted with, and that a sound one is left alone."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from processing.domain.ids import SensorId
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, GRID_NS, GRID_S, NS_PER_S, GridBlock, SampleBlock
from processing.dsp.frozen import Frozen
from processing.dsp.loss import Loss
from processing.dsp.moving_together import MovingTogether
from processing.dsp.rest_pose import lateral_between_deg, tilt_between_deg, turn_between_deg
from processing.dsp.saturation import GYR_RANGES_DPS, FlatTops
from processing.dsp.timeline import Timeline


def swinging(peak_dps: float, seed: int, *, noise_dps: float, limit_dps: float = math.inf) -> list[GridBlock]:
    """Ten seconds of a sensor that swings about its x axis, as its counts of 1/16 °/s show it."""
    t_s = np.arange(1000) * GRID_S
    rng = np.random.default_rng(seed)
    rate = peak_dps * np.sin(2 * math.pi * t_s / 2.3) + rng.normal(0.0, noise_dps, 1000)
    gyr = np.zeros((1000, 3))
    gyr[:, 0] = np.radians(np.round(np.clip(rate, -limit_dps, limit_dps) * 16.0) / 16.0)
    acc = np.tile([0.0, 9.81, 0.0], (1000, 1)) + rng.normal(0.0, 0.02, (1000, 3))
    return [GridBlock(at, acc[at * 5 : at * 5 + 5], gyr[at * 5 : at * 5 + 5]) for at in range(200)]


@given(peak_dps=st.floats(1.0, 3000.0), seed=st.integers(0, 1000))
def test_a_movement_within_the_range_has_no_flat_top(peak_dps: float, seed: int) -> None:
    # A peak just at a range may be flat by chance: nobody could tell.
    assume(all(abs(peak_dps / limit_dps - 1.0) > 0.03 for limit_dps in GYR_RANGES_DPS))
    flat = FlatTops()
    assert not any(flat.update(block) for block in swinging(peak_dps, seed, noise_dps=0.3))


@given(limit_dps=st.sampled_from([125.0, 245.0, 500.0, 501.2, 1000.0]), excess=st.floats(1.02, 3.0))
def test_a_movement_beyond_the_range_has_a_flat_top_in_every_swing(limit_dps: float, excess: float) -> None:
    flat = FlatTops()
    blocks = swinging(excess * limit_dps, 1, noise_dps=0.0, limit_dps=limit_dps)
    seen = [flat.update(block) for block in blocks]
    # Two swings to each side within ten seconds, at the least; at rest between them nothing is flat.
    assert sum(now and not before for before, now in itertools.pairwise(seen)) >= 8
    assert not all(seen)


def test_a_flat_top_is_seen_across_the_border_of_blocks() -> None:
    limit = math.radians(500.0)
    gyr = np.zeros((10, 3))
    gyr[:, 1] = [0.0, 1.0, 3.0, 5.0, limit, limit, limit, 4.0, 2.0, 0.0]
    acc = np.zeros((10, 3))
    flat = FlatTops()
    assert [flat.update(GridBlock(0, acc[:5], gyr[:5])), flat.update(GridBlock(1, acc[5:], gyr[5:]))] == [False, True]


def test_a_sensor_that_repeats_itself_is_told_by_the_time_it_does() -> None:
    noisy = np.random.default_rng(2).normal(0.0, 0.01, (BLOCK_SAMPLES, 3))
    held = np.tile(noisy[-1], (BLOCK_SAMPLES, 1))
    frozen = Frozen()
    blocks = [
        GridBlock(0, noisy, noisy),
        *(GridBlock(at, held, held) for at in (1, 2, 3)),
        GridBlock(4, held, held + 1e-4),
    ]
    # It counts from the first block that is all like the one before.
    assert [frozen.update(block) for block in blocks] == [0, 0, BLOCK_NS, 2 * BLOCK_NS, 0]


@given(st.integers(0, 1000))
def test_a_sensor_at_rest_does_not_repeat_itself(seed: int) -> None:
    frozen = Frozen()
    blocks = swinging(0.0, seed, noise_dps=0.1)
    assert not any(frozen.update(block) for block in blocks)


def lost_share(lost: float, period_ns: int, seed: int = 4) -> float:
    """Share that is found in the last 20 of 30 s when packets of five are lost."""
    count = 30 * NS_PER_S // period_ns
    kept = np.random.default_rng(seed).random(count // 5 + 1)[np.arange(count) // 5] >= lost
    kept[0] = True
    t_ns = (np.arange(count, dtype=np.int64) * period_ns)[kept]
    values = np.zeros((len(t_ns), 3))
    timeline, loss = Timeline(0, present=True), Loss()
    timeline.push(SampleBlock(SensorId("s"), t_ns, values, values))
    blocks = [timeline.take(at) for at in range(int(t_ns[-1]) // BLOCK_NS - 1)]
    return float(np.mean([loss.update(block) for block in blocks if block is not None][-400:]))


def test_lost_packets_are_counted_at_any_rate_and_a_slow_stream_is_none() -> None:
    assert lost_share(0.0, GRID_NS) == 0.0
    assert lost_share(0.0, 4 * GRID_NS) == 0.0
    for period_ns in (GRID_NS, 2 * GRID_NS):
        assert 0.02 < lost_share(0.05, period_ns) < 0.09
        assert 0.2 < lost_share(0.3, period_ns) < 0.4


def turned(axis: np.ndarray, angle_deg: float) -> Rotation:
    return Rotation.from_rotvec(np.radians(angle_deg) * axis / np.linalg.norm(axis))


def quat_of(rotation: Rotation) -> list[float]:
    x, y, z, w = rotation.as_quat().tolist()
    return [w, x, y, z]


angles_deg = st.floats(-80.0, 80.0)
poses = st.tuples(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0), st.floats(0.2, 1.0), angles_deg).map(
    lambda drawn: turned(np.array(drawn[:3]), drawn[3])
)


@given(pose=poses, turn_deg=angles_deg)
def test_a_turn_about_the_vertical_is_told_whatever_the_pose_and_leaves_gravity_alone(
    pose: Rotation, turn_deg: float
) -> None:
    after = turned(np.array([0.0, 0.0, 1.0]), turn_deg) * pose
    assert turn_between_deg(quat_of(pose), quat_of(after)) == pytest.approx(turn_deg, abs=1e-6)
    up, up_after = (one.inv().apply([0.0, 0.0, 9.81]).tolist() for one in (pose, after))
    assert tilt_between_deg(up, up_after) == pytest.approx(0.0, abs=1e-3)


@given(side_deg=angles_deg, forward_deg=angles_deg)
def test_a_lean_to_the_side_is_told_from_one_forward(side_deg: float, forward_deg: float) -> None:
    upright, rightward = [0.0, 9.81, 0.0], [0.0, 0.0, 1.0]
    leaning = turned(np.array([1.0, 0, 0]), side_deg) * turned(np.array([0, 0, 1.0]), forward_deg)
    up = leaning.apply(upright).tolist()
    assert lateral_between_deg(upright, up, rightward) <= tilt_between_deg(upright, up) + 1e-6
    forward = turned(np.array([0, 0, 1.0]), forward_deg).apply(upright).tolist()
    assert lateral_between_deg(upright, forward, rightward) == pytest.approx(0.0, abs=1e-6)
    sideways = turned(np.array([1.0, 0, 0]), side_deg).apply(upright).tolist()
    assert lateral_between_deg(upright, sideways, rightward) == pytest.approx(abs(side_deg), abs=1e-6)


@given(share=st.floats(0.1, 3.0), yaw_deg=st.floats(-180.0, 180.0), seed=st.integers(0, 100))
def test_two_sensors_that_bend_as_one_agree_and_tell_which_moves_more(share: float, yaw_deg: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mount = turned(np.array([0.3, 1.0, -0.2]), yaw_deg)
    together = MovingTogether()
    for at in range(200):
        rate = np.array([0.02, -0.03, 1.0]) * math.sin(at / 13.0)
        lower, upper = share * rate + rng.normal(0, 0.01, 3), mount.apply(rate + rng.normal(0, 0.01, 3))
        together.update(lower.tolist(), upper.tolist())
    axis = np.array([0.0, 0.0, 1.0])
    assert together.lower_by_upper() == pytest.approx(share, rel=0.1)
    assert together.agreement(axis, mount.apply(axis)) > 0.95
    assert together.agreement(axis, mount.apply(-axis)) < -0.95
