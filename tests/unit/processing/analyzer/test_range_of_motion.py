"""Ranges of motion of one set: where neutral is taken from, and what is stated."""

from __future__ import annotations

import math

import numpy as np
import pytest

from processing.analyzer.range_of_motion import RangeOfMotion, RangeOfMotionState
from processing.domain.exercises import exercise_of
from processing.domain.findings import RomSegment
from processing.dsp.blocks import BLOCK_NS

RATE_DPS = 8.0
"""Below this a block is one of rest, as in the analyzer."""


def measured(flexion_deg: list[float]) -> RangeOfMotionState:
    """State after a set whose flexion is given per block of 50 ms."""
    state = RangeOfMotionState()
    rom = RangeOfMotion(exercise_of("seated_rom"), RomSegment.LUMBAR, state)
    rest_ns = 0
    for at, angle in enumerate(flexion_deg):
        before = flexion_deg[max(at - 1, 0)]
        rest_ns = rest_ns + BLOCK_NS if abs(angle - before) / 0.05 < RATE_DPS else 0
        rom.step(at * BLOCK_NS, np.tile([angle, 0.0, 0.0], (5, 1)), rest_ns, resumed=False, began=False)
    return state


def test_a_slow_turning_point_is_not_taken_for_the_neutral_pose() -> None:
    swing = [-9.0 * (1.0 - math.cos(2.0 * math.pi * at / 80.0)) for at in range(81)]
    state = measured([0.0, 0.0, *swing, *[40.0 * at / 20.0 for at in range(21)]])
    assert state.excursion.neutral[0] == pytest.approx(0.0, abs=0.5)
    assert state.excursion.lowest[0] == pytest.approx(-18.0, abs=0.5)


def test_half_a_second_of_rest_close_to_the_first_pose_is_the_neutral_pose() -> None:
    state = measured([at * 0.5 for at in range(10)] + [5.0] * 40 + [5.0 + 2.0 * at for at in range(20)])
    assert state.excursion.neutral[0] == pytest.approx(5.0)
    assert state.excursion.highest[0] == pytest.approx(38.0)


def test_a_held_end_of_the_first_movement_is_not_taken_for_the_neutral_pose() -> None:
    state = measured([at * 1.0 for at in range(15)] + [15.0] * 40)
    assert state.excursion.neutral_blocks <= 1
    assert state.excursion.highest[0] == pytest.approx(15.0)
