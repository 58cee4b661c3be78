"""What the end-to-end tests share: a demo of real processes, and what is true of every run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from processing.analyzer.log import LogAnalyzer
from processing.domain.entries import NumberedEntry
from processing.domain.findings import Finding
from processing.wire.log_file import read_log_file
from processing.wire.messages import encode_finding
from service.cli.demo.report import compare
from service.cli.demo.run import DemoOptions, DemoResult, RunningDemo
from service.cli.demo.system import GATEWAY_ID

ROM_TOLERANCE_DEG = 2.0


def options(**changes: object) -> DemoOptions:
    """Options of a headless demo on free ports."""
    values: dict[str, object] = {
        "patients": 2,
        "seed": 1,
        "for_s": 60.0,
        "replay": (),
        "directory": None,
        "port": 0,
        "broker": "nats",
        "headless": True,
        "as_json": False,
    }
    return DemoOptions(**(values | changes))  # type: ignore[arg-type]


def assert_truth(result: DemoResult, at_least_sets: int) -> None:
    """Every set that was done is committed with the true count, and ranges of motion are within 2 degrees."""
    rows = compare(result.done, result.findings)

    assert len(rows) >= at_least_sets
    for row in rows:
        assert row.counts_agree, row
        assert bool(row.true_rom_deg) == bool(row.measured_rom_deg), row
        assert (row.rom_error_deg or 0.0) <= ROM_TOLERANCE_DEG, row


async def exported_log(demo: RunningDemo, file: Path) -> list[NumberedEntry]:
    """The gateway's log as ``lumbar export log`` writes it from the database."""
    environment = {**os.environ, "LUMBAR_DATABASE_URL": demo.system.postgres.dsn}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service.cli.main",
        "export",
        "log",
        GATEWAY_ID,
        str(file),
        env=environment,
        stderr=subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return list(read_log_file(await asyncio.to_thread(file.read_bytes)))


def analysed(entries: Sequence[NumberedEntry]) -> list[Finding]:
    """Findings of a log, offline."""
    analyzer = LogAnalyzer()
    return [finding for entry in entries for finding in analyzer.feed(entry)]


async def committed(demo: RunningDemo) -> list[str]:
    """Text of every finding in the database."""
    connection = await asyncpg.connect(demo.system.postgres.dsn)
    try:
        rows = await connection.fetch("SELECT body::text AS body FROM lumbar.finding")
    finally:
        await connection.close()
    return sorted(row["body"] for row in rows)


async def assert_committed_equals_offline(demo: RunningDemo, file: Path) -> None:
    """No offset is missing, no finding missing or double, and every one is what the log gives offline, bit for bit."""
    entries = await exported_log(demo, file)
    offline = sorted(encode_finding(finding).decode() for finding in analysed(entries))

    assert [entry.offset for entry in entries] == list(range(1, len(entries) + 1))
    assert await committed(demo) == offline


def kill(pid: int | None) -> None:
    """SIGKILL."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def appended(gateway_log: Path) -> int:
    """Last offset that the gateway has brought to disk, read from beside; the entry itself may be forgotten already."""
    uri = f"file:{gateway_log}?mode=ro"
    # closed at once: the next gateway must find the file free
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        return int(connection.execute("SELECT value FROM meta WHERE key = 'next_offset'").fetchone()[0]) - 1
