"""What the service knows live about everybody, and the events that follow from each change.

The board never waits and never asks the clock: whoever feeds it says when. It keeps one value per person and
gateway, so its size is bounded by the people and gateways that the store knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from processing.domain.findings import LiveFrame, SetCompleted, SetStarted
from processing.domain.ids import EventId, GatewayId, SessionId, SubjectId
from processing.wire.messages import GatewayState, Live, SensorHealth, SensorsReport
from service.api.events import (
    LIVENESS_WORDS,
    STALE_MS,
    ConnectionEvent,
    ControlEvent,
    GatewayView,
    Liveness,
    OverviewEvent,
    SessionEvent,
    Snapshot,
    control_event,
    finding_event,
    frame_event,
    is_recent,
    reps_shown,
    sensor_view,
    session_view,
)
from service.api.hub import Hub
from service.api.ports import ControlState, Pairing, Session, StoredControl

OVERVIEW = "*"
"""Channel of the list; no subject can have this name."""

MIN_FRAME_NS = 80_000_000
"""Frames closer than this are thinned out: ten a second with some jitter pass, a flood does not."""

OVERVIEW_EVERY_NS = 1_000_000_000
MAX_GATEWAYS = 10_000
_LIVING = {Liveness.EXERCISING, Liveness.RESTING}
MAX_RECENT_CONTROLS = 8
_STALE_NS = STALE_MS * 1_000_000


class Ignored(msgspec.Struct, frozen=True):
    """A message that changed nothing, and why (label of a counter)."""

    reason: str


@dataclass
class _Person:
    pairings: tuple[Pairing, ...] = ()
    session: Session | None = None
    start: ControlState | None = None
    frame: LiveFrame | None = None
    frame_came_ns: int = 0
    overview_sent_ns: int = 0
    overview: OverviewEvent | None = None
    set_started: SetStarted | None = None
    controls: dict[str, ControlEvent] = field(default_factory=dict)


@dataclass(frozen=True)
class GatewayReport:
    """What a gateway said last."""

    gateway_id: GatewayId
    state: GatewayState | None = None
    sensors: tuple[SensorHealth, ...] = ()
    sensors_t_ns: int | None = None


class LiveBoard:
    """Last known state of people and gateways; publishes each change to the hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._people: dict[SubjectId, _Person] = {}
        self._gateways: dict[GatewayId, GatewayReport] = {}
        self._following = False

    # -- what comes from the store

    def set_topology(self, subjects: Iterable[SubjectId], pairings: Sequence[Pairing], now_ns: int) -> None:
        """Replace who exists and who wears what."""
        known = set(subjects)
        for gone in self._people.keys() - known:
            del self._people[gone]
        for subject_id in known:
            person = self._people.setdefault(subject_id, _Person())
            mine = tuple(sorted((p for p in pairings if p.subject_id == subject_id), key=lambda p: p.placement))
            if mine != person.pairings:
                person.pairings = mine
                self._connection_changed(subject_id, now_ns)

    def set_session(
        self, subject_id: SubjectId, session: Session | None, start: ControlState | None, now_ns: int
    ) -> None:
        """The open session of a person, or how far its start came, changed; None if none is open."""
        person = self._people.get(subject_id)
        view = session_view(session, start)
        if person is None or view == session_view(person.session, person.start):
            return
        if _id_of(person.session) != _id_of(session):
            person.frame = None
            person.set_started = None
        person.session = session
        person.start = start
        self._publish(subject_id, "session", SessionEvent(view))
        self._overview_changed(subject_id, now_ns)

    def set_control(self, subject_id: SubjectId, control: StoredControl) -> None:
        """A command came further."""
        person = self._people.get(subject_id)
        if person is None:
            return
        event = control_event(control)
        if person.controls.get(event.event_id) == event:
            return
        person.controls.pop(event.event_id, None)
        person.controls[event.event_id] = event
        while len(person.controls) > MAX_RECENT_CONTROLS:
            del person.controls[next(iter(person.controls))]
        self._publish(subject_id, "control", event)

    # -- what comes from the broker

    def set_following(self, *, following: bool, now_ns: int) -> None:
        """The connection to the broker came or went."""
        if following == self._following:
            return
        self._following = following
        for subject_id in self._people:
            self._connection_changed(subject_id, now_ns)

    def gateway_state(self, gateway_id: GatewayId, state: GatewayState, now_ns: int) -> Ignored | None:
        """Birth or last will of a gateway."""
        old = self._gateways.get(gateway_id, GatewayReport(gateway_id))
        return self._replace(GatewayReport(gateway_id, state, old.sensors, old.sensors_t_ns), now_ns)

    def gateway_sensors(self, gateway_id: GatewayId, report: SensorsReport, now_ns: int) -> Ignored | None:
        """Health of a gateway's sensors."""
        old = self._gateways.get(gateway_id, GatewayReport(gateway_id))
        return self._replace(GatewayReport(gateway_id, old.state, report.sensors, report.t_ns), now_ns)

    def live(self, subject_id: SubjectId, message: Live, now_ns: int) -> Ignored | None:
        """A live frame or a provisional finding."""
        person = self._people.get(subject_id)
        if person is None:
            return Ignored("unknown_subject")
        if isinstance(message, LiveFrame):
            return self._frame(subject_id, person, message, now_ns)
        finding = message.finding
        if _id_of(person.session) == finding.session_id:
            if isinstance(finding, SetStarted):
                person.set_started = finding
            elif isinstance(finding, SetCompleted):
                person.set_started = None
        self._publish(subject_id, "finding", finding_event(finding))
        return None

    # -- what screens ask

    def undecided_controls(self) -> tuple[EventId, ...]:
        """Commands that screens show as under way."""
        return tuple(
            EventId(event.event_id)
            for person in self._people.values()
            for event in person.controls.values()
            if event.state is ControlState.PENDING
        )

    @property
    def following(self) -> bool:
        """Whether the service hears the broker."""
        return self._following

    def gateways(self) -> tuple[GatewayReport, ...]:
        """What each gateway said last."""
        return tuple(self._gateways[name] for name in sorted(self._gateways))

    def gateway_online(self, gateway_id: GatewayId) -> bool | None:
        """Whether a gateway is there; None if nothing was heard of it or we do not hear the broker."""
        report = self._gateways.get(gateway_id)
        return report.state.online if self._following and report and report.state else None

    def snapshot(self, subject_id: SubjectId, now_ns: int) -> Snapshot:
        """State of a person for a screen that opens now."""
        person = self._people.get(subject_id, _Person())
        return Snapshot(
            connection=self._connection(person),
            session=session_view(person.session, person.start),
            frame=None if person.frame is None else frame_event(person.frame, now_ns),
            set_started_ms=person.set_started.t0_ns // 1_000_000 if person.set_started else None,
            controls=tuple(person.controls.values()),
        )

    def overview(self, subject_id: SubjectId, now_ns: int) -> OverviewEvent:
        """Row of the list for a person."""
        person = self._people.get(subject_id, _Person())
        liveness = self._liveness(person, now_ns)
        wording = LIVENESS_WORDS[liveness]
        frame = person.frame
        return OverviewEvent(
            subject_id=subject_id,
            liveness=liveness,
            word=wording.word,
            tone=wording.tone,
            exercise=frame.exercise if frame else None,
            reps=reps_shown(frame),
            set_number=frame.set_number if frame and frame.exercise else None,
        )

    def overviews(self, now_ns: int) -> tuple[OverviewEvent, ...]:
        """Rows of the list for everybody."""
        return tuple(self.overview(subject_id, now_ns) for subject_id in sorted(self._people))

    def refresh_overviews(self, now_ns: int) -> None:
        """Publish the rows that changed because time passed (samples stopped coming)."""
        for subject_id in self._people:
            self._overview_changed(subject_id, now_ns)

    # -- inside

    def _frame(self, subject_id: SubjectId, person: _Person, frame: LiveFrame, now_ns: int) -> Ignored | None:
        if _id_of(person.session) != frame.session_id:
            return Ignored("other_session")
        if person.frame is not None and is_recent(now_ns, person.frame_came_ns, MIN_FRAME_NS):
            return Ignored("too_fast")
        person.frame = frame
        person.frame_came_ns = now_ns
        self._publish(subject_id, "frame", frame_event(frame, now_ns), superseded=True)
        self._overview_changed(subject_id, now_ns)
        return None

    def _replace(self, report: GatewayReport, now_ns: int) -> Ignored | None:
        if report.gateway_id not in self._gateways and len(self._gateways) >= MAX_GATEWAYS:
            return Ignored("too_many_gateways")
        self._gateways[report.gateway_id] = report
        for subject_id, person in self._people.items():
            if any(pairing.gateway_id == report.gateway_id for pairing in person.pairings):
                self._connection_changed(subject_id, now_ns)
        return None

    def _connection(self, person: _Person) -> ConnectionEvent:
        if not person.pairings:
            return ConnectionEvent(self._following, None, ())
        gateway_id = person.pairings[0].gateway_id
        report = self._gateways.get(gateway_id, GatewayReport(gateway_id))
        online = report.state.online if report.state else None
        version = report.state.version if report.state else ""
        health = {sensor.sensor_id: sensor for sensor in report.sensors}
        return ConnectionEvent(
            self._following,
            GatewayView(gateway_id, online, version),
            tuple(sensor_view(pairing, health.get(pairing.sensor_id)) for pairing in person.pairings),
        )

    def _connection_changed(self, subject_id: SubjectId, now_ns: int) -> None:
        self._publish(subject_id, "connection", self._connection(self._people[subject_id]), superseded=True)
        self._overview_changed(subject_id, now_ns)

    def _overview_changed(self, subject_id: SubjectId, now_ns: int) -> None:
        person = self._people[subject_id]
        row = self.overview(subject_id, now_ns)
        alive = row.liveness in _LIVING and not is_recent(now_ns, person.overview_sent_ns, OVERVIEW_EVERY_NS)
        if row == person.overview and not alive:
            return
        person.overview = row
        person.overview_sent_ns = now_ns
        self.hub.publish(OVERVIEW, "subject", msgspec.json.encode(row))

    def _liveness(self, person: _Person, now_ns: int) -> Liveness:
        connection = self._connection(person)
        frame = person.frame
        arrived = is_recent(now_ns, person.frame_came_ns, _STALE_NS)
        if self._following and frame is not None and arrived and now_ns - frame.t_ns <= _STALE_NS:
            return Liveness.EXERCISING if frame.exercise else Liveness.RESTING
        if connection.gateway is None:
            return Liveness.NO_SENSOR
        if not self._following or connection.gateway.online is None:
            return Liveness.UNKNOWN
        if not connection.gateway.online:
            return Liveness.OFFLINE
        if any(sensor.connected is not True for sensor in connection.sensors):
            return Liveness.SENSOR_MISSING
        return Liveness.SILENT if person.session else Liveness.READY

    def _publish(self, subject_id: SubjectId, name: str, event: msgspec.Struct, *, superseded: bool = False) -> None:
        self.hub.publish(subject_id, name, msgspec.json.encode(event), superseded=superseded)


def _id_of(session: Session | None) -> SessionId | None:
    return session.session_id if session and session.ended_ns is None else None
