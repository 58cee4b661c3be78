"""The lifetime that every embedded server has: one launcher per directory, started on entry, stopped on exit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from service.embedded.process import DirectoryLock, ServerProcess


class EmbeddedServer(ABC):
    """A server of another project in a directory that survives restarts; it may be killed and started again."""

    def __init__(self, server: str, directory: Path, log_name: str) -> None:
        self._directory = directory
        self._lock = DirectoryLock(server, directory)
        self._process = ServerProcess(server, directory / log_name)

    @property
    def pid(self) -> int | None:
        """Process id while it runs, else None."""
        return self._process.pid

    async def __aenter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            await self.start()
        except BaseException:
            await self.stop()
            self._lock.release()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        finally:
            self._lock.release()

    @abstractmethod
    async def start(self) -> None:
        """Clear away what a crash left, start, and wait until it answers.

        Raises:
            EmbeddedServerError: with the tail of the server's log.
        """

    @abstractmethod
    async def stop(self) -> None:
        """Stop it; nothing if it does not run."""

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self._process.kill()
