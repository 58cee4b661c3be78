"""A clock that is set anew in the middle of a session, forward or back: a gap, and the session goes on."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from processing.analyzer.log import LogAnalyzer
from processing.domain.commands import Command, EndSession, EndSet, SensorPlacement, StartExercise, StartSession
from processing.domain.entries import (
    Control,
    LogEntry,
    NumberedEntry,
    Samples,
    SensorEvent,
    SensorEventKind,
    StreamOpened,
)
from processing.domain.findings import Finding, GapSeen, RepCompleted, RomMeasured, SetCompleted
from processing.domain.samples import ClockQuality, Placement

T0_US = 1_760_000_000_000_000
ACC_SCALE = 9.80665 / 2048
GYR_SCALE = math.radians(1 / 32)
SESSION = str(UUID(int=1))
PLACES = (Placement.PELVIS, Placement.THORAX)
STEP_S = 20.3
"""Time of the movement at which the clock is set: in the middle of a bend."""

DAY_S = 86_400.0
STEPS_S = (-3.0, -100.0, -20 * DAY_S, 3.0, 100.0, 20 * DAY_S, 20_000 * DAY_S)


def ns(t_s: float) -> int:
    return (T0_US + round(t_s * 1e6)) * 1000


def bends() -> np.ndarray:
    """Counts of a sensor (y up, x forward) that bends 45° forward every 4 s from 4 s to 36 s."""
    t_s = np.arange(4000) / 100.0
    omega = 2.0 * math.pi / 4.0
    moving = (t_s > 4.0) & (t_s < 36.0)
    angle = np.where(moving, 0.4 * (1.0 - np.cos(omega * t_s)), 0.0)
    rate = np.where(moving, 0.4 * omega * np.sin(omega * t_s), 0.0)
    counts = np.zeros((len(t_s), 6))
    counts[:, 0] = -np.sin(angle) * 9.80665 / ACC_SCALE
    counts[:, 1] = np.cos(angle) * 9.80665 / ACC_SCALE
    counts[:, 5] = -rate / GYR_SCALE
    return counts.round().astype("<i2")


def opened(stream: int) -> StreamOpened:
    return StreamOpened(
        stream=stream,
        t_ns=ns(0.0),
        sensor_id=PLACES[stream].value,
        boot_id=1,
        period_ns=10_000_000,
        acc_scale=ACC_SCALE,
        gyr_scale=GYR_SCALE,
        clock=ClockQuality.DEVICE,
        driver="test/1",
    )


def control(number: int, t_s: float, command: Command) -> Control:
    return Control(t_ns=ns(t_s), event_id=str(UUID(int=100 + number)), command=command)


def log_of(step_s: float, *, chunk: int = 10, sensors: int = 2, told: bool = True) -> list[LogEntry]:
    """Bends while the clock is set by ``step_s``; the second sensor's clock is set half a second later.

    Samples stand in the log in the order in which they were measured, each command before the samples of its time.
    """
    parts: list[tuple[float, int, LogEntry]] = []
    counts = bends()
    for stream in range(sensors):
        set_at = round(100 * (STEP_S + 0.5 * stream))
        for begin, end, shift_s in ((0, set_at, 0.0), (set_at, len(counts), step_s)):
            if shift_s and told:
                event = SensorEvent(
                    stream=stream, t_ns=ns(begin / 100.0 + shift_s), event=SensorEventKind.CLOCK_STEPPED
                )
                parts.append((begin / 100.0, 2, event))
            for at in range(begin, end, chunk):
                packed = counts[at : min(at + chunk, end)].tobytes()
                t0_us = ns(at / 100.0 + shift_s) // 1000
                samples = Samples(stream=stream, tick=0, t0_us=t0_us, t0_uncertainty_us=0, packed=packed)
                parts.append((min(at + chunk, end) / 100.0, 1, samples))
    begin = StartExercise(session_id=SESSION, exercise="standing_flexion_extension")
    parts += [
        (3.9, 0, control(1, 3.9, begin)),
        (37.0, 0, control(2, 37.0 + step_s, EndSet(session_id=SESSION))),
        (38.0, 0, control(3, 38.0 + step_s, EndSession(session_id=SESSION))),
    ]
    worn = tuple(
        SensorPlacement(sensor_id=PLACES[stream].value, placement=PLACES[stream], mount="up:+y,forward:+x")
        for stream in range(sensors)
    )
    start = control(0, 0.0, StartSession(session_id=SESSION, sensors=worn))
    ordered = [entry for _, _, entry in sorted(parts, key=lambda part: part[:2])]
    return [*(opened(stream) for stream in range(sensors)), start, *ordered]


def feed(entries: list[LogEntry], restart_every: int = 0) -> tuple[list[Finding], LogAnalyzer]:
    analyzer = LogAnalyzer()
    findings: list[Finding] = []
    for offset, entry in enumerate(entries, 1):
        if restart_every and offset % restart_every == 0:
            analyzer = LogAnalyzer.from_state(analyzer.state())
        findings += analyzer.feed(NumberedEntry(offset, entry))
    return findings, analyzer


def of(kind: type, findings: list[Finding]) -> list[Any]:
    return [finding for finding in findings if isinstance(finding, kind)]


@pytest.mark.parametrize("step_s", STEPS_S)
@pytest.mark.parametrize("sensors", [1, 2])
def test_a_session_goes_on_after_its_clock_was_set(step_s: float, sensors: int) -> None:
    # Of eight bends the one that was not yet confirmed at the step is lost.
    findings, analyzer = feed(log_of(step_s, sensors=sensors))
    assert not analyzer.sessions()
    (done,) = of(SetCompleted, findings)
    assert done.reps == {"flexion": 7}
    assert done.t1_ns == pytest.approx(ns(37.0 + step_s), abs=100_000_000)
    gaps = of(GapSeen, findings)
    assert [(gap.placement, gap.cause) for gap in gaps] == [(place, "clock_stepped") for place in PLACES[:sensors]]
    assert all(finding.t0_ns <= finding.t1_ns for finding in findings)
    assert analyzer.refused().get("late_samples", 0) == 0
    assert analyzer.refused().get("broken_samples", 0) == 0


@pytest.mark.parametrize("step_s", STEPS_S)
def test_nothing_is_counted_across_a_step_and_times_stand_on_their_own_clock(step_s: float) -> None:
    findings, _ = feed(log_of(step_s))
    reps = of(RepCompleted, findings)
    before, after = reps[:3], reps[3:]
    assert all(ns(3.9) <= rep.t0_ns < rep.t1_ns <= ns(STEP_S) for rep in before)
    assert all(ns(STEP_S + step_s) <= rep.t0_ns < rep.t1_ns <= ns(37.0 + step_s) for rep in after)
    assert len(after) == 4
    assert all(1.5 < rep.tempo_s < 5.0 for rep in reps)


@pytest.mark.parametrize("step_s", [-100.0, 20 * DAY_S])
def test_ranges_of_motion_survive_a_step(step_s: float) -> None:
    findings, _ = feed(log_of(step_s, sensors=1))
    measured = {rom.direction: rom.angle_deg for rom in of(RomMeasured, findings)}
    assert measured["flexion"] == pytest.approx(math.degrees(0.8), abs=1.0)


@pytest.mark.parametrize("step_s", STEPS_S)
def test_chunks_and_restarts_change_nothing_about_a_step(step_s: float) -> None:
    whole, _ = feed(log_of(step_s, chunk=10))
    for chunk, restart_every in ((1, 0), (7, 0), (50, 0), (10, 3)):
        assert feed(log_of(step_s, chunk=chunk), restart_every)[0] == whole


@pytest.mark.parametrize("step_s", [-100.0, -20 * DAY_S, 20 * DAY_S])
def test_a_clock_that_was_set_while_the_sensor_was_away_is_seen_in_its_next_samples(step_s: float) -> None:
    log = log_of(step_s, sensors=1, told=False)
    at = next(i for i, e in enumerate(log) if isinstance(e, Samples) and abs(e.t0_ns - ns(STEP_S + step_s)) < 1000)
    gone = SensorEvent(stream=0, t_ns=ns(STEP_S), event=SensorEventKind.DISCONNECTED)
    findings, analyzer = feed([*log[:at], gone, *log[at:]])
    assert of(SetCompleted, findings)[0].reps == {"flexion": 7}
    assert [gap.cause for gap in of(GapSeen, findings)] == ["clock_stepped"]
    assert not analyzer.refused().get("late_samples", 0)


def test_a_step_of_one_sensor_alone_does_not_hold_up_the_other() -> None:
    log = log_of(-100.0)
    alone = [e for e in log if not (isinstance(e, SensorEvent) and e.stream == 1)]
    moved = [
        Samples(stream=1, tick=0, t0_us=e.t0_us + 100_000_000, t0_uncertainty_us=0, packed=e.packed)
        if isinstance(e, Samples) and e.stream == 1 and e.t0_ns < ns(0.0)
        else e
        for e in alone
    ]
    findings, analyzer = feed(moved)
    assert not analyzer.sessions()
    assert of(SetCompleted, findings)


def quick_squats(step_s: float) -> list[LogEntry]:
    """Six squats of 1.15 s each, so quick that each waits in case it was a step; the clock is set after the second."""
    t_s = np.arange(2400) / 100.0
    omega = 2.0 * math.pi / 1.15
    moving = (t_s > 4.0) & (t_s < 4.0 + 6 * 1.15)
    counts = np.zeros((len(t_s), 6))
    counts[:, 1] = (9.80665 - np.where(moving, 0.2 * omega**2 * np.cos(omega * (t_s - 4.0)), 0.0)) / ACC_SCALE
    counts = counts.round().astype("<i2")
    worn = (SensorPlacement(sensor_id=PLACES[0].value, placement=PLACES[0], mount="up:+y,forward:+x"),)
    log: list[LogEntry] = [
        opened(0),
        control(0, 0.0, StartSession(session_id=SESSION, sensors=worn)),
        control(1, 3.9, StartExercise(session_id=SESSION, exercise="squat")),
    ]
    for at in range(0, len(counts), 10):
        shift_s = step_s if at >= 700 else 0.0
        if at == 700:
            log.append(SensorEvent(stream=0, t_ns=ns(7.0 + step_s), event=SensorEventKind.CLOCK_STEPPED))
        t0_us = ns(at / 100.0 + shift_s) // 1000
        packed = counts[at : at + 10].tobytes()
        log.append(Samples(stream=0, tick=0, t0_us=t0_us, t0_uncertainty_us=0, packed=packed))
    return [*log, control(2, 20.0 + step_s, EndSet(session_id=SESSION))]


@pytest.mark.parametrize("step_s", [-100.0, 1000.0])
def test_repetitions_that_wait_at_a_step_keep_their_times_and_hold_nobody_up(step_s: float) -> None:
    findings, _ = feed(quick_squats(step_s))
    reps = of(RepCompleted, findings)
    assert len(reps) >= 4  # one is cut off, one is lost while height settles
    assert all(0.5 < rep.tempo_s < 2.0 and rep.t0_ns <= rep.t_peak_ns <= rep.t1_ns for rep in reps)
