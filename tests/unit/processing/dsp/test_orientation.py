"""Still poses and the orientation that begins with them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.dsp.blocks import GridBlock
from processing.dsp.orientation import Orientation
from processing.dsp.rotation import conjugate, multiply, rotate, upward
from processing.dsp.stillness import Stillness


def constant(index: int, acc: list[float], gyr: list[float]) -> GridBlock:
    return GridBlock(index, np.tile(np.array(acc), (5, 1)), np.tile(np.array(gyr), (5, 1)))


def test_a_large_bias_does_not_hide_a_still_pose() -> None:
    stillness = Stillness()
    for at in range(60):
        assert stillness.pose() is None
        stillness.update(constant(at, [0.0, 9.8, 0.0], [0.2, -0.1, 0.05]))
    pose = stillness.pose()
    assert pose is not None
    assert pose.gyr == pytest.approx([0.2, -0.1, 0.05])


def test_a_movement_within_three_seconds_is_no_still_pose() -> None:
    stillness = Stillness()
    for at in range(60):
        stillness.update(constant(at, [0.0, 9.8, 0.0], [0.2 if at == 30 else 0.0, 0.0, 0.0]))
    assert stillness.pose() is None


@given(st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=3))
@settings(max_examples=20, deadline=None)
def test_after_a_still_pose_no_constant_bias_changes_the_inclination(bias: list[float]) -> None:
    biased, true = (_inclination_after_a_pose(one) for one in (bias, [0.0, 0.0, 0.0]))
    assert biased == pytest.approx(true, abs=1e-6)


def _inclination_after_a_pose(bias: list[float]) -> list[float]:
    """Where up is, seen by a sensor that rests for three seconds and then turns by 0.6 rad."""
    stillness, orientation = Stillness(), Orientation()
    for at in range(60):
        block = constant(at, [0.5, 9.8, 0.0], bias)
        last = orientation.update(block)[-1]
        stillness.update(block)
    pose = stillness.pose()
    assert pose is not None
    orientation.begin_from(pose, last)
    for at in range(60, 80):
        angle = 0.03 * (at - 60)
        block = constant(at, [0.5, 9.8 * math.cos(angle), -9.8 * math.sin(angle)], [bias[0] + 0.6, bias[1], bias[2]])
        last = orientation.update(block)[-1]
    up: list[float] = rotate(conjugate(last), np.array([0.0, 0.0, 1.0])).tolist()
    return up


def test_a_still_pose_keeps_the_heading_and_a_biased_gyroscope_holds_it() -> None:
    bias = [0.05, 0.08, -0.06]
    stillness, orientation = Stillness(), Orientation()
    for at in range(60):
        block = constant(at, [0.0, 9.8, 0.0], bias)
        before = orientation.update(block)[-1]
        stillness.update(block)
    pose = stillness.pose()
    assert pose is not None
    orientation.begin_from(pose, before)
    first = orientation.update(constant(60, [0.0, 9.8, 0.0], bias))[-1]
    for at in range(61, 460):
        last = orientation.update(constant(at, [0.0, 9.8, 0.0], bias))[-1]
    heading = [math.atan2(x[1], x[0]) for x in (rotate(q, np.array([1.0, 0.0, 0.0])) for q in (before, first))]
    assert heading[1] == pytest.approx(heading[0], abs=0.01)
    turned = multiply(last, conjugate(first))
    assert math.degrees(2.0 * math.acos(min(1.0, abs(float(turned[0]))))) < 0.1


def test_after_a_gap_the_inclination_is_new_and_the_heading_is_kept() -> None:
    orientation = Orientation()
    turning = [constant(at, [0.0, 0.0, 9.81], [0.0, 0.0, 0.8]) for at in range(20)]
    for block in turning:
        before = orientation.update(block)[-1]
    leaned = constant(100, [0.0, 9.81 * math.sin(0.5), 9.81 * math.cos(0.5)], [0.0, 0.0, 0.0])
    orientation.prime([leaned], before)
    after = orientation.update(leaned)[-1]
    heading = [math.atan2(x[1], x[0]) for x in (rotate(q, np.array([1.0, 0.0, 0.0])) for q in (before, after))]
    assert heading[1] == pytest.approx(heading[0], abs=0.02)
    assert upward(after[None], leaned.acc[:1])[0] == pytest.approx(9.81, abs=0.01)


def test_one_jolted_sample_at_the_start_does_not_tilt_the_first_orientation() -> None:
    blocks = [constant(at, [0.0, 0.0, 9.81], [0.0, 0.0, 0.0]) for at in range(10)]
    blocks[0].acc[0] = [1.0, 0.0, 9.81]
    orientation = Orientation()
    orientation.prime(blocks, None)
    first = orientation.update(blocks[0])[0]
    up = rotate(first, np.array([0.0, 0.0, 1.0]))
    assert math.degrees(math.acos(min(1.0, float(up[2])))) < 0.3


def test_a_sustained_push_tilts_a_slow_sensor_less_than_one_that_was_just_shaken() -> None:
    tilts = []
    for rate in (0.0, 6.0):
        orientation = Orientation()
        for at in range(400):
            sign = 1.0 if at % 2 else -1.0
            orientation.update(constant(at, [0.0, 0.0, 9.81], [0.0, 0.0, sign * rate]))
        for at in range(400, 420):
            quat = orientation.update(constant(at, [1.5, 0.0, 9.81], [0.0, 0.0, 0.0]))[-1]
        tilts.append(math.degrees(math.acos(upward(quat[None], np.array([[0.0, 0.0, 1.0]]))[0])))
    assert 0.1 < tilts[0] < 0.5 * tilts[1]
