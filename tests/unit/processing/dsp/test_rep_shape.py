"""Reach and dip of angles within a repetition."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.dsp.blocks import NS_PER_S
from processing.dsp.rep_shape import Sampled, dip_deg, reach_of, wrapped_deg

STEP_NS = NS_PER_S // 10


def trace(angles_deg: list[float]) -> list[Sampled]:
    return [Sampled(at * STEP_NS, angle) for at, angle in enumerate(angles_deg)]


def squat(lean_deg: float, tuck_deg: float) -> list[Sampled]:
    """2.4 s: leaning forward and back, and at the bottom the pelvis turns back by so much within 0.8 s."""
    times = [at * 0.1 for at in range(25)]
    tucks = [tuck_deg * max(0.0, math.cos(math.pi * (t - 1.2) / 0.8)) for t in times]
    return trace([lean_deg * math.sin(math.pi * t / 2.4) - tuck for t, tuck in zip(times, tucks, strict=True)])


@given(st.lists(st.floats(-170.0, 170.0), min_size=1, max_size=40), st.floats(-180.0, 180.0))
def test_reach_does_not_depend_on_where_the_angle_begins(angles_deg: list[float], begin_deg: float) -> None:
    away = [0.0, *angles_deg]
    reach = reach_of(trace([wrapped_deg(begin_deg + angle) for angle in away]), 0)
    assert reach.above_deg == pytest.approx(max(away), abs=1e-6)
    assert reach.below_deg == pytest.approx(-min(away), abs=1e-6)


def test_reach_is_from_the_rest_before_a_movement_that_was_noticed_late() -> None:
    seen = trace([-9.0, -3.0, 0.0, 0.0, 2.0, 7.0, 15.0, 25.0, 25.0, 10.0, -10.0, -26.0, -10.0])
    assert reach_of(seen, 5 * STEP_NS) == (25.0, 26.0)


@given(lean_deg=st.floats(10.0, 60.0))
def test_a_lean_alone_has_no_dip(lean_deg: float) -> None:
    assert dip_deg(squat(lean_deg, 0.0), 12 * STEP_NS) < 0.05 * lean_deg


@given(lean_deg=st.floats(10.0, 60.0), tuck_deg=st.floats(8.0, 20.0))
def test_a_pelvis_that_tucks_under_at_the_bottom_dips(lean_deg: float, tuck_deg: float) -> None:
    dip = dip_deg(squat(lean_deg, tuck_deg), 12 * STEP_NS)
    assert 0.0 < dip < tuck_deg
    assert dip > 0.9 * tuck_deg - 0.25 * lean_deg


def test_an_angle_that_was_seen_on_one_side_of_the_turn_only_tells_no_dip() -> None:
    assert dip_deg(trace([0.0, 10.0, 20.0]), 10 * NS_PER_S) == 0.0
