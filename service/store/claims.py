"""Who works on which shard: advisory locks of one connection, and an epoch for every claim."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

from processing.worker.ports import StoreUnavailableError
from service.store.errors import outage_as
from service.store.pool import COMMAND_TIMEOUT_S, CONNECT_TIMEOUT_S

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_SHARD_LOCKS = 0x6C756D31
_WORKER_LOCKS = 0x6C756D32
"""First keys of our advisory locks: one lock per shard, and one per living worker (its backend's pid)."""

_ANNOUNCE = "SELECT pg_catalog.pg_advisory_lock($1, pg_catalog.pg_backend_pid())"
_WORKERS = """
SELECT count(*) FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND l.classid = $1::int8::oid AND l.objsubid = 2 AND l.granted
  AND d.datname = pg_catalog.current_database()
"""
_TRY_LOCK = "SELECT pg_catalog.pg_try_advisory_lock($1, $2)"
_UNLOCK = "SELECT pg_catalog.pg_advisory_unlock($1, $2)"

# The clock keeps epochs growing even across a database that was wiped: a gateway ignores lower epochs than it has seen.
_CLAIM = """
INSERT INTO lumbar.shard AS s (shard, epoch, owner) VALUES ($1, extract(epoch FROM now())::bigint, $2)
ON CONFLICT (shard) DO UPDATE
SET epoch = greatest(s.epoch + 1, excluded.epoch), owner = excluded.owner, claimed_at = now()
RETURNING epoch
"""


class PostgresClaims:
    """Claims held by the advisory locks of one connection."""

    def __init__(self, connection: Connection, worker: str) -> None:
        self._connection = connection
        self._worker = worker

    async def workers(self) -> int:
        """See ``ClaimBoard``. Counts the locks that workers hold, so the dead vanish with their connection."""
        with outage_as(StoreUnavailableError):
            count: int = await self._connection.fetchval(_WORKERS, _WORKER_LOCKS)
        return count

    async def claim(self, shard: int) -> int | None:
        """See ``ClaimBoard``."""
        with outage_as(StoreUnavailableError):
            if not await self._connection.fetchval(_TRY_LOCK, _SHARD_LOCKS, shard):
                return None
            epoch: int = await self._connection.fetchval(_CLAIM, shard, self._worker)
        return epoch

    async def release(self, shard: int) -> None:
        """See ``ClaimBoard``."""
        with outage_as(StoreUnavailableError):
            await self._connection.execute(_UNLOCK, _SHARD_LOCKS, shard)


@asynccontextmanager
async def open_claims(dsn: str, worker: str) -> AsyncIterator[PostgresClaims]:
    """Connection that holds claims; the server notices within about 15 s when this machine vanishes from the network.

    Raises:
        StoreUnavailableError: the database does not answer.
    """
    with outage_as(StoreUnavailableError):
        connection = await asyncpg.connect(
            dsn,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={
                "application_name": f"lumbar worker {worker}",
                "tcp_keepalives_idle": "5",
                "tcp_keepalives_interval": "3",
                "tcp_keepalives_count": "3",
            },
        )
    try:
        with outage_as(StoreUnavailableError):
            await connection.execute(_ANNOUNCE, _WORKER_LOCKS)
        yield PostgresClaims(connection, worker)
    finally:
        # terminate, not close: nothing is left to say, and a dead server must not keep us waiting
        connection.terminate()
