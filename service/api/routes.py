"""The JSON API under ``/api/v1``, plus health and metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import StreamingResponse

from processing.domain.exercises import CATALOGUE
from processing.domain.findings import Finding
from processing.domain.ids import SubjectId
from service.api.board import OVERVIEW, LiveBoard
from service.api.bodies import (
    ControlOut,
    ExerciseOut,
    GatewayOut,
    HealthOut,
    SensorFaultOut,
    SessionDetailOut,
    SessionOut,
    SubjectDetailOut,
    SubjectOut,
    WornSensorOut,
    findings_schema,
)
from service.api.desk import Desk
from service.api.ports import CursorError, ServiceStore, StoreUnavailableError
from service.api.problems import MEDIA_TYPE, SCHEMA, FieldError, ProblemError
from service.api.requests import CommandIn, PairingIn, StartSessionIn, order_of
from service.api.results import RESULT_KINDS, sensor_faults, set_results
from service.api.set_bodies import SetOut
from service.api.stream import open_stream


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the API and the pages stand on.

    Attributes:
        token: needed by every request when set (see ``service.api.guard``).
    """

    store: ServiceStore
    board: LiveBoard
    desk: Desk
    token: str | None
    now_ns: Callable[[], int]


class Findings(msgspec.Struct, frozen=True):
    """A page of findings."""

    findings: tuple[Finding, ...]
    next: str | None


IdempotencyKey = Annotated[
    str | None, Header(description="repeat the same request with the same key and it happens once")
]

