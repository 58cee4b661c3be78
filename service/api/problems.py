"""Errors as problem details (RFC 9457): what went wrong, where, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from processing.domain.errors import LumbarError

MEDIA_TYPE = "application/problem+json"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "action"],
    "properties": {
        "type": {"type": "string", "description": "urn:lumbar:problem:<name>; stable, for programs"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what went wrong here"},
        "action": {"type": "string", "description": "what to do about it"},
        "instance": {"type": "string", "description": "path of the request"},
        "errors": {
            "type": "array",
            "description": "fields that were refused",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
    },
}


class FieldError(msgspec.Struct, frozen=True):
    """One field that was refused."""

    where: str
    problem: str


class ProblemError(LumbarError):
    """A request that cannot be served.

    Attributes:
        status: HTTP status.
        name: machine-readable name, last part of ``type``.
        detail: what went wrong, for people.
        action: what to do about it, for people.
    """

    def __init__(
        self, status: HTTPStatus, name: str, detail: str, action: str, errors: tuple[FieldError, ...] = ()
    ) -> None:
        super().__init__(status, name, detail, action)
        self.status = status
        self.name = name
        self.detail = detail
        self.action = action
        self.errors = errors

    def __str__(self) -> str:
        return f"{self.detail} {self.action}"

    def body(self, instance: str) -> dict[str, Any]:
        """Members of the problem document; ``instance`` is the path of the request."""
        members: dict[str, Any] = {
            "type": f"urn:lumbar:problem:{self.name}",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
            "action": self.action,
            "instance": instance,
        }
        if self.errors:
            members["errors"] = self.errors
        return members

    def response(self, instance: str, headers: dict[str, str] | None = None) -> Response:
        """The problem as an HTTP response."""
        return Response(msgspec.json.encode(self.body(instance)), int(self.status), headers, MEDIA_TYPE)


def not_found(what: str, name: str) -> ProblemError:
    """Problem of a thing that does not exist."""
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "not_found",
        f"There is no {what} {name[:60]!r}.",
        "Check the name, or go back to the list and pick one from there.",
    )


def conflict(name: str, detail: str, action: str) -> ProblemError:
    """Problem of a request that does not fit the state of things."""
    return ProblemError(HTTPStatus.CONFLICT, name, detail, action)
