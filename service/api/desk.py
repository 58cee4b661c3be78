"""What a person may ask for: pair a sensor, start a session, send a command. The API and the pages share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from uuid import UUID, uuid4, uuid5

from processing.domain.commands import (
    Calibrate,
    CapturePosture,
    Command,
    ControlMessage,
    EndSession,
    EndSet,
    ReportPain,
    SensorPlacement,
    StartExercise,
    StartSession,
)
from processing.domain.exercises import CATALOGUE
from processing.domain.ids import EventId, SessionId, SubjectId
from processing.domain.posture_types import SittingPose
from service.api.board import LiveBoard
from service.api.ports import (
    NEVER_OPENED,
    ControlState,
    Pairing,
    PairingChangedError,
    SensorInUseError,
    ServiceStore,
    Session,
    StoredControl,
    Subject,
    start_event_of,
)
from service.api.problems import FieldError, ProblemError, conflict, not_found

COMMAND_LIFE_NS = 30_000_000_000
"""A command that the gateway did not take after this long is dropped, so that it cannot surprise anybody later."""

NEVER_NS = 2**62 - 1
"""Ends do not expire: who pressed "end" may hand the sensor to somebody else before the gateway is back."""

_KEYS = UUID("0b0a3f63-6c0e-5b57-9e6b-0c5d3a2f6d11")
"""Namespace of the ids made from Idempotency-Key headers."""


class Outbox(Protocol):
    """Who carries stored commands and configurations to the gateways."""

    def wake(self) -> None:
        """Something new was stored: look now instead of at the next turn."""
        ...


@dataclass(frozen=True, slots=True)
class ExerciseOrder:
    """A command of a person, before it has a session: with what its kind needs besides."""

    kind: str
    exercise: str | None = None
    score: int | None = None
    pose: SittingPose | None = None


class Desk:
    """Takes orders from people, stores them, and wakes whoever delivers them."""

    def __init__(self, store: ServiceStore, board: LiveBoard, outbox: Outbox, now_ns: Callable[[], int]) -> None:
        self._store = store
        self._board = board
        self._outbox = outbox
        self._now_ns = now_ns

    async def subject(self, subject_id: str) -> Subject:
        """A person.

        Raises:
            ProblemError: there is no such person.
        """
        for subject in await self._store.subjects():
            if subject.subject_id == subject_id:
                return subject
        raise not_found("person", subject_id)

    async def session(self, session_id: str) -> Session:
        """A session.

        Raises:
            ProblemError: there is no such session.
        """
        session = await self._store.session(SessionId(session_id)) if _is_uuid(session_id) else None
        if session is None:
            raise not_found("session", session_id)
        return session

    async def open_session(self, subject_id: SubjectId) -> Session | None:
        """The session of a person that has not ended."""
        latest = await self._store.latest_session(subject_id)
        return latest if latest and latest.ended_ns is None else None

    async def pair(self, pairing: Pairing) -> None:
        """Give a sensor to a person and tell the gateways; a new pseudonym becomes known with its first sensor.

        Raises:
            ProblemError: an open session uses the sensor or the place: its data would go to the wrong person.
        """
        try:
            await self._store.pair(pairing)
        except SensorInUseError as error:
            raise conflict(
                "session_open",
                f"A session of {error.subject_id} is open with this sensor or place: {error.session_id}.",
                "End that session first, then pair again.",
            ) from error
        self._outbox.wake()

    async def start_session(self, subject_id: str, key: str | None) -> Session:
        """Open a session with the sensors that the person wears now.

        Raises:
            ProblemError: no such person, no usable sensors, or a session is open already.
        """
        subject = await self.subject(subject_id)
        event_id = event_id_of(key, f"start/{subject_id}")
        session_id = SessionId(event_id)
        known = await self._store.session(session_id)
        if known is not None:
            return known
        running = await self.open_session(subject.subject_id)
        if running is not None:
            await self._require_unanswered(running)
        worn = [p for p in await self._store.pairings() if p.subject_id == subject.subject_id]
        _require_usable(subject_id, worn)
        now_ns = self._now_ns()
        if running is not None:
            await self._store.end_session(running.session_id, now_ns)
        session = Session(
            session_id=session_id,
            subject_id=subject.subject_id,
            gateway_id=worn[0].gateway_id,
            sensors=tuple(SensorPlacement(sensor_id=p.sensor_id, placement=p.placement, mount=p.mount) for p in worn),
            started_ns=now_ns,
        )
        start = _message(event_id, now_ns, StartSession(session_id=session_id, sensors=session.sensors))
        try:
            await self._store.create_session(session, start)
        except PairingChangedError as error:
            raise conflict(
                "pairing_changed", f"The sensors of {subject_id} were paired anew just now.", "Look again, then start."
            ) from error
        self._board.set_session(subject.subject_id, session, ControlState.PENDING, now_ns)
        self._stored(session, StoredControl(session.gateway_id, start, ControlState.PENDING))
        return session

    async def order(self, session_id: str, order: ExerciseOrder, key: str | None) -> StoredControl:
        """Store a command for an open session and have it delivered.

        Raises:
            ProblemError: no such session, it has ended, the command makes no sense, or its key was used for another.
        """
        session = await self.session(session_id)
        command = command_of(session.session_id, order)
        event_id = event_id_of(key, f"command/{session_id}")
        known = await self._store.control(event_id)
        if known is not None:
            return _require_same_command(known, command)
        if session.ended_ns is not None:
            raise conflict("session_ended", f"Session {session_id} has ended.", "Start a new session.")
        now_ns = self._now_ns()
        stored = StoredControl(session.gateway_id, _message(event_id, now_ns, command), ControlState.PENDING)
        if not await self._store.add_control(session.gateway_id, stored.message):
            return _require_same_command(await self._store.control(event_id), command)
        if isinstance(command, EndSession):
            await self._store.end_session(session.session_id, now_ns)
            self._board.set_session(session.subject_id, None, None, now_ns)
        self._stored(session, stored)
        return stored

    async def _require_unanswered(self, running: Session) -> None:
        """Only a session that its gateway never opened may be replaced.

        Raises:
            ProblemError: the session is really open, or may be in a moment.
        """
        start = await self._store.control(start_event_of(running))
        if start is None or start.state not in NEVER_OPENED:
            raise conflict(
                "session_open",
                f"A session of {running.subject_id} is open: {running.session_id}.",
                "End it first, or go on with it.",
            )

    def _stored(self, session: Session, stored: StoredControl) -> None:
        self._board.set_control(session.subject_id, stored)
        self._outbox.wake()


def event_id_of(key: str | None, scope: str) -> EventId:
    """Event id of a request: from its Idempotency-Key, or a new one.

    Raises:
        ProblemError: the key is empty or longer than 128 characters.
    """
    if key is None:
        return EventId(str(uuid4()))
    if not 1 <= len(key) <= 128:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "bad_key",
            "The Idempotency-Key is empty or longer than 128 characters.",
            "Send a UUID, a new one for each new wish.",
        )
    return EventId(str(uuid5(_KEYS, f"{scope}/{key}")))


def command_of(session_id: SessionId, order: ExerciseOrder) -> Command:
    """Command of the vocabulary for an order.

    Raises:
        ProblemError: the kind, the exercise or the score is none that exists.
    """
    match order:
        case ExerciseOrder(kind="calibrate"):
            return Calibrate(session_id=session_id)
        case ExerciseOrder(kind="end_set"):
            return EndSet(session_id=session_id)
        case ExerciseOrder(kind="end_session"):
            return EndSession(session_id=session_id)
        case ExerciseOrder(kind="start_exercise", exercise=str(code)) if code in CATALOGUE:
            return StartExercise(session_id=session_id, exercise=code)
        case ExerciseOrder(kind="report_pain", score=int(score)) if 0 <= score <= 10:
            return ReportPain(session_id=session_id, score=score)
        case ExerciseOrder(kind="capture_posture", pose=SittingPose() as pose):
            return CapturePosture(session_id=session_id, pose=pose)
        case ExerciseOrder(kind="start_exercise"):
            raise _refused("exercise", f"no exercise {str(order.exercise)[:48]!r}", "Pick one of /api/v1/exercises.")
        case ExerciseOrder(kind="report_pain"):
            raise _refused("score", "pain is a whole number from 0 to 10", "Send 0 (none) to 10 (worst imaginable).")
        case _:
            raise _refused("type", f"no command {order.kind[:48]!r}", "See the commands in /api/v1/openapi.json.")


def _refused(where: str, problem: str, action: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "bad_request",
        f"The command cannot be used: {problem}.",
        action,
        (FieldError(where, problem),),
    )


def _message(event_id: EventId, now_ns: int, command: Command) -> ControlMessage:
    expires_ns = NEVER_NS if isinstance(command, EndSet | EndSession) else now_ns + COMMAND_LIFE_NS
    return ControlMessage(event_id=event_id, issued_ns=now_ns, expires_ns=expires_ns, command=command)


def _require_same_command(known: StoredControl | None, command: Command) -> StoredControl:
    if known is None or known.message.command != command:
        raise conflict(
            "key_reused",
            "This Idempotency-Key was used for another command.",
            "Use a new key for each new command; repeat a key only to repeat the same request.",
        )
    return known


def _require_usable(subject_id: str, worn: Sequence[Pairing]) -> None:
    if not worn:
        raise conflict("no_sensor", f"{subject_id} wears no sensor.", "Pair one first (POST /api/v1/pairings).")
    if len({pairing.gateway_id for pairing in worn}) > 1:
        raise conflict(
            "two_gateways",
            f"The sensors of {subject_id} are paired through different gateways.",
            "Pair them through one gateway: only then their samples share a clock.",
        )
    if len({pairing.placement for pairing in worn}) != len(worn) or len(worn) > 2:
        raise conflict(
            "placement_twice",
            f"Two sensors of {subject_id} are paired for the same place.",
            "Pair one sensor per place: pelvis, thorax.",
        )


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
