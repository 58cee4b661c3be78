"""The demo under the stopwatch: memory, processor time, latency, and recovery of a killed worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from processing.domain.findings import RepCompleted
from processing.domain.ids import SessionId
from service.api.ports import StoreUnavailableError
from service.cli.bench_figures import Figure, quantile
from service.cli.demo.conductor import DoneSet
from service.cli.demo.run import DemoOptions, play, running_demo
from service.cli.demo.system import GATEWAY_ID, DemoSystem
from service.store.gateway_logs import logs_of
from service.store.pool import Pool, open_pool
from service.store.sessions import PostgresSessions

PATIENTS = 3
DEMO = "demo"
"""This process: it conducts the patients as `lumbar demo` does, and keeps the stopwatch."""

SAMPLE_INTERVAL_S = 0.5
LOOK_INTERVAL_S = 0.1
"""Time between two looks into the database; half of it is in every latency."""

KILLS = 3
BEFORE_KILL_S = 6.0
"""The worker works in peace for so long before each kill; a child that dies sooner again and again is given up."""

RECOVERY_TIMEOUT_S = 60.0
PAGE = 500

RepKey = tuple[str, int, str, int]
"""Session, set, channel, number: names a repetition in the truth and among the findings."""


@dataclass
class ProcessUse:
    """What one part of the system took, its own child processes included."""

    peak_rss_bytes: int = 0
    cpu_s: dict[int, float] = field(default_factory=dict)
    """Processor seconds by process id, so that those of a dead process stay counted."""


@dataclass
class Usage:
    """Use of all parts, sampled; ``peak_pss_bytes`` counts pages that processes share once."""

    parts: dict[str, ProcessUse] = field(default_factory=dict)
    peak_rss_bytes: int = 0
    peak_pss_bytes: int | None = None
    watched_s: float = 0.0

    async def watch(self, system: DemoSystem) -> None:
        """Sample until cancelled."""
        began_s = time.monotonic()
        while True:
            self.sample({**system.pids(), DEMO: os.getpid()})
            self.watched_s = time.monotonic() - began_s
            await asyncio.sleep(SAMPLE_INTERVAL_S)

    def sample(self, pids: Mapping[str, int | None]) -> None:
        """Take one sample; a part that is just being restarted is skipped."""
        rss_bytes = pss_bytes = 0
        for name, pid in pids.items():
            use = self.parts.setdefault(name, ProcessUse())
            family = [] if pid is None else _family(pid, alone=name == DEMO)
            rss = 0
            for process in family:
                with contextlib.suppress(psutil.Error):
                    rss += process.memory_info().rss
                    times = process.cpu_times()
                    use.cpu_s[process.pid] = times.user + times.system
                    pss_bytes += getattr(process.memory_full_info(), "pss", 0)
            use.peak_rss_bytes = max(use.peak_rss_bytes, rss)
            rss_bytes += rss
        self.peak_rss_bytes = max(self.peak_rss_bytes, rss_bytes)
        if pss_bytes:
            self.peak_pss_bytes = max(self.peak_pss_bytes or 0, pss_bytes)

    def figures(self) -> list[Figure]:
        """Peak memory and mean processor load, in per cent of one core."""
        figures = []
        for name, use in self.parts.items():
            figures.append(_figure("memory", f"{name}, peak resident", use.peak_rss_bytes / 1e6, "MB"))
        figures.append(_figure("memory", "all together, peak resident", self.peak_rss_bytes / 1e6, "MB"))
        pss_mb = None if self.peak_pss_bytes is None else self.peak_pss_bytes / 1e6
        figures.append(_figure("memory", "the same, shared pages counted once", pss_mb, "MB"))
        for name, use in self.parts.items():
            load = sum(use.cpu_s.values()) / self.watched_s * 100 if self.watched_s else None
            figures.append(_figure("processor", f"{name}, start-up included", load, "% of a core"))
        return figures


@dataclass
class Sightings:
    """When committed repetitions were first seen in the database, UTC ns."""

    seen_ns: dict[RepKey, int] = field(default_factory=dict)
    _cursors: dict[SessionId, str | None] = field(default_factory=dict)

    async def watch(self, pool: Pool) -> None:
        """Look for new findings until cancelled."""
        store = PostgresSessions(pool)
        while True:
            with contextlib.suppress(StoreUnavailableError):
                await self.look(store)
            await asyncio.sleep(LOOK_INTERVAL_S)

    async def look(self, store: PostgresSessions) -> None:
        """Take in what is new in all open sessions."""
        for session in await store.open_sessions():
            self._cursors.setdefault(session.session_id, None)
        for session_id, cursor in self._cursors.items():
            page = await store.findings(session_id, cursor, PAGE)
            now_ns = time.time_ns()
            for finding in page.findings:
                if isinstance(finding, RepCompleted):
                    key = (finding.session_id, finding.set_number, finding.channel.value, finding.number)
                    self.seen_ns.setdefault(key, now_ns)
            self._cursors[session_id] = page.cursor or cursor

    def latencies_s(self, done: Sequence[DoneSet]) -> list[float]:
        """Time from the true end of each repetition to its sight; those never committed are left out."""
        ends_ns = true_ends_ns(done)
        return [(seen_ns - ends_ns[key]) / 1e9 for key, seen_ns in self.seen_ns.items() if key in ends_ns]


def true_ends_ns(done: Sequence[DoneSet]) -> dict[RepKey, int]:
    """End of every true repetition, UTC ns; the n-th set that a session did is its set n."""
    numbers: dict[str, int] = {}
    ends: dict[RepKey, int] = {}
    for item in done:
        number = numbers[item.session_id] = numbers.get(item.session_id, 0) + 1
        for rep in item.truth.reps:
            ends[item.session_id, number, rep.channel, rep.number] = rep.end_ns
    return ends


async def system_figures(seconds: float, directory: Path, say: Callable[[str], None]) -> list[Figure]:
    """Run the demo with three patients for about ``seconds`` of exercise, then kill its worker a few times.

    Args:
        seconds: what the patients are given; sets that do not fit are left out.
        directory: for data and logs.
        say: told what happens now.
    """
    options = DemoOptions(
        patients=PATIENTS,
        seed=1,
        for_s=seconds,
        replay=(),
        directory=directory,
        port=0,
        broker="nats",
        headless=True,
        as_json=False,
    )
    usage, sightings = Usage(), Sightings()
    began_ns = time.time_ns()
    say("starting the demo")
    async with running_demo(options, directory) as demo, open_pool(demo.system.postgres.dsn, max_size=2) as pool:
        up_s = (time.time_ns() - began_ns) / 1e9
        say(f"{PATIENTS} patients exercise for {seconds:g} s")
        async with watching(usage.watch(demo.system), sightings.watch(pool)):
            result = await play(demo, options)
        children = (demo.system.sim, demo.system.gateway, demo.system.worker, demo.system.service)
        restarts = sum(child.restarts for child in children)
        recoveries_s = []
        for number in range(1, KILLS + 1):
            say(f"killing the worker, {number} of {KILLS}")
            recoveries_s.append(await recovery_s(demo.system, pool))
    latencies_s = sightings.latencies_s(result.done)
    true_reps = len(true_ends_ns(result.done))
    first_ns = min(sightings.seen_ns.values(), default=None)
    return [
        _figure("demo", "start until wearables advertise", up_s, "s"),
        _figure("demo", "start until the first repetition is committed", first_ns and (first_ns - began_ns) / 1e9, "s"),
        _figure("demo", "true repetitions", true_reps, ""),
        _figure("demo", "of these committed", len(latencies_s), ""),
        _figure("demo", "unwanted restarts of processes", restarts, ""),
        _figure("latency", "end of a repetition to its row, median", quantile(latencies_s, 0.5), "s"),
        _figure("latency", "end of a repetition to its row, 95 %", quantile(latencies_s, 0.95), "s"),
        *usage.figures(),
        _figure("recovery", "SIGKILL of the worker to the next commit, median", quantile(recoveries_s, 0.5), "s"),
        _figure("recovery", "SIGKILL of the worker to the next commit, longest", max(recoveries_s), "s"),
    ]


async def recovery_s(system: DemoSystem, pool: Pool) -> float:
    """Kill the worker while samples flow; seconds until the next offset of the gateway's log is committed.

    Raises:
        TimeoutError: nothing is committed any more.
    """
    await asyncio.sleep(BEFORE_KILL_S)
    assert system.worker.process is not None
    killed = system.worker.process
    began_s = time.monotonic()
    killed.kill()
    await killed.wait()
    before = await _committed(pool)
    async with asyncio.timeout(RECOVERY_TIMEOUT_S):
        while await _committed(pool) <= before:  # noqa: ASYNC110 - the event is in another process
            await asyncio.sleep(LOOK_INTERVAL_S / 2)
    return time.monotonic() - began_s


@contextlib.asynccontextmanager
async def watching(*watches: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these until the block ends."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(watch, name="bench.watch") for watch in watches]
        try:
            yield
        finally:
            for task in running:
                task.cancel()


async def _committed(pool: Pool) -> int:
    logs = await logs_of(pool, GATEWAY_ID)
    return logs[-1].last_offset if logs else 0


def _family(pid: int, *, alone: bool) -> list[psutil.Process]:
    """A process and, unless ``alone``, all that it started: PostgreSQL is a family."""
    try:
        process = psutil.Process(pid)
        return [process] if alone else [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _figure(part: str, name: str, value: float | None, unit: str) -> Figure:
    return Figure(part=part, name=name, value=value, unit=unit)
