"""Samples that no worn sensor gives: nothing is raised, and what is stated about them is possible."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest

from processing.analyzer.log import LogAnalyzer
from processing.domain.commands import Calibrate, CapturePosture, EndSession, EndSet, StartExercise
from processing.domain.entries import LogEntry
from processing.domain.findings import CalibrationDone, Finding
from processing.domain.posture_findings import PostureCaptured
from processing.domain.posture_types import SittingPose
from processing.domain.samples import Placement
from tests.unit.processing.analyzer.synthetic_logs import (
    MOUNT,
    Events,
    entries_of,
    feed,
    of,
    opened,
    session_id,
    start,
)

SESSION = session_id(1)
ONE_G = 2048
NOISE = np.random.default_rng(1).integers(-30_000, 30_000, (6000, 6))
CONSTANT = {
    "nothing": [0, 0, 0, 0, 0, 0],
    "a fraction of gravity": [0, 200, 0, 0, 0, 0],
    "turning in free fall": [0, 0, 0, 0, 0, 3000],
    "the ends of the scale": [32767] * 6,
}


def lying_about(counts: np.ndarray, exercise: str, mount: str | None) -> list[Finding]:
    """Findings of a session whose sensors both give these counts."""
    at = Events()
    worn = (("lower", Placement.PELVIS), ("upper", Placement.THORAX))
    log: list[LogEntry] = [opened(0, "lower"), opened(1, "upper"), at(0.0, start(1, *worn, mount=mount))]
    commands = (
        at(4.0, CapturePosture(session_id=SESSION, pose=SittingPose.UPRIGHT)),
        at(5.0, EndSet(session_id=SESSION)),
        at(9.0, CapturePosture(session_id=SESSION, pose=SittingPose.SLUMP)),
        at(14.0, StartExercise(session_id=SESSION, exercise=exercise)),
        at(35.0, Calibrate(session_id=SESSION)),
        at(40.0, StartExercise(session_id=SESSION, exercise=exercise)),
        at(55.0, EndSet(session_id=SESSION)),
        at(58.0, EndSession(session_id=SESSION)),
    )
    streams = [entries_of(counts.astype("<i2"), stream, size=100) for stream in (0, 1)]
    log += [*commands, *(one for pair in zip(*streams, strict=True) for one in pair)]
    return feed(LogAnalyzer(), log)


def all_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(all_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(all_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize(
    ("exercise", "mount"), [("squat", None), ("standing_flexion_extension", MOUNT), ("side_plank", MOUNT)]
)
@pytest.mark.parametrize("what", [*CONSTANT, "noise", "gravity that goes away"])
def test_what_is_stated_of_impossible_samples_is_possible(what: str, exercise: str, mount: str | None) -> None:
    counts = np.tile(CONSTANT.get(what, [0, ONE_G, 0, 0, 0, 0]), (6000, 1))
    if what == "noise":
        counts = NOISE
    counts[2000:] *= what != "gravity that goes away"

    findings = lying_about(counts, exercise, mount)

    assert findings
    assert all(finding.t0_ns <= finding.t1_ns for finding in findings)
    assert all(map(all_finite, map(msgspec.to_builtins, findings)))


@pytest.mark.parametrize("what", CONSTANT)
def test_a_pose_without_gravity_calibrates_nothing(what: str) -> None:
    findings = lying_about(np.tile(CONSTANT[what], (6000, 1)), "squat", None)

    assert not of(CalibrationDone, findings)
    assert not of(PostureCaptured, findings)
