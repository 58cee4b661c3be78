"""Statements on the rows of the gateway's log; each runs in the transaction of its caller."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence

from gateway.survivors import Survivors

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (log_offset INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS control_event (seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


def first_time(db: sqlite3.Connection, event_id: str) -> bool:
    """Remember a control event; False if it was known."""
    return db.execute("INSERT OR IGNORE INTO control_event (event_id) VALUES (?)", (event_id,)).rowcount == 1


def put_meta(db: sqlite3.Connection, key: str, value: bytes) -> None:
    """Store a value under a key."""
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def delete_up_to(db: sqlite3.Connection, last: int) -> int:
    """Delete entries; gives their bytes."""
    where = "FROM entry WHERE log_offset <= ?"
    size: int = db.execute(f"SELECT coalesce(sum(length(data)), 0) {where}", (last,)).fetchone()[0]
    db.execute(f"DELETE {where}", (last,))
    return size


def check_pages(db: sqlite3.Connection) -> None:
    """After a kill: read every page once.

    Raises:
        sqlite3.DatabaseError: the file is damaged.
    """
    answer = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if answer != "ok":
        raise sqlite3.DatabaseError(answer)


def drop_oldest(db: sqlite3.Connection, excess_bytes: int) -> tuple[int, int]:
    """Delete the oldest entries until at least ``excess_bytes`` are free; gives the new first offset and bytes freed.

    What later entries depend on moves to the end of the range that is dropped. There every survivor has an offset
    not below its old one: a receiver that expects an offset in this range has taken all survivors below it.
    """
    survivors = Survivors(commands=True)
    freed = last = 0
    with contextlib.closing(db.execute("SELECT log_offset, data FROM entry ORDER BY log_offset")) as rows:
        for last, data in rows:  # noqa: B007 - the last offset read is used below
            freed += len(data)
            survivors.see(data)
            if freed - survivors.size_bytes >= excess_bytes:
                break
    delete_up_to(db, last)
    first = last + 1 - len(survivors.entries)
    insert_from(db, first, survivors.entries)
    return first, freed - survivors.size_bytes


def renumber(db: sqlite3.Connection, unsent_from: int, offset: int) -> int:
    """Let the log begin at ``offset`` with the entries from ``unsent_from`` on, which were below; gives its end.

    Entries before those go, except for the openings of streams that are still open.
    """
    survivors = Survivors(commands=False)
    with contextlib.closing(
        db.execute("SELECT data FROM entry WHERE log_offset < ? ORDER BY log_offset", (unsent_from,))
    ) as rows:
        for (data,) in rows:
            survivors.see(data)
    delete_up_to(db, unsent_from - 1)
    begin = offset + len(survivors.entries)
    # By way of negative numbers: a row must never meet the number of another one that has not moved yet.
    moved = db.execute("UPDATE entry SET log_offset = -(log_offset + ?)", (begin - unsent_from,)).rowcount
    db.execute("UPDATE entry SET log_offset = -log_offset")
    insert_from(db, offset, survivors.entries)
    return begin + moved


def insert_from(db: sqlite3.Connection, offset: int, entries: Sequence[bytes]) -> None:
    """Insert encoded entries at ``offset`` and after it."""
    db.executemany("INSERT INTO entry (log_offset, data) VALUES (?, ?)", enumerate(entries, start=offset))


def size_of(db: sqlite3.Connection) -> tuple[int | None, int]:
    """First offset, None if there is no entry, and bytes of all entries."""
    first, size = db.execute("SELECT min(log_offset), coalesce(sum(length(data)), 0) FROM entry").fetchone()
    return first, size
