"""What can go wrong between us and PostgreSQL, and one place that says which errors mean "try again later"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from processing.domain.errors import LumbarError

OUTAGE = (
    OSError,  # TimeoutError is one
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is about to be promoted
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # neither a PostgresError nor an InterfaceError
)
"""Errors of a server or connection that goes away and comes back; anything else is a mistake of ours."""


class MigrationError(LumbarError):
    """A database that cannot be brought to this release; the text says which file and what to do."""


@contextmanager
def outage_as(kind: type[LumbarError]) -> Iterator[None]:
    """Turn an outage of the database into the error that the caller's port names.

    Raises:
        LumbarError: of type ``kind``; the server or the connection is gone.
    """
    try:
        yield
    except OUTAGE as error:
        raise kind(f"{type(error).__name__}: {error}") from error
