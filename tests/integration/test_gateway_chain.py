from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiomqtt
import pytest

from gateway.app import run_gateway
from gateway.link import LinkTimings
from gateway.settings import GatewaySettings
from processing.domain.commands import ControlMessage, EndSession
from processing.domain.entries import Control, Gap, GapReason, LogEntry, SensorEvent, SensorEventKind, StreamOpened
from processing.domain.ids import GatewayId
from processing.domain.samples import Placement
from processing.wire.broker_address import parse_broker_url
from processing.wire.messages import (
    GatewayConfig,
    Message,
    SensorSetting,
    SensorsReport,
    decode_message,
    encode_message,
)
from processing.wire.topics import GatewayTopic, gateway_topic
from service.embedded.access import BrokerUser, gateway_user
from service.embedded.broker import ChildBroker, EmbeddedBroker, MosquittoBroker, find_mosquitto
from tests.integration.gateway_fakes import FakeImu, FakeWorker, fake_backend, running

GATEWAY = GatewayId("gw-test")
FAST = LinkTimings(silent_s=0.5, lost_s=1.2, scan_s=2.0, survey_s=0.3, survey_every_s=0.5, idle_every_s=0.3)
EVERYTHING = BrokerUser("tester", "secret", ("lumbar/v1/+/+/+",), ("lumbar/v1/+/+/+",))


@dataclass
class Site:
    """A broker and what a test needs to talk about it."""

    broker: ChildBroker
    folder: Path

    def settings(self) -> GatewaySettings:
        user = gateway_user(GATEWAY, "gateway-secret")
        return GatewaySettings(
            gateway_id=GATEWAY,
            mqtt_url=self.broker.url(user),
            gateway_log=self.folder / "log.sqlite",
            gateway_flush_s=0.05,
        )

    def connection(self) -> dict[str, Any]:
        address = parse_broker_url(self.broker.url(EVERYTHING))
        return {
            "hostname": address.host,
            "port": address.port,
            "username": address.username,
            "password": address.password,
        }

    def worker(self) -> FakeWorker:
        return FakeWorker(self.connection(), GATEWAY)

    async def publish(self, topic: GatewayTopic, message: Message | bytes, *, retain: bool = False) -> None:
        payload = message if isinstance(message, bytes) else encode_message(message)
        async with aiomqtt.Client(**self.connection()) as client:
            await client.publish(gateway_topic(GATEWAY, topic), payload, qos=1, retain=retain)

    async def configure(self, *imus: FakeImu, version: int = 1) -> None:
        sensors = tuple(SensorSetting(sensor_id=imu.name, placement=Placement.PELVIS) for imu in imus)
        await self.publish(GatewayTopic.CONFIG, GatewayConfig(version=version, sensors=sensors), retain=True)

    async def health(self) -> SensorsReport:
        async with aiomqtt.Client(**self.connection()) as client:
            await client.subscribe(gateway_topic(GATEWAY, GatewayTopic.SENSORS))
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                return decode_message(message.payload, SensorsReport)
        raise AssertionError


