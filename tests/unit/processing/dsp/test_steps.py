"""Steps are counted from the first to the last, however brisk, and nothing else is taken for walking."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.domain.samples import GRAVITY_MPS2
from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.steps import GATE_PAUSE_NS, LEVEL_M, Bout, Steps

PERIOD_S = BLOCK_NS / NS_PER_S
UPRIGHT = (0.0, 1.0, 0.0)


def bouts_of(motion_mps2: Callable[[float], float], seconds: float) -> tuple[list[Bout], list[bool]]:
    """Bouts of a vertical acceleration (without gravity), and whether the person was seen walking at every block."""
    steps = Steps()
    bouts, walking = [], []
    for at in range(round(seconds / PERIOD_S)):
        bout = steps.step(at * BLOCK_NS, GRAVITY_MPS2 + motion_mps2(at * PERIOD_S), UPRIGHT)
        bouts += [bout] if bout is not None else []
        walking.append(steps.is_walking(at * BLOCK_NS))
    last = steps.finish()
    return bouts + ([last] if last is not None else []), walking


def gait(cadence_per_min: float, size_mps2: float, begin_s: float, steps: int) -> Callable[[float], float]:
    """Whole steps, each one period of a cosine from trough to trough."""
    step_s = 60.0 / cadence_per_min

    def motion(t_s: float) -> float:
        if not begin_s <= t_s < begin_s + steps * step_s:
            return 0.0
        return -size_mps2 * math.cos(2.0 * math.pi * (t_s - begin_s) / step_s)

    return motion


@settings(max_examples=30)
@given(st.floats(66.0, 140.0), st.floats(0.03, 0.06), st.floats(3.0, 6.0), st.integers(8, 30))
def test_every_step_of_a_walk_is_counted_at_any_cadence_and_height(
    cadence_per_min: float, height_m: float, begin_s: float, count: int
) -> None:
    size_mps2 = min(0.5 * height_m * (2.0 * math.pi * cadence_per_min / 60.0) ** 2, 5.0)
    bouts, _ = bouts_of(gait(cadence_per_min, size_mps2, begin_s, count), begin_s + count + 6.0)
    assert len(bouts) == 1
    assert bouts[0].steps == pytest.approx(count, abs=1)
    assert bouts[0].cadence_per_min == pytest.approx(cadence_per_min, rel=0.04)


def test_walking_is_seen_from_the_fourth_step_on_and_dated_back_to_the_first() -> None:
    bouts, walking = bouts_of(gait(108.0, 2.5, 4.0, 20), 20.0)
    assert bouts[0].t0_ns / 1e9 == pytest.approx(4.0 + 0.5 * 60.0 / 108.0, abs=0.15)
    seen_s = walking.index(True) * PERIOD_S
    assert 4.0 + 3.0 * 60.0 / 108.0 < seen_s < 4.0 + 5.0 * 60.0 / 108.0
    left_s = (len(walking) - 1 - walking[::-1].index(True)) * PERIOD_S
    assert left_s - bouts[0].t1_ns / 1e9 == pytest.approx(GATE_PAUSE_NS / 1e9, abs=0.2)


@pytest.mark.parametrize(("cadence_per_min", "share"), [(120.0, 1.0), (104.0, 1.0), (95.0, 0.0), (70.0, 0.0)])
def test_only_walking_at_a_hundred_steps_a_minute_is_brisk(cadence_per_min: float, share: float) -> None:
    bouts, _ = bouts_of(gait(cadence_per_min, 2.5, 3.0, 40), 60.0)
    assert bouts[0].brisk_s == pytest.approx(share * (bouts[0].t1_ns - bouts[0].t0_ns) / 1e9, abs=0.1)


def test_three_steps_are_no_walk() -> None:
    assert bouts_of(gait(100.0, 2.5, 3.0, 3), 12.0)[0] == []


def test_a_weight_shifted_from_foot_to_foot_is_no_walk() -> None:
    assert bouts_of(gait(70.0, 0.25, 3.0, 40), 60.0)[0] == []


@settings(max_examples=30)
@given(st.floats(0.2, 0.5), st.floats(1.6, 3.0))  # a bounce in a shallower squat of 2 s passes for steps
def test_squats_with_a_bounce_at_the_bottom_are_no_walk(depth_m: float, rep_s: float) -> None:
    omega = 2.0 * math.pi / rep_s

    def motion(t_s: float) -> float:
        if not 3.0 <= t_s < 3.0 + 8.0 * rep_s:
            return 0.0
        phase = omega * (t_s - 3.0)
        bounce = 2.0 * max(0.0, -math.cos(phase)) * math.sin(2.0 * math.pi * 2.0 * t_s)
        return -0.5 * depth_m * omega**2 * math.cos(phase) + bounce

    bouts, walking = bouts_of(motion, 8.0 * rep_s + 8.0)
    assert depth_m > LEVEL_M
    assert bouts == []
    assert not any(walking)


def test_a_gap_ends_the_bout_and_begins_a_new_one() -> None:
    steps = Steps()
    motion = gait(110.0, 2.5, 0.0, 60)
    for at in range(200):
        steps.step(at * BLOCK_NS, GRAVITY_MPS2 + motion(at * PERIOD_S), UPRIGHT)
    before = steps.reset()
    assert before is not None
    for at in range(300, 500):
        steps.step(at * BLOCK_NS, GRAVITY_MPS2 + motion(at * PERIOD_S), UPRIGHT)
    after = steps.finish()
    assert after is not None
    assert before.t1_ns / 1e9 == pytest.approx(10.0, abs=0.8)
    assert after.t0_ns / 1e9 == pytest.approx(15.0, abs=1.2)


def test_fast_bends_on_a_chair_are_no_walk() -> None:
    steps = Steps()
    motion = gait(100.0, 2.5, 0.0, 60)
    for at in range(400):
        lean = 0.5 * math.sin(2.0 * math.pi * 0.4 * at * PERIOD_S)
        axis = (math.sin(lean), math.cos(lean), 0.0)
        assert steps.step(at * BLOCK_NS, GRAVITY_MPS2 + motion(at * PERIOD_S), axis) is None
    assert steps.finish() is None
