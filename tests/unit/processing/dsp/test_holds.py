"""Holds of a segment that leans by known angles at known times."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.holds import Held, HoldRule, Holds, HoldsState, Posed
from processing.dsp.movements import Moment

ANY = Posed(((0.0, 0.0, 1.0),), 180.0)
LEANING = HoldRule(start=ANY, held=ANY, lean_deg=3.0, rise_m=0.0, min_s=1.0)
RISING = HoldRule(start=ANY, held=ANY, lean_deg=0.0, rise_m=0.08, min_s=1.0)

WITHIN = 0.23
"""Part of a movement's time in which its first or last 5 % are done."""

Leg = tuple[float, float, float]
"""Seconds, lean (degrees) and height (metres) at its end; minimum jerk from the leg before."""


def moments(*legs: Leg, tremor_deg: float = 0.0) -> list[Moment]:
    """What a sensor does that leans about its x axis and rises; half a second more at the end."""
    found: list[Moment] = []
    before, block_s = (0.0, 0.0), BLOCK_NS / NS_PER_S
    for seconds, lean_deg, height_m in legs:
        for block in range(round(seconds / block_s)):
            s = (block + 1) * block_s / seconds
            way, bend = s**3 * (10.0 - 15.0 * s + 6.0 * s * s), (60.0 * s - 180.0 * s * s + 120.0 * s**3) / seconds**2
            t_s = (len(found) + 1) * block_s
            angle = before[0] + (lean_deg - before[0]) * way + tremor_deg * math.sin(2.0 * math.pi * 6.0 * t_s)
            half = math.radians(angle) / 2.0
            quat = (math.cos(half), math.sin(half), 0.0, 0.0)
            felt = (0.0, math.sin(2.0 * half), math.cos(2.0 * half))
            found.append(Moment(len(found) * BLOCK_NS, quat, felt, (height_m - before[1]) * bend))
        before = (lean_deg, height_m)
    return found


def held(rule: HoldRule, given: Sequence[Moment]) -> list[Held]:
    holds = Holds(rule)
    return [one for one in [*map(holds.step, given), holds.finish()] if one is not None]


def seconds(one: Held) -> float:
    return (one.t1_ns - one.t0_ns) / NS_PER_S


@settings(max_examples=25, deadline=None)
@given(
    peak_dps=st.floats(8.0, 50.0),
    move_s=st.floats(0.8, 3.0),
    hold_s=st.floats(2.0, 20.0),
    tremor_deg=st.floats(0.0, 0.06),
)
def test_a_hold_lasts_from_95_percent_of_the_way_in_to_5_percent_of_the_way_out(
    peak_dps: float, move_s: float, hold_s: float, tremor_deg: float
) -> None:
    lean_deg = peak_dps * move_s / 1.875
    legs = ((2.0, 0.0, 0.0), (move_s, lean_deg, 0.0), (hold_s, lean_deg, 0.0), (move_s, 0.0, 0.0), (2.0, 0.0, 0.0))
    (one,) = held(LEANING, moments(*legs, tremor_deg=tremor_deg))
    assert one.t0_ns / NS_PER_S == pytest.approx(2.0 + (1.0 - WITHIN) * move_s, abs=0.2)
    assert seconds(one) == pytest.approx(hold_s + 2.0 * WITHIN * move_s, abs=0.4)
    assert one.whole
    assert one.breaks == 0
    assert one.sag_deg < 0.5


@given(lean_deg=st.floats(8.0, 80.0), move_s=st.floats(0.8, 3.0), pause_s=st.floats(0.1, 0.5))
def test_a_turn_without_a_second_of_rest_is_no_hold(lean_deg: float, move_s: float, pause_s: float) -> None:
    legs = ((2.0, 0.0, 0.0), (move_s, lean_deg, 0.0), (pause_s, lean_deg, 0.0), (move_s, 0.0, 0.0), (2.0, 0.0, 0.0))
    assert held(LEANING, moments(*legs)) == []


def test_resting_in_the_start_pose_before_and_after_is_no_hold() -> None:
    (one,) = held(LEANING, moments((20.0, 0.0, 0.0), (1.5, 30.0, 0.0), (5.0, 30.0, 0.0), (1.5, 0.0, 0.0), (20.0, 0, 0)))
    assert 21.0 < one.t0_ns / NS_PER_S < 22.0


