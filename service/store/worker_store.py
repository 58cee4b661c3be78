"""The worker's store on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import asyncpg
import msgspec

from processing.domain.commands import SensorPlacement
from processing.domain.findings import kind_of
from processing.domain.ids import GatewayId, SessionId, SubjectId, shard_of
from processing.wire.messages import encode_finding
from processing.worker.ports import (
    Checkpoint,
    CommitOutcome,
    KeptLog,
    LogName,
    OwnedFinding,
    RawBlock,
    SessionRecord,
    StoredPartition,
    StoreUnavailableError,
)
from service.store.claims import PostgresClaims, open_claims
from service.store.errors import outage_as
from service.store.pool import Pool

_PoolConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MEET_GATEWAY = "INSERT INTO lumbar.gateway (gateway_id, shard) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_MEET_LOG = "INSERT INTO lumbar.log_partition (gateway_id, log_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_LOAD = "SELECT committed, checkpoint FROM lumbar.log_partition WHERE gateway_id = $1 AND log_id = $2"

_SESSIONS = """
SELECT session_id, subject_id, gateway_id, sensors, ended_ns FROM lumbar.session WHERE session_id = ANY($1::uuid[])
"""

_ADD_FINDINGS = """
INSERT INTO lumbar.finding
    (finding_id, session_id, subject_id, gateway_id, kind, ordinal, t0, t1, t0_ns, t1_ns, body)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[],
    $7::timestamptz[], $8::timestamptz[], $9::bigint[], $10::bigint[], $11::json[])
ON CONFLICT DO NOTHING
"""

# What a worker without a valid claim stored under one of these ids was not what the log says.
_DROP_DIFFERING = """
DELETE FROM lumbar.finding f USING unnest($1::uuid[], $2::text[]) AS n (finding_id, body)
WHERE f.finding_id = n.finding_id AND f.body::text <> n.body
"""

# FOR SHARE: a claim that would make us stale waits until this transaction is over, or we see it
_EPOCH_NOW = "SELECT epoch FROM lumbar.shard WHERE shard = $1 FOR SHARE"
_ADVANCE = """
UPDATE lumbar.log_partition SET committed = $4, checkpoint = $5, epoch = $6, updated_at = now()
WHERE gateway_id = $1 AND log_id = $2 AND committed = $3
"""
_ADD_BLOCKS = """
INSERT INTO lumbar.raw_block (gateway_id, log_id, first_offset, last_offset, entries, t0, t1)
SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::bytea[], $6::timestamptz[], $7::timestamptz[])
"""
_ADD_LOSSES = """
INSERT INTO lumbar.log_loss (gateway_id, log_id, first_offset, last_offset)
SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[])
"""
_APPLY_CONTROLS = """
UPDATE lumbar.control c SET state = CASE WHEN a.followed THEN 'applied' ELSE 'refused' END,
    applied_log_id = $2, applied_offset = a.applied_offset
FROM unnest($3::uuid[], $4::bigint[], $5::boolean[]) AS a (event_id, applied_offset, followed)
WHERE c.event_id = a.event_id AND c.gateway_id = $1 AND c.applied_offset IS NULL
"""
_END_SESSIONS = """
UPDATE lumbar.session s SET ended_ns = greatest(e.ended_ns, s.started_ns)
FROM unnest($2::uuid[], $3::bigint[]) AS e (session_id, ended_ns)
WHERE s.session_id = e.session_id AND s.gateway_id = $1 AND s.ended_ns IS NULL
"""

# When a log says no more, its sessions ended with its last checkpoint.
_END_OPENED = """
UPDATE lumbar.session s
SET ended_ns = greatest(s.started_ns, (extract(epoch FROM p.updated_at) * 1000000000)::bigint)
FROM lumbar.control c JOIN lumbar.log_partition p ON p.gateway_id = c.gateway_id AND p.log_id = c.applied_log_id
WHERE s.gateway_id = $1 AND s.ended_ns IS NULL AND c.event_id = s.session_id AND (c.applied_log_id = $2) = $3
"""
_KEPT = """
SELECT
    (SELECT coalesce(sum(last_offset - first_offset + 1), 0)::bigint FROM lumbar.raw_block
     WHERE gateway_id = $1 AND log_id = $2) AS entries,
    (SELECT coalesce(sum(last_offset - first_offset + 1), 0)::bigint FROM lumbar.log_loss
     WHERE gateway_id = $1 AND log_id = $2) AS lost
