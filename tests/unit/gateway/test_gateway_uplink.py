"""The uplink against a broker that is only a script: how it ends, and what it says while nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from gateway.host_clock import HostClock
from gateway.identity import Identity
from gateway.journal import Journal, open_journal
from gateway.metrics import Metrics
from gateway.uplink import Uplink
from processing.domain.commands import Command
from processing.domain.entries import LogEntry, SensorEvent, SensorEventKind
from processing.domain.ids import GatewayId
from processing.wire.broker_address import parse_broker_url
from processing.wire.log import LogBatch, decode_batch, encode_entry
from processing.wire.messages import (
    Ack,
    GatewayConfig,
    GatewayState,
    Message,
    SensorsReport,
    decode_message,
    encode_message,
)
from processing.wire.topics import GatewayTopic, gateway_topic, parse_gateway_topic

GATEWAY = GatewayId("gw")


class NoSensors:
    def __init__(self) -> None:
        self.changed = asyncio.Event()

        self.reopened = 0

    def apply(self, config: GatewayConfig) -> None: ...

    def follow(self, command: Command) -> None: ...

    def reopen(self) -> None:
        self.reopened += 1

    def report(self, now_ns: int) -> SensorsReport:
        return SensorsReport(t_ns=now_ns, sensors=())


class Broker:
    """Stands in for the connection; ``loses`` names the call that swallows a cancellation, or fails with it."""

    def __init__(self) -> None:
        self.states: list[GatewayState] = []
        self.connections = 0
        self.stated = asyncio.Event()
        self.reported = asyncio.Event()
        self.batches: asyncio.Queue[LogBatch] = asyncio.Queue()
        self.incoming: asyncio.Queue[aiomqtt.Message] = asyncio.Queue(10)
        self.fails_when_cancelled = False
        self.loses_cancellation = False

    @asynccontextmanager
    async def connection(self, *_: object) -> AsyncIterator[Any]:
        self.connections += 1
        yield self

    async def subscribe(self, *_: object) -> None: ...

    async def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> None:  # noqa: FBT001, FBT002 - aiomqtt's signature
        kind = parse_gateway_topic(topic).topic
        if kind == "state":
            self.states.append(decode_message(payload, GatewayState))
            self.stated.set()
        if kind == "log":
            self.batches.put_nowait(decode_batch(payload))
        if kind == "sensors":
            self.reported.set()
            if self.loses_cancellation:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    return  # as asyncio.wait_for before Python 3.12 when the answer comes at that moment

    async def state(self) -> GatewayState:
        """The next state that is published."""
        async with asyncio.timeout(10.0):
            self.stated.clear()
            await self.stated.wait()
        return self.states[-1]

    @property
    async def messages(self) -> AsyncIterator[aiomqtt.Message]:
        try:
            while True:
                yield await self.incoming.get()
                self.incoming.task_done()
        except asyncio.CancelledError:
            if self.fails_when_cancelled:
                raise aiomqtt.MqttError("disconnected during message iteration") from None
            raise


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr("gateway.uplink.broker_connection", broker.connection)
    return broker


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Journal]:
    async with open_journal(folder / "log", Metrics(), max_bytes=10**6, flush_s=0.01, max_pending=10) as journal:
        yield journal


def message(kind: GatewayTopic, content: Message) -> aiomqtt.Message:
    return aiomqtt.Message(
        gateway_topic(GATEWAY, kind), encode_message(content), qos=0, retain=False, mid=1, properties=None
    )


def uplink(journal: Journal, sensors: NoSensors | None = None) -> Uplink:
    identity = Identity(GATEWAY, 7, "1")
    return Uplink(
        identity, parse_broker_url("mqtt://127.0.0.1:1"), journal, sensors or NoSensors(), Metrics(), HostClock()
    )


@pytest.mark.parametrize("trouble", ["none", "broker goes away at the same moment", "cancellation gets lost"])
async def test_an_uplink_ends_when_it_is_told_to_whatever_the_broker_does(
    trouble: str, broker: Broker, tmp_path: Path
) -> None:
    broker.fails_when_cancelled = trouble.startswith("broker")
    broker.loses_cancellation = trouble.startswith("cancellation")
    async with opened(tmp_path) as journal:
        running = asyncio.create_task(uplink(journal).run())
        await broker.reported.wait()
        running.cancel()
        done, _ = await asyncio.wait([running], timeout=10.0)
        ended = running in done and running.cancelled()
        while not running.done():
            broker.fails_when_cancelled = broker.loses_cancellation = False
            running.cancel()
            await asyncio.wait([running], timeout=0.1)
    assert ended
    assert broker.connections == 1
    if trouble != "broker goes away at the same moment":
        assert [state.online for state in broker.states] == [True, False]


async def test_the_birth_is_repeated_until_a_worker_answers_it(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.uplink._BIRTH_S", 0.02)
    monkeypatch.setattr("gateway.uplink._TICK_S", 0.01)
    async with opened(tmp_path) as journal, asyncio.TaskGroup() as group:
        running = group.create_task(uplink(journal).run())
        births = [await broker.state() for _ in range(3)]
        assert [state.online for state in births] == [True] * 3
        ack = Ack(log_id=journal.log_id, committed=0, expect=1, epoch=1)
        broker.incoming.put_nowait(message(GatewayTopic.ACK, ack))
        await broker.incoming.join()
        broker.states.clear()
        await asyncio.sleep(0.2)
        assert broker.states == []
        running.cancel()


def event(number: int) -> LogEntry:
    return SensorEvent(stream=0, t_ns=number, event=SensorEventKind.SILENT)


async def fill(journal: Journal, *numbers: int) -> None:
    for number in numbers:
        journal.put(event(number))
    await journal.flush()


async def test_what_a_restored_log_never_sent_gets_offsets_that_the_worker_has_not_seen(
    broker: Broker, tmp_path: Path
) -> None:
    async with opened(tmp_path) as journal:
        await fill(journal, 1, 2)
    async with opened(tmp_path) as journal, asyncio.TaskGroup() as group:
        await fill(journal, 3, 4, 5, 6)
        # The file that was lost went on to offset 4: other entries than these stand there.
        ack = Ack(log_id=journal.log_id, committed=4, expect=5, epoch=1)
        broker.incoming.put_nowait(message(GatewayTopic.ACK, ack))
        running = group.create_task(uplink(journal).run())
        batch = await broker.batches.get()
        running.cancel()
    assert batch.first_offset == 5
    assert batch.entries == tuple(encode_entry(event(number)) for number in (3, 4, 5, 6))


async def test_a_worker_that_wants_forgotten_entries_hears_where_the_log_begins_and_once_what_streams_run(
    broker: Broker, tmp_path: Path
) -> None:
    sensors = NoSensors()
    async with opened(tmp_path) as journal, asyncio.TaskGroup() as group:
        await fill(journal, 1, 2, 3, 4)
        await journal.forget(2)
        running = group.create_task(uplink(journal, sensors).run())
        ack = Ack(log_id=journal.log_id, committed=0, expect=1, epoch=1)
        for _ in range(3):
            broker.incoming.put_nowait(message(GatewayTopic.ACK, ack))
        batch = await broker.batches.get()
        await broker.incoming.join()
        running.cancel()
    assert len(broker.states) >= 3, "birth, where the log begins, last word"
    assert batch.first_offset == broker.states[1].first_offset == 3
    assert sensors.reopened == 1


async def test_an_error_that_is_not_the_brokers_ends_the_uplink(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: NoSensors, _now_ns: int) -> SensorsReport:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(NoSensors, "report", broken)
    async with opened(tmp_path) as journal:
        with pytest.raises(ExceptionGroup) as failed:
            await uplink(journal).run()
    assert failed.group_contains(ValueError, match="mistake")
