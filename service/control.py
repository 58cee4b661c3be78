"""Delivery of commands and configurations to the gateways.

A command is a row before it is a message. It is published again and again (the event id makes that harmless) until the
worker has seen it in the gateway's log or its time is over; only the log says that it happened.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import aiomqtt
import structlog

from processing.domain.commands import ControlMessage, event_of, session_of
from processing.domain.ids import EventId, GatewayId, SessionId
from processing.wire.broker_address import BrokerAddress
from processing.wire.messages import GatewayConfig, encode_message
from processing.wire.topics import GatewayTopic, gateway_topic
from service.api import metrics
from service.api.board import LiveBoard
from service.api.ports import ControlState, ServiceStore, StoredControl, StoreUnavailableError, start_event_of
from service.broker import mqtt_client, stay_connected

REPEAT_NS = 2_000_000_000
LONGEST_REPEAT_NS = 15_000_000_000
"""Commands that do not expire are repeated ever more rarely, down to this."""
BUSY_S = 0.5
"""Time between two looks at the store while commands are under way."""
IDLE_S = 2.0
"""The same when none are: picks up what other processes stored."""
GRACE_NS = 5_000_000_000
"""A command taken in its last moment is seen as applied only after the worker's next checkpoint."""

_log = structlog.get_logger(__name__)


