"""Who may write and read what on the broker, and the configuration text that says so. Pure.

One rule for every broker: a gateway writes and reads only below its own name (architecture.md §5). NATS and Mosquitto
drop a forbidden message without telling the sender; a forbidden subscription is refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from processing.domain.ids import GatewayId, is_name
from processing.wire.topics import GatewayTopic, every_gateway_filter, gateway_topic, live_filter

WORKER = "worker"
SERVICE = "service"
_RESERVED = frozenset({WORKER, SERVICE})

_UP = (GatewayTopic.LOG, GatewayTopic.STATE, GatewayTopic.SENSORS)
_DOWN = (GatewayTopic.ACK, GatewayTopic.CONFIG, GatewayTopic.CONTROL, GatewayTopic.CUE)

_NATS_DELIVERIES = "$MQTT.sub.>"
"""Subjects over which nats-server hands QoS 1 messages to a session; it refuses clients that ask for them by name."""

_PASSWORD_ITERATIONS = 20_000
"""PBKDF2 rounds of a Mosquitto password: our passwords are random tokens, not words, and each round costs start-up."""


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """A user and the MQTT topic filters that it may publish to and subscribe to."""

    name: str
    password: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def gateway_user(gateway_id: GatewayId, password: str) -> BrokerUser:
    """User of one gateway; its name is the gateway id.

    Raises:
        DecodeError: ``gateway_id`` is not a name.
        ValueError: the name belongs to the worker or the service.
    """
    if gateway_id in _RESERVED:
        raise ValueError(f"a gateway cannot be called {gateway_id!r}: that user is ours")
    return BrokerUser(
        name=gateway_id,
        password=password,
        publish=tuple(gateway_topic(gateway_id, topic) for topic in _UP),
        subscribe=tuple(gateway_topic(gateway_id, topic) for topic in _DOWN),
    )


def worker_user(password: str) -> BrokerUser:
    """User of all workers: reads logs, acknowledges them, publishes live findings."""
    return BrokerUser(
        name=WORKER,
        password=password,
        publish=(every_gateway_filter(GatewayTopic.ACK), live_filter()),
        subscribe=(every_gateway_filter(GatewayTopic.LOG), every_gateway_filter(GatewayTopic.STATE)),
    )


def service_user(password: str) -> BrokerUser:
    """User of the service: follows states and live findings, sends settings, commands and cues."""
    down = (GatewayTopic.CONFIG, GatewayTopic.CONTROL, GatewayTopic.CUE)
    up = (GatewayTopic.STATE, GatewayTopic.SENSORS)
    return BrokerUser(
        name=SERVICE,
        password=password,
        publish=tuple(every_gateway_filter(topic) for topic in down),
        subscribe=(*(every_gateway_filter(topic) for topic in up), live_filter()),
    )


def nats_config(*, host: str, port: int, store_dir: str, pid_file: str, users: Sequence[BrokerUser]) -> str:
    """Configuration of nats-server with its MQTT listener.

    The NATS protocol itself listens on a random loopback port: the server insists on it, nobody uses it.
    """
    lines = [
        'server_name: "lumbar"',
        'host: "127.0.0.1"',
        "port: -1",
        f"pid_file: {_quoted(pid_file)}",
        # log batches are at most 256 KiB; what is larger is no lumbar message
        "max_payload: 512KB",
        f"jetstream {{ store_dir: {_quoted(store_dir)}, max_memory_store: 32MB, max_file_store: 1GB }}",
        f"mqtt {{ host: {_quoted(host)}, port: {port} }}",
        nats_authorization(users),
    ]
    return "\n".join(lines) + "\n"


def nats_authorization(users: Sequence[BrokerUser]) -> str:
    """The ``authorization`` block of nats-server: users with their permissions."""
    _check(users)
    return "\n".join(("authorization {", "  users: [", *(_nats_user(user) for user in users), "  ]", "}"))


def nats_subject(topic_filter: str) -> str:
    """NATS subject of an MQTT topic filter; our names hold nothing that would need escaping."""
    return ".".join({"+": "*", "#": ">"}.get(level, level) for level in topic_filter.split("/"))


def mosquitto_config(*, host: str, port: int, password_file: str, acl_file: str, persistence_dir: str) -> str:
    """Configuration of Mosquitto. Retained messages survive a restart; the log needs no durability of the broker."""
    lines = [
        f"listener {port} {host}",
        "allow_anonymous false",
        f"password_file {password_file}",
        f"acl_file {acl_file}",
        "persistence true",
        f"persistence_location {persistence_dir}/",
        "autosave_interval 30",
        "message_size_limit 524288",
        "max_queued_messages 2000",
    ]
    return "\n".join(lines) + "\n"


def mosquitto_acl(users: Sequence[BrokerUser]) -> str:
    """Access list of Mosquitto with the same permissions."""
    _check(users)
    lines: list[str] = []
    for user in users:
        lines += [f"user {user.name}", *(f"topic write {topic}" for topic in user.publish)]
        lines += [*(f"topic read {topic}" for topic in user.subscribe), ""]
    return "\n".join(lines)


def mosquitto_password(user: BrokerUser, salt: bytes) -> str:
    """Line of Mosquitto's password file in its format ``$7$``: PBKDF2-SHA512, 64 bytes."""
    key = hashlib.pbkdf2_hmac("sha512", user.password.encode(), salt, _PASSWORD_ITERATIONS, dklen=64)
    encoded = (base64.b64encode(part).decode() for part in (salt, key))
    return f"{user.name}:$7${_PASSWORD_ITERATIONS}${'$'.join(encoded)}"


def _nats_user(user: BrokerUser) -> str:
    publish = ", ".join(_quoted(nats_subject(topic)) for topic in user.publish)
    subscribe = ", ".join(_quoted(subject) for subject in (*map(nats_subject, user.subscribe), _NATS_DELIVERIES))
    return (
        f"    {{ user: {_quoted(user.name)}, password: {_quoted(user.password)},\n"
        f"      permissions {{ publish: [{publish}], subscribe: [{subscribe}] }} }}"
    )


def _quoted(text: str) -> str:
    return json.dumps(text)


def _check(users: Sequence[BrokerUser]) -> None:
    names = [user.name for user in users]
    if len(set(names)) != len(names) or not all(map(is_name, names)):
        raise ValueError(f"broker users must be unique names (letters, digits, '-', '_'): {names}")
