"""Child processes that are restarted when they die and end when we end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

import service
from processing.domain.errors import LumbarError

LOG = structlog.get_logger(__name__)

MAX_FAST_DEATHS = 5
"""A child that dies this often within seconds of its start will not be helped by another start."""
FAST_DEATH_S = 5.0
STOP_TIMEOUT_S = 3.0
"""All children are told at once; the whole demo is gone within 5 s."""
LINE_LIMIT = 1 << 20
_OUR_PACKAGES = Path(service.__file__).parents[1]


class ChildError(LumbarError):
    """A child process that does not stay alive."""

    def __init__(self, name: str, log: Path) -> None:
        super().__init__(name, log)
        self.name = name
        self.log = log
        self.log_tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""

    def __str__(self) -> str:
        return f"{self.name} keeps dying; the end of {self.log}:\n{self.log_tail}"


@dataclass
class Child:
    """One lumbar process: ``lumbar <arguments>`` with its own log file."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    restarts: int = 0
    process: asyncio.subprocess.Process | None = None
    lines: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(maxsize=1000))
    """Lines of standard output; the oldest is dropped when nobody reads."""
    dropped_lines: int = 0

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self.process.pid if self.process is not None and self.process.returncode is None else None

    async def run(self) -> None:
        """Keep the process alive until cancelled.

        Raises:
            ChildError: it dies again and again right after its start.
        """
        fast_deaths = 0
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            code = await self._run_once()
            fast_deaths = fast_deaths + 1 if loop.time() - started < FAST_DEATH_S else 0
            if fast_deaths >= MAX_FAST_DEATHS:
                raise ChildError(self.name, self.log)
            self.restarts += 1
            LOG.warning("child_died", child=self.name, code=code, restarts=self.restarts)
            await asyncio.sleep(0.2)

    async def write(self, line: bytes) -> None:
        """Send a line to its standard input; a process that is just being restarted does not get it."""
        if self.process is None or self.process.stdin is None:
            return
        with contextlib.suppress(ConnectionError):
            self.process.stdin.write(line + b"\n")
            await self.process.stdin.drain()

    async def _run_once(self) -> int:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # a folder of the user's may hold a package called service
                "-m",
                "service.cli.main",
                *self.arguments,
                env={**self.environment, "PYTHONPATH": str(_OUR_PACKAGES)},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LINE_LIMIT,
            )
        try:
            await self._read_lines(self.process)
            return await self.process.wait()
        finally:
            await asyncio.shield(_stop(self.process))

    async def _read_lines(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            if self.lines.full():
                self.lines.get_nowait()
                self.dropped_lines += 1
                LOG.warning("child_line_dropped", child=self.name, dropped=self.dropped_lines)
            self.lines.put_nowait(line.rstrip())


async def _stop(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, then SIGKILL for one that does not listen."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def children(*group: Child) -> AsyncIterator[None]:
    """Keep these processes alive for the length of the block."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(child.run(), name=f"child[{child.name}]") for child in group]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
