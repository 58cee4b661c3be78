"""Logs made of formulas: squats and bends of one or two sensors, for the tests of the analyzer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import numpy as np

from processing.analyzer.log import LogAnalyzer
from processing.domain.commands import (
    Command,
    EndSession,
    EndSet,
    ReportPain,
    SensorPlacement,
    StartExercise,
    StartSession,
)
from processing.domain.entries import (
    Control,
    LogEntry,
    NumberedEntry,
    Samples,
    StreamOpened,
)
from processing.domain.findings import (
    Finding,
)
from processing.domain.samples import ClockQuality, Placement

T0_US = 1_760_000_000_000_000
ACC_SCALE = 9.80665 / 2048
GYR_SCALE = math.radians(1 / 32)
MOUNT = "up:+y,forward:+x"


def session_id(number: int) -> str:
    return str(UUID(int=number))


def us(t_s: float) -> int:
    return T0_US + round(t_s * 1e6)


def ns(t_s: float) -> int:
    return us(t_s) * 1000


def opened(stream: int, sensor: str, **changes: Any) -> StreamOpened:
    fields = {
        "stream": stream,
        "t_ns": ns(0),
        "sensor_id": sensor,
        "boot_id": 1,
        "period_ns": 10_000_000,
        "acc_scale": ACC_SCALE,
        "gyr_scale": GYR_SCALE,
        "clock": ClockQuality.DEVICE,
        "driver": "test/1",
    }
    return StreamOpened(**{**fields, **changes})


class Events:
    """Control entries with event ids of their own."""

    def __init__(self) -> None:
        self._number = 0

    def __call__(self, t_s: float, command: Command) -> Control:
        self._number += 1
        return Control(t_ns=ns(t_s), event_id=str(UUID(int=10_000 + self._number)), command=command)


def start(number: int, *sensors: tuple[str, Placement], mount: str | None = MOUNT) -> StartSession:
    worn = tuple(SensorPlacement(sensor_id=name, placement=place, mount=mount) for name, place in sensors)
    return StartSession(session_id=session_id(number), sensors=worn)


def squats(t_s: np.ndarray, period_s: float = 2.5, depth_m: float = 0.4, still_s: float = 4.0) -> np.ndarray:
    """Counts of an upright sensor (y up) that goes down and up again and again after a still start."""
    omega = 2.0 * math.pi / period_s
    up = np.where(t_s > still_s, -0.5 * depth_m * omega**2 * np.cos(omega * (t_s - still_s)), 0.0) + 9.80665
    counts = np.zeros((len(t_s), 6))
    counts[:, 1] = up / ACC_SCALE
    return counts.round().astype("<i2")


def bends(t_s: np.ndarray, still_s: float = 4.0, size_rad: float = 0.8) -> np.ndarray:
    """Counts of a sensor (y up, x forward) that bends forward every 4 s after a still start."""
    omega = 2.0 * math.pi / 4.0
    moving = t_s > still_s
    phase = omega * (t_s - still_s)
    angle = np.where(moving, 0.5 * size_rad * (1.0 - np.cos(phase)), 0.0)
    rate = np.where(moving, 0.5 * size_rad * omega * np.sin(phase), 0.0)
    counts = np.zeros((len(t_s), 6))
    counts[:, 0] = -np.sin(angle) * 9.80665 / ACC_SCALE
    counts[:, 1] = np.cos(angle) * 9.80665 / ACC_SCALE
    counts[:, 5] = -rate / GYR_SCALE
    return counts.round().astype("<i2")


def entries_of(
    counts: np.ndarray, stream: int = 0, size: int = 10, t0_s: float = 0.0, skip: Iterable[int] = ()
) -> list[Samples]:
    skipped = set(skip)
    return [
        Samples(
            stream=stream,
            tick=0,
            t0_us=us(t0_s + at / 100.0),
            t0_uncertainty_us=0,
            packed=counts[at : at + size].tobytes(),
        )
        for at in range(0, len(counts), size)
        if at // size not in skipped
    ]


def feed(analyzer: LogAnalyzer, entries: Iterable[LogEntry], first: int = 1) -> list[Finding]:
    return [f for offset, entry in enumerate(entries, first) for f in analyzer.feed(NumberedEntry(offset, entry))]


def of(kind: type, findings: list[Finding]) -> list[Any]:
    return [finding for finding in findings if isinstance(finding, kind)]


def t_axis(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * 100)) / 100.0


def squat_log(size: int = 10, skip: Iterable[int] = (), extra: Iterable[LogEntry] = ()) -> list[LogEntry]:
    events = Events()
    return [
        opened(0, "s1"),
        events(0.0, start(1, ("s1", Placement.PELVIS))),
        events(4.0, StartExercise(session_id=session_id(1), exercise="squat")),
        events(20.0, ReportPain(session_id=session_id(1), score=3)),
        events(24.0, EndSet(session_id=session_id(1))),
        events(25.0, EndSession(session_id=session_id(1))),
        *extra,
        *entries_of(squats(t_axis(30)), size=size, skip=skip),
    ]


def two_sensor_log(*, calibrated: bool = True) -> list[LogEntry]:
    events = Events()
    mount = MOUNT if calibrated else None
    t = t_axis(25)
    parts = [entries_of(bends(t, size_rad=size), stream) for stream, size in ((0, 0.3), (1, 0.8))]
    return [
        opened(0, "low"),
        opened(1, "high"),
        events(0.0, start(1, ("low", Placement.PELVIS), ("high", Placement.THORAX), mount=mount)),
        events(3.8, StartExercise(session_id=session_id(1), exercise="standing_flexion_extension")),
        events(20.1, EndSession(session_id=session_id(1))),
        *(entry for pair in zip(*parts, strict=True) for entry in pair),
    ]
