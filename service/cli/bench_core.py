"""Speed of the parts that need no other process: the signal path and the codec of the log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from firmware_sim.imperfections import count_scale
from firmware_sim.patient import SimulatedPatient, draw_patient
from processing.analyzer.log import LogAnalyzer
from processing.domain.commands import Calibrate, Command, EndSet, SensorPlacement, StartExercise, StartSession
from processing.domain.entries import Control, LogEntry, NumberedEntry, Samples, StreamOpened
from processing.domain.samples import BYTES_PER_SAMPLE, ClockQuality, Placement
from processing.wire.log import decode_batch, decode_entry, encode_batch, encode_entry
from service.cli.bench_figures import Figure

BLOCK_S = 0.05
"""Length of the entries that are fed: five samples at 100 Hz, what a wearable sends in one notification."""

RATE_HZ = 100
BATCH_S = 0.1
"""Ten batches a second, the rate for which architecture.md §5 bounds the envelope."""

ENVELOPE_BATCHES = 200
_EPOCH_US = 1_760_000_000_000_000
_SESSION = "00000000-0000-4000-8000-000000000001"


def signal_path_figures() -> list[Figure]:
    """Time of the analyzer per block of a patient with two sensors, through calibration and three sets.

    One block is one entry of each sensor. The time includes taking the state every two seconds, as the worker does.
    """
    entries = patient_log()
    blocks = sum(isinstance(entry, Samples) for entry in entries) / 2
    analyzer = LogAnalyzer()
    state_s: list[float] = []
    findings = 0
    until_state = checkpoint = round(2 * 2.0 / BLOCK_S)
    began_s = time.perf_counter()
    for offset, entry in enumerate(entries, start=1):
        findings += len(analyzer.feed(NumberedEntry(offset, entry)))
        until_state -= 1
        if until_state == 0:
            until_state = checkpoint
            before_s = time.perf_counter()
            state_bytes = len(analyzer.state())
            state_s.append(time.perf_counter() - before_s)
    total_s = time.perf_counter() - began_s
    return [
        _signal("signal length", blocks * BLOCK_S, "s"),
        _signal("findings", findings, ""),
        _signal("analyzer per two-sensor block of 50 ms", (total_s - sum(state_s)) / blocks * 1e6, "µs"),
        _signal("taking the state", sum(state_s) / len(state_s) * 1e6, "µs"),
        _signal("size of the state", state_bytes, "bytes"),
        _signal("times faster than real time = patients per core", blocks * BLOCK_S / total_s, ""),
    ]


def codec_figures() -> list[Figure]:
    """Entries coded per second, and what a batch costs beyond its packed samples."""
    entries: list[LogEntry] = list(_evenly_spaced(sensors=2, samples=10, batches=5_000))
    began_s = time.perf_counter()
    encoded = [encode_entry(entry) for entry in entries]
    batches = [encode_batch(1, first + 1, encoded[first : first + 2]) for first in range(0, len(encoded), 2)]
    encode_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    for batch in batches:
        for data in decode_batch(batch).entries:
            decode_entry(data)
    decode_s = time.perf_counter() - began_s
    figures = [
        _codec("entries of 10 samples encoded, in batches of 2", len(entries) / encode_s, "1/s"),
        _codec("the same decoded", len(entries) / decode_s, "1/s"),
    ]
    per_batch = round(RATE_HZ * BATCH_S)
    for sensors in (2, 6):
        share = envelope_share(sensors, per_batch)
        figures.append(_codec(f"envelope over packed samples, {sensors} sensors, 10 batches/s", share * 100, "%"))
    figures.append(_codec("the same, 2 sensors, at the gateway's 0.15 s", envelope_share(2, 15) * 100, "%"))
    return figures


def envelope_share(sensors: int, samples: int) -> float:
    """Bytes of a log batch beyond its packed samples, over those samples; one entry per sensor."""
    size_bytes = 0
    offset = 1_000_000
    encoded = [encode_entry(entry) for entry in _evenly_spaced(sensors, samples, ENVELOPE_BATCHES)]
    for first in range(0, len(encoded), sensors):
        size_bytes += len(encode_batch(2**31, offset + first, encoded[first : first + sensors]))
    packed_bytes = ENVELOPE_BATCHES * sensors * samples * BYTES_PER_SAMPLE
    return size_bytes / packed_bytes - 1.0


def patient_log(entry_s: float = BLOCK_S) -> list[LogEntry]:
    """Log of one simulated patient: session, calibration, squats, bending forward and back, walking."""
    patient = draw_patient(np.random.default_rng(1))
    timeline = patient.timeline
    commands: list[tuple[float, Command]] = [(0.0, StartSession(session_id=_SESSION, sensors=_worn(patient)))]
    ready_s = timeline.settle("squat", not_before_s=5.0)
    calibration = timeline.append("calibration", not_before_s=ready_s)
    commands.append((calibration.start_s, Calibrate(session_id=_SESSION)))
    for exercise, reps in (("squat", 8), ("standing_flexion_extension", 5), ("walking", 1)):
        done = timeline.append(exercise, reps=reps, duration_s=20.0)
        commands.append((done.start_s, StartExercise(session_id=_SESSION, exercise=exercise)))
        commands.append((done.end_s, EndSet(session_id=_SESSION)))
    return _entries(patient, commands, timeline.end_s + 1.0, entry_s)


def _entries(
    patient: SimulatedPatient, commands: Sequence[tuple[float, Command]], end_s: float, entry_s: float
) -> list[LogEntry]:
    entries: list[LogEntry] = []
    for slot, (placement, source) in enumerate(patient.sources.items()):
        scale = count_scale(source.acc_range_g, source.gyr_range_dps)
        entries.append(
            StreamOpened(
                stream=slot,
                t_ns=_EPOCH_US * 1000,
                sensor_id=placement.value,
                boot_id=1,
                period_ns=source.period_us * 1000,
                acc_scale=float(scale[0]),
                gyr_scale=float(scale[3]),
                clock=ClockQuality.DEVICE,
                driver="bench/1",
            )
        )
    waiting = list(commands)
    for number in range(round(end_s / entry_s)):
        t_s = number * entry_s
        while waiting and waiting[0][0] <= t_s:
            entries.append(_control(len(commands) - len(waiting), *waiting.pop(0)))
        for slot, source in enumerate(patient.sources.values()):
            entries += [
                Samples(
                    stream=slot,
                    tick=run.tick_us % 2**32,
                    t0_us=_EPOCH_US + round(run.t_s * 1e6),
                    t0_uncertainty_us=500,
                    packed=run.counts.astype("<i2").tobytes(),
                )
                for run in source.runs(t_s, t_s + entry_s)
            ]
    return entries


def _control(number: int, t_s: float, command: Command) -> Control:
    return Control(
        t_ns=_EPOCH_US * 1000 + round(t_s * 1e9), event_id=f"00000000-0000-4000-8000-{number:012d}", command=command
    )


def _worn(patient: SimulatedPatient) -> tuple[SensorPlacement, ...]:
    return tuple(
        SensorPlacement(sensor_id=placement.value, placement=Placement(placement)) for placement in patient.sources
    )


def _evenly_spaced(sensors: int, samples: int, batches: int) -> Iterator[Samples]:
    """Entries as a gateway makes them: one per sensor and batch, full of bytes that do not compress."""
    noise = np.random.default_rng(7).bytes(BYTES_PER_SAMPLE * samples)
    for batch in range(batches):
        for slot in range(sensors):
            t_us = batch * samples * 1_000_000 // RATE_HZ
            yield Samples(stream=slot, tick=t_us % 2**32, t0_us=_EPOCH_US + t_us, t0_uncertainty_us=500, packed=noise)


def _signal(name: str, value: float, unit: str) -> Figure:
    return Figure(part="signal path", name=name, value=value, unit=unit)


def _codec(name: str, value: float, unit: str) -> Figure:
    return Figure(part="log codec", name=name, value=value, unit=unit)
