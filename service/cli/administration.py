"""``lumbar db migrate`` and ``lumbar export log``."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import asyncpg
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from processing.domain.errors import LumbarError, SettingsError
from processing.domain.ids import GatewayId
from processing.wire.log import LogBatch, decode_batch, encode_batch
from processing.wire.log_file import MAGIC, log_file_part
from service.store.errors import OUTAGE, MigrationError
from service.store.gateway_logs import LogExtent, log_batches, logs_of
from service.store.migrate import migrate
from service.store.pool import open_pool

_WRITTEN_LIKE = "postgresql://user:password@host:5432/database"
_REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
"""The server is there and turns us away: wrong user, password or database name."""

Say = Callable[[str], None]
Write = Callable[[bytes], None]


class ExportError(LumbarError):
    """A log that cannot be written as asked; the text says what to ask for instead."""


class DatabaseSettings(BaseSettings):
    """Settings of the commands that only need the database; no default, so that no command works on the wrong one."""

    model_config = SettingsConfigDict(env_prefix="LUMBAR_", extra="ignore", frozen=True)

    database_url: SecretStr | None = None

    @classmethod
    def load(cls) -> Self:
        """Settings of the environment.

        Raises:
            SettingsError: the URL is missing or of another kind. The text never holds the password.
        """
        settings = cls()
        url = settings.dsn
        if not url:
            raise SettingsError(f"LUMBAR_DATABASE_URL is not set: write {_WRITTEN_LIKE}")
        scheme = urlsplit(url).scheme
        if scheme not in {"postgresql", "postgres"}:
            raise SettingsError(f"LUMBAR_DATABASE_URL has the scheme {scheme!r}: write {_WRITTEN_LIKE}")
        return settings

    @property
    def dsn(self) -> str:
        """The address in clear."""
        return "" if self.database_url is None else self.database_url.get_secret_value()


def migrate_database() -> None:
    """Bring the database up to this release and print the files that were applied.

    Raises:
        SettingsError: ``LUMBAR_DATABASE_URL`` is missing or leads nowhere.
        MigrationError: the database is newer than this release, was changed by hand, or refuses a statement.
    """
    dsn = DatabaseSettings.load().dsn
    with _database_trouble():
        applied = asyncio.run(_migrate(dsn))
    for name in applied:
        sys.stdout.write(f"applied {name}\n")
    if not applied:
        sys.stdout.write("nothing to do: the database is up to date\n")


def export_gateway_log(
    gateway_id: str, out: Path, *, log_id: int | None = None, last_offset: int | None = None
) -> None:
    """Write a gateway's log from the database to ``out``; all of it, or nothing if something is wrong.

    The file holds what the worker has committed, from the oldest entry kept up to ``last_offset`` (default: all).
    A log with a hole is refused: what comes after a hole cannot be analysed as it was.

    Raises:
        SettingsError: ``LUMBAR_DATABASE_URL`` is missing or leads nowhere.
        ExportError: no such log, a hole in it, or ``out`` cannot be written.
    """
    dsn = DatabaseSettings.load().dsn
    with _database_trouble(), new_file(out) as write:
        asyncio.run(_export(dsn, GatewayId(gateway_id), write, log_id, last_offset))


@contextmanager
def new_file(out: Path) -> Iterator[Write]:
    """Writer of a file that takes the place of ``out`` when the block ends well, and vanishes when it does not.

    Only its owner may read it: it holds somebody's movements.

    Raises:
        ExportError: there is no such folder, it cannot be written, or the disk is full.
    """
    with _disk_trouble(out):
        descriptor, draft = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:

            def write(data: bytes) -> None:
                with _disk_trouble(out):
                    file.write(data)

            yield write
            with _disk_trouble(out):
                file.flush()
                os.fsync(file.fileno())
                Path(draft).replace(out)
    finally:
        Path(draft).unlink(missing_ok=True)


def choose_log(gateway_id: GatewayId, logs: Sequence[LogExtent], log_id: int | None, say: Say) -> LogExtent:
    """The log with this id, or the newest; ``logs`` are oldest first.

    Raises:
        ExportError: there is none.
    """
    if not logs:
        raise ExportError(f"the database holds no log of a gateway {gateway_id!r}")
    known = ", ".join(f"{log.log_id} (offsets {log.first_offset}-{log.last_offset})" for log in logs)
    if log_id is None:
        if len(logs) > 1:
            say(f"{gateway_id} has {len(logs)} logs, oldest first: {known}; writing the newest, see --log-id")
        return logs[-1]
    for log in logs:
        if log.log_id == log_id:
            return log
    raise ExportError(f"{gateway_id} has no log {log_id}; there is: {known}")


class Continuous:
    """Lets batches through that continue each other, up to ``last_offset``."""

    def __init__(self, expect: int, last_offset: int | None) -> None:
        self.expect = expect
        self._last_offset = last_offset

    @property
    def complete(self) -> bool:
        """Nothing more is wanted."""
        return self._last_offset is not None and self.expect > self._last_offset

    def cut(self, batch: LogBatch) -> LogBatch:
        """The wanted part of the next batch; ask only while not ``complete``.

        Raises:
            ExportError: entries are missing before it.
        """
        if batch.first_offset != self.expect:
            raise ExportError(
                f"offsets {self.expect}-{batch.first_offset - 1} of log {batch.log_id} are missing: the gateway had to "
                "drop them, and later entries cannot be analysed without them; "
                f"write the part before them with --last-offset {self.expect - 1}"
            )
        entries = batch.entries
        if self._last_offset is not None:
            entries = entries[: self._last_offset - batch.first_offset + 1]
        self.expect += len(entries)
        return LogBatch(batch.log_id, batch.first_offset, entries)


async def _migrate(dsn: str) -> Sequence[str]:
    try:
        return await migrate(dsn)
    except (*OUTAGE, *_REFUSED):
        raise
    except asyncpg.PostgresError as error:
        raise MigrationError(f"the database refuses a migration: {error}; that file was rolled back whole") from error


async def _export(dsn: str, gateway_id: GatewayId, write: Write, log_id: int | None, last_offset: int | None) -> None:
    async with open_pool(dsn, max_size=1, application="lumbar export") as pool:
        log = choose_log(gateway_id, await logs_of(pool, gateway_id), log_id, _say)
        if log.first_offset > 1:
            _say(f"entries before offset {log.first_offset} are not in the database; sessions of that time lack them")
        if last_offset is not None and not log.first_offset <= last_offset <= log.last_offset:
            raise ExportError(
                f"--last-offset {last_offset} is not in log {log.log_id}, which holds "
                f"offsets {log.first_offset}-{log.last_offset}"
            )
        written = await write_log(
            log_batches(pool, gateway_id, log.log_id), Continuous(log.first_offset, last_offset), write
        )
        _say(f"wrote offsets {log.first_offset}-{written} of log {log.log_id} of {gateway_id}")


async def write_log(batches: AsyncIterator[bytes], continuous: Continuous, write: Write) -> int:
    """Write the batches, one in memory at a time; the last offset written.

    Raises:
        ExportError: see ``Continuous.cut``.
        DecodeError: a stored batch is damaged.
    """
    write(MAGIC)
    async for data in batches:
        batch = continuous.cut(decode_batch(data))
        write(log_file_part(encode_batch(batch.log_id, batch.first_offset, batch.entries)))
        if continuous.complete:
            break
    return continuous.expect - 1


@contextmanager
def _database_trouble() -> Iterator[None]:
    """Say in one line why the database cannot be used; ``LumbarError`` and mistakes of ours pass."""
    try:
        yield
    except asyncpg.UndefinedTableError as error:
        raise SettingsError("the database is not set up for this release: run `lumbar db migrate`") from error
    except (*OUTAGE, *_REFUSED) as error:
        what = str(error) or type(error).__name__
        raise SettingsError(f"LUMBAR_DATABASE_URL: the database cannot be used: {what}") from error


@contextmanager
def _disk_trouble(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExportError(f"cannot write {out}: {error.strerror}") from error


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
