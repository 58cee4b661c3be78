"""The service process: HTTP, live follower and control publisher in one task group."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from processing.domain.errors import SettingsError
from processing.domain.findings import Finding
from service.api.board import LiveBoard
from service.api.desk import Desk
from service.api.guard import SECURITY_HEADERS, Guard
from service.api.hub import Hub
from service.api.ports import ServiceStore, StoreUnavailableError
from service.api.problems import FieldError, ProblemError
from service.api.routes import Dependencies, api_router, health_router
from service.control import ControlPublisher
from service.live import LiveFollower
from service.settings import ServiceSettings
from service.web.pages import render_problem, static_files, web_router

SHUTDOWN_S = 2
"""Longest wait for requests in flight when the service stops; live streams are ended first."""

_log = structlog.get_logger(__name__)


def create_app(deps: Dependencies) -> FastAPI:
    """The whole HTTP face: API, pages, guard. Starts nothing and connects to nothing."""
    app = FastAPI(
        title="lumbar",
        version="1",
        summary="Monitoring for back-pain rehabilitation",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the stock pages load scripts from elsewhere
        redoc_url=None,
    )
    app.include_router(api_router(deps))
    app.include_router(health_router(deps))
    app.include_router(web_router(deps))
    app.mount("/static", static_files())
    _add_problem_handlers(app)
    _add_finding_schemas(app)
    app.add_middleware(Guard, token=deps.token, render=render_problem)
    return app


async def run_service(
    settings: ServiceSettings,
    store: ServiceStore,
    on_ready: Callable[[str], None] = lambda _address: None,
) -> None:
    """Serve until cancelled; then end the live streams, let requests in flight finish, and return.

    The caller owns signals: it cancels this task on SIGINT and SIGTERM.

    Args:
        settings: see ``ServiceSettings.checked``.
        store: for everything that lasts.
        on_ready: called once with the address (``http://host:port``) when requests are served.

    Raises:
        SettingsError: the settings do not fit together or the port is taken.
    """
    settings = settings.checked()
    listening = listen(settings.http_host, settings.http_port)
    board = LiveBoard(Hub(first_id=time.time_ns() // 1_000_000))
    publisher = ControlPublisher(store, board, settings.mqtt)
    desk = Desk(store, board, publisher, time.time_ns)
    app = create_app(Dependencies(store, board, desk, settings.token, time.time_ns))
    async with serve(app, listening, board.hub) as address, asyncio.TaskGroup() as group:
        group.create_task(publisher.run(), name="service.control")
        group.create_task(LiveFollower(board, settings.mqtt).run(), name="service.live")
        _log.info("service ready", address=address, login=settings.token is not None)
        on_ready(address)


def listen(host: str, port: int) -> socket.socket:
    """Listening socket; port 0 takes a free one.

    Raises:
        SettingsError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host} port {port} ({error.strerror}): "
            "stop what uses it, or set LUMBAR_HTTP_HOST and LUMBAR_HTTP_PORT"
        ) from error


@asynccontextmanager
async def serve(app: ASGIApp, listening: socket.socket, hub: Hub) -> AsyncIterator[str]:
    """Serve HTTP for the length of the block; gives the address.

    Uvicorn's own signal handling is left out: signals belong to the command line.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,  # paths carry pseudonyms, and once the token
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        limit_concurrency=1_000,
        ws="none",
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(server.main_loop(), name="service.http")
        try:
            yield _address(listening)
        finally:
            hub.close()
            await server.shutdown(sockets=[listening])
            ticking.cancel()


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _add_problem_handlers(app: FastAPI) -> None:
    def answer(request: Request, problem: ProblemError) -> Response:
        return render_problem(problem, request.url.path, request.headers.get("accept", ""))

    @app.exception_handler(ProblemError)
    async def known(request: Request, error: ProblemError) -> Response:
        return answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(request, _invalid(error.errors()))

    @app.exception_handler(StoreUnavailableError)
    async def no_store(request: Request, _error: StoreUnavailableError) -> Response:
        return answer(
            request,
            ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "store_unavailable",
                "The database does not answer.",
                "Try again in a moment; nothing was lost.",
            ),
        )

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        problem = ProblemError(
            status,
            status.name.lower(),
            f"{request.method} {request.url.path[:120]}: {status.phrase}.",
            "Check the address; /api/v1/openapi.json lists what there is.",
        )
        return answer(request, problem)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        _log.error("request failed", path=request.url.path[:120], exc_info=error)
        response = answer(
            request,
            ProblemError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "internal",
                "The service made a mistake.",
                "Try again; if it happens again, report it with the time: the log has the details.",
            ),
        )
        response.headers.update(SECURITY_HEADERS)  # this answer is made outside the guard
        return response


def _invalid(errors: Sequence[Any]) -> ProblemError:
    fields = tuple(FieldError(".".join(str(part) for part in error["loc"]), str(error["msg"])) for error in errors[:20])
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "bad_request",
        "; ".join(f"{field.where}: {field.problem}" for field in fields)[:500] + ".",
        "Correct these fields; /api/v1/openapi.json describes them.",
        fields,
    )


def _add_finding_schemas(app: FastAPI) -> None:
    """Put the findings into the OpenAPI document, as the vocabulary defines them."""
    generate = app.openapi
    union, components = msgspec.json.schema_components([Finding], ref_template="#/components/schemas/{name}")

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name, schema in {**components, "Finding": union[0]}.items():
            schemas.setdefault(name, schema)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to extend the document
