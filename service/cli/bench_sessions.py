"""How many patients one core carries: many sessions at once, from bytes to findings, against VQF alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psutil
from vqf import VQF

from processing.analyzer.log import LogAnalyzer
from processing.domain.commands import StartExercise
from processing.domain.entries import Control, LogEntry, NumberedEntry, Samples, StreamOpened
from processing.dsp.blocks import GRID_S, SampleBlock, block_of
from processing.wire.log import decode_entry, encode_entry
from service.cli.bench_core import BATCH_S, patient_log
from service.cli.bench_figures import Figure

EXERCISE = "standing_flexion_extension"
"""What all sessions do: angles of both segments and of the joint between them, so no cheap case."""

INTO_SET_S = 15.0
"""How far into the set the sessions are when they begin: calibrated, moving, and with all that a set remembers."""

SIZES = {1: 10.0, 100: 3.0, 1_000: 0.5, 5_000: 0.2}
"""Sessions at once, and the seconds of samples that each of them is fed with."""

SHORT = 100
ROUNDS = 3
"""Measurements of up to ``SHORT`` sessions are short: of some rounds the fastest counts."""

CHECKPOINTS = 200
IN_MEMORY = 1_000


@dataclass(frozen=True)
class Midway:
    """A session in the middle of a set.

    Attributes:
        state: of its analyzer.
        offset: of the next entry.
        opened: stream slots.
        coming: samples of both sensors from there on, in turn, coded.
    """

    state: bytes
    offset: int
    opened: dict[int, StreamOpened]
    coming: tuple[bytes, ...]

    def entries(self, seconds: float) -> tuple[bytes, ...]:
        """What comes within a time."""
        return self.coming[: round(2 * seconds / BATCH_S)]

    def analyzers(self, sessions: int) -> list[LogAnalyzer]:
        """As many analyzers that stand there, each with a state of its own."""
        return [LogAnalyzer.from_state(self.state) for _ in range(sessions)]


def core_figures() -> list[Figure]:
    """Memory, checkpoints, and patients per core at several numbers of sessions beside the same for VQF alone.

    Every session is an analyzer of its own with two sensors at 100 Hz that send ten entries a second each. The sessions
    get the same entries, but in turn: what one leaves in the processor's caches does not help it the next time.
    """
    midway = in_the_middle()
    figures = [_core("memory per session", _memory_bytes(midway) / 1e3, "kB"), *_checkpoint_figures(midway)]
    for sessions, seconds in SIZES.items():
        rounds = range(ROUNDS if sessions <= SHORT else 1)
        ours_s = min(_analyze_s(midway, seconds, sessions) for _ in rounds)
        vqf_s = min(_filter_s(midway, seconds, sessions) for _ in rounds)
        figures += [
            _core(f"patients per core, {sessions:,} at once", sessions * seconds / ours_s, ""),
            _core(f"the same if VQF were all, {sessions:,} at once", sessions * seconds / vqf_s, ""),
        ]
    return figures


def whole_patient(entry_s: float, runs: int) -> tuple[float, float]:
    """Length in seconds of one patient's log from calibration to the last set, and the processor time that it takes.

    Args:
        entry_s: length of an entry.
        runs: how often it is analyzed; the fastest counts.
    """
    entries = patient_log(entry_s)
    encoded = [encode_entry(entry) for entry in entries]
    length_s = sum(entry.count for entry in entries if isinstance(entry, Samples)) * GRID_S / 2.0
    return length_s, min(_feed_s([LogAnalyzer()], encoded, 1) for _ in range(runs))


def in_the_middle() -> Midway:
    """A simulated patient in the middle of a set."""
    entries = patient_log(BATCH_S)
    begin = next(at for at, entry in enumerate(entries) if _begins(entry)) + round(2 * INTO_SET_S / BATCH_S)
    analyzer = LogAnalyzer()
    for offset, entry in enumerate(entries[:begin], start=1):
        analyzer.feed(NumberedEntry(offset, entry))
    return Midway(
        state=analyzer.state(),
        offset=begin + 1,
        opened={entry.stream: entry for entry in entries if isinstance(entry, StreamOpened)},
        coming=tuple(encode_entry(entry) for entry in entries[begin:] if isinstance(entry, Samples)),
    )


def _begins(entry: LogEntry) -> bool:
    return (
        isinstance(entry, Control) and isinstance(entry.command, StartExercise) and entry.command.exercise == EXERCISE
    )


def _analyze_s(midway: Midway, seconds: float, sessions: int) -> float:
    return _feed_s(midway.analyzers(sessions), midway.entries(seconds), midway.offset)


def _feed_s(analyzers: Sequence[LogAnalyzer], encoded: Sequence[bytes], first_offset: int) -> float:
    """Processor seconds for decoding and analyzing entries, all analyzers in turn."""
    began_s = time.process_time()
    for offset, data in enumerate(encoded, start=first_offset):
        for analyzer in analyzers:
            analyzer.feed(NumberedEntry(offset, decode_entry(data)))
    return time.process_time() - began_s


def _filter_s(midway: Midway, seconds: float, sessions: int) -> float:
    """Processor seconds for VQF on the same samples, decoded before, one filter per sensor."""
    blocks = [_contiguous(midway, data) for data in midway.entries(seconds)]
    filters = [[VQF(GRID_S) for _ in range(sessions)] for _ in midway.opened]
    began_s = time.process_time()
    for at, block in enumerate(blocks):
        for one in filters[at % len(filters)]:
            one.updateBatch(block.gyr, block.acc)
    return time.process_time() - began_s


def _contiguous(midway: Midway, data: bytes) -> SampleBlock:
    samples = decode_entry(data)
    assert isinstance(samples, Samples)
    block = block_of(samples, midway.opened[samples.stream])
    return SampleBlock(block.sensor_id, block.t_ns, np.ascontiguousarray(block.acc), np.ascontiguousarray(block.gyr))


def _memory_bytes(midway: Midway) -> float:
    """Resident memory that a session adds, with what it keeps while samples come."""
    process = psutil.Process()
    before = process.memory_info().rss
    analyzers = midway.analyzers(IN_MEMORY)
    _feed_s(analyzers, midway.entries(2 * BATCH_S), midway.offset)
    return (process.memory_info().rss - before) / len(analyzers)


def _checkpoint_figures(midway: Midway) -> list[Figure]:
    began_s = time.process_time()
    analyzers = midway.analyzers(CHECKPOINTS)
    restored_s = time.process_time()
    for analyzer in analyzers:
        analyzer.state()
    saved_s = time.process_time()
    return [
        _core("state of a session, size", len(midway.state) / 1e3, "kB"),
        _core("the same, taking it", (saved_s - restored_s) / CHECKPOINTS * 1e6, "µs"),
        _core("the same, going on from it", (restored_s - began_s) / CHECKPOINTS * 1e6, "µs"),
    ]


def _core(name: str, value: float, unit: str) -> Figure:
    return Figure(part="core", name=name, value=value, unit=unit)
