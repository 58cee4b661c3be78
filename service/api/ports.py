"""What the service needs from a store, and the values that pass between them.

``service/store/service_store`` implements these Protocols on PostgreSQL. Every method may raise
``StoreUnavailableError``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from processing.domain.commands import ControlMessage, SensorPlacement
from processing.domain.errors import LumbarError
from processing.domain.findings import Finding
from processing.domain.ids import EventId, GatewayId, SensorId, SessionId, SubjectId
from processing.domain.samples import Placement
from processing.wire.messages import GatewayConfig


@dataclass(frozen=True, slots=True)
class Subject:
    """A person under a pseudonym; ``label`` is a name for demonstrations only."""

    subject_id: SubjectId
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """A sensor worn by a person and read by a gateway, valid now."""

    sensor_id: SensorId
    subject_id: SubjectId
    placement: Placement
    gateway_id: GatewayId
    mount: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A stretch of exercising; the sensors are those that were paired when it began.

    The command that opens it has the session's id as its event id (``start_event_of``).
    """

    session_id: SessionId
    subject_id: SubjectId
    gateway_id: GatewayId
    sensors: tuple[SensorPlacement, ...]
    started_ns: int
    ended_ns: int | None = None


def start_event_of(session: Session) -> EventId:
    """Event id of the command that opened, or shall open, a session."""
    return EventId(session.session_id)


class ControlState(StrEnum):
    """How far a command came."""

    PENDING = "pending"
    """Stored, on its way, not yet seen in the gateway's log."""
    APPLIED = "applied"
    """The worker read it in the gateway's log."""
    EXPIRED = "expired"
    """The gateway did not take it in time."""
    REFUSED = "refused"
    """The worker read it in the gateway's log, but it could not be followed there."""


NEVER_OPENED = {ControlState.EXPIRED, ControlState.REFUSED}
"""States of a session's first command that mean that it never began."""


@dataclass(frozen=True, slots=True)
class StoredControl:
    """A command and how far it came."""

    gateway_id: GatewayId
    message: ControlMessage
    state: ControlState


@dataclass(frozen=True, slots=True)
class FindingPage:
    """Committed findings in a stable order; ``cursor`` continues after them, None at the end."""

    findings: tuple[Finding, ...]
    cursor: str | None


class CursorError(LumbarError):
    """A cursor that the store did not give out."""


class StoreUnavailableError(LumbarError):
    """The database does not answer now; trying again later may help."""


class SensorInUseError(LumbarError):
    """A pairing would change who or what an open session measures."""

    def __init__(self, session_id: SessionId, subject_id: SubjectId) -> None:
        super().__init__(session_id, subject_id)
        self.session_id = session_id
        self.subject_id = subject_id


class PairingChangedError(LumbarError):
    """A person does not wear the sensors any more that a session was to be opened with."""


class PeopleStore(Protocol):
    """People, and the sensors they wear."""

    async def subjects(self) -> Sequence[Subject]:
        """Everybody, ordered by pseudonym."""
        ...

    async def pairings(self) -> Sequence[Pairing]:
        """Pairings valid now."""
        ...

    async def pair(self, pairing: Pairing) -> None:
        """Give a sensor to a person, who becomes known if they were not; ends the pairing it had.

        A session that its gateway never opened does not hold its sensors: it is ended on the way.

        Raises:
            SensorInUseError: an open session uses this sensor, or another one at this place of this person.
        """
        ...

    async def gateway_configs(self) -> Sequence[tuple[GatewayId, GatewayConfig]]:
        """What each gateway shall read; the version grows whenever the content changes."""
        ...


class SessionStore(Protocol):
    """Sessions and what was committed about them."""

    async def create_session(self, session: Session, start: ControlMessage) -> bool:
        """Store a session and the command that opens it in one transaction; False if it was there already.

        Raises:
            PairingChangedError: its sensors are not paired with its person any more.
        """
        ...

    async def end_session(self, session_id: SessionId, ended_ns: int) -> None:
        """Mark a session as ended; changes nothing if it has ended already."""
        ...

    async def session(self, session_id: SessionId) -> Session | None:
        """One session."""
        ...

    async def open_sessions(self) -> Sequence[Session]:
        """Sessions that have not ended, newest last."""
        ...

    async def latest_session(self, subject_id: SubjectId) -> Session | None:
        """The session of a person that began last, ended or not."""
        ...

    async def findings(self, session_id: SessionId, cursor: str | None, limit: int) -> FindingPage:
        """Committed findings after a cursor.

        Raises:
            CursorError: the cursor is not one of ours.
        """
        ...

    async def findings_of_kind(self, session_id: SessionId, kinds: Collection[str]) -> Sequence[Finding]:
        """All committed findings of these kinds, in order of time."""
        ...


class ControlStore(Protocol):
    """Commands, durable before they are sent."""

    async def add_control(self, gateway_id: GatewayId, message: ControlMessage) -> bool:
        """Store a command; False if its event id is there already."""
        ...

    async def control(self, event_id: EventId) -> StoredControl | None:
        """One command."""
        ...

    async def controls(self, event_ids: Collection[EventId]) -> Sequence[StoredControl]:
        """The commands among these ids that exist."""
        ...

    async def pending_controls(self) -> Sequence[StoredControl]:
        """Commands whose fate is open, in the order they were issued."""
        ...

    async def expire_controls(self, event_ids: Collection[EventId]) -> None:
        """Give up on pending commands; those applied meanwhile stay applied."""
        ...


class ServiceStore(PeopleStore, SessionStore, ControlStore, Protocol):
    """Everything the service needs; one adapter serves it."""
