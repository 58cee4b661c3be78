"""Time near the far ends of movements whose phases are known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.dsp.blocks import NS_PER_S
from processing.dsp.rep_phases import far_end_of
from processing.dsp.rep_shape import Sampled, wrapped_deg

STEP_S = 0.1
BEGIN_S = 0.6
PASSING = math.acos(0.8) / math.pi
"""Part of the time of a move in which it goes the last tenth of the way."""

durations = st.floats(0.8, 3.0)
holds = st.floats(0.0, 6.0)
sides = st.sampled_from([-1.0, 1.0])


def ns(t_s: float) -> int:
    return round(t_s * NS_PER_S)


def moved(t_s: float, ends: list[float], move_s: float, hold_s: float) -> float:
    """From 0 to each far end in turn and back to 0, half a sine from one to the next, held at each far end."""
    t_s -= BEGIN_S
    for at, to in zip([0.0, *ends], [*ends, 0.0], strict=True):
        if t_s < move_s:
            return at + (to - at) * 0.5 * (1.0 - math.cos(math.pi * max(t_s, 0.0) / move_s))
        t_s -= move_s
        if to and t_s < hold_s:
            return to
        t_s -= hold_s
    return 0.0


def trace(ends: list[float], move_s: float, hold_s: float, until_s: float | None = None) -> list[Sampled]:
    end_s = BEGIN_S + (len(ends) + 1) * move_s + len(ends) * hold_s if until_s is None else until_s
    times = [at * STEP_S for at in range(math.floor(end_s / STEP_S) + 1)]
    return [Sampled(ns(t_s), moved(t_s, ends, move_s, hold_s)) for t_s in times]


@given(size_deg=st.floats(15.0, 80.0), side=sides, move_s=durations, hold_s=holds)
def test_a_hold_is_what_it_was_and_the_tenths_before_and_after(
    size_deg: float, side: float, move_s: float, hold_s: float
) -> None:
    found = far_end_of(trace([side * size_deg], move_s, hold_s), ns(BEGIN_S), ns(BEGIN_S + move_s), both=False)
    assert found is not None
    assert found.held_ns / NS_PER_S == pytest.approx(hold_s + 2.0 * PASSING * move_s, abs=0.12)
    assert found.reached_ns / NS_PER_S == pytest.approx(BEGIN_S + (1.0 - PASSING) * move_s, abs=0.06)


@given(size_deg=st.floats(3.0, 9.0), hold_s=st.floats(2.0, 8.0), breath_s=st.floats(3.0, 5.0))
def test_breathing_does_not_end_the_hold_of_a_small_movement(size_deg: float, hold_s: float, breath_s: float) -> None:
    deep_deg = min(0.5, 0.07 * size_deg)
    seen = [
        Sampled(one.t_ns, one.angle_deg + deep_deg * math.sin(2.0 * math.pi * one.t_ns / NS_PER_S / breath_s))
        for one in trace([size_deg], 1.2, hold_s)
    ]
    found = far_end_of(seen, ns(BEGIN_S), ns(BEGIN_S + 1.2 + 0.5 * hold_s), both=False)
    assert found is not None
    assert hold_s - 0.1 < found.held_ns / NS_PER_S < hold_s + 0.9


@given(size_deg=st.floats(10.0, 40.0), side=sides, second=st.floats(0.5, 1.5), move_s=durations, hold_s=holds)
def test_a_movement_to_both_sides_holds_at_both(
    size_deg: float, side: float, second: float, move_s: float, hold_s: float
) -> None:
    ends = [side * size_deg, -side * second * size_deg]
    both = far_end_of(trace(ends, move_s, hold_s), ns(BEGIN_S), ns(BEGIN_S + move_s), both=True)
    one = far_end_of(trace(ends, move_s, hold_s), ns(BEGIN_S), ns(BEGIN_S + move_s), both=False)
    assert both is not None
    assert one is not None
    assert both.reached_ns == one.reached_ns
    assert both.held_ns - one.held_ns >= ns(hold_s)


@given(begin_deg=st.floats(-180.0, 180.0), side=sides)
def test_the_phases_do_not_depend_on_the_angle_that_it_began_from(begin_deg: float, side: float) -> None:
    plain = trace([side * 30.0], 1.5, 1.0)
    offset = [Sampled(one.t_ns, wrapped_deg(one.angle_deg + begin_deg)) for one in plain]
    found, expected = (far_end_of(one, ns(BEGIN_S), ns(2.1), both=False) for one in (offset, plain))
    assert found is not None
    assert expected is not None
    assert found == pytest.approx(expected, abs=1000)


def test_the_side_that_was_left_out_is_no_far_end() -> None:
    seen = trace([30.0], 1.5, 1.0)
    assert far_end_of(seen, ns(BEGIN_S), ns(2.1), both=True) == far_end_of(seen, ns(BEGIN_S), ns(2.1), both=False)


@pytest.mark.parametrize("until_s", [3.0, 6.5])
def test_a_repetition_that_ends_in_a_hold_tells_nothing(until_s: float) -> None:
    seen = trace([30.0, -30.0], 1.5, 2.0, until_s)
    assert far_end_of(seen, ns(BEGIN_S), ns(2.1), both=True) is None
