"""What the analyzer says about sensors that are not to be trusted, on logs made of formulas."""

from __future__ import annotations

import numpy as np
import pytest

from processing.analyzer.calibration import Calibrator, CalibratorState
from processing.analyzer.ledger import Ledger, LedgerState
from processing.analyzer.log import LogAnalyzer
from processing.analyzer.mount_check import MountCheck
from processing.analyzer.sensor import SensorPath
from processing.analyzer.sensor_watch import MAX_DOUBTS, Doubt, SensorWatch
from processing.analyzer.worn import WornSensor
from processing.domain.commands import Calibrate, EndSession, EndSet, StartExercise
from processing.domain.findings import (
    CalibrationDone,
    CalibrationRefused,
    Finding,
    RefusalReason,
    RomMeasured,
    RomRefused,
    SetCompleted,
)
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind, SensorFault
from processing.dsp.blocks import NS_PER_S
from tests.unit.processing.analyzer.synthetic_logs import (
    GYR_SCALE,
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

T = t_axis(40)
LOW, HIGH = ("low", Placement.PELVIS), ("high", Placement.THORAX)


def two_sensors(low: np.ndarray, high: np.ndarray, mount: str | None, *, set_from_s: float = 18.0) -> list[Finding]:
    """Calibration by bends for ``set_from_s``, then bends as a set until 36 s."""
    events = Events()
    pairs = zip(entries_of(low, 0), entries_of(high, 1), strict=True)
    entries = [
        opened(0, LOW[0]),
        opened(1, HIGH[0]),
        events(0.0, start(1, LOW, HIGH, mount=mount)),
        events(set_from_s, StartExercise(session_id=session_id(1), exercise="standing_flexion_extension")),
        events(36.0, EndSet(session_id=session_id(1))),
        events(38.0, EndSession(session_id=session_id(1))),
        *(entry for pair in pairs for entry in pair),
    ]
    return feed(LogAnalyzer(), entries)


def pausing(size_rad: float) -> np.ndarray:
    """Bends from 4 s on, with a rest from 16 to 20 s and from 32 s on."""
    counts = bends(T, size_rad=size_rad)
    at_rest = ((T >= 16.0) & (T < 20.0)) | (T >= 32.0)
    counts[at_rest] = counts[0]
    return counts + np.random.default_rng(1).integers(-1, 2, counts.shape, dtype="<i2")


def faults(findings: list[Finding]) -> set[tuple[Placement, FaultKind]]:
    return {(one.placement, one.fault) for one in of(SensorFault, findings)}


def test_sensors_as_stated_are_left_alone() -> None:
    findings = two_sensors(pausing(0.3), pausing(0.8), None)
    assert not faults(findings)
    assert len(of(RomMeasured, findings)) == 2
    assert [done.method for done in of(CalibrationDone, findings)] == ["still", "still", "functional", "functional"]


def test_sensors_that_are_exchanged_are_told_by_the_bends_and_no_range_is_stated() -> None:
    findings = two_sensors(pausing(0.8), pausing(0.3), None)
    assert faults(findings) == {(Placement.PELVIS, FaultKind.SWAPPED), (Placement.THORAX, FaultKind.SWAPPED)}
    assert not of(RomMeasured, findings)
    assert [one.reason for one in of(RomRefused, findings)] == [RefusalReason.SENSOR]
    assert all(done.quality <= 0.3 for done in of(SetCompleted, findings))


def test_exchanged_sensors_of_a_stated_mount_are_told_by_the_set() -> None:
    findings = two_sensors(pausing(0.8), pausing(0.3), MOUNT)
    assert {kind for _, kind in faults(findings)} == {FaultKind.SWAPPED}
    assert not of(RomMeasured, findings)


def test_a_stiff_back_that_bends_as_one_is_not_exchanged() -> None:
    assert not faults(two_sensors(pausing(0.8), pausing(0.75), None))


def test_axes_of_sensors_that_do_not_bend_together_are_refused() -> None:
    findings = two_sensors(np.roll(pausing(0.3), 100, axis=0), pausing(0.8), None, set_from_s=19.0)
    refused = of(CalibrationRefused, findings)
    assert [(one.placement, one.reason) for one in refused] == [
        (Placement.PELVIS, RefusalReason.DISAGREE),
        (Placement.THORAX, RefusalReason.DISAGREE),
    ]
    assert not of(RomMeasured, findings)


def test_a_sensor_upside_down_is_told_by_gravity_and_measured_after_bends() -> None:
    turned = pausing(0.8)
    turned[:, [0, 1, 3, 4]] *= -1  # about its z axis
    findings = two_sensors(pausing(0.3), turned, MOUNT)
    assert faults(findings) == {
        (Placement.THORAX, FaultKind.UPSIDE_DOWN),
        (Placement.THORAX, FaultKind.ASKEW),
    } or faults(findings) == {(Placement.THORAX, FaultKind.UPSIDE_DOWN)}
    assert len(of(RomMeasured, findings)) == 2


@pytest.mark.parametrize("limit_dps", [125, 250])
def test_a_movement_beyond_the_range_leaves_no_range_of_motion(limit_dps: int) -> None:
    fast = pausing(0.8)
    limit = round(np.radians(limit_dps) / GYR_SCALE)
    fast[:, 5] = np.clip(fast[:, 5].astype(np.int32) * 8, -limit, limit)
    findings = two_sensors(pausing(0.3), fast, MOUNT)
    assert (Placement.THORAX, FaultKind.SATURATED) in faults(findings)
    assert [one.reason for one in of(RomRefused, findings)] == [RefusalReason.SENSOR]


def test_what_was_wrong_with_the_way_sensors_sit_is_forgotten_when_they_are_calibrated_again() -> None:
    events = Events()
    swapped, right = (np.concatenate((pausing(one)[:2000], pausing(other))) for one, other in ((0.8, 0.3), (0.3, 0.8)))
    pairs = zip(entries_of(swapped, 0), entries_of(right, 1), strict=True)
    findings = feed(
        LogAnalyzer(),
        [
            opened(0, LOW[0]),
            opened(1, HIGH[0]),
            events(0.0, start(1, LOW, HIGH, mount=None)),
            events(19.9, Calibrate(session_id=session_id(1))),
            events(38.0, StartExercise(session_id=session_id(1), exercise="standing_flexion_extension")),
            events(57.0, EndSet(session_id=session_id(1))),
            events(58.0, EndSession(session_id=session_id(1))),
            *(entry for pair in pairs for entry in pair),
        ],
    )
    assert {kind for _, kind in faults(findings)} == {FaultKind.SWAPPED}
    assert len(of(SensorFault, findings)) == 2
    assert len(of(RomMeasured, findings)) == 2


def test_a_doubt_that_lasts_is_not_forgotten_over_many_short_ones() -> None:
    watch, ledger = SensorWatch(), Ledger(LedgerState(session_id(1)))
    path = SensorPath(start(1, LOW).sensors[0], 0, present=True)
    watch.doubt(path, Doubt(FaultKind.SWAPPED, 0, NS_PER_S, "exchanged"), ledger, lasting=True)
    for second in range(2, 2 + 4 * MAX_DOUBTS, 4):
        short = Doubt(FaultKind.SATURATED, second * NS_PER_S, (second + 1) * NS_PER_S, "beyond")
        watch.doubt(path, short, ledger)
    assert len(watch.state.doubts) == MAX_DOUBTS
    doubt = watch.doubt_within(1000 * NS_PER_S, 1001 * NS_PER_S)
    assert doubt is not None
    assert doubt.fault is FaultKind.SWAPPED


def test_an_axis_that_was_judged_is_not_judged_again_on_a_clock_set_anew() -> None:
    mount = "up:+y,forward:+z"
    path = SensorPath(start(1, LOW, mount=mount).sensors[0], 0, present=True)
    calibrator = Calibrator(CalibratorState(mounted=True, rightward=[0.0, 0.0, 1.0], bent=True, still_ns=(1, 2)))
    calibrator.state.up = [0.0, 1.0, 0.0]
    worn = WornSensor(path, calibrator, SensorWatch())
    check, ledger = MountCheck(), Ledger(LedgerState(session_id(1)))
    check.step(worn, None, ledger)
    assert [one.fault for one in of(SensorFault, ledger.drain())] == [FaultKind.ASKEW]

    calibrator.shift(NS_PER_S)
    check.shift(NS_PER_S)
    check.step(worn, None, ledger)
    assert not ledger.drain()
