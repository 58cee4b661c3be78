"""A movement within or next to a walk is walking; one that may be the first steps waits until it is certain."""

from __future__ import annotations

import math

from processing.domain.samples import GRAVITY_MPS2
from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.steps import Steps
from processing.dsp.walking_gate import NEAR_WALK_NS, Verdict, WalkingGate, WalkingGateState

UPRIGHT = (0.0, 1.0, 0.0)


def gate_after(seconds: float, steps_s: tuple[float, ...], size_mps2: float = 2.5) -> WalkingGate:
    """Gate that has felt steps at these times, a bump of half a second each."""
    steps = Steps()
    for at in range(round(seconds * NS_PER_S / BLOCK_NS)):
        t_s = at * BLOCK_NS / NS_PER_S
        bumps = (math.cos(2.0 * math.pi * (t_s - step_s) / 0.5) for step_s in steps_s if abs(t_s - step_s) < 0.25)
        steps.step(at * BLOCK_NS, GRAVITY_MPS2 + size_mps2 * sum(bumps), UPRIGHT)
    return WalkingGate(WalkingGateState(steps.state))


def verdict(gate: WalkingGate, t0_s: float, t1_s: float, *, lifts: bool = False) -> Verdict:
    return gate.verdict(round(t0_s * NS_PER_S), round(t1_s * NS_PER_S), NEAR_WALK_NS, lifts=lifts)


WALK_S = tuple(5.0 + 0.5 * number for number in range(10))


def test_a_movement_within_a_walk_is_walking_and_one_long_before_is_not() -> None:
    gate = gate_after(10.0, WALK_S)
    for lifts in (False, True):
        assert verdict(gate, 6.0, 8.0, lifts=lifts) is Verdict.WALKED
        assert verdict(gate, 1.0, 8.0, lifts=lifts) is Verdict.WALKED
        assert verdict(gate, 1.0, 3.0, lifts=lifts) is Verdict.CLEAR


def test_the_shift_of_weight_before_the_first_step_and_the_last_sway_belong_to_the_walk() -> None:
    gate = gate_after(10.0, WALK_S)
    assert verdict(gate, 2.0, 4.2) is Verdict.WALKED
    assert verdict(gate, 10.2, 12.0) is Verdict.WALKED


def test_a_movement_that_ends_with_a_step_waits_until_the_step_is_alone_or_one_of_many() -> None:
    assert verdict(gate_after(5.5, WALK_S[:1]), 3.0, 5.2) is Verdict.UNDECIDED
    assert verdict(gate_after(8.0, WALK_S[:1]), 3.0, 5.2) is Verdict.CLEAR
    assert verdict(gate_after(8.0, WALK_S), 3.0, 5.2) is Verdict.WALKED


def test_a_movement_that_lifts_the_trunk_waits_for_two_steps_only() -> None:
    assert verdict(gate_after(5.5, WALK_S[:1]), 3.0, 5.2, lifts=True) is Verdict.CLEAR
    assert verdict(gate_after(6.0, WALK_S[:2]), 3.0, 5.2, lifts=True) is Verdict.UNDECIDED


def test_a_walk_that_is_over_is_remembered() -> None:
    steps = Steps()
    gate = WalkingGate(WalkingGateState(steps.state, [(5 * NS_PER_S, 9 * NS_PER_S)]))
    assert verdict(gate, 6.0, 8.0) is Verdict.WALKED
    assert verdict(gate, 12.0, 14.0) is Verdict.CLEAR


def test_on_a_clock_set_anew_nobody_has_walked_yet() -> None:
    gate = gate_after(10.0, WALK_S)
    gate.finish()
    assert verdict(gate, 6.0, 8.0) is Verdict.WALKED
    gate.forget()
    assert verdict(gate, 6.0, 8.0) is Verdict.CLEAR