@pytest.fixture
async def site(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    kind: type[ChildBroker] = getattr(request, "param", EmbeddedBroker)
    if kind is MosquittoBroker and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed on this machine")
    users = [gateway_user(GATEWAY, "gateway-secret"), EVERYTHING]
    async with kind(tmp_path / "broker", None, users) as broker:
        yield Site(broker, tmp_path)


def without_hole(indices: list[int]) -> bool:
    return indices == list(range(indices[0], indices[0] + len(indices)))


def events(log: list[LogEntry]) -> list[SensorEventKind]:
    """What happened to the sensors, without clock steps: a machine that stalls at the start makes those."""
    kinds = [entry.event for entry in log if isinstance(entry, SensorEvent)]
    return [kind for kind in kinds if kind is not SensorEventKind.CLOCK_STEPPED]


async def test_two_wearables_are_found_read_and_arrive_whole(site: Site) -> None:
    imus, worker = (FakeImu(1), FakeImu(2), FakeImu(3)), site.worker()
    await site.configure(*imus[:2])
    gateway = run_gateway(site.settings(), fake_backend(*imus), timings=FAST)
    async with running(*(imu.run() for imu in imus), worker.run()):
        async with running(gateway):
            await worker.until(lambda: len(worker.indices(1)) >= 200 and len(worker.indices(2)) >= 200)
            report = await site.health()
        await worker.until(lambda: not worker.states[-1].online)
    opened = [entry for entry in worker.log() if isinstance(entry, StreamOpened)]
    assert {entry.sensor_id for entry in opened} == {imus[0].name, imus[1].name}
    assert {entry.stream for entry in opened} == {0, 1}
    assert without_hole(worker.indices(1))
    assert without_hole(worker.indices(2))
    assert imus[2].clients == 0, "an unpaired sensor is never connected"
    shown = {sensor.sensor_id: (sensor.paired, sensor.connected) for sensor in report.sensors}
    assert shown == {imus[0].name: (True, True), imus[1].name: (True, True), imus[2].name: (False, False)}
    assert not any(isinstance(entry, Gap) for entry in worker.log())


@pytest.mark.parametrize("site", [EmbeddedBroker, MosquittoBroker], indirect=True)
async def test_a_killed_broker_costs_no_entry_and_no_order(site: Site) -> None:
    imu, worker = FakeImu(1), site.worker()
    await site.configure(imu)
    async with running(imu.run(), worker.run(), run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
        await worker.until(lambda: len(worker.indices(1)) >= 100)
        site.broker.kill()
        before = len(worker.indices(1))
        await asyncio.sleep(2.0)
        await site.broker.start()
        await worker.until(lambda: len(worker.indices(1)) >= before + 300)
    assert without_hole(worker.indices(1))
    assert not any(isinstance(entry, Gap) for entry in worker.log())


async def test_batches_that_get_lost_are_sent_again_when_the_worker_asks(site: Site) -> None:
    imu, worker = FakeImu(1), site.worker()
    await site.configure(imu)
    async with running(imu.run(), worker.run(), run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
        await worker.until(lambda: len(worker.indices(1)) >= 50)
        worker.deaf = True
        await asyncio.sleep(0.5)
        worker.deaf = False
        await worker.until(lambda: len(worker.indices(1)) >= 300)
    assert worker.holes > 0
    assert without_hole(worker.indices(1))


async def test_entries_are_kept_until_they_are_committed(site: Site) -> None:
    imu, worker = FakeImu(1), site.worker()
    worker.commits = False
    await site.configure(imu)
    async with running(imu.run(), worker.run(), run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
        await worker.until(lambda: len(worker.indices(1)) >= 100)
    first = worker.log()
    # Another worker takes over: nothing was committed, so it gets everything from the start.
    other = site.worker()
    other.epoch = 2
    async with running(imu.run(), other.run(), run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
        await other.until(lambda: len(other.indices(1)) >= len(worker.indices(1)) + 100)
    assert other.log()[: len(first)] == first


async def test_a_lost_and_found_wearable_leaves_a_gap(site: Site) -> None:
    imu, worker = FakeImu(1), site.worker()
    await site.configure(imu)
    async with running(imu.run(), worker.run(), run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
        await worker.until(lambda: len(worker.indices(1)) >= 100)
        imu.in_reach = False
        imu.drop()
        await asyncio.sleep(1.0)
        imu.in_reach = True
        await worker.until(lambda: sum(isinstance(e, StreamOpened) for e in worker.log()) == 2)
        count = len(worker.indices(1))
        await worker.until(lambda: len(worker.indices(1)) >= count + 50)
    log = worker.log()
    (gap,) = (entry for entry in log if isinstance(entry, Gap))
    indices = worker.indices(1)
    missing = indices[-1] - indices[0] + 1 - len(indices)
    assert (gap.reason, gap.lost) == (GapReason.LINK, missing)
    assert missing >= 50
    assert abs((gap.t1_ns - gap.t0_ns) - missing * 10_000_000) < 100_000_000
    assert events(log)[0] is SensorEventKind.DISCONNECTED


async def test_batches_that_the_device_skips_are_a_gap_of_the_device(site: Site) -> None:
    imu, worker = FakeImu(1), site.worker()
    await site.configure(imu)
    async with running(imu.run(), worker.run(), run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
        await worker.until(lambda: len(worker.indices(1)) >= 100)
        imu.skip_batches = 3
        imu.garbage.append(b"\xff\x00")
        await worker.until(lambda: any(isinstance(entry, Gap) for entry in worker.log()))
    (gap,) = (entry for entry in worker.log() if isinstance(entry, Gap))
    assert (gap.reason, gap.lost) == (GapReason.DEVICE, 15)


async def test_a_silent_wearable_is_reported_then_reconnected(site: Site) -> None:
    imu, worker = FakeImu(1), site.worker()
    await site.configure(imu)
    async with running(imu.run(), worker.run(), run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
        await worker.until(lambda: len(worker.indices(1)) >= 50)
        imu.silent = True
        await worker.until(lambda: SensorEventKind.DISCONNECTED in events(worker.log()))
        imu.silent = False
        count = len(worker.indices(1))
        await worker.until(lambda: len(worker.indices(1)) >= count + 50)
    assert events(worker.log())[:2] == [SensorEventKind.SILENT, SensorEventKind.DISCONNECTED]
    assert imu.clients >= 2


async def test_a_rebooted_wearable_gets_a_new_clock_and_says_so(site: Site) -> None:
    imu, worker = FakeImu(1), site.worker()
    await site.configure(imu)
    async with running(imu.run(), worker.run(), run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
        await worker.until(lambda: len(worker.indices(1)) >= 100)
        imu.reboot()
        await worker.until(lambda: any(isinstance(e, StreamOpened) and e.boot_id == 78 for e in worker.log()))
        count = len(worker.indices(1))
        await worker.until(lambda: len(worker.indices(1)) >= count + 50)
    assert events(worker.log())[:2] == [SensorEventKind.DISCONNECTED, SensorEventKind.REBOOTED]
    assert [entry.reason for entry in worker.log() if isinstance(entry, Gap)] == [GapReason.LINK]


async def test_a_command_enters_the_log_once_and_an_expired_one_never(site: Site) -> None:
    imu, worker = FakeImu(1), site.worker()
    await site.configure(imu)
    now_ns = time.time_ns()
    command = EndSession(session_id=str(uuid4()))
    fresh = ControlMessage(event_id=str(uuid4()), issued_ns=now_ns, expires_ns=now_ns + 60 * 10**9, command=command)
    late = ControlMessage(event_id=str(uuid4()), issued_ns=now_ns - 2, expires_ns=now_ns - 1, command=command)
    async with running(imu.run(), worker.run(), run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
        await worker.until(lambda: len(worker.indices(1)) >= 20)
        for message in (fresh, late, b"no command", b"\xc1" * 70_000, fresh):
            await site.publish(GatewayTopic.CONTROL, message)
        await worker.until(lambda: any(isinstance(entry, Control) for entry in worker.log()))
        count = len(worker.indices(1))
        await worker.until(lambda: len(worker.indices(1)) >= count + 50)
    assert [entry.event_id for entry in worker.log() if isinstance(entry, Control)] == [fresh.event_id]
    assert without_hole(worker.indices(1))


async def test_a_new_configuration_is_applied_without_a_restart(site: Site) -> None:
    imus, worker = (FakeImu(1), FakeImu(2)), site.worker()
    await site.configure(imus[0])
    async with running(
        *(imu.run() for imu in imus), worker.run(), run_gateway(site.settings(), fake_backend(*imus), timings=FAST)
    ):
        await worker.until(lambda: len(worker.indices(1)) >= 50)
        await site.configure(imus[1], version=2)
        await worker.until(lambda: len(worker.indices(2)) >= 100)
        stopped = len(worker.indices(1))
        await worker.until(lambda: len(worker.indices(2)) >= 150)
        assert len(worker.indices(1)) == stopped
    opened = [(entry.sensor_id, entry.stream) for entry in worker.log() if isinstance(entry, StreamOpened)]
    assert opened[0] == (imus[0].name, 0)
    assert opened[-1][0] == imus[1].name


async def test_a_restarted_gateway_goes_on_where_its_log_ended_and_shows_the_silence_as_a_gap(site: Site) -> None:
    imu, worker = FakeImu(1), site.worker()
    await site.configure(imu)
    async with running(imu.run(), worker.run()):
        async with running(run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
            await worker.until(lambda: len(worker.indices(1)) >= 100)
        count = len(worker.indices(1))
        await asyncio.sleep(0.5)
        async with running(run_gateway(site.settings(), fake_backend(imu), timings=FAST)):
            await worker.until(lambda: len(worker.indices(1)) >= count + 100)
    (gap,) = (entry for entry in worker.log() if isinstance(entry, Gap))
    assert gap.reason is GapReason.GATEWAY
    assert worker.states[-1].log_id == worker.states[0].log_id
