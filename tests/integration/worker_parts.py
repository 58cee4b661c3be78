"""Parts for tests of the worker: an analyzer that shows every lost or doubled entry, and a scripted gateway."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid5

import aiomqtt
import asyncpg
import msgspec
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from processing.domain.commands import EndSession, SensorPlacement, StartSession, session_of
from processing.domain.entries import Control, LogEntry, NumberedEntry, Samples, StreamOpened
from processing.domain.errors import DecodeError
from processing.domain.findings import Finding, LiveFrame, StepBout
from processing.domain.ids import GatewayId, SessionId, SubjectId, finding_uuid
from processing.domain.samples import ClockQuality, Placement
from processing.wire.log import decode_entry, encode_batch, encode_entry
from processing.wire.messages import Ack, GatewayState, decode_finding, decode_message, encode_message
from processing.wire.topics import GatewayTopic, gateway_topic
from processing.worker.app import run_worker
from processing.worker.metrics import WorkerMetrics
from processing.worker.ports import WorkerStore
from processing.worker.settings import WorkerSettings
from service.embedded.access import BrokerUser
from service.embedded.broker import ChildBroker
from service.store.pool import Pool

_WINDOW = 100
"""Entries that a gateway sends beyond the committed one."""

NAMESPACE = UUID("6f0b7a3e-5a39-4c4c-8d8e-2f6f3f0a9b11")
T0_NS = 1_700_000_000_000_000_000


def session_named(name: str) -> SessionId:
    """Session id that is the same in every run."""
    return SessionId(str(uuid5(NAMESPACE, name)))


class _TallyState(msgspec.Struct):
    sessions: dict[str, StartSession]
    checksum: int
    count: int


class TallyAnalyzer:
    """Every second sample entry of an open session gives a finding that depends on all entries so far, in order."""

    def __init__(self) -> None:
        self._tally = _TallyState(sessions={}, checksum=0, count=0)

    def feed(self, numbered: NumberedEntry) -> list[Finding]:
        entry = numbered.entry
        tally = self._tally
        text = f"{numbered.offset}:{entry!r}".encode()
        tally.checksum = zlib.crc32(text, tally.checksum)
        if isinstance(entry, Control):
            if isinstance(entry.command, StartSession):
                tally.sessions[entry.command.session_id] = entry.command
            elif isinstance(entry.command, EndSession):
                tally.sessions.pop(session_of(entry.command), None)
        if not isinstance(entry, Samples) or numbered.offset % 2:
            return []
        tally.count += 1
        return [
            StepBout(
                finding_id=finding_uuid(SessionId(session_id), "step_bout", tally.count),
                session_id=session_id,
                ordinal=tally.count,
                t0_ns=entry.t0_ns,
                t1_ns=entry.t0_ns + 1,
                algorithm="tally/1",
                quality=1.0,
                steps=tally.checksum,
                cadence_per_min=tally.checksum / 7.0,
            )
            for session_id in tally.sessions
        ]

    def live(self) -> list[LiveFrame]:
        return [
            LiveFrame(
                session_id=session_id,
                t_ns=T0_NS,
                exercise=None,
                set_number=0,
                reps={"steps": self._tally.count},
                lumbar=None,
                trunk=None,
                calibrated=False,
                sensors={},
            )
            for session_id in self._tally.sessions
        ]

    def state(self) -> bytes:
        return msgspec.msgpack.encode(self._tally)

    @classmethod
    def from_state(cls, state: bytes, /) -> TallyAnalyzer:
        analyzer = cls()
        analyzer._tally = msgspec.msgpack.decode(state, type=_TallyState)
        return analyzer

    def sessions(self) -> Mapping[SessionId, StartSession]:
        return {SessionId(name): start for name, start in self._tally.sessions.items()}

    def unrouted(self) -> Mapping[str, int]:
        return {}

    def refused(self) -> Mapping[str, int]:
        return {}


def start_session(session_id: SessionId, sensor_id: str = "S1") -> StartSession:
    """Command that opens a session with one sensor."""
    return StartSession(
        session_id=session_id, sensors=(SensorPlacement(sensor_id=sensor_id, placement=Placement.PELVIS),)
    )


def control(command: StartSession | EndSession, t_ns: int = T0_NS) -> Control:
    """Entry with a command; its event id follows from the command."""
    return Control(t_ns=t_ns, event_id=str(uuid5(NAMESPACE, repr(command))), command=command)


def samples(number: int) -> Samples:
    """One sample; each number another one."""
    return Samples(
        stream=0,
        tick=number * 10_000,
        t0_us=T0_NS // 1000 + number * 10_000,
        t0_uncertainty_us=500,
        packed=number.to_bytes(2, "little") * 6,
    )


def log_of(session_id: SessionId, count: int, sensor_id: str = "S1") -> tuple[bytes, ...]:
    """Encoded entries: a stream, a session, ``count`` samples, the end of the session."""
    opened = StreamOpened(
        stream=0,
        t_ns=T0_NS,
        sensor_id=sensor_id,
        boot_id=1,
        period_ns=10_000_000,
        acc_scale=0.01,
        gyr_scale=0.01,
        clock=ClockQuality.DEVICE,
        driver="test/1",
    )
    entries: list[LogEntry] = [opened, control(start_session(session_id, sensor_id))]
    entries += [samples(number) for number in range(count)]
    entries.append(control(EndSession(session_id=session_id), T0_NS + count * 10_000_000))
    return tuple(encode_entry(entry) for entry in entries)


def expected_findings(entries: Sequence[bytes]) -> list[Finding]:
    """What an undisturbed analyzer finds; entries that cannot be read are passed over."""
    analyzer = TallyAnalyzer()
    findings: list[Finding] = []
    for offset, data in enumerate(entries, start=1):
        with suppress(DecodeError):
            findings += analyzer.feed(NumberedEntry(offset, decode_entry(data)))
    return findings


async def provision(
    pool: Pool, session_id: SessionId, gateway_id: GatewayId, sensor_id: str = "S1", subject_id: str = "p1"
) -> SubjectId:
    """Rows of a person and a session, as the service would make them."""
    await pool.execute("INSERT INTO lumbar.subject (subject_id) VALUES ($1) ON CONFLICT DO NOTHING", subject_id)
    await pool.execute("INSERT INTO lumbar.gateway VALUES ($1, 0) ON CONFLICT DO NOTHING", gateway_id)
    sensors = msgspec.json.encode(start_session(session_id, sensor_id).sensors).decode()
    await pool.execute(
        "INSERT INTO lumbar.session VALUES ($1, $2, $3, $4, $5)", session_id, subject_id, gateway_id, sensors, T0_NS
    )
    return SubjectId(subject_id)


class ScriptedGateway:
    """Go-back-N sender over MQTT whose faults are scripted.

    ``lose``: numbers of the messages (counted over its life) that never leave; ``repeat``: those that leave twice.
    """

    def __init__(
        self,
        broker: ChildBroker,
        user: BrokerUser,
        entries: Sequence[bytes],
        *,
        log_id: int = 7,
        batch: int = 5,
        lose: frozenset[int] = frozenset(),
        repeat: frozenset[int] = frozenset(),
        first_offset: int = 1,
    ) -> None:
        self.gateway_id = GatewayId(user.name)
        self.acks: list[Ack] = []
        self.committed = 0
        self.progress = asyncio.Event()
        self._broker = broker
        self._user = user
        self._entries = entries
        self._log_id = log_id
        self._batch = batch
        self._lose = lose
        self._repeat = repeat
        self._first_offset = first_offset
        self._sent = 0

    async def run(self) -> None:
        """Send until everything is committed; reconnects when the broker goes away."""
        while self.committed < len(self._entries):
            try:
                async with aiomqtt.Client(
                    "127.0.0.1",
                    self._broker.port,
                    username=self._user.name,
                    password=self._user.password,
                    will=aiomqtt.Will(self._topic(GatewayTopic.STATE), self._state(online=False), 1, retain=True),
                    timeout=3,
                ) as client:
                    await self._converse(client)
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    async def _converse(self, client: aiomqtt.Client) -> None:
        await client.subscribe(self._topic(GatewayTopic.ACK), qos=1)
        await client.publish(self._topic(GatewayTopic.STATE), self._state(online=True), qos=1, retain=True)
        cursor: int | None = None
        expect = 0
        while self.committed < len(self._entries):
            try:
                async with asyncio.timeout(0.3 if cursor is not None else None):
                    message = await anext(client.messages)
            except TimeoutError:
                cursor = self.committed + 1
            else:
                assert isinstance(message.payload, bytes)
                ack = decode_message(message.payload, Ack)
                if ack.log_id != self._log_id:
                    continue
                self.acks.append(ack)
                self.committed = max(self.committed, ack.committed)
                self.progress.set()
                again = ack.expect <= expect
                expect = ack.expect
                if len(client.messages):
                    # what is asked for by now stands in the last one
                    continue
                if cursor is None or again:
                    cursor = ack.expect
            if cursor is not None:
                cursor = await self._send_from(client, cursor)

    async def _send_from(self, client: aiomqtt.Client, cursor: int) -> int:
        while cursor <= min(len(self._entries), self.committed + _WINDOW):
            entries = self._entries[cursor - 1 : cursor - 1 + self._batch]
            payload = encode_batch(self._log_id, cursor, entries)
            for _ in range(0 if self._sent in self._lose else 2 if self._sent in self._repeat else 1):
                await client.publish(self._topic(GatewayTopic.LOG), payload)
            self._sent += 1
            cursor += len(entries)
            await asyncio.sleep(0.002)
        return cursor

    def _topic(self, topic: GatewayTopic) -> str:
        return gateway_topic(self.gateway_id, topic)

    def _state(self, *, online: bool) -> bytes:
        return encode_message(
            GatewayState(
                online=online,
                boot_id=1,
                log_id=self._log_id,
                first_offset=self._first_offset,
                next_offset=len(self._entries) + 1,
            )
        )


def worker_settings(broker: ChildBroker, user: BrokerUser, **changes: object) -> WorkerSettings:
    """Settings of a quick worker."""
    values: dict[str, object] = {
        "mqtt_url": SecretStr(broker.url(user)),
        "checkpoint_interval_s": 0.1,
        "command_checkpoint_s": 0.05,
        "claim_interval_s": 0.1,
        "repeat_ack_s": 0.3,
        "hole_ack_s": 0.05,
        **changes,
    }
    return WorkerSettings(**values)  # type: ignore[arg-type]


@asynccontextmanager
async def working(settings: WorkerSettings, store: WorkerStore) -> AsyncIterator[WorkerMetrics]:
    """A worker for the length of the block, then stopped as SIGTERM stops it."""
    metrics = WorkerMetrics()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run_worker(settings, store, analyzers=TallyAnalyzer, metrics=metrics))
        try:
            yield metrics
        finally:
            task.cancel()


async def eventually(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it is not within 30 s.
    """
    for _ in range(600):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within 30 s: {what}")


def count(registry: CollectorRegistry, name: str, **labels: str) -> float:
    """Value of a counter, 0 if it never moved."""
    return registry.get_sample_value(f"lumbar_worker_{name}_total", labels) or 0.0


async def stored_findings(pool: Pool, session_id: SessionId) -> list[Finding]:
    """Committed findings of a session in order."""
    rows: list[asyncpg.Record] = await pool.fetch(
        "SELECT body FROM lumbar.finding WHERE session_id = $1 ORDER BY ordinal", session_id
    )
    return [decode_finding(row["body"]) for row in rows]


async def stored_offsets(pool: Pool, gateway_id: GatewayId) -> list[tuple[int, int]]:
    """Extents of the raw blocks in order."""
    rows = await pool.fetch(
        "SELECT first_offset, last_offset FROM lumbar.raw_block WHERE gateway_id = $1 ORDER BY first_offset", gateway_id
    )
    return [(row["first_offset"], row["last_offset"]) for row in rows]
