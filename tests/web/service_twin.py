"""In-memory twin of the service's store, and a little world around it for tests of API and pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from processing.domain.commands import ControlMessage
from processing.domain.findings import (
    Finding,
    LiveFrame,
    kind_of,
)
from processing.domain.ids import EventId, GatewayId, SensorId, SessionId, SubjectId
from processing.domain.samples import ClockQuality, Placement
from processing.wire.broker_address import BrokerAddress
from processing.wire.messages import (
    GatewayConfig,
    GatewayState,
    LiveFinding,
    SensorHealth,
    SensorSetting,
    SensorsReport,
    encode_message,
)
from processing.wire.topics import GatewayTopic, gateway_topic, live_topic
from service.api.board import LiveBoard
from service.api.desk import Desk
from service.api.hub import Hub
from service.api.ports import (
    ControlState,
    CursorError,
    FindingPage,
    Pairing,
    SensorInUseError,
    ServiceStore,
    Session,
    StoredControl,
    StoreUnavailableError,
    Subject,
)
from service.api.routes import Dependencies
from service.control import ControlPublisher
from service.live import LiveFollower

T0_NS = 1_790_000_000_000_000_000
NOBODY = BrokerAddress("127.0.0.1", 1, None, None, tls=False)
ANNA, BEN = SubjectId("anna-7"), SubjectId("ben-3")
HUB_1, HUB_2 = GatewayId("hub-1"), GatewayId("hub-2")


class MemoryStore:
    """The store as dictionaries; ``down`` makes every call fail like a database that is away."""

    def __init__(self) -> None:
        self.people: dict[str, Subject] = {}
        self.worn: list[Pairing] = []
        self.sessions: dict[str, Session] = {}
        self.messages: dict[str, StoredControl] = {}
        self.committed: list[Finding] = []
        self.version = 1
        self.down = False

    def _up(self) -> None:
        if self.down:
            raise StoreUnavailableError("test")

    async def subjects(self) -> Sequence[Subject]:
        self._up()
        return [self.people[name] for name in sorted(self.people)]

    async def pairings(self) -> Sequence[Pairing]:
        self._up()
        return list(self.worn)

    async def pair(self, pairing: Pairing) -> None:
        self._up()
        for session in self.sessions.values():
            if session.ended_ns is None and any(
                worn.sensor_id == pairing.sensor_id
                or (session.subject_id == pairing.subject_id and worn.placement is pairing.placement)
                for worn in session.sensors
            ):
                raise SensorInUseError(session.session_id, session.subject_id)
        self.people.setdefault(pairing.subject_id, Subject(pairing.subject_id))
        self.worn = [p for p in self.worn if p.sensor_id != pairing.sensor_id] + [pairing]
        self.version += 1

    async def gateway_configs(self) -> Sequence[tuple[GatewayId, GatewayConfig]]:
        self._up()
        return [
            (
                gateway_id,
                GatewayConfig(
                    version=self.version,
                    sensors=tuple(
                        SensorSetting(sensor_id=p.sensor_id, placement=p.placement)
                        for p in self.worn
                        if p.gateway_id == gateway_id
                    ),
                ),
            )
            for gateway_id in sorted({p.gateway_id for p in self.worn})
        ]

    async def create_session(self, session: Session, start: ControlMessage) -> bool:
        self._up()
        if session.session_id in self.sessions:
            return False
        self.sessions[session.session_id] = session
        return await self.add_control(session.gateway_id, start)

    async def end_session(self, session_id: SessionId, ended_ns: int) -> None:
        self._up()
        session = self.sessions[session_id]
        self.sessions[session_id] = replace(session, ended_ns=session.ended_ns or ended_ns)

    async def session(self, session_id: SessionId) -> Session | None:
        self._up()
        return self.sessions.get(session_id)

    async def open_sessions(self) -> Sequence[Session]:
        self._up()
        return sorted((s for s in self.sessions.values() if s.ended_ns is None), key=lambda s: s.started_ns)

    async def latest_session(self, subject_id: SubjectId) -> Session | None:
        self._up()
        mine = [s for s in self.sessions.values() if s.subject_id == subject_id]
        return max(mine, key=lambda s: s.started_ns, default=None)

    async def findings(self, session_id: SessionId, cursor: str | None, limit: int) -> FindingPage:
        self._up()
        if cursor is not None and not cursor.isdigit():
            raise CursorError(f"{cursor!r} is no cursor")
        first = int(cursor or 0)
        mine = [f for f in self.committed if f.session_id == session_id]
        end = first + limit
        return FindingPage(tuple(mine[first:end]), str(end) if end < len(mine) else None)

    async def findings_of_kind(self, session_id: SessionId, kinds: Collection[str]) -> Sequence[Finding]:
        self._up()
        return [f for f in self.committed if f.session_id == session_id and kind_of(f) in kinds]

    async def add_control(self, gateway_id: GatewayId, message: ControlMessage) -> bool:
        self._up()
        if message.event_id in self.messages:
            return False
        self.messages[message.event_id] = StoredControl(gateway_id, message, ControlState.PENDING)
        return True

    async def control(self, event_id: EventId) -> StoredControl | None:
        self._up()
        return self.messages.get(event_id)

    async def controls(self, event_ids: Collection[EventId]) -> Sequence[StoredControl]:
        self._up()
        return [self.messages[event_id] for event_id in event_ids if event_id in self.messages]

    async def pending_controls(self) -> Sequence[StoredControl]:
        self._up()
        return [control for control in self.messages.values() if control.state is ControlState.PENDING]

    async def expire_controls(self, event_ids: Collection[EventId]) -> None:
        self._up()
        for event_id in event_ids:
            if self.messages[event_id].state is ControlState.PENDING:
                self.messages[event_id] = replace(self.messages[event_id], state=ControlState.EXPIRED)

    def apply(self, event_id: str, state: ControlState = ControlState.APPLIED) -> None:
        """What the worker does when it sees the command in the gateway's log."""
        self.messages[event_id] = replace(self.messages[event_id], state=state)