_PROBLEM: dict[str, Any] = {"content": {MEDIA_TYPE: {"schema": SCHEMA}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": _PROBLEM, "5XX": _PROBLEM}


def api_router(deps: Dependencies) -> APIRouter:
    """Everything below ``/api/v1``."""
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    _add_people(router, deps)
    _add_sessions(router, deps)
    _add_live(router, deps)
    return router


def health_router(deps: Dependencies) -> APIRouter:
    """``/healthz`` and ``/metrics``."""
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", response_model=HealthOut)
    async def health(response: Response) -> HealthOut:
        """Whether the service works; 503 if not."""
        try:
            await deps.store.gateway_configs()
            store = True
        except StoreUnavailableError:
            store = False
        broker = deps.board.following
        if not (store and broker):
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return HealthOut(ok=store and broker, broker=broker, store=store)

    @router.get("/metrics")
    async def metrics() -> Response:
        """Counters in Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _add_people(router: APIRouter, deps: Dependencies) -> None:
    @router.get("/subjects", tags=["people"])
    async def subjects() -> list[SubjectOut]:
        """Everybody."""
        return [SubjectOut(subject_id=s.subject_id, label=s.label) for s in await deps.store.subjects()]

    @router.get("/subjects/{subject_id}", tags=["people"])
    async def subject(subject_id: str) -> SubjectDetailOut:
        """A person: sensors, gateway, open session."""
        person = await deps.desk.subject(subject_id)
        worn = [p for p in await deps.store.pairings() if p.subject_id == person.subject_id]
        views = {view.sensor_id: view for view in deps.board.snapshot(person.subject_id, 0).connection.sensors}
        session = await deps.desk.open_session(person.subject_id)
        return SubjectDetailOut(
            subject_id=person.subject_id,
            label=person.label,
            sensors=[
                WornSensorOut(
                    sensor_id=pairing.sensor_id,
                    placement=pairing.placement,
                    gateway_id=pairing.gateway_id,
                    connected=view.connected if view else None,
                    battery_percent=view.battery_percent if view else None,
                    rate_hz=view.rate_hz if view else None,
                    lost_fraction=view.lost_fraction if view else None,
                )
                for pairing in worn
                for view in [views.get(pairing.sensor_id)]
            ],
            gateway_online=deps.board.gateway_online(worn[0].gateway_id) if worn else None,
            session=None if session is None else SessionOut.of(session),
        )

    @router.get("/exercises", tags=["people"])
    async def exercises() -> list[ExerciseOut]:
        """The catalogue, with its evidence and the sensors needed."""
        return [ExerciseOut.of(exercise) for exercise in CATALOGUE.values()]

    @router.get("/gateways", tags=["people"])
    async def gateways() -> list[GatewayOut]:
        """Gateways that were heard of, and the health of the sensors they see."""
        return [
            GatewayOut.of(report, online=deps.board.gateway_online(report.gateway_id))
            for report in deps.board.gateways()
        ]

    @router.post("/pairings", tags=["people"], status_code=HTTPStatus.CREATED)
    async def pair(body: PairingIn) -> PairingIn:
        """Give a sensor to a person; the gateway is told within seconds."""
        await deps.desk.pair(body.pairing())
        return body


def _add_sessions(router: APIRouter, deps: Dependencies) -> None:
    @router.post("/sessions", tags=["sessions"], status_code=HTTPStatus.CREATED)
    async def start_session(body: StartSessionIn, idempotency_key: IdempotencyKey = None) -> SessionOut:
        """Open a session with the sensors that the person wears now."""
        return SessionOut.of(await deps.desk.start_session(SubjectId(body.subject_id), idempotency_key))

    @router.get("/sessions/{session_id}", tags=["sessions"])
    async def session(session_id: str) -> SessionDetailOut:
        """A session with its committed sets, and what is wrong with its sensors."""
        known = await deps.desk.session(session_id)
        findings = await deps.store.findings_of_kind(known.session_id, RESULT_KINDS)
        return SessionDetailOut(
            **SessionOut.of(known).model_dump(),
            sets=[SetOut.of(result) for result in set_results(findings)],
            sensor_faults=[SensorFaultOut.of(fault) for fault in sensor_faults(findings)],
        )

    @router.post("/sessions/{session_id}/commands", tags=["sessions"], status_code=HTTPStatus.ACCEPTED)
    async def command(session_id: str, body: CommandIn, idempotency_key: IdempotencyKey = None) -> ControlOut:
        """Send a command: it is stored, delivered to the gateway, and counts once the gateway's log has it."""
        control = await deps.desk.order(session_id, order_of(body), idempotency_key)
        return ControlOut.of(control, gateway_online=deps.board.gateway_online(control.gateway_id))

    @router.get(
        "/sessions/{session_id}/findings",
        tags=["sessions"],
        response_class=Response,
        responses={200: {"content": {"application/json": {"schema": findings_schema()}}}},
    )
    async def findings(
        session_id: str,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> Response:
        """Committed findings, bit for bit as they were found."""
        known = await deps.desk.session(session_id)
        try:
            page = await deps.store.findings(known.session_id, cursor, limit)
        except CursorError as error:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                "bad_cursor",
                "This cursor is none of ours.",
                "Leave it out to begin at the first page; else send back 'next' of the page before.",
                (FieldError("cursor", str(error)),),
            ) from error
        body = msgspec.json.encode(Findings(page.findings, page.cursor))
        return Response(body, media_type="application/json")


def _add_live(router: APIRouter, deps: Dependencies) -> None:
    stream: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}

    @router.get("/live", tags=["live"], response_class=StreamingResponse, responses=stream)
    async def overview(last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
        """Event stream of the list: event ``subject`` whenever a row changes."""
        return open_stream(
            deps.board.hub,
            OVERVIEW,
            last_event_id,
            lambda: [("subject", row) for row in deps.board.overviews(deps.now_ns())],
        )

    @router.get("/live/{subject_id}", tags=["live"], response_class=StreamingResponse, responses=stream)
    async def live(subject_id: str, last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
        """Event stream of a person: a ``snapshot``, then what changes.

        Events: ``frame``, ``finding``, ``connection``, ``session``, ``control``.
        Findings are provisional here; the committed ones have the same ids. ``resync`` asks to connect afresh.
        """
        person = await deps.desk.subject(subject_id)
        return open_stream(
            deps.board.hub,
            person.subject_id,
            last_event_id,
            lambda: [("snapshot", deps.board.snapshot(person.subject_id, deps.now_ns()))],
        )
