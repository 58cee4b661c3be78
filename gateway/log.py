"""The gateway's durable log: one SQLite file, one row per entry, synchronous commits.

Everything here blocks; ``gateway.journal`` calls it from one thread. What was appended survives a kill
or a power cut (write-ahead log, ``synchronous=FULL``); offsets are never used twice, also when every row was
forgotten before a restart.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from gateway.log_rows import (
    SCHEMA,
    check_pages,
    delete_up_to,
    drop_oldest,
    first_time,
    insert_from,
    put_meta,
    renumber,
    size_of,
)
from gateway.marks import StreamMark, apply_mark, decode_marks, encode_marks
from processing.domain.entries import Control, LogEntry
from processing.domain.errors import LumbarError
from processing.wire.log import encode_entry

_SCHEMA_VERSION = 1
_BUSY_S = 5.0
"""A gateway that was just killed may still hold the file for a moment."""
_SEEN_EVENTS = 10_000
"""Control events remembered: the service repeats one for seconds, and no person issues so many in that time."""
_FULL_PERCENT = 95
"""A log above its bound is cut to this share of it, so that not every commit has to delete."""


class LogError(LumbarError):
    """The log cannot be used; the text says which file and why."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"gateway log {self.path}: {self.problem}"


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Extent of the log: entries ``first_offset`` to ``next_offset - 1`` are there."""

    first_offset: int
    next_offset: int
    size_bytes: int
    dropped_entries: int


class LogFile:
    """The open log. A context manager; not safe for two threads at once.

    Args:
        path: SQLite file; created with its directory.
        max_bytes: bound of the entries' bytes; above it the oldest entries are dropped and counted, except for what the
            others depend on (``Survivors``).

    Raises:
        LogError: on entering, when the file cannot be opened, another process holds it, or it is of a newer version.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._db: sqlite3.Connection | None = None
        self._marks: dict[str, StreamMark] = {}
        self._size_bytes = 0
        self._first_offset = 1
        self._next_offset = 1
        self._dropped = 0
        self.log_id = 0
        self.moved_aside: Path | None = None
        """Where a damaged file was moved when this one was created in its place."""

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LogError(self.path, f"its directory cannot be made ({error})") from error
        try:
            self._open()
        except sqlite3.OperationalError as error:
            self._close()
            raise LogError(self.path, f"{error}; is another gateway running on it?") from error
        except (sqlite3.DatabaseError, msgspec.MsgspecError, KeyError, ValueError):
            self._close()
            self.moved_aside = self._move_aside()
            self._open()
        return self

    def __exit__(self, *_: object) -> None:
        if self._db is not None:
            # A disk that is full keeps its mark of an unclean end: the next start then checks every page.
            with contextlib.suppress(sqlite3.Error), self._transaction() as db:
                put_meta(db, "clean", b"1")
        self._close()

    @property
    def position(self) -> LogPosition:
        """Extent of the log now."""
        return LogPosition(self._first_offset, self._next_offset, self._size_bytes, self._dropped)

    @property
    def marks(self) -> tuple[StreamMark, ...]:
        """How far each sensor's stream is known."""
        return tuple(self._marks.values())

    def append(self, entries: Sequence[LogEntry]) -> LogPosition:
        """Append entries in one transaction; a ``Control`` whose event id is already in the log is left out.

        Raises:
            sqlite3.Error: the disk is full or broken; nothing was appended.
            DecodeError: an entry is outside the limits of the format; nothing was appended.
        """
        marks = dict(self._marks)
        rows: list[bytes] = []
        first, size = self._first_offset, self._size_bytes
        with self._transaction() as db:
            for entry in entries:
                if isinstance(entry, Control) and not first_time(db, entry.event_id):
                    continue
                rows.append(encode_entry(entry))
                apply_mark(marks, entry)
            insert_from(db, self._next_offset, rows)
            db.execute(
                "DELETE FROM control_event WHERE seq <= (SELECT max(seq) FROM control_event) - ?", (_SEEN_EVENTS,)
            )
            put_meta(db, "next_offset", str(self._next_offset + len(rows)).encode())
            if marks != self._marks:
                put_meta(db, "marks", encode_marks(marks.values()))
            size += sum(map(len, rows))
            if size > self._max_bytes:
                # In the same transaction: an entry whose append seems to have failed would be appended again.
                first, freed = drop_oldest(db, size - self._max_bytes * _FULL_PERCENT // 100)
                size -= freed
        self._marks = marks
        self._next_offset += len(rows)
        self._dropped += first - self._first_offset
        self._first_offset, self._size_bytes = first, size
        return self.position

    def read(self, offset: int, max_entries: int, max_bytes: int) -> list[bytes]:
        """Encoded entries from ``offset`` on, at least one if it is there, else at most the given number and size."""
        out: list[bytes] = []
        size = 0
        cursor = self._connection.execute(
            "SELECT log_offset, data FROM entry WHERE log_offset >= ? ORDER BY log_offset LIMIT ?",
            (offset, max_entries),
        )
        with contextlib.closing(cursor):
            for found, data in cursor:
                size += len(data)
                if found != offset + len(out) or (out and size > max_bytes):
                    break
                out.append(data)
        return out

    def forget(self, committed: int) -> LogPosition:
        """Delete entries up to and including ``committed``."""
        last = min(committed, self._next_offset - 1)
        if last >= self._first_offset:
            with self._transaction() as db:
                self._size_bytes -= delete_up_to(db, last)
            self._first_offset = last + 1
        return self.position

    def skip_to(self, offset: int, unsent_from: int) -> LogPosition:
        """Continue at ``offset``, when the receiver already holds entries that this file lost (a restored disk).

        Entries from ``unsent_from`` on are new and get offsets from there on. Those before it the receiver
        has taken, from this file or from the one that it is a copy of.
        """
        unsent_from = max(self._first_offset, min(unsent_from, self._next_offset))
        if offset > unsent_from:
            with self._transaction() as db:
                end = renumber(db, unsent_from, offset)
                put_meta(db, "next_offset", str(end).encode())
                _, size = size_of(db)
            self._first_offset, self._next_offset, self._size_bytes = offset, end, size
        return self.position

    def load_note(self, key: str) -> bytes | None:
        """Value stored beside the log under a name."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (f"note.{key}",)).fetchone()
        return None if row is None else bytes(row[0])

    def save_note(self, key: str, value: bytes) -> None:
        """Store a small value beside the log."""
        with self._transaction() as db:
            put_meta(db, f"note.{key}", value)

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise LogError(self.path, "is not open")
        return self._db

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._connection
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            _roll_back(db)
            raise
        try:
            db.execute("COMMIT")
        except sqlite3.Error:
            _roll_back(db)
            raise

    def _open(self) -> None:
        self._db = db = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        # Exclusive locking keeps a second gateway out and needs no shared memory file.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 16777216")
        db.executescript(SCHEMA)
        meta = dict(db.execute("SELECT key, value FROM meta WHERE key NOT LIKE 'note.%'").fetchall())
        if not meta:
            meta = {
                "schema": str(_SCHEMA_VERSION).encode(),
                "log_id": str(secrets.randbits(32)).encode(),
                "next_offset": b"1",
                "marks": encode_marks([]),
            }
        elif meta.get("clean") != b"1":
            check_pages(db)
        if int(meta["schema"]) != _SCHEMA_VERSION:
            raise LogError(self.path, f"has version {int(meta['schema'])}, this gateway knows {_SCHEMA_VERSION}")
        with self._transaction():
            for key, value in {**meta, "clean": b"0"}.items():
                put_meta(db, key, value)
        self.log_id = int(meta["log_id"])
        self._marks = {mark.sensor_id: mark for mark in decode_marks(meta["marks"])}
        self._next_offset = int(meta["next_offset"])
        first, size = size_of(db)
        self._first_offset = self._next_offset if first is None else first
        self._size_bytes = size

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _move_aside(self) -> Path:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists():
            number += 1
        self.path.rename(aside)
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        return aside


def _roll_back(db: sqlite3.Connection) -> None:
    """Leave no transaction open: SQLite ends it by itself after some errors, and after others it does not."""
    if db.in_transaction:
        db.execute("ROLLBACK")
