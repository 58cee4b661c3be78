"""The pages: rendered on the server, alive with a little JavaScript, usable without it."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs
from uuid import uuid4

import jinja2
import msgspec
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from processing.domain.ids import SubjectId
from service.api.desk import ExerciseOrder
from service.api.events import STALE_MS, control_event, session_view
from service.api.ports import NEVER_OPENED, ControlState, Session, StoredControl, start_event_of
from service.api.problems import FieldError, ProblemError
from service.api.results import RESULT_KINDS
from service.api.routes import Dependencies
from service.web import views

_HERE = Path(__file__).parent


def _clock(t_ns: int) -> datetime:
    return datetime.fromtimestamp(t_ns // 1_000_000_000, UTC)


def static_files() -> StaticFiles:
    """Style sheets, scripts and the icon."""
    return StaticFiles(directory=_HERE / "static")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["new_key"] = lambda: str(uuid4())
    environment.filters["json"] = lambda value: msgspec.json.encode(value).decode()
    environment.filters["clock"] = _clock
    return environment


_TEMPLATES = _environment()


def render(template: str, status: HTTPStatus = HTTPStatus.OK, **context: object) -> HTMLResponse:
    """A page."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(context), status)


def render_problem(problem: ProblemError, path: str, accept: str) -> Response:
    """A problem as a page for people, as problem details for programs."""
    if path.startswith("/api/") or "text/html" not in accept:
        headers = {"www-authenticate": "Bearer"} if problem.status is HTTPStatus.UNAUTHORIZED else None
        return problem.response(path, headers)
    return render("problem.html", problem.status, problem=problem, login=problem.name == "login_needed")


def web_router(deps: Dependencies) -> APIRouter:
    """Pages and the forms on them; not part of the OpenAPI document."""
    router = APIRouter(include_in_schema=False)
    _add_pages(router, deps)
    _add_forms(router, deps)
    return router


def _add_pages(router: APIRouter, deps: Dependencies) -> None:
    @router.get("/")
    async def people() -> Response:
        """List of people, for whoever cares for them."""
        now_ns = deps.now_ns()
        rows = [
            views.row(
                subject,
                deps.board.overview(subject.subject_id, now_ns),
                deps.board.snapshot(subject.subject_id, now_ns).connection,
                await deps.store.latest_session(subject.subject_id),
            )
            for subject in await deps.store.subjects()
        ]
        return render("people.html", rows=rows, choices=views.choices())

    @router.get("/subjects/{subject_id}/live")
    async def live(subject_id: str) -> Response:
        """A person's live page."""
        subject = await deps.desk.subject(subject_id)
        session = await deps.store.latest_session(subject.subject_id)
        snapshot = deps.board.snapshot(subject.subject_id, deps.now_ns())
        snapshot = msgspec.structs.replace(snapshot, session=session_view(session, await _start_state(deps, session)))
        results = await _results(deps, session)
        frame = snapshot.frame
        is_open = snapshot.session is not None and snapshot.session.start not in NEVER_OPENED
        return render(
            "live.html",
            subject=subject,
            snapshot=snapshot,
            is_open=is_open,
            results=results,
            figure=views.figure(snapshot, results),
            start_note=views.start_note(snapshot),
            chips=views.chips(snapshot.connection, open_session=is_open, receiving=frame.sensors if frame else {}),
            choices=views.choices(),
            planes=views.PLANES,
            stale_ms=STALE_MS,
        )

    @router.get("/subjects/{subject_id}/results")
    async def results(subject_id: str) -> Response:
        """The parts of the live page with what was committed."""
        subject = await deps.desk.subject(subject_id)
        session = await deps.store.latest_session(subject.subject_id)
        return render("committed.html", results=await _results(deps, session))


def _add_forms(router: APIRouter, deps: Dependencies) -> None:
    @router.post("/subjects/{subject_id}/session")
    async def start_session(subject_id: str, request: Request) -> Response:
        """The button that opens a session."""
        form = await _form(request)
        session = await deps.desk.start_session(SubjectId(subject_id), form.get("key"))
        return _answer(request, subject_id, await deps.store.control(start_event_of(session)))

    @router.post("/subjects/{subject_id}/commands")
    async def command(subject_id: str, request: Request) -> Response:
        """All other buttons; they act on the session that is open."""
        form = await _form(request)
        subject = await deps.desk.subject(subject_id)
        session = await deps.store.latest_session(subject.subject_id)
        if session is None:
            raise ProblemError(
                HTTPStatus.CONFLICT, "no_session", f"{subject_id} has no session.", "Start a session first."
            )
        score = form.get("score", "")
        order = ExerciseOrder(
            kind=form.get("type", ""),
            exercise=form.get("exercise"),
            score=int(score) if score.isascii() and score.isdigit() and len(score) <= 2 else None,
        )
        return _answer(request, subject_id, await deps.desk.order(session.session_id, order, form.get("key")))


def _answer(request: Request, subject_id: str, control: StoredControl | None) -> Response:
    """To a browser that sent the form itself, the page again; to our script, what became of the command."""
    if "text/html" in request.headers.get("accept", "") or control is None:
        return RedirectResponse(f"/subjects/{subject_id}/live", HTTPStatus.SEE_OTHER)
    event = msgspec.json.encode(control_event(control))
    return Response(event, HTTPStatus.ACCEPTED, media_type="application/json")


async def _start_state(deps: Dependencies, session: Session | None) -> ControlState | None:
    start = None if session is None else await deps.store.control(start_event_of(session))
    return start.state if start else None


async def _results(deps: Dependencies, session: Session | None) -> views.Results:
    if session is None:
        return views.Results((), ())
    return views.results_of(await deps.store.findings_of_kind(session.session_id, RESULT_KINDS))


async def _form(request: Request) -> dict[str, str]:
    """Fields of a form sent as ``application/x-www-form-urlencoded``.

    Raises:
        ProblemError: another content type, or not a form.
    """
    try:
        fields = parse_qs((await request.body()).decode(), max_num_fields=16, strict_parsing=True)
    except ValueError as error:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "bad_form",
            "The form could not be read.",
            "Reload the page and press the button again; programs use /api/v1.",
            (FieldError("body", str(error)),),
        ) from error
    return {name: values[0] for name, values in fields.items()}
