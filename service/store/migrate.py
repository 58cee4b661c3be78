"""Numbered SQL files, applied in order, each once, each in a transaction of its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TypeAlias

import asyncpg

from service.store.errors import MigrationError

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_LOCK_KEY = 0x6C756D62_6172
"""Advisory lock of migrations: the letters "lumbar"."""

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_FEATURES = "features.sql"

_PREPARE = """
CREATE SCHEMA IF NOT EXISTS lumbar;
CREATE TABLE IF NOT EXISTS lumbar.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""
_APPLIED = "SELECT number, sha256 FROM lumbar.migration"
_RECORD = "INSERT INTO lumbar.migration (number, name, sha256) VALUES ($1, $2, $3)"
_LOCK = "SELECT pg_catalog.pg_advisory_xact_lock($1)"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Checksum that tells a changed file from the applied one."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(files: Mapping[str, str]) -> tuple[Migration, ...]:
    """Migrations from file names and texts, in order.

    Raises:
        MigrationError: a name is not ``0001_what.sql``, or the numbers do not run 1, 2, 3, …
    """
    migrations = []
    for name, sql in sorted(files.items()):
        match = _NAME.fullmatch(name)
        if match is None:
            raise MigrationError(f"migration file {name!r} is not named like 0001_what.sql")
        migrations.append(Migration(int(match.group(1)), name, sql))
    if [migration.number for migration in migrations] != list(range(1, len(migrations) + 1)):
        raise MigrationError(f"migrations must be numbered 1, 2, 3, … without gaps: {[m.name for m in migrations]}")
    return tuple(migrations)


def pending(migrations: Iterable[Migration], applied: Mapping[int, str]) -> tuple[Migration, ...]:
    """Migrations still to be applied, given number -> checksum of those that were.

    Raises:
        MigrationError: an applied file was changed, or the database is newer than this release.
    """
    known = {migration.number: migration for migration in migrations}
    newer = sorted(set(applied) - set(known))
    if newer:
        raise MigrationError(f"the database has migrations {newer} that this release does not know: update lumbar")
    for number, checksum in applied.items():
        if known[number].sha256 != checksum:
            raise MigrationError(
                f"{known[number].name} was changed after it was applied here; restore it and add a new file instead"
            )
    return tuple(known[number] for number in sorted(set(known) - set(applied)))


def packaged_migrations() -> tuple[tuple[Migration, ...], str]:
    """Numbered files of this release, and the text that runs after each migration (``features.sql``)."""
    folder = resources.files("service.store") / "migrations"
    files = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".sql")}
    features = files.pop(_FEATURES)
    return read_migrations(files), features


async def migrate(dsn: str) -> Sequence[str]:
    """Bring a database up to this release; names of the files applied now.

    Several may call it at once: one works, the others wait and find nothing to do.

    Raises:
        MigrationError: see ``pending``.
        asyncpg.PostgresError: the server refuses a statement; that file is rolled back whole.
    """
    migrations, features = packaged_migrations()
    connection = await asyncpg.connect(dsn, timeout=10.0)
    try:
        return await apply(connection, migrations, features)
    finally:
        await connection.close()


async def apply(connection: Connection, migrations: Sequence[Migration], features: str) -> Sequence[str]:
    """Apply what is missing through one connection; names of the files applied now.

    Raises:
        MigrationError: see ``pending``.
    """
    done: list[str] = []
    while True:
        async with connection.transaction():
            await connection.execute(_LOCK, _LOCK_KEY)
            await connection.execute(_PREPARE)
            applied = {row["number"]: row["sha256"] for row in await connection.fetch(_APPLIED)}
            missing = pending(migrations, applied)
            if not missing:
                await connection.execute(features)
                return done
            migration = missing[0]
            await connection.execute(migration.sql)
            await connection.execute(_RECORD, migration.number, migration.name, migration.sha256)
        done.append(migration.name)
