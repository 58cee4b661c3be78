"""Going on from what is committed of a log, even where its checkpoint or an entry cannot be used any more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from processing.domain.entries import NumberedEntry
from processing.domain.errors import DecodeError, StateError
from processing.worker.partition import Partition, decode_logged
from processing.worker.ports import Analyzer, LogName, RawBlock, StoredPartition
from processing.worker.raw_block import unpack_entries
from processing.worker.tools import Tools

_log = structlog.get_logger("worker")

MAX_REPLAY_ENTRIES = 500_000
"""About seven hours of two sensors; above that the gateway's own log would overflow before the replay is done."""

MAX_FAILURES = 3
"""Failures at the same entry after which it is passed over."""

_ENTRIES_PER_TURN = 16


async def load_partition(log: LogName, tools: Tools) -> Partition:
    """Partition that goes on after the last checkpoint of a log.

    If the checkpoint cannot be read (another release wrote it), the analyzer is made again from the raw blocks. Where
    these are not complete either, it begins anew: sessions that were open are ended, their sensors say nothing until
    they connect again.
    """
    stored = await tools.persist(lambda: tools.store.load(log))
    try:
        return Partition(log, stored, tools.analyzers)
    except StateError as error:
        unreadable = str(error)
    analyzer = await _replayed(log, stored.committed, tools)
    ended = 0 if analyzer is not None else await tools.persist(lambda: tools.store.end_sessions(log))
    outcome = "begun_anew" if analyzer is None else "replayed"
    tools.metrics.checkpoints_unreadable.labels(outcome).inc()
    _log.error(
        "checkpoint_unreadable",
        gateway=log.gateway_id,
        log_id=log.log_id,
        committed=stored.committed,
        error=unreadable,
        outcome=outcome,
        sessions_ended=ended,
    )
    state = None if analyzer is None else analyzer.state()
    return Partition(log, StoredPartition(stored.committed, state), tools.analyzers)


async def _replayed(log: LogName, committed: int, tools: Tools) -> Analyzer | None:
    """Analyzer after ``committed``, made from the raw blocks; None if that is not possible."""
    kept = await tools.persist(lambda: tools.store.kept(log))
    if kept.entries + kept.lost != committed or kept.entries > MAX_REPLAY_ENTRIES:
        return None
    analyzer = tools.analyzers()
    after = 0
    try:
        while (block := await _block_after(log, after, tools)) is not None:
            await _replay(analyzer, block.first_offset, unpack_entries(block.packed))
            after = block.last_offset
    except Exception:  # noqa: BLE001 - whatever it is about this log, its gateway must go on
        _log.exception("replay_failed", gateway=log.gateway_id, log_id=log.log_id, after=after)
        return None
    return analyzer


async def _block_after(log: LogName, offset: int, tools: Tools) -> RawBlock | None:
    return await tools.persist(lambda: tools.store.block_after(log, offset))


async def _replay(analyzer: Analyzer, first_offset: int, entries: Sequence[bytes]) -> None:
    """Feed what was fed before; its findings are stored already."""
    for offset, data in enumerate(entries, first_offset):
        try:
            entry, _ = decode_logged(data)
        except DecodeError:
            analyzer.pass_over(offset)
        else:
            analyzer.feed(NumberedEntry(offset, entry))
        if offset % _ENTRIES_PER_TURN == 0:
            await asyncio.sleep(0)


class Stumbles:
    """Remembers the entry at which the analyzer failed, and how often it did."""

    def __init__(self) -> None:
        self._at: tuple[LogName, int] | None = None
        self._times = 0

    def note(self, log: LogName, offset: int) -> None:
        """It failed here."""
        self._times = self._times + 1 if self._at == (log, offset) else 1
        self._at = (log, offset)

    def is_hopeless(self, log: LogName, offset: int) -> bool:
        """Tell whether it failed here so often that it will again."""
        return self._at == (log, offset) and self._times >= MAX_FAILURES
