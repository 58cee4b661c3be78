from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.dsp.bends import MIN_PEAK_DEG, Aside, Bend, Bends
from processing.dsp.blocks import NS_PER_S
from processing.dsp.height import height_change
from processing.dsp.static_posture import Held, StaticPosture
from processing.dsp.trunk_axes import TICK_NS

STEP_S = TICK_NS / NS_PER_S
G_MPS2 = 9.81


def bump(seconds: float, height: float) -> list[float]:
    """A smooth way there and back, one value per tick."""
    count = round(seconds / STEP_S)
    return [height * 0.5 * (1.0 - math.cos(2.0 * math.pi * at / count)) for at in range(count)]


def accelerations(heights_m: list[float], error_mps2: float = 0.0) -> list[float]:
    padded = [heights_m[0], *heights_m, heights_m[-1]]
    return [
        G_MPS2 + error_mps2 + (padded[at] - 2.0 * padded[at + 1] + padded[at + 2]) / STEP_S**2
        for at in range(len(heights_m))
    ]


def bends(
    flexions: list[float],
    heights_m: list[float] | None = None,
    twists: list[float] | None = None,
    *,
    walking: bool = False,
) -> list[Bend]:
    """Bends in a second of standing, the movement, and two of standing."""
    standing, after = round(1.0 / STEP_S), round(2.0 / STEP_S)
    flexion = [2.0] * standing + flexions + [2.0] * after
    height = heights_m or [0.0] * len(flexions)
    ups = accelerations([height[0]] * standing + height + [height[-1]] * after, error_mps2=0.3)
    turns = [0.0] * standing + (twists or [0.0] * len(flexions)) + [0.0] * after
    stage = Bends(MIN_PEAK_DEG)
    found = [
        stage.step(at * TICK_NS, angle, Aside(0.0, turn), up, walking=walking)
        for at, (angle, turn, up) in enumerate(zip(flexion, turns, ups, strict=True))
    ]
    return [one for one in found if one is not None]


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=4), st.floats(-1.0, 1.0))
def test_height_between_rests_does_not_care_about_the_scale_of_the_accelerometer(
    sizes: list[float], error_mps2: float
) -> None:
    heights = [0.0] * 5 + [value for size in sizes for value in bump(2.0, size)] + [0.0] * 5
    change = height_change(accelerations(heights, error_mps2), STEP_S)
    assert change.net_m == pytest.approx(0.0, abs=1e-6)
    assert change.lowest_m == pytest.approx(min(heights), abs=0.02)


@pytest.mark.parametrize("peak", [35.0, 60.0, 95.0])
def test_out_and_back_is_one_bend_with_its_peak(peak: float) -> None:
    (bend,) = bends(bump(3.0, peak))
    assert bend.peak_deg == pytest.approx(peak, abs=0.1)
    assert bend.t_peak_ns == pytest.approx(2.5 * NS_PER_S, abs=TICK_NS)
    assert bend.t0_ns < bend.t_peak_ns < bend.t1_ns


def test_small_and_short_ones_are_none() -> None:
    assert not bends(bump(3.0, 28.0))
    assert not bends(bump(0.4, 60.0))


def test_a_lean_of_somebody_who_walks_is_no_bend() -> None:
    assert not bends(bump(3.0, 40.0), walking=True)


def test_lifts_in_a_row_need_not_be_straightened_up_from() -> None:
    row = [18.0 + angle for _ in range(5) for angle in bump(2.5, 40.0)]
    assert len(bends(row)) == 5


def test_the_drop_of_the_sensor_is_told() -> None:
    (bend,) = bends(bump(3.0, 50.0), heights_m=[-height for height in bump(3.0, 0.4)])
    assert bend.lowest_m == pytest.approx(-0.4, abs=0.05)


@pytest.mark.parametrize("rise_m", [0.44, -0.44])
def test_standing_up_and_sitting_down_are_no_bends(rise_m: float) -> None:
    half = round(1.5 / STEP_S)
    heights = [0.0] * half + [rise_m * 0.5 * (1.0 - math.cos(math.pi * at / half)) for at in range(half)]
    assert not bends(bump(3.0, 45.0), heights_m=heights)


def test_twist_is_told_with_its_side_and_speed() -> None:
    (bend,) = bends(bump(3.0, 60.0), twists=[-angle for angle in bump(3.0, 20.0)])
    assert bend.left_twist_deg == pytest.approx(-20.0, abs=0.2)
    assert bend.twist_speed_dps == pytest.approx(20.0 * math.pi / 3.0, rel=0.05)


def test_what_was_not_seen_of_a_bend_is_not_said() -> None:
    stage = Bends(MIN_PEAK_DEG)
    angles = [2.0] * 20 + bump(3.0, 60.0) + [2.0] * 20
    (bend,) = (
        one
        for one in (stage.step(at * TICK_NS, angle, None, G_MPS2, walking=False) for at, angle in enumerate(angles))
        if one is not None
    )
    assert (bend.right_bend_deg, bend.left_twist_deg, bend.side_speed_dps, bend.twist_speed_dps) == (None,) * 4


def test_a_bend_without_its_return_is_none() -> None:
    stage = Bends(MIN_PEAK_DEG)
    for at, angle in enumerate([2.0] * 20 + bump(3.0, 60.0)[:20]):
        assert stage.step(at * TICK_NS, angle, None, G_MPS2, walking=False) is None
    assert stage.open
    stage.reset()
    assert not stage.open


def held(angles: list[float]) -> list[Held]:
    stage = StaticPosture()
    found = [stage.step(at * TICK_NS, angle) for at, angle in enumerate(angles)]
    return [one for one in [*found, stage.finish()] if one is not None]


def test_a_still_lean_is_static_from_four_seconds_on() -> None:
    upright, lean = [0.0] * 40, [35.0]
    assert not held(upright + lean * round(3.5 / STEP_S) + upright)
    (one,) = held(upright + lean * round(30.0 / STEP_S) + upright)
    assert one.angle_deg == pytest.approx(35.0, abs=0.2)
    assert one.t1_ns - one.t0_ns == pytest.approx(30.0 * NS_PER_S, abs=1.0 * NS_PER_S)


def test_breathing_does_not_end_it_and_drifting_away_does() -> None:
    breaths = [30.0 + 1.0 * math.sin(2.0 * math.pi * at * STEP_S / 4.0) for at in range(600)]
    assert len(held(breaths)) == 1
    sag = [30.0 + 0.2 * at * STEP_S for at in range(1200)]
    assert len(held(sag)) == 1
    drift = [30.0 + 1.0 * at * STEP_S for at in range(600)]
    assert len(held(drift)) > 1