@dataclass
class DeliverySchedule:
    """Decides when a pending command is sent again. Pure: told the time, never asks."""

    _sent_ns: dict[EventId, int] = field(default_factory=dict)

    def due(self, pending: Iterable[StoredControl], now_ns: int) -> tuple[StoredControl, ...]:
        """Commands to send now; those that are not pending any more are forgotten.

        Of each session only the first: a message may get lost, and the next one would overtake it.
        """
        live = [control for control in _firsts(pending) if now_ns < control.message.expires_ns]
        ids = {event_of(control.message) for control in live}
        self._sent_ns = {event_id: at_ns for event_id, at_ns in self._sent_ns.items() if event_id in ids}
        return tuple(control for control in live if self._is_due(control.message, now_ns))

    def sent(self, control: StoredControl, now_ns: int) -> None:
        """A command went out."""
        self._sent_ns[event_of(control.message)] = now_ns

    def lost_connection(self) -> None:
        """What was sent may not have arrived: send everything again."""
        self._sent_ns.clear()

    def _is_due(self, message: ControlMessage, now_ns: int) -> bool:
        sent_ns = self._sent_ns.get(event_of(message))
        if sent_ns is None:
            return True
        pause_ns = min(max(REPEAT_NS, (now_ns - message.issued_ns) // 15), LONGEST_REPEAT_NS)
        # a clock that was set back must not keep a command waiting
        return not 0 <= now_ns - sent_ns < pause_ns


def _firsts(pending: Iterable[StoredControl]) -> tuple[StoredControl, ...]:
    """First command of each session, the order kept."""
    firsts: dict[SessionId, StoredControl] = {}
    for control in pending:
        firsts.setdefault(session_of(control.message.command), control)
    return tuple(firsts.values())


def overdue(pending: Iterable[StoredControl], now_ns: int) -> tuple[EventId, ...]:
    """Commands to give up: their gateway did not take them in time."""
    return tuple(event_of(c.message) for c in pending if now_ns >= c.message.expires_ns + GRACE_NS)


def changed_configs(
    wanted: Iterable[tuple[GatewayId, GatewayConfig]], sent: Mapping[GatewayId, GatewayConfig]
) -> tuple[tuple[GatewayId, GatewayConfig], ...]:
    """Configurations that differ from what was published last."""
    return tuple((gateway_id, config) for gateway_id, config in wanted if sent.get(gateway_id) != config)


class ControlPublisher:
    """Carries stored commands and configurations to the gateways, and the store's facts to the board."""

    def __init__(
        self,
        store: ServiceStore,
        board: LiveBoard,
        address: BrokerAddress,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = store
        self._board = board
        self._address = address
        self._now_ns = now_ns
        self._look = asyncio.Event()
        self._deliver = asyncio.Event()
        self._schedule = DeliverySchedule()
        self._wanted: Sequence[tuple[GatewayId, GatewayConfig]] = ()
        self._pending: Sequence[StoredControl] = ()

    def wake(self) -> None:
        """Look at the store now."""
        self._look.set()

    async def run(self) -> None:
        """Deliver for ever; survives broker and database going away."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_books(), name="service.control.books")
            group.create_task(stay_connected("control", self._connected), name="service.control.publish")

    async def keep_books_once(self) -> None:
        """Read the store, give up what is overdue, and show on the board what became of every command.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        await self._refresh_board()
        undecided = {event_of(control.message) for control in self._pending} | set(self._board.undecided_controls())
        self._wanted = await self._store.gateway_configs()
        self._pending = await self._store.pending_controls()
        given_up = overdue(self._pending, self._now_ns())
        if given_up:
            await self._store.expire_controls(given_up)
            self._pending = [control for control in self._pending if event_of(control.message) not in given_up]
        settled = (undecided | set(given_up)) - {event_of(control.message) for control in self._pending}
        for control in (*self._pending, *(await self._store.controls(settled) if settled else ())):
            await self._show(control)

    async def _keep_books(self) -> None:
        while True:
            self._look.clear()
            try:
                await self.keep_books_once()
            except StoreUnavailableError as error:
                metrics.STORE_FAILURES.inc()
                _log.warning("store does not answer", error=str(error))
            self._deliver.set()
            try:
                async with asyncio.timeout(BUSY_S if self._pending else IDLE_S):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def _connected(self, connected: Callable[[], None]) -> None:
        self._schedule.lost_connection()
        async with mqtt_client(self._address, "control", queue=16) as client, asyncio.TaskGroup() as group:
            connected()
            group.create_task(_until_disconnected(client), name="service.control.watch")
            group.create_task(self._publish(client), name="service.control.send")

    async def _publish(self, client: aiomqtt.Client) -> None:
        published: dict[GatewayId, GatewayConfig] = {}
        while True:
            self._deliver.clear()
            for gateway_id, config in changed_configs(self._wanted, published):
                topic = gateway_topic(gateway_id, GatewayTopic.CONFIG)
                await client.publish(topic, encode_message(config), qos=1, retain=True)
                published[gateway_id] = config
            for control in self._schedule.due(self._pending, self._now_ns()):
                topic = gateway_topic(control.gateway_id, GatewayTopic.CONTROL)
                await client.publish(topic, encode_message(control.message), qos=1)
                self._schedule.sent(control, self._now_ns())
                metrics.CONTROLS.labels("sent").inc()
            await self._deliver.wait()

    async def _refresh_board(self) -> None:
        subjects = await self._store.subjects()
        pairings = await self._store.pairings()
        sessions = {session.subject_id: session for session in await self._store.open_sessions()}
        starts = await self._store.controls([start_event_of(session) for session in sessions.values()])
        states = {event_of(start.message): start.state for start in starts}
        now_ns = self._now_ns()
        self._board.set_topology((subject.subject_id for subject in subjects), pairings, now_ns)
        for subject in subjects:
            session = sessions.get(subject.subject_id)
            start = None if session is None else states.get(start_event_of(session))
            self._board.set_session(subject.subject_id, session, start, now_ns)

    async def _show(self, control: StoredControl) -> None:
        session = await self._store.session(session_of(control.message.command))
        if session is None:
            return
        self._board.set_control(session.subject_id, control)
        if control.state is not ControlState.PENDING:
            metrics.CONTROLS.labels(control.state.value).inc()


async def _until_disconnected(client: aiomqtt.Client) -> None:
    """Raise ``MqttError`` when the connection ends; this client subscribes to nothing, so nothing else arrives."""
    async for message in client.messages:
        metrics.LIVE_REFUSED.labels("not_subscribed").inc()
        _log.warning("message without subscription", topic=str(message.topic)[:120])
