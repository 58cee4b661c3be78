"""Ranges of motion of one set: where neutral is taken from, and what is stated."""

from __future__ import annotations

import math

import numpy as np
import pytest

from processing.analyzer.calibration import Calibrator, CalibratorState
from processing.analyzer.ledger import Ledger, LedgerState
from processing.analyzer.log import LogAnalyzer
from processing.analyzer.range_of_motion import RangeOfMotion, RangeOfMotionState
from processing.analyzer.sensor import SensorPath
from processing.domain.commands import EndSession, SensorPlacement, StartExercise
from processing.domain.exercises import exercise_of
from processing.domain.findings import RomDirection, RomMeasured, RomRefused, RomSegment
from processing.domain.found import RefusalReason
from processing.domain.samples import Placement
from processing.dsp.blocks import BLOCK_NS
from tests.unit.processing.analyzer.synthetic_logs import (
    MOUNT,
    Events,
    bends,
    entries_of,
    feed,
    of,
    opened,
    session_id,
    start,
    t_axis,
)

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


@pytest.mark.parametrize(("furthest_deg", "outcome"), [(80.0, "stated"), (100.0, "refused")])
def test_no_plane_is_told_of_a_person_who_turned_round(furthest_deg: float, outcome: str) -> None:
    calibrator = Calibrator(CalibratorState(mounted=True, rightward=[0.0, 0.0, 1.0]))
    rom = RangeOfMotion(exercise_of("seated_rom"), RomSegment.THORAX, RangeOfMotionState())
    turned_deg = [0.0] * 20 + [furthest_deg * at / 60.0 for at in range(61)]
    for at, angle in enumerate(turned_deg):
        rest_ns = BLOCK_NS * (at + 1) if at < 20 else 0
        rom.step(at * BLOCK_NS, np.tile([0.0, 0.0, angle], (5, 1)), rest_ns, resumed=False, began=False)
    ledger = Ledger(LedgerState(session_id(1)))
    rom.report(1, 0, len(turned_deg) * BLOCK_NS, {Placement.THORAX: calibrator}, None, ledger)
    findings = ledger.drain()
    if outcome == "stated":
        assert max(one.angle_deg for one in of(RomMeasured, findings)) == pytest.approx(furthest_deg, abs=1.0)
    else:
        assert [one.reason for one in findings] == [RefusalReason.TURNED_ROUND]


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


def test_after_the_start_pose_was_lost_angles_are_from_the_new_neutral_and_ranges_stay() -> None:
    state = measured([5.0] * 20 + [5.0 + at for at in range(31)])
    rom = RangeOfMotion(exercise_of("seated_rom"), RomSegment.LUMBAR, state)
    rom.pose_lost()
    for at in range(26):
        rom.step((100 + at) * BLOCK_NS, np.tile([-1.0 * at, 0.0, 0.0], (5, 1)), 0, resumed=False, began=True)
    assert (state.excursion.lowest[0], state.excursion.highest[0]) == (pytest.approx(-25.0), pytest.approx(30.0))


@pytest.mark.parametrize(("late_deg", "ranges"), [(12.0, 2), (30.0, 0)])
def test_a_rotation_long_after_the_last_rest_is_refused_rather_than_left_out(late_deg: float, ranges: int) -> None:
    state = RangeOfMotionState()
    rom = RangeOfMotion(exercise_of("seated_rom"), RomSegment.LUMBAR, state)
    ledger = Ledger(LedgerState(session_id(1)))
    for at in range(2000):
        turned = 0.0 if at < 20 else 10.0 if at < 1500 else late_deg
        angles = np.tile([0.0, 0.0, turned], (5, 1))
        rom.step(at * BLOCK_NS, angles, (at + 1) * BLOCK_NS if at < 20 else 0, resumed=False, began=False)
    worn = SensorPlacement(sensor_id="s", placement=Placement.PELVIS, mount=MOUNT)
    calibrators = {
        placement: Calibrator.at_start(SensorPath(worn, 0, present=True), 0)
        for placement in (Placement.PELVIS, Placement.THORAX)
    }
    rom.report(1, 0, 2000 * BLOCK_NS, calibrators, None, ledger)
    findings = ledger.drain()
    rotations = (RomDirection.LEFT_ROTATION, RomDirection.RIGHT_ROTATION)
    assert [one.direction in rotations for one in of(RomMeasured, findings)] == [False] * 4 + [True] * ranges
    assert [one.detail.split(":")[0] for one in of(RomRefused, findings)] == ["axial_rotation"] * (not ranges)


def test_a_range_carries_its_noise_its_speed_and_its_smoothness() -> None:
    events = Events()
    log = [
        opened(0, "s"),
        events(0.0, start(1, ("s", Placement.PELVIS))),
        events(3.5, StartExercise(session_id=session_id(1), exercise="standing_flexion_extension")),
        events(18.0, EndSession(session_id=session_id(1))),
        *entries_of(bends(t_axis(20), size_rad=0.8)),
    ]
    ranges = {one.direction: one for one in of(RomMeasured, feed(LogAnalyzer(), log))}
    flexion, extension = ranges[RomDirection.FLEXION], ranges[RomDirection.EXTENSION]
    # Half a cosine of 0.8 rad within 2 s.
    assert flexion.peak_speed_dps == pytest.approx(math.degrees(0.4 * math.pi / 2.0), rel=0.03)
    assert -1.6 < flexion.smoothness < -1.3
    assert flexion.noise_deg == pytest.approx(1.96 * math.hypot(1.2, 1.0), abs=0.1)
    assert (extension.peak_speed_dps, extension.smoothness) == (None, None)
