"""MQTT shell: sends the log, keeps the retained state, takes acknowledgements, configuration and commands."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import aiomqtt
import structlog

from gateway.broker import broker_connection, broker_errors
from gateway.host_clock import HostClock
from gateway.identity import Identity
from gateway.journal import Journal
from gateway.metrics import Metrics
from gateway.window import AckFate, SendWindow
from processing.domain.commands import Command, ControlMessage
from processing.domain.entries import Control
from processing.domain.errors import DecodeError, DecodeReason
from processing.wire.broker_address import BrokerAddress
from processing.wire.log import encode_batch
from processing.wire.messages import (
    Ack,
    Cue,
    GatewayConfig,
    SensorsReport,
    decode_message,
    encode_message,
)
from processing.wire.topics import GatewayTopic, parse_gateway_topic

_log = structlog.get_logger("gateway.uplink")

_RECONNECT_S = (0.2, 5.0)
_STOP_S = 2.0
"""Time for the last word before it is cut short; disconnecting gets as long again."""
_TICK_S = 0.5
"""How often the window looks at the clock while nothing happens."""
_REPORT_S = 5.0
_BIRTH_S = 5.0
"""How often the birth is repeated while no worker has answered it: the one that took it may have failed with it."""
CONFIG_NOTE = "config"
"""Name under which the last configuration is kept beside the log, for a start without a broker."""


class Sensors(Protocol):
    """The radio side as the uplink needs it."""

    changed: asyncio.Event
    """Set when the report changed in more than its numbers."""

    def apply(self, config: GatewayConfig) -> None:
        """Read these sensors from now on."""
        ...

    def reopen(self) -> None:
        """Say in the log again what the running streams are."""
        ...

    def follow(self, command: Command) -> None:
        """A command enters the log."""
        ...

    def report(self, now_ns: int) -> SensorsReport:
        """Health of all sensors."""
        ...


class Uplink:
    """Connection to the broker for as long as ``run`` runs; reconnects by itself."""

    def __init__(
        self,
        identity: Identity,
        broker: BrokerAddress,
        journal: Journal,
        sensors: Sensors,
        metrics: Metrics,
        clock: HostClock,
    ) -> None:
        self._identity = identity
        self._broker = broker
        self._journal = journal
        self._sensors = sensors
        self._metrics = metrics
        self._clock = clock
        self._window = SendWindow(unsent_from=journal.opened_at)
        self._handlers: dict[GatewayTopic, Callable[[bytes], Awaitable[None]]] = {
            GatewayTopic.ACK: self._on_ack,
            GatewayTopic.CONFIG: self._on_config,
            GatewayTopic.CONTROL: self._on_control,
            GatewayTopic.CUE: self._on_cue,
        }
        self._wake = journal.grown
        self._state_due = False
        self._behind = False
        self._born_s = 0.0
        self._stopping = False

    async def run(self) -> None:
        """Stay connected until cancelled; then say that the gateway is offline."""
        shortest_s, longest_s = _RECONNECT_S
        pause_s = shortest_s
        while True:
            began_s = _steady_s()
            errors = broker_errors(await self._one_connection())
            self._metrics.broker_errors.inc()
            _log.warning("no broker connection", broker=repr(self._broker), errors=errors)
            if _steady_s() - began_s > longest_s:
                pause_s = shortest_s
            # S311: jitter needs no cryptography.
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311
            pause_s = min(2 * pause_s, longest_s)

    async def _one_connection(self) -> BaseException | None:
        """Connect and converse until the connection ends; the error that ended it.

        In a task of its own: a task group that fails while it is cancelled raises its error and not the cancellation,
        so a broker that goes away together with us would keep us.
        """
        task = asyncio.get_running_loop().create_task(self._connect(), name="gateway.uplink.connection")
        try:
            await asyncio.wait([task])
        finally:
            self._stopping = not task.done()
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=_STOP_S)
            # Looked at in any case: asyncio complains of an error that nobody has seen.
            error = None if task.cancelled() else task.exception()
        return error

    async def _connect(self) -> None:
        name = f"gateway-{self._identity.gateway_id}"
        async with broker_connection(self._broker, name, self._will(), self._metrics) as client:
            try:
                await self._converse(client)
            except asyncio.CancelledError:
                # A clean disconnect sends no will, so the last word is ours.
                with suppress(aiomqtt.MqttError):
                    await client.publish(*self._birth(online=False), qos=1, retain=True)
                raise

    async def _converse(self, client: aiomqtt.Client) -> None:
        for topic in self._handlers:
            qos = 0 if topic is GatewayTopic.ACK else 1
            await client.subscribe(self._identity.topic(topic), qos)
        self._born_s = _steady_s()
        self._window.connected(self._born_s)
        await self._publish(client, *self._birth(online=True), qos=1, retain=True)
        _log.info("broker connected", broker=repr(self._broker))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._receive(client), name="gateway.uplink.receive")
            group.create_task(self._send(client), name="gateway.uplink.send")
            group.create_task(self._report(client), name="gateway.uplink.report")

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            try:
                await self._take(message)
            except DecodeError as error:
                self._metrics.refused_messages.labels(error.reason).inc()
                _log.warning("message refused", topic=message.topic.value[:120], error=str(error))

    async def _take(self, message: aiomqtt.Message) -> None:
        address = parse_gateway_topic(message.topic.value)
        handler = self._handlers.get(address.topic)
        if handler is None or address.gateway_id != self._identity.gateway_id:
            raise DecodeError(DecodeReason.UNKNOWN_TOPIC, "topic", message.topic.value[:120])
        if not isinstance(message.payload, bytes):
            raise DecodeError(DecodeReason.MALFORMED, "payload", type(message.payload).__name__)
        await handler(message.payload)

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            self._wake.clear()
            if self._window.on_time(_steady_s()):
                self._metrics.rewinds.labels("timeout").inc()
            if self._state_due or (self._window.unanswered and _steady_s() - self._born_s >= _BIRTH_S):
                self._state_due = False
                self._born_s = _steady_s()
                await self._publish(client, *self._birth(online=True), qos=1, retain=True)
            await self._send_what_fits(client)
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._wake.wait()

    async def _send_what_fits(self, client: aiomqtt.Client) -> None:
        while True:
            position = self._journal.position
            order = self._window.next_order(position.first_offset, position.next_offset)
            if order is None:
                return
            entries = await self._journal.read(order.offset, order.max_entries, order.max_bytes)
            if not entries:
                return
            payload = encode_batch(self._journal.log_id, order.offset, entries)
            self._window.leaving(order.offset + len(entries))
            await self._publish(client, self._identity.topic(GatewayTopic.LOG), payload)
            self._window.sent(order.offset, len(entries), len(payload), _steady_s())
            self._metrics.sent_entries.inc(len(entries))

    async def _report(self, client: aiomqtt.Client) -> None:
        topic = self._identity.topic(GatewayTopic.SENSORS)
        while True:
            self._sensors.changed.clear()
            report = encode_message(self._sensors.report(self._clock.utc_ns()))
            await self._publish(client, topic, report, qos=1, retain=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(_REPORT_S):
                    await self._sensors.changed.wait()
            await asyncio.sleep(_TICK_S)

    async def _on_ack(self, payload: bytes) -> None:
        ack = decode_message(payload, Ack)
        fate = self._take_ack(ack)
        if fate is AckFate.AHEAD:
            _log.error(
                "the worker holds entries that this log has lost", expect=ack.expect, position=self._journal.position
            )
            self._metrics.refused_messages.labels(fate).inc()
            if not await self._journal.skip_to(ack.expect, self._window.unsent_from):
                return
            self._window.renumbered(ack.expect)
            self._state_due = True
            fate = self._take_ack(ack)
        if fate in {AckFate.STALE, AckFate.OTHER_LOG}:
            self._metrics.refused_messages.labels(fate).inc()
            _log.info("acknowledgement ignored", why=str(fate), epoch=ack.epoch, log_id=ack.log_id)
            return
        if fate is AckFate.REWOUND:
            self._metrics.rewinds.labels("asked").inc()
        if fate is AckFate.BEHIND:
            self._state_due = True
            if not self._behind:
                # The receiver will pass over entries: what it knows of the streams is not to be trusted.
                self._sensors.reopen()
        self._behind = fate is AckFate.BEHIND
        if self._window.committed >= self._journal.position.first_offset:
            await self._journal.forget(self._window.committed)
        self._wake.set()

    def _take_ack(self, ack: Ack) -> AckFate:
        position = self._journal.position
        return self._window.on_ack(
            ack,
            log_id=self._journal.log_id,
            first_offset=position.first_offset,
            next_offset=position.next_offset,
            now_s=_steady_s(),
        )

    async def _on_config(self, payload: bytes) -> None:
        config = decode_message(payload, GatewayConfig)
        if payload != await self._journal.load_note(CONFIG_NOTE):
            await self._journal.save_note(CONFIG_NOTE, payload)
        _log.info("configuration", version=config.version, sensors=[sensor.sensor_id for sensor in config.sensors])
        self._sensors.apply(config)

    async def _on_control(self, payload: bytes) -> None:
        message = decode_message(payload, ControlMessage)
        # By the machine's clock: ours may wait with a correction that brings it to the service's.
        late_ns = time.time_ns() - message.expires_ns
        if late_ns > 0:
            self._metrics.controls.labels("expired").inc()
            _log.warning("command expired", event_id=message.event_id, late_s=late_ns / 1e9)
            return
        self._metrics.controls.labels("taken").inc()
        self._journal.put(Control(t_ns=self._clock.utc_ns(), event_id=message.event_id, command=message.command))
        self._sensors.follow(message.command)

    async def _on_cue(self, payload: bytes) -> None:
        cue = decode_message(payload, Cue)
        self._metrics.refused_messages.labels("no_haptics").inc()
        _log.warning("no driver can buzz a wearable", sensor=cue.sensor_id, pattern=cue.pattern)

    async def _publish(
        self, client: aiomqtt.Client, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        await client.publish(topic, payload, qos, retain=retain)
        if self._stopping:
            # Before Python 3.12 asyncio.wait_for, which aiomqtt uses, loses a cancellation that meets the answer.
            raise asyncio.CancelledError

    def _will(self) -> aiomqtt.Will:
        return aiomqtt.Will(*self._birth(online=False), qos=1, retain=True)

    def _birth(self, *, online: bool) -> tuple[str, bytes]:
        """Topic and payload of the state."""
        return self._identity.birth(self._journal.log_id, self._journal.position, online=online)


def _steady_s() -> float:
    return asyncio.get_running_loop().time()
