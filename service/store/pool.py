"""The pool of database connections that the adapters share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 15.0


@asynccontextmanager
async def open_pool(dsn: str, *, max_size: int = 8, application: str = "lumbar") -> AsyncIterator[Pool]:
    """Pool for the length of the block.

    Opens no connection before the first is needed, so that a process may start while the database is down.
    """
    pool = asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=max_size,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        max_inactive_connection_lifetime=60.0,
        server_settings={"application_name": application},
    )
    async with pool:
        yield pool