def test_a_small_movement_in_the_pose_does_not_end_the_hold() -> None:
    legs = ((2, 0, 0), (1.5, 30.0, 0), (4, 30.0, 0), (1.0, 24.0, 0), (4, 24.0, 0), (1.5, 0, 0), (2, 0, 0))
    (one,) = held(LEANING, moments(*legs))
    assert seconds(one) == pytest.approx(9.7, abs=0.3)
    assert one.sag_deg == pytest.approx(6.0, abs=0.5)


def test_a_pose_given_up_for_half_a_second_is_a_break_and_for_longer_the_end() -> None:
    def dropped(pause_s: float, move_s: float) -> list[Held]:
        out, back = (move_s, 8.0, 0.0), (move_s, 30.0, 0.0)
        stay = ((pause_s, 8.0, 0.0),) if pause_s else ()
        return held(LEANING, moments((2, 0, 0), (1.5, 30, 0), (4, 30, 0), out, *stay, back, (4, 30, 0), (1.5, 0, 0)))

    (broken,) = dropped(0.0, 0.35)
    assert broken.breaks == 1
    assert seconds(broken) == pytest.approx(9.4, abs=0.3)
    assert [one.breaks for one in dropped(0.8, 0.7)] == [0, 0]


def test_rising_tells_a_pose_that_leans_like_the_start() -> None:
    legs = ((6, 0, 0), (1.5, 0.5, 0.18), (8, 0.5, 0.18), (1.5, 0.0, 0.0), (6, 0.0, 0.0))
    (one,) = held(RISING, moments(*legs))
    assert seconds(one) == pytest.approx(8.7, abs=0.8)
    assert held(RISING, moments((6, 0, 0), (1.5, 10.0, 0.0), (8, 10.0, 0.0))) == []


def test_a_gap_cuts_a_hold_and_what_follows_is_said_to_be_a_part() -> None:
    given_moments = moments((2, 0, 0), (1.5, 30, 0), (10, 30, 0), (1.5, 0, 0), (2, 0, 0))
    holds = Holds(LEANING)
    before = [holds.step(one) for one in given_moments[:120]]
    cut = holds.reset()
    after = [one for one in map(holds.step, given_moments[160:]) if one is not None]
    assert set(before) == {None}
    assert cut is not None
    assert not cut.whole
    assert cut.t1_ns == 120 * BLOCK_NS
    (rest,) = after
    assert not rest.whole
    assert rest.t0_ns >= 160 * BLOCK_NS - BLOCK_NS


def test_the_end_of_the_samples_cuts_a_hold() -> None:
    (one,) = held(LEANING, moments((2, 0, 0), (1.5, 30, 0), (5, 30, 0)))
    assert not one.whole
    assert one.t1_ns == len(moments((2, 0, 0), (1.5, 30, 0), (5, 30, 0))) * BLOCK_NS


def test_neither_a_start_nor_a_hold_is_seen_in_another_posture() -> None:
    legs = moments((2, 0, 0), (1.5, 40, 0), (5, 40, 0), (1.5, 0, 0), (2, 0, 0))
    level = Posed(((0.0, 0.0, 1.0),), 30.0)
    assert held(LEANING._replace(start=level), legs)
    assert held(LEANING._replace(held=level), legs) == []
    assert held(LEANING._replace(start=Posed(((0.0, 1.0, 0.0),), 30.0)), legs) == []


@given(cut=st.integers(0, 300))
def test_a_restored_state_goes_on_bit_for_bit(cut: int) -> None:
    legs = moments((2, 0, 0), (1.5, 30, 0), (4, 30, 0), (0.7, 8, 0), (0.8, 8, 0), (0.7, 30, 0), (3, 28, 0), (1.5, 0, 0))
    whole = Holds(LEANING)
    expected = [whole.step(one) for one in legs]
    first = Holds(LEANING)
    found = [first.step(one) for one in legs[:cut]]
    second = Holds(LEANING, msgspec.msgpack.decode(msgspec.msgpack.encode(first.state), type=HoldsState))
    found += [second.step(one) for one in legs[cut:]]
    assert found == expected
    assert second.state == whole.state
    assert sum(one is not None for one in found) >= 1
