from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from processing.domain.entries import Gap, GapReason, Samples, SensorEvent, SensorEventKind, StreamOpened
from tests.integration.gateway_fakes import FakeImu, running
from tests.integration.test_gateway_chain import GATEWAY, Site, site

__all__ = ["site"]

REPOSITORY = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def gateway_process(site: Site) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = site.settings()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.gateway_process",
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.DEVNULL,
        env=os.environ
        | {
            "LUMBAR_GATEWAY_ID": GATEWAY,
            "LUMBAR_MQTT_URL": settings.mqtt_url,
            "LUMBAR_GATEWAY_LOG": str(settings.gateway_log),
        },
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_signalled_gateway_goes_offline_and_ends_without_an_error(site: Site) -> None:
    worker = site.worker()
    await site.configure(FakeImu(1))
    async with running(worker.run()), gateway_process(site) as process:
        await worker.until(lambda: len(worker.indices(1)) >= 50)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5.0):
            assert await process.wait() == 0
        await worker.until(lambda: not worker.states[-1].online)


async def test_a_killed_gateway_loses_nothing_it_appended_and_shows_its_silence(site: Site) -> None:
    worker = site.worker()
    await site.configure(FakeImu(1))
    async with running(worker.run()):
        async with gateway_process(site) as process:
            await worker.until(lambda: len(worker.indices(1)) >= 100)
            process.kill()
            await process.wait()
            await worker.until(lambda: not worker.states[-1].online)
        async with gateway_process(site):
            await worker.until(lambda: sum(isinstance(entry, StreamOpened) for entry in worker.log()) == 2)
            seen = len(worker.indices(1))
            await worker.until(lambda: len(worker.indices(1)) >= seen + 50)
    log = worker.log()
    second = max(place for place, entry in enumerate(log) if isinstance(entry, StreamOpened))
    before = [entry for entry in log[:second] if isinstance(entry, Samples)]
    end_ns = before[-1].t0_ns + before[-1].count * 10_000_000
    ended = SensorEvent(stream=0, t_ns=end_ns, event=SensorEventKind.DISCONNECTED)
    assert ended in log[:second], "the slot that the kill left open is closed at its last sample"
    (gap,) = (entry for entry in log if isinstance(entry, Gap))
    assert (gap.reason, gap.t0_ns) == (GapReason.GATEWAY, end_ns)
    assert [state.online for state in worker.states][:3] == [True, False, True], "a kill speaks through the last will"
