"""The log as the rest of the gateway sees it: put an entry, and soon it is on disk.

One thread owns the SQLite file; one task commits what piled up every ``flush_s`` for all sensors together,
because a synchronous commit costs an SD card tens of milliseconds whether it holds one entry or fifty.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import structlog

from gateway.log import LogError, LogFile, LogPosition
from gateway.marks import StreamMark
from gateway.metrics import Metrics
from gateway.pending import PendingEntries
from processing.domain.entries import LogEntry

_log = structlog.get_logger("gateway.journal")
_T = TypeVar("_T")

_WRITE_PATIENCE_S = 30.0
"""A disk that refuses commits for longer ends the process; its supervisor starts it again."""
_RETRY_S = 1.0


class Journal:
    """Bounded queue, committing task and reading side of one open log; made by ``open_journal``."""

    def __init__(
        self, log: LogFile, thread: ThreadPoolExecutor, metrics: Metrics, *, flush_s: float, max_pending: int
    ) -> None:
        self._log = log
        self._thread = thread
        self._metrics = metrics
        self._flush_s = flush_s
        self._pending = PendingEntries(max_pending)
        self._committing = asyncio.Lock()
        self._filled = asyncio.Event()
        self._position = log.position
        self.opened_at = log.position.next_offset
        """First offset that belongs to this process; those before it an earlier one may have sent."""
        self._refusals = 0
        self.grown = asyncio.Event()
        """Set after each commit; whoever sends the log clears it."""

    @property
    def log_id(self) -> int:
        """Identity of the file that the offsets count in."""
        return self._log.log_id

    @property
    def position(self) -> LogPosition:
        """Extent of what is on disk."""
        return self._position

    @property
    def marks(self) -> tuple[StreamMark, ...]:
        """How far each sensor's stream was on disk when the journal was opened or last flushed."""
        return self._log.marks

    def put(self, entry: LogEntry) -> None:
        """Queue an entry for the next commit.

        Raises:
            BacklogError: the disk has been refusing commits until the queue is full.
        """
        dropped = self._pending.dropped_samples
        self._pending.put(entry)
        self._metrics.dropped_samples.labels("disk").inc(self._pending.dropped_samples - dropped)
        self._filled.set()

    async def run(self) -> None:
        """Commit until cancelled.

        Raises:
            LogError: the disk refused commits for half a minute.
        """
        while True:
            await self._filled.wait()
            await asyncio.sleep(self._flush_s)
            await self._commit_with_patience()

    async def flush(self) -> None:
        """Commit what waits now.

        Raises:
            sqlite3.Error: the disk refused; the entries wait on.
        """
        async with self._committing:
            self._filled.clear()
            entries = self._pending.take()
            if not entries:
                return
            try:
                self._moved_to(await self._call(lambda: self._log.append(entries)))
            except sqlite3.Error:
                self._pending.give_back(entries)
                self._filled.set()
                raise
            self._metrics.appended_entries.inc(len(entries))
            self.grown.set()

    async def close(self) -> None:
        """Commit what waits; if the disk refuses now, say what is lost."""
        try:
            await self.flush()
        except sqlite3.Error as error:
            self._metrics.log_write_errors.inc()
            _log.critical("entries lost at the end", error=str(error), lost=len(self._pending))

    async def read(self, offset: int, max_entries: int, max_bytes: int) -> list[bytes]:
        """Encoded entries from ``offset`` on (``LogFile.read``), none if the disk refuses."""
        return await self._try("read", lambda: self._log.read(offset, max_entries, max_bytes)) or []

    async def forget(self, committed: int) -> None:
        """Delete what was committed by the worker; if the disk refuses it stays until the next time."""
        self._moved_to(await self._try("forget", lambda: self._log.forget(committed)))

    async def skip_to(self, offset: int, unsent_from: int) -> bool:
        """Continue at an offset that the worker already expects (``LogFile.skip_to``); False if the disk refused."""
        position = await self._try("skip", lambda: self._log.skip_to(offset, unsent_from))
        self._moved_to(position)
        return position is not None

    async def load_note(self, key: str) -> bytes | None:
        """Value stored beside the log; None if there is none or the disk refuses."""
        return await self._try("load", lambda: self._log.load_note(key))

    async def save_note(self, key: str, value: bytes) -> None:
        """Store a small value beside the log, if the disk allows."""
        await self._try("save", lambda: self._log.save_note(key, value))

    async def _commit_with_patience(self) -> None:
        deadline_s = asyncio.get_running_loop().time() + _WRITE_PATIENCE_S
        while True:
            try:
                await self.flush()
            except sqlite3.Error as error:
                self._metrics.log_write_errors.inc()
                _log.error("commit refused", error=str(error), pending=len(self._pending))
                if asyncio.get_running_loop().time() > deadline_s:
                    raise LogError(self._log.path, f"no commit for {_WRITE_PATIENCE_S:.0f} s: {error}") from error
                await asyncio.sleep(_RETRY_S)
            else:
                return

    async def _call(self, work: Callable[[], _T]) -> _T:
        """Run on the log's thread; shielded, so that entries once taken from the queue reach the disk."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))

    async def _try(self, name: str, work: Callable[[], _T]) -> _T | None:
        """Result of work that is asked for again sooner or later, None if the disk refused it: that ends nothing.

        A disk that refuses for good refuses commits too, and those end the process.
        """
        try:
            return await self._call(work)
        except sqlite3.Error as error:
            self._metrics.log_errors.labels(name).inc()
            self._refusals += 1
            # The 1st, 2nd, 4th, 8th …: reading is tried twice a second.
            if self._refusals & (self._refusals - 1) == 0:
                _log.error("the log refused", work=name, error=str(error), refusals=self._refusals)
            return None

    def _moved_to(self, position: LogPosition | None) -> None:
        if position is None:
            return
        dropped = position.dropped_entries - self._position.dropped_entries
        if dropped:
            self._metrics.dropped_entries.inc(dropped)
            _log.warning("log full, oldest entries dropped", dropped=dropped, first_offset=position.first_offset)
        self._position = position
        self._metrics.log_entries.set(position.next_offset - position.first_offset)
        self._metrics.log_bytes.set(position.size_bytes)


@asynccontextmanager
async def open_journal(
    path: Path, metrics: Metrics, *, max_bytes: int, flush_s: float, max_pending: int
) -> AsyncIterator[Journal]:
    """Open the log and its thread; what waits when the block ends is committed first.

    Raises:
        LogError: the file cannot be used.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="gateway-log") as thread:
        log = LogFile(path, max_bytes)
        await loop.run_in_executor(thread, log.__enter__)
        try:
            if log.moved_aside is not None:
                metrics.damaged_logs.inc()
                _log.error("log was damaged, started a new one", moved_to=str(log.moved_aside), log_id=log.log_id)
            journal = Journal(log, thread, metrics, flush_s=flush_s, max_pending=max_pending)
            try:
                yield journal
            finally:
                await journal.close()
        finally:
            await loop.run_in_executor(thread, log.__exit__)
