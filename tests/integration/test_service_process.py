"""The service against a real broker and a real database, with a scripted gateway and worker."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiomqtt
import httpx
import msgspec
import pytest
from pydantic import SecretStr

from processing.domain.commands import Calibrate, ControlMessage, StartSession
from processing.domain.errors import SettingsError
from processing.domain.findings import LiveFrame
from processing.domain.ids import GatewayId, SubjectId
from processing.wire.messages import GatewayConfig, GatewayState, decode_message, encode_message
from processing.wire.topics import GatewayTopic, gateway_topic, live_topic
from service.app import run_service
from service.embedded.access import BrokerUser
from service.embedded.broker import ChildBroker, EmbeddedBroker
from service.settings import ServiceSettings
from service.store.pool import Pool
from service.store.service_store import PostgresServiceStore

GATEWAY = GatewayId("gw1")
PAIRING = {"sensor_id": "imu-1", "subject_id": "anna-7", "placement": "pelvis", "gateway_id": "gw1"}
BIRTH = encode_message(GatewayState(online=True, boot_id=1, log_id=1, version="test"))


@contextlib.asynccontextmanager
async def service(broker: ChildBroker, user: BrokerUser, pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    settings = ServiceSettings(mqtt_url=SecretStr(broker.url(user)), http_port=0)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run_service(settings, PostgresServiceStore(pool), ready.set_result))
        async with asyncio.timeout(20):
            address = await ready
        async with httpx.AsyncClient(base_url=address, timeout=20) as client:
            try:
                await until(client, "/healthz", lambda answer: answer.status_code == 200)
                yield client
            finally:
                task.cancel()


async def until(client: httpx.AsyncClient, path: str, holds: object) -> httpx.Response:
    """Ask again and again until the answer is as wanted."""
    async with asyncio.timeout(30):
        while True:
            answer = await client.get(path)
            if holds(answer):  # type: ignore[operator]
                return answer
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def mqtt(broker: ChildBroker, user: BrokerUser) -> AsyncIterator[aiomqtt.Client]:
    parts = urlsplit(broker.url(user))
    async with aiomqtt.Client(
        str(parts.hostname), port=parts.port or 1883, username=parts.username, password=parts.password
    ) as client:
        yield client


class Inbox:
    """What a gateway is told."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def open(self) -> None:
        for topic in (GatewayTopic.CONFIG, GatewayTopic.CONTROL):
            await self._client.subscribe(gateway_topic(GATEWAY, topic), qos=1)

    async def next(self, topic: GatewayTopic) -> bytes:
        async with asyncio.timeout(30):
            async for message in self._client.messages:
                if str(message.topic) == gateway_topic(GATEWAY, topic):
                    assert isinstance(message.payload, bytes)
                    return message.payload
        raise AssertionError("the broker went away")


async def test_a_pairing_a_session_and_a_command_reach_the_gateway(
    broker: ChildBroker, broker_users: dict[str, BrokerUser], pool: Pool
) -> None:
    async with service(broker, broker_users["service"], pool) as client, mqtt(broker, broker_users["gw1"]) as gateway:
        inbox = Inbox(gateway)
        await inbox.open()
        await gateway.publish(gateway_topic(GATEWAY, GatewayTopic.STATE), BIRTH, qos=1, retain=True)
        assert (await client.post("/api/v1/pairings", json=PAIRING)).status_code == 201
        config = decode_message(await inbox.next(GatewayTopic.CONFIG), GatewayConfig)
        assert [sensor.sensor_id for sensor in config.sensors] == ["imu-1"]

        await until(client, "/api/v1/subjects/anna-7", lambda answer: answer.json()["gateway_online"] is True)
        session = (await client.post("/api/v1/sessions", json={"subject_id": "anna-7"})).json()
        start = decode_message(await inbox.next(GatewayTopic.CONTROL), ControlMessage)
        assert isinstance(start.command, StartSession)
        assert start.command.session_id == session["session_id"]
        again = decode_message(await inbox.next(GatewayTopic.CONTROL), ControlMessage)
        assert again == start, "the same command comes again until the log has it"

        await pool.execute("UPDATE lumbar.control SET state = 'applied'")
        path = f"/api/v1/sessions/{session['session_id']}/commands"
        assert (await client.post(path, json={"type": "calibrate"})).status_code == 202
        message = decode_message(await inbox.next(GatewayTopic.CONTROL), ControlMessage)
        while message == start:  # one may still have been under way
            message = decode_message(await inbox.next(GatewayTopic.CONTROL), ControlMessage)
        assert message.command == Calibrate(session_id=session["session_id"])