"""
_BLOCK_AFTER = """
SELECT first_offset, last_offset, entries FROM lumbar.raw_block
WHERE gateway_id = $1 AND log_id = $2 AND first_offset > $3 ORDER BY first_offset LIMIT 1
"""

_sensors = msgspec.json.Decoder(tuple[SensorPlacement, ...])


class PostgresWorkerStore:
    """``WorkerStore`` over a pool; claims get a connection of their own to ``dsn``."""

    def __init__(self, pool: Pool, dsn: str) -> None:
        self._pool = pool
        self._dsn = dsn

    def claims(self, worker: str) -> AbstractAsyncContextManager[PostgresClaims]:
        """See ``WorkerStore``."""
        return open_claims(self._dsn, worker)

    async def load(self, log: LogName) -> StoredPartition:
        """See ``WorkerStore``."""
        with outage_as(StoreUnavailableError):
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_MEET_GATEWAY, log.gateway_id, shard_of(log.gateway_id))
                met = await connection.execute(_MEET_LOG, log.gateway_id, log.log_id)
                if met == "INSERT 0 1":
                    await connection.execute(_END_OPENED, log.gateway_id, log.log_id, False)  # noqa: FBT003 - SQL
                row = await connection.fetchrow(_LOAD, log.gateway_id, log.log_id)
        assert row is not None
        return StoredPartition(committed=row["committed"], state=row["checkpoint"])

    async def kept(self, log: LogName) -> KeptLog:
        """See ``WorkerStore``."""
        with outage_as(StoreUnavailableError):
            row = await self._pool.fetchrow(_KEPT, log.gateway_id, log.log_id)
        assert row is not None
        return KeptLog(row["entries"], row["lost"])

    async def block_after(self, log: LogName, offset: int) -> RawBlock | None:
        """See ``WorkerStore``. Without the times, which nobody needs to feed it again."""
        with outage_as(StoreUnavailableError):
            row = await self._pool.fetchrow(_BLOCK_AFTER, log.gateway_id, log.log_id, offset)
        return None if row is None else RawBlock(row["first_offset"], row["last_offset"], row["entries"], None, None)

    async def end_sessions(self, log: LogName) -> int:
        """See ``WorkerStore``."""
        with outage_as(StoreUnavailableError):
            ended = await self._pool.execute(_END_OPENED, log.gateway_id, log.log_id, True)  # noqa: FBT003 - SQL
        return int(ended.rsplit(" ", 1)[1])

    async def sessions(self, session_ids: Collection[SessionId]) -> Mapping[SessionId, SessionRecord]:
        """See ``WorkerStore``."""
        with outage_as(StoreUnavailableError):
            rows = await self._pool.fetch(_SESSIONS, list(session_ids))
        return {
            SessionId(str(row["session_id"])): SessionRecord(
                subject_id=SubjectId(row["subject_id"]),
                gateway_id=GatewayId(row["gateway_id"]),
                sensors=_sensors.decode(row["sensors"]),
                ended_ns=row["ended_ns"],
            )
            for row in rows
        }

    async def add_findings(self, findings: Sequence[OwnedFinding]) -> None:
        """See ``WorkerStore``."""
        with outage_as(StoreUnavailableError):
            async with self._pool.acquire() as connection:
                await _insert_findings(connection, findings)

    async def commit(self, checkpoint: Checkpoint) -> CommitOutcome:
        """See ``WorkerStore``."""
        with outage_as(StoreUnavailableError):
            async with self._pool.acquire() as connection, connection.transaction():
                return await _commit(connection, checkpoint)


async def _commit(connection: _PoolConnection, checkpoint: Checkpoint) -> CommitOutcome:
    """Inside a transaction. Nothing is written before both guards hold, so leaving early leaves nothing behind."""
    log = checkpoint.log
    names = (log.gateway_id, log.log_id)
    if await connection.fetchval(_EPOCH_NOW, shard_of(log.gateway_id)) != checkpoint.epoch:
        return CommitOutcome.FENCED
    status = await connection.execute(
        _ADVANCE, *names, checkpoint.start, checkpoint.committed, checkpoint.state, checkpoint.epoch
    )
    if status != "UPDATE 1":
        return CommitOutcome.OVERTAKEN
    if checkpoint.findings:
        found = [owned.finding for owned in checkpoint.findings]
        bodies = [encode_finding(finding).decode() for finding in found]
        await connection.execute(_DROP_DIFFERING, [finding.finding_id for finding in found], bodies)
    await _insert_findings(connection, checkpoint.findings)
    if checkpoint.blocks:
        columns = zip(
            *((b.first_offset, b.last_offset, b.packed, _time(b.t0_ns), _time(b.t1_ns)) for b in checkpoint.blocks),
            strict=True,
        )
        await connection.execute(_ADD_BLOCKS, *names, *map(list, columns))
    if checkpoint.losses:
        await connection.execute(_ADD_LOSSES, *names, *map(list, zip(*checkpoint.losses, strict=True)))
    if checkpoint.applied:
        columns = zip(*((c.event_id, c.offset, c.followed) for c in checkpoint.applied), strict=True)
        await connection.execute(_APPLY_CONTROLS, *names, *map(list, columns))
    if checkpoint.ended:
        await connection.execute(
            _END_SESSIONS, log.gateway_id, list(checkpoint.ended.keys()), list(checkpoint.ended.values())
        )
    return CommitOutcome.DONE


async def _insert_findings(connection: _PoolConnection, findings: Sequence[OwnedFinding]) -> None:
    if not findings:
        return
    rows = (
        (
            owned.finding.finding_id,
            owned.finding.session_id,
            owned.subject_id,
            owned.gateway_id,
            kind_of(owned.finding),
            owned.finding.ordinal,
            _time(owned.finding.t0_ns),
            _time(owned.finding.t1_ns),
            owned.finding.t0_ns,
            owned.finding.t1_ns,
            encode_finding(owned.finding).decode(),
        )
        for owned in findings
    )
    await connection.execute(_ADD_FINDINGS, *map(list, zip(*rows, strict=True)))


def _time(t_ns: int | None) -> datetime | None:
    """Timestamp of PostgreSQL: microseconds; the exact nanoseconds stand in a column of their own."""
    return None if t_ns is None else _EPOCH + timedelta(microseconds=t_ns // 1000)
