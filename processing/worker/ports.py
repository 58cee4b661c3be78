"""What the worker needs from a store and from the analyzer, and the values that pass between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from processing.domain.commands import SensorPlacement, StartSession
from processing.domain.entries import NumberedEntry
from processing.domain.errors import LumbarError
from processing.domain.findings import Finding, LiveFrame
from processing.domain.ids import EventId, GatewayId, SessionId, SubjectId


class StoreUnavailableError(LumbarError):
    """The store cannot be reached now; the same call may succeed later."""


@dataclass(frozen=True, slots=True)
class LogName:
    """One log of one gateway: offsets of different logs do not continue each other."""

    gateway_id: GatewayId
    log_id: int


@dataclass(frozen=True, slots=True)
class StoredPartition:
    """What is committed of a log: ``committed`` is 0 and ``state`` None for a log never seen."""

    committed: int
    state: bytes | None


@dataclass(frozen=True, slots=True)
class KeptLog:
    """How much of what was committed of a log the store still holds.

    Attributes:
        entries: entries in raw blocks.
        lost: offsets that the gateway had dropped before they came.
    """

    entries: int
    lost: int


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """Who a session belongs to, the sensors that were paired when it was created, and when it was ended, if it was."""

    subject_id: SubjectId
    gateway_id: GatewayId
    sensors: tuple[SensorPlacement, ...]
    ended_ns: int | None = None


@dataclass(frozen=True, slots=True)
class OwnedFinding:
    """A finding and the person it is about; the person comes from the store, never from a payload."""

    subject_id: SubjectId
    gateway_id: GatewayId
    finding: Finding


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Consecutive entries of a log as they came, packed by ``raw_block.pack_entries``.

    ``t0_ns``, ``t1_ns``: smallest and largest time that an entry speaks of, None if none could be read.
    """

    first_offset: int
    last_offset: int
    packed: bytes
    t0_ns: int | None
    t1_ns: int | None


@dataclass(frozen=True, slots=True)
class AppliedControl:
    """A command that was read in the log, and whether the analyzer could follow it."""

    event_id: EventId
    offset: int
    followed: bool = True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that one transaction makes durable.

    Attributes:
        start: offset that was committed when this stretch of work began; the transaction stands only if it still is.
        epoch: claim of the worker; the transaction stands only if it is the newest.
        committed: last offset that this checkpoint covers.
        state: the analyzer after ``committed``.
        findings: all that were confirmed since ``start``; what is stored differently under their ids is replaced, for
            only this transaction is guarded.
        losses: offsets (first, last) that the gateway had dropped before they came.
        ended: sessions that closed, and the time of the log when they did.
    """

    log: LogName
    epoch: int
    start: int
    committed: int
    state: bytes
    blocks: tuple[RawBlock, ...]
    losses: tuple[tuple[int, int], ...]
    findings: tuple[OwnedFinding, ...]
    applied: tuple[AppliedControl, ...]
    ended: Mapping[SessionId, int]


class CommitOutcome(StrEnum):
    """What became of a checkpoint."""

    DONE = "done"
    OVERTAKEN = "overtaken"
    """Somebody else committed since ``start``: load again."""
    FENCED = "fenced"
    """Another worker has claimed the shard since."""


class ClaimBoard(Protocol):
    """Claims of one worker; they end with the connection that holds them."""

    async def workers(self) -> int:
        """Number of workers alive, this one included.

        Raises:
            StoreUnavailableError: the connection is gone and with it every claim.
        """
        ...

    async def claim(self, shard: int) -> int | None:
        """Epoch of the new claim, None if another worker holds the shard."""
        ...

    async def release(self, shard: int) -> None:
        """Give a shard back."""
        ...


class WorkerStore(Protocol):
    """Durable side of the worker. Every method raises ``StoreUnavailableError`` during an outage."""

    def claims(self, worker: str) -> AbstractAsyncContextManager[ClaimBoard]:
        """Connection of its own that holds the claims of ``worker``."""
        ...

    async def load(self, log: LogName) -> StoredPartition:
        """What is committed of a log.

        A new log becomes known; sessions that an older log of its gateway left open are ended, nothing more will come.
        """
        ...

    async def kept(self, log: LogName) -> KeptLog:
        """How much of a log the raw blocks hold."""
        ...

    async def block_after(self, log: LogName, offset: int) -> RawBlock | None:
        """First raw block that begins after an offset."""
        ...

    async def end_sessions(self, log: LogName) -> int:
        """End the sessions that this log opened and that are open still; how many there were."""
        ...

    async def sessions(self, session_ids: Collection[SessionId]) -> Mapping[SessionId, SessionRecord]:
        """The sessions among these ids that exist."""
        ...

    async def add_findings(self, findings: Sequence[OwnedFinding]) -> None:
        """Insert findings; those that are there already stay as they are."""
        ...

    async def commit(self, checkpoint: Checkpoint) -> CommitOutcome:
        """Store a checkpoint in one transaction, all of it or nothing."""
        ...


class Analyzer(Protocol):
    """The signal core for one gateway log (``processing.analyzer.log.LogAnalyzer``)."""

    def feed(self, numbered: NumberedEntry) -> list[Finding]:
        """Findings confirmed by this entry; a jump of the offset means that entries were lost."""
        ...

    def pass_over(self, offset: int) -> None:
        """There is an entry here that cannot be read: nothing is missing, and it has no effect."""
        ...

    def followed(self, event_id: EventId) -> bool:
        """Whether a command that was just fed could be followed; of one fed twice, whether it could at first."""
        ...

    def live(self) -> list[LiveFrame]:
        """What the screens show now, one frame per open session."""
        ...

    def state(self) -> bytes:
        """State to continue from, bit for bit."""
        ...

    def sessions(self) -> Mapping[SessionId, StartSession]:
        """Open sessions."""
        ...

    def unrouted(self) -> Mapping[str, int]:
        """Samples that belong to no open session, per sensor."""
        ...

    def refused(self) -> Mapping[str, int]:
        """Commands that could not be followed, per reason."""
        ...


class AnalyzerFactory(Protocol):
    """Where analyzers come from; the class ``LogAnalyzer`` itself is one."""

    def __call__(self) -> Analyzer:
        """Analyzer of a new log."""
        ...

    def from_state(self, state: bytes, /) -> Analyzer:
        """Analyzer that continues.

        Raises:
            StateError: another version wrote this state, or it is damaged.
        """
        ...