async def test_live_frames_reach_a_screen_and_a_broker_restart_is_survived(
    nats: EmbeddedBroker, broker_users: dict[str, BrokerUser], pool: Pool
) -> None:
    store = PostgresServiceStore(pool)
    async with service(nats, broker_users["service"], pool) as client:
        await client.post("/api/v1/pairings", json=PAIRING)
        session_id = (await client.post("/api/v1/sessions", json={"subject_id": "anna-7"})).json()["session_id"]
        assert (await store.latest_session(SubjectId("anna-7"))) is not None
        await until(client, "/", lambda answer: "anna-7" in answer.text)

        async def frames() -> None:
            async with mqtt(nats, broker_users["worker"]) as worker:
                reps = 0
                while True:
                    reps += 1
                    frame = LiveFrame(
                        session_id=session_id,
                        t_ns=time.time_ns(),
                        exercise="squat",
                        set_number=1,
                        reps={"vertical": reps},
                        lumbar=None,
                        trunk=(1.0, 2.0, 3.0),
                        calibrated=True,
                        sensors={"pelvis": True},
                    )
                    await worker.publish(live_topic(SubjectId("anna-7")), encode_message(frame))
                    await worker.publish(live_topic(SubjectId("anna-7")), b"\xff")
                    await asyncio.sleep(0.1)

        async def some_frames() -> None:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(frames())
                assert [event for event, _ in await seen(client, 3)] == ["frame"] * 3
                task.cancel()

        await some_frames()
        nats.kill()
        await until(client, "/healthz", lambda answer: answer.json()["broker"] is False)
        await nats.start()
        await until(client, "/healthz", lambda answer: answer.json()["ok"] is True)
        await some_frames()
        metrics = (await client.get("/metrics")).text
        assert 'lumbar_service_live_refused_total{reason="malformed"}' in metrics


async def seen(client: httpx.AsyncClient, wanted: int) -> list[tuple[str, dict[str, object]]]:
    """First frames of the live stream."""
    found: list[tuple[str, dict[str, object]]] = []
    name = ""
    async with asyncio.timeout(30), client.stream("GET", "/api/v1/live/anna-7") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: ") and name == "frame":
                found.append((name, msgspec.json.decode(line.removeprefix("data: "))))
            if len(found) == wanted:
                break
    return found


async def test_the_service_stops_although_a_screen_is_open(
    nats: EmbeddedBroker, broker_users: dict[str, BrokerUser], pool: Pool
) -> None:
    async with service(nats, broker_users["service"], pool) as client:
        await client.post("/api/v1/pairings", json=PAIRING)
        stream = client.stream("GET", "/api/v1/live/anna-7")
        answer = await stream.__aenter__()
        lines = answer.aiter_lines()
        assert (await anext(lines)).startswith("retry: ")
    # leaving the block cancelled the service and waited for its end; the stream had to end with it
    await stream.__aexit__(None, None, None)


async def test_a_taken_port_is_a_clear_error(
    nats: EmbeddedBroker, broker_users: dict[str, BrokerUser], pool: Pool
) -> None:
    async with service(nats, broker_users["service"], pool) as client:
        port = client.base_url.port
        assert port is not None
        settings = ServiceSettings(mqtt_url=SecretStr(nats.url(broker_users["service"])), http_port=port)
        with pytest.raises(SettingsError, match="LUMBAR_HTTP_PORT"):
            await run_service(settings, PostgresServiceStore(pool))


async def test_the_service_waits_for_a_broker_and_a_database_that_are_not_there() -> None:
    settings = ServiceSettings(mqtt_url=SecretStr("mqtt://127.0.0.1:1"), http_port=0)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    class NoStore:
        def __getattr__(self, name: str) -> object:
            from service.api.ports import StoreUnavailableError

            async def fail(*_: object) -> object:
                raise StoreUnavailableError("away")

            return fail

    async with asyncio.TaskGroup() as group:
        task = group.create_task(run_service(settings, NoStore(), ready.set_result))  # type: ignore[arg-type]
        async with httpx.AsyncClient(base_url=await ready) as client:
            answer = await client.get("/healthz")
            assert answer.json() == {"ok": False, "broker": False, "store": False}
            page = await client.get("/", headers={"accept": "text/html"})
            assert page.status_code == 503
            assert "The database does not answer" in page.text
        task.cancel()
