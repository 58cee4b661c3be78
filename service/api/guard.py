"""The door: who may come in, from where, with how much.

Accounts with roles come with a later release. Until then there are two modes:

* Without ``LUMBAR_SERVICE_TOKEN`` the service listens on this machine only (``ServiceSettings.checked``) and answers
  only requests addressed to this machine by name, so that a foreign page cannot reach it by re-binding its own name.
* With the token everything except ``/healthz`` and ``/static`` needs it: as ``Authorization: Bearer …``, or, for
  people, once as ``/?token=…``, which leaves a cookie that no script can read and no other site can send.

Everybody with the token sees and may command everybody: it fits one household or one small practice, not a clinic.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api import metrics
from service.api.problems import ProblemError
from service.settings import is_loopback

MAX_BODY_BYTES = 65_536
COOKIE = "lumbar_login"

_OPEN_PATHS = ("/healthz", "/static/")
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""On every answer: nothing but our own scripts and styles may run, nobody may frame or sniff."""

ProblemRenderer = Callable[[ProblemError, str, str], Response]
"""Response for (problem, path, value of the Accept header)."""

_log = structlog.get_logger(__name__)


class Guard:
    """ASGI middleware: access control, cross-site check, body cap and security headers.

    Args:
        token: None when no login is asked for.
        render: makes the response of a refusal, as JSON or as a page.
    """

    def __init__(self, app: ASGIApp, token: str | None, render: ProblemRenderer) -> None:
        self._app = app
        self._token = token
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        headers = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), path)
            await send(message)

        try:
            login = self._check_access(scope, path, headers)
            if login is not None:
                await login(scope, receive, send_with_headers)
                return
            body = await _read_body(headers, receive)
        except ProblemError as problem:
            metrics.REQUESTS_REFUSED.labels(problem.name).inc()
            _log.warning("request refused", path=path[:120], reason=problem.name)
            response = self._render(problem, path, headers.get("accept", ""))
            await response(scope, receive, send_with_headers)
            return
        await self._app(scope, receive if body is None else _replay(body, receive), send_with_headers)

    def _check_access(self, scope: Scope, path: str, headers: Headers) -> Response | None:
        """Response that logs in, None to go on.

        Raises:
            ProblemError: the request may not come in.
        """
        if scope["method"] not in _SAFE_METHODS:
            _require_same_site(headers)
        if path.startswith(_OPEN_PATHS):
            return None
        if self._token is None:
            _require_local_name(headers)
            return None
        offered = _token_of_query(scope) if path == "/" else None
        if offered is not None and _same(offered, self._token):
            return self._login(scope)
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(bearer.strip(), self._token):
            return None
        if _same(_cookie(headers), _cookie_value(self._token)):
            return None
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "login_needed",
            "This service needs its token." if offered is None else "This is not the token of this service.",
            "Open /?token=… with the value of LUMBAR_SERVICE_TOKEN once, or send it as 'Authorization: Bearer …'.",
        )

    def _login(self, scope: Scope) -> Response:
        assert self._token is not None
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        response.set_cookie(
            COOKIE,
            _cookie_value(self._token),
            path="/",
            httponly=True,
            samesite="strict",
            secure=scope["scheme"] == "https",
        )
        return response


def _cookie_value(token: str) -> str:
    """What the cookie holds: derived from the token, so that a stolen cookie does not tell the token."""
    return hmac.new(token.encode(), b"lumbar page login v1", hashlib.sha256).hexdigest()


def _same(offered: str, wanted: str) -> bool:
    return hmac.compare_digest(offered.encode(), wanted.encode())


def _cookie(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _token_of_query(scope: Scope) -> str | None:
    values = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=16).get("token")
    return values[0] if values else None


def _require_same_site(headers: Headers) -> None:
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    foreign = site is not None and site not in {"same-origin", "none"}
    if site is None and origin is not None:
        foreign = urlsplit(origin).netloc != headers.get("host", "")
    if foreign:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "cross_site",
            "The request came from a page of another site.",
            "Use the pages of this service, or a program that sends no Origin header.",
        )


def _require_local_name(headers: Headers) -> None:
    host = headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name is None or not is_loopback(name):
        raise ProblemError(
            HTTPStatus.MISDIRECTED_REQUEST,
            "not_this_host",
            f"This service answers on this machine only, not as {host[:60]!r}.",
            "Open http://127.0.0.1 with its port, or set LUMBAR_SERVICE_TOKEN to serve others.",
        )


async def _read_body(headers: Headers, receive: Receive) -> bytes | None:
    """Whole body of the request, None if it has none.

    Raises:
        ProblemError: larger than ``MAX_BODY_BYTES``; the rest is not read.
    """
    length = headers.get("content-length")
    if length is None and "transfer-encoding" not in headers:
        return None
    if length is not None and (not length.isdigit() or int(length) > MAX_BODY_BYTES):
        raise _too_large()
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"The body is larger than {MAX_BODY_BYTES} bytes.",
        "Send less; no request of this interface needs more than a few hundred bytes.",
    )


def _replay(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body once, then whatever comes after it (the disconnect)."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _add_headers(headers: MutableHeaders, path: str) -> None:
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    if "cache-control" not in headers:
        headers["cache-control"] = "no-cache" if path.startswith("/static/") else "no-store"
