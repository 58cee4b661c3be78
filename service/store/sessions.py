"""Sessions, commands and findings in PostgreSQL, as the service sees them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

import asyncpg
import msgspec

from processing.domain.commands import Command, ControlMessage, SensorPlacement, session_of
from processing.domain.findings import Finding
from processing.domain.ids import EventId, GatewayId, SessionId, SubjectId
from processing.wire.messages import decode_finding
from service.api.ports import (
    ControlState,
    CursorError,
    FindingPage,
    PairingChangedError,
    Session,
    StoredControl,
    StoreUnavailableError,
)
from service.store.errors import outage_as
from service.store.people import ONE_PAIRING_AT_A_TIME
from service.store.pool import Pool

_PoolConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_ADD_SESSION = """
INSERT INTO lumbar.session (session_id, subject_id, gateway_id, sensors, started_ns, ended_ns)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
"""
_STILL_WORN = """
SELECT count(*) FROM lumbar.pairing
WHERE valid_to IS NULL AND subject_id = $1 AND gateway_id = $2 AND sensor_id = ANY($3::text[])
"""
_END_SESSION = """
UPDATE lumbar.session SET ended_ns = greatest($2, started_ns) WHERE session_id = $1 AND ended_ns IS NULL
"""
_SESSION_COLUMNS = "SELECT session_id, subject_id, gateway_id, sensors, started_ns, ended_ns FROM lumbar.session"
_SESSION = f"{_SESSION_COLUMNS} WHERE session_id = $1"
_OPEN_SESSIONS = f"{_SESSION_COLUMNS} WHERE ended_ns IS NULL ORDER BY started_ns, session_id"
_LATEST_SESSION = f"{_SESSION_COLUMNS} WHERE subject_id = $1 ORDER BY started_ns DESC, session_id LIMIT 1"

_FINDINGS = "SELECT seq, body FROM lumbar.finding WHERE session_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"
_FINDINGS_OF_KIND = """
SELECT body FROM lumbar.finding WHERE session_id = $1 AND kind = ANY($2::text[]) ORDER BY t1_ns, seq
"""

_ADD_CONTROL = """
INSERT INTO lumbar.control (event_id, session_id, gateway_id, command, issued_ns, expires_ns)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
"""
_CONTROL_COLUMNS = "SELECT event_id, gateway_id, command, issued_ns, expires_ns, state FROM lumbar.control"
_CONTROLS = f"{_CONTROL_COLUMNS} WHERE event_id = ANY($1::uuid[]) ORDER BY seq"
_PENDING_CONTROLS = f"{_CONTROL_COLUMNS} WHERE state = 'pending' ORDER BY seq"
_EXPIRE_CONTROLS = """
UPDATE lumbar.control SET state = 'expired' WHERE event_id = ANY($1::uuid[]) AND state = 'pending'
"""

_sensors = msgspec.json.Decoder(tuple[SensorPlacement, ...])
_command: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


class PostgresSessions:
    """``SessionStore`` of the service."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create_session(self, session: Session, start: ControlMessage) -> bool:
        """See ``SessionStore``."""
        with outage_as(StoreUnavailableError):
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(ONE_PAIRING_AT_A_TIME)
                worn = [sensor.sensor_id for sensor in session.sensors]
                if await connection.fetchval(_STILL_WORN, session.subject_id, session.gateway_id, worn) != len(worn):
                    raise PairingChangedError(session.subject_id)
                added = await connection.execute(
                    _ADD_SESSION,
                    session.session_id,
                    session.subject_id,
                    session.gateway_id,
                    msgspec.json.encode(session.sensors).decode(),
                    session.started_ns,
                    session.ended_ns,
                )
                if _count(added) == 0:
                    return False
                await _add_control(connection, session.gateway_id, start)
        return True

    async def end_session(self, session_id: SessionId, ended_ns: int) -> None:
        """See ``SessionStore``."""
        with outage_as(StoreUnavailableError):
            await self._pool.execute(_END_SESSION, session_id, ended_ns)

    async def session(self, session_id: SessionId) -> Session | None:
        """See ``SessionStore``."""
        with outage_as(StoreUnavailableError):
            row = await self._pool.fetchrow(_SESSION, session_id)
        return None if row is None else _session(row)

    async def open_sessions(self) -> Sequence[Session]:
        """See ``SessionStore``."""
        with outage_as(StoreUnavailableError):
            rows = await self._pool.fetch(_OPEN_SESSIONS)
        return [_session(row) for row in rows]

    async def latest_session(self, subject_id: SubjectId) -> Session | None:
        """See ``SessionStore``."""
        with outage_as(StoreUnavailableError):
            row = await self._pool.fetchrow(_LATEST_SESSION, subject_id)
        return None if row is None else _session(row)

    async def findings(self, session_id: SessionId, cursor: str | None, limit: int) -> FindingPage:
        """See ``SessionStore``. The order is that of arrival, so a reader who follows the cursor misses nothing."""
        after = _position(cursor)
        with outage_as(StoreUnavailableError):
            rows = await self._pool.fetch(_FINDINGS, session_id, after, limit)
        more = str(rows[-1]["seq"]) if len(rows) == limit else None
        return FindingPage(tuple(decode_finding(row["body"]) for row in rows), more)

    async def findings_of_kind(self, session_id: SessionId, kinds: Collection[str]) -> Sequence[Finding]:
        """See ``SessionStore``."""
        with outage_as(StoreUnavailableError):
            rows = await self._pool.fetch(_FINDINGS_OF_KIND, session_id, list(kinds))
        return [decode_finding(row["body"]) for row in rows]