_conforms: type[ServiceStore] = MemoryStore


@dataclass
class Clock:
    """Time that stands still until it is told to go on."""

    now_ns: int = T0_NS

    def __call__(self) -> int:
        return self.now_ns

    def go_on(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)


@dataclass
class World:
    """Two people: Anna wears two sensors on hub 1, Ben wears none."""

    clock: Clock = field(default_factory=Clock)
    token: str | None = None

    def __post_init__(self) -> None:
        self.store = MemoryStore()
        for subject in (Subject(ANNA, "Anna"), Subject(BEN)):
            self.store.people[subject.subject_id] = subject
        self.store.worn = [
            Pairing(SensorId("imu-s1"), ANNA, Placement.PELVIS, HUB_1),
            Pairing(SensorId("imu-t12"), ANNA, Placement.THORAX, HUB_1),
        ]
        self.board = LiveBoard(Hub(first_id=1_000))
        self.publisher = ControlPublisher(self.store, self.board, NOBODY, self.clock)
        self.follower = LiveFollower(self.board, NOBODY, self.clock)
        self.desk = Desk(self.store, self.board, self.publisher, self.clock)
        self.deps = Dependencies(self.store, self.board, self.desk, self.token, self.clock)

    async def look(self) -> None:
        """One turn of the publisher's bookkeeping."""
        await self.publisher.keep_books_once()

    async def connect(self, *, thorax_connected: bool = True) -> None:
        """Broker, gateway and sensors are there."""
        await self.look()
        self.board.set_following(following=True, now_ns=self.clock())
        self.gateway(online=True)
        health = [
            SensorHealth(
                sensor_id=p.sensor_id,
                paired=True,
                connected=thorax_connected or p.placement is Placement.PELVIS,
                battery_percent=81,
                rate_hz=100.0,
                clock=ClockQuality.DEVICE,
            )
            for p in self.store.worn
        ]
        report = SensorsReport(t_ns=self.clock(), sensors=tuple(health))
        self.follower.take(gateway_topic(HUB_1, GatewayTopic.SENSORS), encode_message(report))

    def gateway(self, *, online: bool) -> None:
        state = GatewayState(online=online, boot_id=1, log_id=1, version="0.1.0")
        self.follower.take(gateway_topic(HUB_1, GatewayTopic.STATE), encode_message(state))

    def frame(self, session_id: str, reps: int, flexion: float = 0.0, **changes: object) -> None:
        """A live frame as the worker sends it, stamped now."""
        fields: dict[str, object] = {
            "session_id": session_id,
            "t_ns": self.clock() - 100_000_000,
            "exercise": "standing_flexion_extension",
            "set_number": 1,
            "reps": {"flexion": reps},
            "lumbar": (flexion, 2.04, -3.06),
            "trunk": (flexion * 1.6, 2.0, -3.0),
            "calibrated": True,
            "sensors": {"pelvis": True, "thorax": True},
        }
        frame = LiveFrame(**(fields | changes))  # type: ignore[arg-type]
        self.follower.take(live_topic(ANNA), encode_message(frame))

    def finding(self, finding: Finding, *, commit: bool = False) -> None:
        """A provisional finding; committed as well if asked."""
        if commit:
            self.store.committed.append(finding)
        self.follower.take(live_topic(ANNA), encode_message(LiveFinding(finding=finding)))
