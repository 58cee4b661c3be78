"""The brokers start, survive being killed, and keep gateways apart."""

from __future__ import annotations

import asyncio

import aiomqtt
import pytest

from processing.domain.ids import GatewayId, SubjectId
from processing.wire.topics import GatewayTopic, every_gateway_filter, gateway_topic, live_topic
from service.embedded.access import BrokerUser, gateway_user
from service.embedded.broker import ChildBroker, EmbeddedBroker
from service.embedded.process import EmbeddedServerError

GW1, GW2 = GatewayId("gw1"), GatewayId("gw2")


def client(broker: ChildBroker, user: BrokerUser) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, username=user.name, password=user.password, timeout=5)


async def next_message(mqtt: aiomqtt.Client) -> tuple[str, bytes]:
    async with asyncio.timeout(10):
        message = await anext(mqtt.messages)
    assert isinstance(message.payload, bytes)
    return str(message.topic), message.payload


async def test_a_gateway_cannot_write_another_gateways_topics(
    broker: ChildBroker, broker_users: dict[str, BrokerUser]
) -> None:
    async with client(broker, broker_users["worker"]) as worker, client(broker, broker_users["gw2"]) as thief:
        await worker.subscribe([(every_gateway_filter(topic), 0) for topic in (GatewayTopic.LOG, GatewayTopic.STATE)])
        for forbidden in (
            gateway_topic(GW1, GatewayTopic.LOG),
            gateway_topic(GW1, GatewayTopic.STATE),
            gateway_topic(GW2, GatewayTopic.ACK),
            "lumbar/v1/0/gw2/log",
        ):
            await thief.publish(forbidden, b"forged", qos=1, retain=False)
        own = gateway_topic(GW2, GatewayTopic.LOG)
        await thief.publish(own, b"own", qos=1)
        assert await next_message(worker) == (own, b"own")


async def test_a_gateway_cannot_read_another_gateways_topics(
    broker: ChildBroker, broker_users: dict[str, BrokerUser]
) -> None:
    own = gateway_topic(GW2, GatewayTopic.ACK)
    async with client(broker, broker_users["gw2"]) as thief, client(broker, broker_users["worker"]) as worker:
        for wanted in (gateway_topic(GW1, GatewayTopic.ACK), "lumbar/v1/+/+/ack", "lumbar/v1/live/+", "#", "$MQTT/#"):
            # nats-server refuses, Mosquitto grants and then delivers nothing
            await thief.subscribe(wanted, qos=1)
        await thief.subscribe(own, qos=1)
        await worker.publish(gateway_topic(GW1, GatewayTopic.ACK), b"secret", qos=1)
        await worker.publish(live_topic(SubjectId("p1")), b"secret", qos=1)
        await worker.publish(own, b"own", qos=1)
        assert await next_message(thief) == (own, b"own")


async def test_a_wrong_password_is_refused(broker: ChildBroker) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with client(broker, BrokerUser("gw1", "guess", (), ())):
            pass


async def test_users_are_added_while_connections_stay(broker: ChildBroker, broker_users: dict[str, BrokerUser]) -> None:
    newcomer = gateway_user(GatewayId("gw3"), "gw3-password")
    async with client(broker, broker_users["worker"]) as worker:
        await worker.subscribe(every_gateway_filter(GatewayTopic.LOG))
        broker.set_users([*broker_users.values(), newcomer])
        for _ in range(100):
            if await _try_publish(broker, newcomer, gateway_topic(GatewayId("gw3"), GatewayTopic.LOG)):
                break
            await asyncio.sleep(0.05)
        topic, _ = await next_message(worker)
        assert topic == gateway_topic(GatewayId("gw3"), GatewayTopic.LOG)


async def _try_publish(broker: ChildBroker, user: BrokerUser, topic: str) -> bool:
    try:
        async with client(broker, user) as mqtt:
            await mqtt.publish(topic, b"hello", qos=1)
    except aiomqtt.MqttError:
        return False
    return True


async def test_retained_state_survives_sigkill_of_nats(nats: ChildBroker, broker_users: dict[str, BrokerUser]) -> None:
    topic = gateway_topic(GW1, GatewayTopic.STATE)
    async with client(nats, broker_users["gw1"]) as gateway:
        await gateway.publish(topic, b"born", qos=1, retain=True)
    nats.kill()
    assert nats.pid is None
    await nats.start()
    async with client(nats, broker_users["worker"]) as worker:
        await worker.subscribe(every_gateway_filter(GatewayTopic.STATE))
        assert await next_message(worker) == (topic, b"born")


async def test_a_taken_port_and_a_taken_directory_are_reported(
    nats: ChildBroker, broker_users: dict[str, BrokerUser]
) -> None:
    users = tuple(broker_users.values())
    with pytest.raises(EmbeddedServerError, match=f"port {nats.port} is in use"):
        async with EmbeddedBroker(nats._directory.parent / "other", nats.port, users):
            pass
    with pytest.raises(EmbeddedServerError, match="in use by another lumbar"):
        async with EmbeddedBroker(nats._directory, None, users):
            pass