class PostgresControls:
    """``ControlStore`` of the service."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add_control(self, gateway_id: GatewayId, message: ControlMessage) -> bool:
        """See ``ControlStore``."""
        with outage_as(StoreUnavailableError):
            async with self._pool.acquire() as connection:
                return await _add_control(connection, gateway_id, message)

    async def control(self, event_id: EventId) -> StoredControl | None:
        """See ``ControlStore``."""
        found = await self.controls([event_id])
        return found[0] if found else None

    async def controls(self, event_ids: Collection[EventId]) -> Sequence[StoredControl]:
        """See ``ControlStore``."""
        with outage_as(StoreUnavailableError):
            rows = await self._pool.fetch(_CONTROLS, list(event_ids))
        return [_control(row) for row in rows]

    async def pending_controls(self) -> Sequence[StoredControl]:
        """See ``ControlStore``."""
        with outage_as(StoreUnavailableError):
            rows = await self._pool.fetch(_PENDING_CONTROLS)
        return [_control(row) for row in rows]

    async def expire_controls(self, event_ids: Collection[EventId]) -> None:
        """See ``ControlStore``."""
        with outage_as(StoreUnavailableError):
            await self._pool.execute(_EXPIRE_CONTROLS, list(event_ids))


async def _add_control(connection: _PoolConnection, gateway_id: GatewayId, message: ControlMessage) -> bool:
    added = await connection.execute(
        _ADD_CONTROL,
        message.event_id,
        session_of(message.command),
        gateway_id,
        msgspec.json.encode(message.command).decode(),
        message.issued_ns,
        message.expires_ns,
    )
    return _count(added) == 1


def _count(status: str) -> int:
    """Rows that a statement touched, from its command tag (``INSERT 0 1``)."""
    return int(status.rsplit(" ", 1)[1])


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise CursorError(f"{cursor[:40]!r} is not a cursor of ours; use the one that came with the page before")
    return int(cursor)


def _session(row: asyncpg.Record) -> Session:
    return Session(
        session_id=SessionId(str(row["session_id"])),
        subject_id=SubjectId(row["subject_id"]),
        gateway_id=GatewayId(row["gateway_id"]),
        sensors=_sensors.decode(row["sensors"]),
        started_ns=row["started_ns"],
        ended_ns=row["ended_ns"],
    )


def _control(row: asyncpg.Record) -> StoredControl:
    message = ControlMessage(
        event_id=str(row["event_id"]),
        issued_ns=row["issued_ns"],
        expires_ns=row["expires_ns"],
        command=_command.decode(row["command"]),
    )
    return StoredControl(GatewayId(row["gateway_id"]), message, ControlState(row["state"]))
