"""What a sensor is not to be trusted with, and that a sound one is left alone."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from processing.domain.ids import SensorId
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, GRID_NS, GRID_S, NS_PER_S, GridBlock, SampleBlock
from processing.dsp.frozen import Frozen
from processing.dsp.loss import Loss
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
    assert frozen.update(GridBlock(0, noisy, noisy)) == 0
    assert frozen.update(GridBlock(1, held, held)) == BLOCK_NS
    assert frozen.update(GridBlock(2, held, held)) == 2 * BLOCK_NS
    assert frozen.update(GridBlock(3, held, held + 1e-4)) == 0


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
