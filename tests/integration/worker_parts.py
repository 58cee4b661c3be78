"""Parts for tests of the worker: an analyzer that shows every lost or doubled entry, logs, settings."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid5

import asyncpg
import msgspec
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from processing.domain.commands import EndSession, SensorPlacement, StartSession, session_of
from processing.domain.entries import Control, LogEntry, NumberedEntry, Samples, StreamOpened
from processing.domain.errors import DecodeError, StateError
from processing.domain.findings import Finding, LiveFrame, StepBout
from processing.domain.ids import EventId, GatewayId, SessionId, SubjectId, finding_uuid
from processing.domain.samples import ClockQuality, Placement
from processing.wire.log import decode_entry, encode_entry
from processing.wire.messages import decode_finding
from processing.worker.app import run_worker
from processing.worker.metrics import WorkerMetrics
from processing.worker.ports import WorkerStore
from processing.worker.settings import WorkerSettings
from service.embedded.access import BrokerUser
from service.embedded.broker import ChildBroker
from service.store.pool import Pool

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
                brisk_s=0.0,
            )
            for session_id in tally.sessions
        ]

    def pass_over(self, offset: int) -> None:
        pass

    def followed(self, event_id: EventId) -> bool:
        return True

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
        try:
            analyzer._tally = msgspec.msgpack.decode(state, type=_TallyState)
        except msgspec.MsgspecError as error:
            raise StateError(str(error)) from error
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
