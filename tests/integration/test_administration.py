"""The administration commands as a user runs them, against a real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from processing.domain.entries import SensorEvent, SensorEventKind
from processing.domain.ids import GatewayId, shard_of
from processing.wire.log import encode_entry
from processing.wire.log_file import read_log_file
from processing.worker.raw_block import pack_entries
from service.store.migrate import packaged_migrations

GATEWAY = GatewayId("gw1")


async def _lumbar(dsn: str, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.cli.main", *arguments),
        env={**os.environ, "LUMBAR_DATABASE_URL": dsn},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def _store(dsn: str, log_id: int, blocks: Sequence[tuple[int, int]]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for first, last in blocks:
            entries = [_entry(offset) for offset in range(first, last + 1)]
            await connection.execute(
                "INSERT INTO lumbar.raw_block (gateway_id, log_id, first_offset, last_offset, entries) "
                "VALUES ($1, $2, $3, $4, $5)",
                *(GATEWAY, log_id, first, last, pack_entries(entries)),
            )
    finally:
        await connection.close()


def _entry(offset: int) -> bytes:
    return encode_entry(SensorEvent(stream=shard_of(GATEWAY), t_ns=offset, event=SensorEventKind.SILENT))


async def test_migrate_says_what_it_applied_and_then_that_nothing_is_left(empty_dsn: str) -> None:
    migrations, _ = packaged_migrations()

    first = await _lumbar(empty_dsn, "db", "migrate")
    second = await _lumbar(empty_dsn, "db", "migrate")

    assert first[:2] == (0, "".join(f"applied {migration.name}\n" for migration in migrations))
    assert second[:2] == (0, "nothing to do: the database is up to date\n")


async def test_a_wrong_password_is_one_line_without_it(dsn: str) -> None:
    parts = urlsplit(dsn)
    wrong = parts._replace(netloc=f"{parts.username}:mistyped@{parts.hostname}:{parts.port}").geturl()

    code, _, err = await _lumbar(wrong, "db", "migrate")

    assert code == 2
    assert err.startswith("lumbar: LUMBAR_DATABASE_URL: ")
    assert err.count("\n") == 1
    assert "mistyped" not in err


async def test_export_writes_the_newest_log_in_offset_order(dsn: str, tmp_path: Path) -> None:
    out = tmp_path / "gw1.log"
    await _store(dsn, 5, [(1, 3)])
    # more blocks than are fetched at once, and one with more entries than a batch may hold
    blocks = [(n * 10 + 1, n * 10 + 10) for n in range(60)] + [(601, 3_000)]
    await _store(dsn, 4, list(reversed(blocks)))

    code, _, err = await _lumbar(dsn, "export", "log", GATEWAY, str(out))

    assert code == 0
    assert "2 logs" in err
    entries = list(read_log_file(out.read_bytes()))
    assert [numbered.offset for numbered in entries] == list(range(1, 3_001))
    assert entries[2_999].entry == SensorEvent(stream=shard_of(GATEWAY), t_ns=3_000, event=SensorEventKind.SILENT)


async def test_export_refuses_a_log_with_a_hole_and_writes_the_part_before_it(dsn: str, tmp_path: Path) -> None:
    out = tmp_path / "gw1.log"
    await _store(dsn, 5, [(1, 3), (7, 9)])

    refused = await _lumbar(dsn, "export", "log", GATEWAY, str(out))
    assert refused[0] == 2
    assert "offsets 4-6" in refused[2]
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - in an async test one call that blocks is as good as another

    allowed = await _lumbar(dsn, "export", "log", GATEWAY, str(out), "--last-offset", "3", "--log-id", "5")
    assert allowed[0] == 0
    assert [numbered.offset for numbered in read_log_file(out.read_bytes())] == [1, 2, 3]


async def test_export_before_migration_says_what_to_do(empty_dsn: str, tmp_path: Path) -> None:
    code, _, err = await _lumbar(empty_dsn, "export", "log", GATEWAY, str(tmp_path / "out"))

    assert code == 2
    assert "lumbar db migrate" in err
