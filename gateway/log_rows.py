"""Statements on the rows of the gateway's log; each runs in the transaction of its caller."""

from __future__ import annotations

import contextlib
import sqlite3

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


def oldest_to_drop(db: sqlite3.Connection, excess_bytes: int) -> int:
    """Offset up to which entries must go so that at least ``excess_bytes`` of them do."""
    last = 0
    with contextlib.closing(db.execute("SELECT log_offset, length(data) FROM entry ORDER BY log_offset")) as rows:
        for last, size in rows:  # noqa: B007 - the last offset read is the result
            excess_bytes -= size
            if excess_bytes <= 0:
                break
    return last
