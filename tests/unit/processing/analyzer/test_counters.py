"""What is counted within a set, and what is rejected with its reason."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.analyzer.counters import AngleCounters, Counted, Outcome, Rejected
from processing.analyzer.vertical_counter import VerticalCounter
from processing.domain.exercises import Channel, CountedChannel, Swing, exercise_of
from processing.domain.rejections import RejectionReason
from processing.domain.samples import GRAVITY_MPS2, Placement
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, GRID_NS, GRID_S, NS_PER_S

BEND = CountedChannel(
    channel=Channel.FLEXION, segment=Placement.THORAX, fallback=None, swing=Swing.ONE_SIDED, floor=10.0
)


def bends(*sizes_deg: float, seconds: float = 3.0) -> np.ndarray:
    """Flexion that goes out to each size and back, smoothly, shape (n,)."""
    phase = np.arange(round(seconds / GRID_S)) / round(seconds / GRID_S)
    return np.concatenate([0.5 * size * (1.0 - np.cos(2.0 * math.pi * phase)) for size in sizes_deg])


def fed(counters: AngleCounters, flexion_deg: np.ndarray, first: int = 0, spilt: float = 0.0) -> list[Outcome]:
    """What comes of flexion with a side bend that is ``spilt`` of it."""
    outcomes: list[Outcome] = []
    for at in range(len(flexion_deg) // BLOCK_SAMPLES):
        part = flexion_deg[at * BLOCK_SAMPLES : (at + 1) * BLOCK_SAMPLES]
        angles = np.stack((part, spilt * part, 0.0 * part), axis=1)
        outcomes += counters.step((first + at) * BLOCK_NS, angles, 0)
    return outcomes


def rejections(outcomes: list[Outcome]) -> list[Rejected]:
    return [one for one in outcomes if isinstance(one, Rejected)]


def test_a_movement_across_a_gap_is_rejected_for_the_gap() -> None:
    counters = AngleCounters((BEND,), Channel.AXIAL_ROTATION)
    outcomes = fed(counters, bends(40.0, 40.0, 40.0)[:840])
    outcomes += counters.reset()
    assert sum(isinstance(one, Counted) for one in outcomes) == 2
    (rejected,) = rejections(outcomes)
    assert rejected.reason is RejectionReason.GAP
    assert rejected.amplitude == pytest.approx(40.0, abs=1.0)
    assert rejected.t_peak_ns == pytest.approx(7.5 * NS_PER_S, abs=0.1 * NS_PER_S)


def test_a_plane_that_only_goes_along_is_rejected_for_the_other_plane() -> None:
    channels = exercise_of("seated_rom").channels
    outcomes = fed(AngleCounters(channels, Channel.AXIAL_ROTATION), bends(50.0, 50.0, 50.0), spilt=0.4)
    assert {one.channel for one in outcomes if isinstance(one, Counted)} == {Channel.FLEXION}
    assert {(one.channel, one.reason) for one in rejections(outcomes)} == {
        (Channel.LATERAL_BEND, RejectionReason.OTHER_PLANE)
    }


def test_a_squat_while_walking_is_rejected_for_the_walking() -> None:
    counter = VerticalCounter(exercise_of("squat").channels[0], GRAVITY_MPS2)
    omega = 2.0 * math.pi / 2.5
    outcomes: list[Outcome] = []
    for at in range(1000):
        up_mps2 = GRAVITY_MPS2 + 0.2 * omega**2 * math.cos(omega * at * GRID_S)
        outcomes += counter.step(at * GRID_NS, up_mps2, walking=True)
    outcomes += counter.finish(1000 * GRID_NS)
    assert not any(isinstance(one, Counted) for one in outcomes)
    assert {one.reason for one in rejections(outcomes)} == {RejectionReason.WALKING}


TURN = exercise_of("standing_rotation").channels[0]


def turned(counters: AngleCounters, rotation_deg: np.ndarray) -> int:
    """Repetitions counted of a rotation; the person is at rest where it hardly changes."""
    outcomes: list[Outcome] = []
    rest_ns = 0
    for at in range(len(rotation_deg) // BLOCK_SAMPLES):
        part = rotation_deg[at * BLOCK_SAMPLES : (at + 1) * BLOCK_SAMPLES]
        rest_ns = rest_ns + BLOCK_NS if abs(part[-1] - part[0]) < 0.3 else 0
        outcomes += counters.step(at * BLOCK_NS, np.stack((0.0 * part, 0.0 * part, part), axis=1), rest_ns)
    outcomes += counters.finish(len(rotation_deg) * GRID_NS)
    return sum(isinstance(one, Counted) for one in outcomes)


def poses(*legs: tuple[float, float]) -> np.ndarray:
    """Rotation that moves to each pose within 1.2 s and stays there for some seconds, from 0."""
    values, here = [np.zeros(200)], 0.0
    for pose, hold_s in legs:
        values.append(here + (pose - here) * 0.5 * (1.0 - np.cos(np.pi * np.arange(120) / 120.0)))
        values.append(np.full(round(hold_s * 100), pose))
        here = pose
    return np.concatenate(values)


@pytest.mark.parametrize("drift_dps", [0.1, -0.1])
def test_heading_drift_of_six_degrees_a_minute_changes_no_count_of_turns(drift_dps: float) -> None:
    rotation = poses(*([(25.0, 0.3), (-25.0, 0.3), (0.0, 1.0)] * 30))
    drift = drift_dps * GRID_S * np.arange(len(rotation))
    assert turned(AngleCounters((TURN,), Channel.AXIAL_ROTATION), rotation + drift) == 30


@given(hold_s=st.floats(0.1, 8.0), back_s=st.floats(0.3, 3.0), reps=st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_sides_count_however_long_they_are_held(hold_s: float, back_s: float, reps: int) -> None:
    rotation = poses(*([(25.0, hold_s), (-22.0, hold_s), (0.0, back_s)] * reps))
    assert turned(AngleCounters((TURN,), Channel.AXIAL_ROTATION), rotation) == reps


@given(st.lists(st.floats(0.45, 1.1), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_repetitions_of_half_the_usual_size_count(sizes: list[float]) -> None:
    legs = [leg for size in [1.0, 1.0, *sizes] for leg in ((25.0 * size, 0.3), (-25.0 * size, 0.3), (0.0, 0.5))]
    assert turned(AngleCounters((TURN,), Channel.AXIAL_ROTATION), poses(*legs)) == 2 + len(sizes)


def test_each_leg_of_bird_dog_counts_with_or_without_a_pause_and_whichever_is_next() -> None:
    twist = exercise_of("bird_dog").channels[0]
    paused = [leg for size in (6.0, -5.0, 6.0, -3.0, -5.0) for leg in ((size, 6.0), (0.0, 1.0))]
    counters = AngleCounters((twist,), Channel.LATERAL_BEND)
    assert turned(counters, poses(*paused)) == 5
    counters = AngleCounters((twist,), Channel.LATERAL_BEND)
    assert turned(counters, poses((6.0, 6.0), (-5.0, 6.0), (6.0, 6.0), (0.0, 3.0))) == 3


def test_a_repetition_shows_within_three_tenths_of_a_second_of_its_turn_and_counts_later() -> None:
    counters = AngleCounters((BEND,), Channel.AXIAL_ROTATION)
    flexion = bends(40.0, 40.0, 40.0)
    shown, counted = [], 0
    for at in range(len(flexion) // BLOCK_SAMPLES):
        part = flexion[at * BLOCK_SAMPLES : (at + 1) * BLOCK_SAMPLES]
        outcomes = counters.step(at * BLOCK_NS, np.stack((part, 0.0 * part, 0.0 * part), axis=1), 0)
        counted += sum(isinstance(one, Counted) for one in outcomes)
        shown.append((counters.provisional()[Channel.FLEXION], counted))
    first_s = [next(at for at, (seen, _) in enumerate(shown) if seen == number) * 0.05 + 0.05 for number in (1, 2, 3)]
    assert first_s == [pytest.approx(turn_s + 0.15, abs=0.15) for turn_s in (1.5, 4.5, 7.5)]
    assert all(sure <= seen <= sure + 1 for seen, sure in shown)


def test_a_movement_between_half_the_floor_and_the_floor_is_rejected_as_too_small_once() -> None:
    counters = AngleCounters((BEND,), Channel.AXIAL_ROTATION)
    outcomes: list[Outcome] = []
    flexion = poses((7.0, 0.5), (0.0, 4.0), (3.0, 0.5), (0.0, 4.0))
    for at in range(len(flexion) // BLOCK_SAMPLES):
        part = flexion[at * BLOCK_SAMPLES : (at + 1) * BLOCK_SAMPLES]
        outcomes += counters.step(at * BLOCK_NS, np.stack((part, 0.0 * part, 0.0 * part), axis=1), BLOCK_NS)
    outcomes += counters.finish(len(flexion) * GRID_NS)
    (rejected,) = rejections(outcomes)
    assert rejected.reason is RejectionReason.TOO_SMALL
    assert rejected.amplitude == pytest.approx(7.0, abs=0.5)
    assert rejected.t_peak_ns == pytest.approx(3.2 * NS_PER_S, abs=0.6 * NS_PER_S)


def test_the_way_back_to_rest_of_a_repetition_is_not_rejected() -> None:
    counters = AngleCounters(exercise_of("cat_cow").channels, Channel.AXIAL_ROTATION)
    outcomes: list[Outcome] = []
    flexion = poses((20.0, 0.3), (-16.0, 0.3), (20.0, 0.3), (-16.0, 0.3), (0.0, 4.0))
    for at in range(len(flexion) // BLOCK_SAMPLES):
        part = flexion[at * BLOCK_SAMPLES : (at + 1) * BLOCK_SAMPLES]
        outcomes += counters.step(at * BLOCK_NS, np.stack((part, 0.0 * part, 0.0 * part), axis=1), BLOCK_NS)
    outcomes += counters.finish(len(flexion) * GRID_NS)
    assert sum(isinstance(one, Counted) for one in outcomes) == 2
    assert rejections(outcomes) == []
