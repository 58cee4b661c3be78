"""The analyzer of a gateway's log: routes its entries to the sessions that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from processing.analyzer.inputs import Left, Lost, Ordered, SessionInput
from processing.analyzer.log_state import LogState, OpenStream, decode_log_state, encode_log_state
from processing.analyzer.session import SessionAnalyzer
from processing.domain.commands import EndSession, StartExercise, StartSession, sensors_of, session_of
from processing.domain.entries import (
    Control,
    Gap,
    LogEntry,
    NumberedEntry,
    Samples,
    SensorEvent,
    SensorEventKind,
    StreamOpened,
)
from processing.domain.errors import LumbarError, StateError
from processing.domain.exercises import CATALOGUE
from processing.domain.findings import Finding, LiveFrame
from processing.domain.ids import EventId, SensorId, SessionId
from processing.dsp.blocks import block_of

MAX_SESSIONS = 64
"""Open sessions of one gateway; a gateway serves a room, not a town."""

MAX_EVENTS = 64
"""Control events that are remembered, so that one sent twice takes effect once."""

MAX_UNROUTED = 256
"""Sensors that samples without a session are counted for; the others share one counter."""

MAX_T_NS = 2**62
"""Times from here on (the year 2116) are broken."""

OTHERS = "others"

LOG_LOST = "log_lost"
"""Cause of the gaps where entries of the log were lost."""

_SILENCING = {SensorEventKind.SILENT, SensorEventKind.DISCONNECTED}


class LogAnalyzer:
    """Findings of all sessions in the log of one gateway.

    No well-formed sequence of entries makes it raise: what has no effect is counted instead.
    """

    def __init__(self) -> None:
        self._expect: int | None = None
        self._streams: dict[int, OpenStream] = {}
        self._sessions: dict[SessionId, SessionAnalyzer] = {}
        self._owners: dict[SensorId, SessionAnalyzer] = {}
        self._events: dict[bytes, bool] = {}
        self._unrouted: dict[str, int] = {}
        self._refused: dict[str, int] = {}

    def feed(self, numbered: NumberedEntry) -> list[Finding]:
        """Take the next entry of the log; the findings that became certain with it, in order.

        An offset beyond the next one means that entries were lost: what the stream slots stand for is unknown from
        there until they are opened again, and nobody waits for the sensors of open sessions.
        """
        lost = self._expect is not None and numbered.offset > self._expect
        self._expect = numbered.offset + 1
        findings = self._lose_streams() if lost else []
        return findings + self._take(numbered.entry)

    def pass_over(self, offset: int) -> None:
        """Take note of an entry that cannot be read: it has no effect, but nothing is missing after it."""
        if offset == self._expect:
            self._expect = offset + 1

    def _take(self, entry: LogEntry) -> list[Finding]:
        match entry:
            case Samples():
                return self._take_samples(entry)
            case StreamOpened():
                self._streams[entry.stream] = OpenStream(entry, live=True)
                return []
            case Gap():
                return self._tell(entry.stream, lambda sensor_id: Lost(sensor_id, entry.t1_ns, entry.reason.value))
            case SensorEvent():
                return self._take_event(entry)
            case Control():
                return self._take_control(entry)

    def live(self) -> list[LiveFrame]:
        """What screens show now, one frame per open session that has samples."""
        frames = (session.live() for session in self._sessions.values())
        return [frame for frame in frames if frame is not None]

    def sessions(self) -> Mapping[SessionId, StartSession]:
        """Open sessions."""
        return {session_id: session.start for session_id, session in self._sessions.items()}

    def unrouted(self) -> Mapping[str, int]:
        """Samples that belong to no open session, per sensor; ``slot-7`` is a slot that was never opened."""
        return dict(self._unrouted)

    def refused(self) -> Mapping[str, int]:
        """Commands without effect and samples thrown away, per reason."""
        refused = dict(self._refused)
        for session in self._sessions.values():
            _add(refused, session.dropped())
        return refused

    def _lose_streams(self) -> list[Finding]:
        self._streams.clear()
        findings: list[Finding] = []
        for session in list(self._sessions.values()):
            for sensor_id in sensors_of(session.start):
                # from whenever it was heard last: nobody knows when the lost entries were written
                findings += session.feed(Left(sensor_id, 0, LOG_LOST))
            if session.ended:
                self._forget(session)
        return findings

    def _take_samples(self, samples: Samples) -> list[Finding]:
        stream = self._streams.get(samples.stream)
        if stream is None:
            self._count_unrouted(f"slot-{samples.stream}", samples.count)
            return []
        if samples.t0_ns >= MAX_T_NS or not samples.count:
            self._refuse("broken_samples", samples.count)
            return []
        stream.live = True
        session = self._owners.get(SensorId(stream.opened.sensor_id))
        if session is None:
            self._count_unrouted(stream.opened.sensor_id, samples.count)
            return []
        return self._feed(session, block_of(samples, stream.opened))

    def _take_event(self, event: SensorEvent) -> list[Finding]:
        stream = self._streams.get(event.stream)
        if stream is not None and event.event in _SILENCING:
            stream.live = False
        return self._tell(event.stream, lambda sensor_id: Left(sensor_id, event.t_ns, event.event.value))

    def _tell(self, slot: int, make: Callable[[SensorId], Lost | Left]) -> list[Finding]:
        stream = self._streams.get(slot)
        if stream is None:
            self._refuse("unknown_stream")
            return []
        sensor_id = SensorId(stream.opened.sensor_id)
        session = self._owners.get(sensor_id)
        return [] if session is None else self._feed(session, make(sensor_id))

    def _take_control(self, control: Control) -> list[Finding]:
        event = UUID(control.event_id).bytes
        if event in self._events:
            self._refuse("duplicate_event")
            return []
        if len(self._events) >= MAX_EVENTS:
            del self._events[next(iter(self._events))]
        self._events[event] = True
        command = control.command
        if isinstance(command, StartSession):
            return self._open(event, command, control.t_ns)
        if isinstance(command, StartExercise) and command.exercise not in CATALOGUE:
            return self._reject(event, "unknown_exercise")
        session = self._sessions.get(session_of(command))
        if session is None:
            self._reject(event, "unknown_session")
            # what is not open needs no end: what was wanted is so
            self._events[event] = isinstance(command, EndSession)
            return []
        dropped = session.dropped()["waiting_commands"]
        findings = self._feed(session, Ordered(control.t_ns, command))
        self._events[event] = session.dropped()["waiting_commands"] == dropped
        return findings

    def followed(self, event_id: EventId) -> bool:
        """Tell whether a command could be followed; only the last ``MAX_EVENTS`` are remembered."""
        return self._events.get(UUID(event_id).bytes, True)

    def _reject(self, event: bytes, reason: str) -> list[Finding]:
        self._events[event] = False
        self._refuse(reason)
        return []

    def _open(self, event: bytes, start: StartSession, t_ns: int) -> list[Finding]:
        session_id = session_of(start)
        if session_id in self._sessions:
            return self._reject(event, "session_already_open")
        live = {SensorId(stream.opened.sensor_id): stream.live for stream in self._streams.values()}
        try:
            session = SessionAnalyzer(start, t_ns, live)
        except LumbarError as error:
            return self._reject(event, type(error).__name__)
        findings: list[Finding] = []
        for sensor_id in sensors_of(start):
            owner = self._owners.get(sensor_id)
            if owner is not None:
                findings += owner.close(t_ns)
                self._forget(owner)
        if len(self._sessions) >= MAX_SESSIONS:
            self._reject(event, "too_many_sessions")
            return findings
        self._sessions[session_id] = session
        self._owners.update(dict.fromkeys(sensors_of(start), session))
        return findings

    def _feed(self, session: SessionAnalyzer, given: SessionInput) -> list[Finding]:
        findings = session.feed(given)
        if session.ended:
            self._forget(session)
        return findings

    def _forget(self, session: SessionAnalyzer) -> None:
        _add(self._refused, session.dropped())
        del self._sessions[session_of(session.start)]
        for sensor_id in sensors_of(session.start):
            del self._owners[sensor_id]

    def _refuse(self, reason: str, count: int = 1) -> None:
        _add(self._refused, {reason: count})

    def _count_unrouted(self, name: str, count: int) -> None:
        if name not in self._unrouted and len(self._unrouted) >= MAX_UNROUTED:
            name = OTHERS
        _add(self._unrouted, {name: count})

    def state(self) -> bytes:
        """State as bytes; ``from_state`` goes on bit for bit."""
        return encode_log_state(
            LogState(
                expect=self._expect,
                streams=list(self._streams.values()),
                sessions=[session.state() for session in self._sessions.values()],
                events=self._events,
                unrouted=self._unrouted,
                refused=self._refused,
            )
        )

    @classmethod
    def from_state(cls, data: bytes) -> LogAnalyzer:
        """Analyzer that goes on where ``state`` was called.

        Raises:
            StateError: another version wrote these bytes, or they are damaged.
        """
        state = decode_log_state(data)
        analyzer = cls()
        analyzer._expect = state.expect
        analyzer._streams = {stream.opened.stream: stream for stream in state.streams}
        for one in state.sessions:
            try:
                session = SessionAnalyzer.from_state(one)
            except Exception as error:
                # damaged bytes may break any stage of the analyzer, each in its own way
                raise StateError(f"session: {error!r}") from error
            analyzer._sessions[session_of(session.start)] = session
            analyzer._owners.update(dict.fromkeys(sensors_of(session.start), session))
        analyzer._events = state.events
        analyzer._unrouted = state.unrouted
        analyzer._refused = state.refused
        return analyzer


def _add(counters: dict[str, int], more: Mapping[str, int]) -> None:
    for name, count in more.items():
        if count:
            counters[name] = counters.get(name, 0) + count
