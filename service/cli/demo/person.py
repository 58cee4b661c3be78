"""Somebody who presses the buttons of the page for a simulated patient, through the HTTP API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import structlog

from processing.domain.errors import LumbarError

LOG = structlog.get_logger(__name__)
PATIENCE_S = 60.0
"""How long a button press may take: a broker, worker or database may just be coming back."""


class DemoError(LumbarError):
    """The demo cannot go on."""


class Person:
    """One person's buttons. Each press is repeated with the same key until it is known to be in the log."""

    def __init__(self, client: httpx.AsyncClient, subject_id: str, on_session: Callable[[str], None]) -> None:
        self._client = client
        self.subject_id = subject_id
        self._on_session = on_session
        self._session_id: str | None = None

    async def sensors_connected(self) -> None:
        """Wait until all sensors of the person stream."""
        while True:
            subject = await self._call("GET", f"/subjects/{self.subject_id}")
            sensors = subject["sensors"]
            if sensors and all(sensor["connected"] for sensor in sensors):
                return
            await asyncio.sleep(0.2)

    async def start_session(self) -> str:
        """Open a session; its id."""
        session = await self._call("POST", "/sessions", {"subject_id": self.subject_id}, str(uuid4()))
        self._session_id = str(session["session_id"])
        self._on_session(self._session_id)
        return self._session_id

    async def press(self, command: str, **fields: str | int) -> None:
        """Send a command and wait until the worker has read it in the gateway's log.

        Raises:
            DemoError: it expired again and again, or was not possible.
        """
        body = {"type": command, **fields}
        path = f"/sessions/{self._session_id}/commands"
        key = str(uuid4())
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    control = await self._call("POST", path, body, key)
                    if control["state"] == "applied":
                        return
                    if control["state"] == "refused":
                        raise DemoError(f"{command} of {self.subject_id} was not possible")
                    if control["state"] == "expired":
                        LOG.warning("command_expired", command=command, session=self._session_id)
                        key = str(uuid4())
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise DemoError(f"{command} of {self.subject_id} did not reach the log in {PATIENCE_S:.0f} s") from error

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None
    ) -> dict[str, Any]:
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    answer = await self._try(method, path, body, headers)
                    if answer is not None:
                        return answer
                    await asyncio.sleep(0.3)
        except TimeoutError as error:
            raise DemoError(f"the service does not answer {method} {path}") from error

    async def _try(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> dict[str, Any] | None:
        """Answer of the service, None if it cannot answer right now."""
        try:
            response = await self._client.request(method, f"/api/v1{path}", json=body, headers=headers)
        except httpx.TransportError:
            return None
        if response.status_code >= 500:
            return None
        if response.is_error:
            raise DemoError(f"{method} {path}: {response.status_code} {response.text[:400]}")
        answer: dict[str, Any] = response.json()
        return answer
