"""A gateway whose machine's clock is set while wearables stream."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import pytest

from gateway.app import run_gateway
from gateway.host_clock import HostClock
from processing.domain.commands import Command, ControlMessage, EndSession, SensorPlacement, StartSession
from processing.domain.entries import Control, Gap, Samples, SensorEvent, SensorEventKind
from processing.domain.samples import Placement
from processing.wire.topics import GatewayTopic
from tests.integration.gateway_fakes import FakeImu, FakeWorker, fake_backend, running
from tests.integration.test_gateway_chain import FAST, Site, site, without_hole

__all__ = ["site"]

HOUR_NS = 3_600_000_000_000
PERIOD_NS = 10_000_000


async def command(site: Site, content: Command) -> None:
    now_ns = time.time_ns()
    message = ControlMessage(event_id=str(uuid4()), issued_ns=now_ns, expires_ns=now_ns + 60 * 10**9, command=content)
    await site.publish(GatewayTopic.CONTROL, message)


def leaps_ns(worker: FakeWorker) -> list[int]:
    """Where samples do not follow those before them, by how much, to the nearest half hour."""
    samples = [entry for entry in worker.log() if isinstance(entry, Samples)]
    ends_ns = [entry.t0_ns + entry.count * PERIOD_NS for entry in samples]
    half_ns = HOUR_NS // 2
    steps = [round((new.t0_ns - end_ns) / half_ns) * half_ns for end_ns, new in zip(ends_ns, samples[1:], strict=False)]
    return [step_ns for step_ns in steps if step_ns]


async def test_a_set_clock_moves_no_sample_of_an_open_session_and_is_told_as_a_step_after_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.host_clock._LINGER_NS", 500_000_000)
    imu, worker, ahead_ns = FakeImu(1), site.worker(), 0
    await site.configure(imu)
    clock = HostClock(wall_ns=lambda: time.time_ns() + ahead_ns)
    session_id = str(uuid4())
    placed = (SensorPlacement(sensor_id=imu.name, placement=Placement.PELVIS),)

    def controls() -> list[Control]:
        return [entry for entry in worker.log() if isinstance(entry, Control)]

    def steps() -> list[SensorEvent]:
        return [
            entry
            for entry in worker.log()
            if isinstance(entry, SensorEvent) and entry.event is SensorEventKind.CLOCK_STEPPED
        ]

    gateway = run_gateway(site.settings(), fake_backend(imu), timings=FAST, clock=clock)
    async with running(imu.run(), worker.run(), gateway):
        await worker.until(lambda: len(worker.indices(1)) >= 50)
        await command(site, StartSession(session_id=session_id, sensors=placed))
        await worker.until(lambda: len(controls()) == 1)
        ahead_ns = -HOUR_NS
        await asyncio.sleep(1.5)
        assert leaps_ns(worker) == []
        await command(site, EndSession(session_id=session_id))
        await worker.until(lambda: len(controls()) == 2)
        assert 0 < controls()[1].t_ns - controls()[0].t_ns < 60 * 10**9
        await worker.until(lambda: len(leaps_ns(worker)) == 1)
        count = len(worker.indices(1))
        await worker.until(lambda: len(worker.indices(1)) >= count + 50)
    assert leaps_ns(worker) == [-HOUR_NS]
    assert without_hole(worker.indices(1))
    assert not any(isinstance(entry, Gap) for entry in worker.log())
    log = worker.log()
    at = log.index(steps()[-1])
    after = next(entry for entry in log[at:] if isinstance(entry, Samples))
    assert after.t0_ns >= steps()[-1].t_ns - 1_000
