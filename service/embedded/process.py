"""A server of another project as our child: spawn, wait until it answers, stop, and find what a crash left behind."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from processing.domain.errors import LumbarError

_LOG_TAIL_LINES = 15
_MAX_LOG_BYTES = 4_000_000


class EmbeddedServerError(LumbarError):
    """An embedded server that cannot be started or used.

    Attributes:
        server: which one.
        problem: what is wrong and what to do about it.
        log_tail: last lines that the server wrote, may be empty.
    """

    def __init__(self, server: str, problem: str, log_tail: str = "") -> None:
        super().__init__(server, problem, log_tail)
        self.server = server
        self.problem = problem
        self.log_tail = log_tail

    def __str__(self) -> str:
        text = f"embedded {self.server}: {self.problem}"
        return f"{text}\nlast lines of its log:\n{self.log_tail}" if self.log_tail else text


@dataclass(frozen=True, slots=True)
class Owner:
    """Unprivileged account that a server runs as when we are root."""

    uid: int
    gid: int


def free_port() -> int:
    """Port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def require_free(server: str, port: int) -> None:
    """Check that a server will be able to listen; otherwise a stranger would answer in its place.

    Raises:
        EmbeddedServerError: another program listens on the port.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise EmbeddedServerError(server, f"port {port} is in use by another program; choose another") from None


class DirectoryLock:
    """Only one launcher at a time uses a directory; the kernel drops the lock when the launcher dies."""

    def __init__(self, server: str, directory: Path) -> None:
        self._server = server
        self._path = directory / ".lock"
        self._file: IO[bytes] | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            EmbeddedServerError: another process has it.
        """
        file = self._path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise EmbeddedServerError(
                self._server,
                f"{self._path.parent} is in use by another lumbar process; stop that one or choose another directory",
            ) from None
        self._file = file

    def release(self) -> None:
        """Give the lock back; without it, do nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None


class ServerProcess:
    """One run of a server. Bound to no event loop, so that it may be started in one and stopped in another."""

    def __init__(self, server: str, log_path: Path) -> None:
        self._server = server
        self._log_path = log_path
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs, else None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def spawn(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], owner: Owner | None) -> None:
        """Start the program in a session of its own, so that Ctrl-C reaches us and not it."""
        self._trim_log()
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours, never a user's text
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=None if owner is None else owner.uid,
                group=None if owner is None else owner.gid,
                extra_groups=None if owner is None else (),
            )

    async def until_ready(self, answers: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
        """Wait until ``answers()`` is true.

        Raises:
            EmbeddedServerError: the program ended, or does not answer in time; carries the tail of its log.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not await answers():
                    if self._process is not None and self._process.poll() is not None:
                        raise self._error(f"ended with status {self._process.returncode} while starting")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise self._error(f"does not answer after {timeout_s:g} s") from None

    async def stop(self, signals: Iterable[tuple[signal.Signals, float]]) -> None:
        """Send one signal after the other, each with its time to obey in seconds, then SIGKILL."""
        process = self._process
        if process is None:
            return
        for number, patience_s in (*signals, (signal.SIGKILL, 5.0)):
            if process.poll() is None:
                process.send_signal(number)
                await asyncio.to_thread(_wait, process, patience_s)
        process.wait(timeout=5.0)

    def kill(self) -> None:
        """SIGKILL, as a power cut would end it; for tests of recovery."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=5.0)

    def log_tail(self) -> str:
        """Last lines of the log."""
        if not self._log_path.exists():
            return ""
        with self._log_path.open("r", encoding="utf-8", errors="replace") as log:
            return "".join(deque(log, maxlen=_LOG_TAIL_LINES)).rstrip()

    def _error(self, problem: str) -> EmbeddedServerError:
        return EmbeddedServerError(self._server, problem, self.log_tail())

    def _trim_log(self) -> None:
        if self._log_path.exists() and self._log_path.stat().st_size > _MAX_LOG_BYTES:
            self._log_path.write_bytes(b"")


def _wait(process: subprocess.Popen[bytes], patience_s: float) -> None:
    try:
        process.wait(timeout=patience_s)
    except subprocess.TimeoutExpired:
        return


def left_behind(pid_file: Path, sign: str) -> psutil.Process | None:
    """Server that a killed launcher left running: named by its pid file, and ``sign`` stands in its command line.

    A pid file alone proves nothing: the number may belong to someone else by now, or to a zombie.
    """
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        alive = process.status() != psutil.STATUS_ZOMBIE and any(sign in word for word in process.cmdline())
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return process if alive else None


def end_left_behind(process: psutil.Process, first: signal.Signals) -> None:
    """Stop such a server: politely, then by force."""
    for number in (first, signal.SIGKILL):
        try:
            process.send_signal(number)
            process.wait(timeout=5.0)
        except psutil.TimeoutExpired:
            continue
        except psutil.NoSuchProcess:
            return
        return


def write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner may read, never half written."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
