"""One log of one gateway in memory: what was taken since the last checkpoint, and the analyzer behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from processing.domain.commands import StartSession, session_of
from processing.domain.entries import Control, Gap, LogEntry, NumberedEntry, Samples
from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.findings import Finding
from processing.domain.ids import EventId, SessionId
from processing.wire.log import decode_entry
from processing.worker.ports import (
    Analyzer,
    AnalyzerFactory,
    AppliedControl,
    Checkpoint,
    LogName,
    OwnedFinding,
    RawBlock,
    StoredPartition,
)
from processing.worker.raw_block import pack_entries

LATEST_NS = 2**62
"""Times from here on (the year 2116) are refused: they fit neither our messages nor the store."""

_MAX_ENDED = 64
"""Closed sessions remembered: the last findings of a session may be confirmed after it was closed."""


@dataclass(slots=True)
class _Run:
    """Consecutive entries as they came."""

    first_offset: int
    entries: list[bytes] = field(default_factory=list)
    t0_ns: int | None = None
    t1_ns: int | None = None

    def add(self, data: bytes, span_ns: tuple[int, int] | None) -> None:
        self.entries.append(data)
        if span_ns is not None:
            self.t0_ns = span_ns[0] if self.t0_ns is None else min(self.t0_ns, span_ns[0])
            self.t1_ns = span_ns[1] if self.t1_ns is None else max(self.t1_ns, span_ns[1])

    def block(self) -> RawBlock:
        return RawBlock(
            first_offset=self.first_offset,
            last_offset=self.first_offset + len(self.entries) - 1,
            packed=pack_entries(self.entries),
            t0_ns=self.t0_ns,
            t1_ns=self.t1_ns,
        )


class Partition:
    """Feeds a log to its analyzer in order and gathers what the next checkpoint must hold.

    Every method leaves it consistent, so that a checkpoint may be taken between any two calls.

    Attributes:
        expect: next offset to be fed.
        findings: confirmed and not yet stored.
        stored: stored since the last checkpoint, which makes them sure.
        opened: sessions that the log opened, with the command that did; the oldest closed ones are forgotten.
    """

    def __init__(self, log: LogName, stored: StoredPartition, analyzers: AnalyzerFactory) -> None:
        self.log = log
        self.analyzer: Analyzer = analyzers() if stored.state is None else analyzers.from_state(stored.state)
        self.expect = stored.committed + 1
        self.findings: list[Finding] = []
        self.stored: list[OwnedFinding] = []
        self.opened: dict[SessionId, StartSession] = dict(self.analyzer.sessions())
        self._start = stored.committed
        self._runs: list[_Run] = []
        self._losses: list[tuple[int, int]] = []
        self._applied: dict[EventId, AppliedControl] = {}
        self._ended: set[SessionId] = set()
        self._latest_ns = 0
        self._bytes = 0

    @property
    def committed(self) -> int:
        """Offset of the last checkpoint."""
        return self._start

    @property
    def dirty(self) -> bool:
        """Something happened since the last checkpoint."""
        return self.expect > self._start + 1

    @property
    def uncommitted_bytes(self) -> int:
        """Size of the entries since the last checkpoint, before compression."""
        return self._bytes

    @property
    def holds_control(self) -> bool:
        """A command was read since the last checkpoint; somebody waits to see it take effect."""
        return bool(self._applied)

    def feed(self, data: bytes) -> None:
        """Feed the entry at ``expect``; its findings join ``findings``.

        Raises:
            DecodeError: the bytes are no entry. They are kept in the log and passed over.
        """
        offset = self.expect
        try:
            entry, span_ns = decode_logged(data)
        except DecodeError:
            self.pass_over(data)
            raise
        self._keep(data, span_ns)
        self.findings += self.analyzer.feed(NumberedEntry(offset, entry))
        if isinstance(entry, Control):
            event_id = EventId(entry.event_id)
            applied = AppliedControl(event_id, offset, self.analyzer.followed(event_id))
            self._applied.setdefault(event_id, applied)
            if isinstance(entry.command, StartSession):
                self.opened.setdefault(session_of(entry.command), entry.command)

    def pass_over(self, data: bytes) -> None:
        """Keep the entry at ``expect`` in the log, without any effect."""
        self.analyzer.pass_over(self.expect)
        self._keep(data, None)

    def jump(self, first_offset: int) -> int:
        """Pass over entries that the gateway no longer has; returns how many were lost."""
        lost = first_offset - self.expect
        if lost <= 0:
            return 0
        self._losses.append((self.expect, first_offset - 1))
        self.expect = first_offset
        return lost

    def checkpoint(self, epoch: int, findings: Iterable[OwnedFinding]) -> Checkpoint:
        """Everything since the last checkpoint; ``findings`` are those of ``self.findings`` that have an owner."""
        still_open = self.analyzer.sessions()
        return Checkpoint(
            log=self.log,
            epoch=epoch,
            start=self._start,
            committed=self.expect - 1,
            state=self.analyzer.state(),
            blocks=tuple(run.block() for run in self._runs),
            losses=tuple(self._losses),
            findings=(*self.stored, *findings),
            applied=tuple(self._applied.values()),
            ended={
                session_id: self._latest_ns
                for session_id in self.opened
                if session_id not in still_open and session_id not in self._ended
            },
        )

    def advance(self, done: Checkpoint) -> None:
        """Forget what a checkpoint has made durable; nothing was fed since it was taken."""
        self._start = done.committed
        self._runs.clear()
        self._losses.clear()
        self._applied.clear()
        self.findings.clear()
        self.stored.clear()
        self._bytes = 0
        self._ended.update(done.ended)
        surplus = max(0, len(self._ended) - _MAX_ENDED)
        for session_id in [known for known in self.opened if known in self._ended][:surplus]:
            del self.opened[session_id]
            self._ended.remove(session_id)

    def _keep(self, data: bytes, span_ns: tuple[int, int] | None) -> None:
        run = self._runs[-1] if self._runs else None
        if run is None or run.first_offset + len(run.entries) != self.expect:
            run = _Run(self.expect)
            self._runs.append(run)
        run.add(data, span_ns)
        if span_ns is not None:
            self._latest_ns = max(self._latest_ns, span_ns[1])
        self._bytes += len(data)
        self.expect += 1


def increase(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """How much each counter of ``now`` has grown; a smaller one began anew."""
    grown = {
        name: count - before.get(name, 0) if count >= before.get(name, 0) else count for name, count in now.items()
    }
    return {name: count for name, count in grown.items() if count}


def decode_logged(data: bytes) -> tuple[LogEntry, tuple[int, int]]:
    """Entry from its bytes, and the smallest and largest time (ns) that it speaks of.

    Raises:
        DecodeError: the bytes are no entry, or its time is impossible.
    """
    entry = decode_entry(data)
    return entry, _span_of(entry)


def _span_of(entry: LogEntry) -> tuple[int, int]:
    if isinstance(entry, Samples):
        span_ns = (entry.t0_ns, entry.t0_ns)
    elif isinstance(entry, Gap):
        span_ns = (min(entry.t0_ns, entry.t1_ns), max(entry.t0_ns, entry.t1_ns))
    else:
        span_ns = (entry.t_ns, entry.t_ns)
    if span_ns[1] >= LATEST_NS:
        raise DecodeError(DecodeReason.OUT_OF_RANGE, "log entry", f"time {span_ns[1]} ns is beyond the year 2116")
    return span_ns
