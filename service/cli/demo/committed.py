"""Follows the committed findings of the demo's sessions through the API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import httpx
import msgspec
import structlog

from processing.domain.findings import Finding
from service.cli.demo.person import PATIENCE_S, DemoError

LOG = structlog.get_logger(__name__)
POLL_INTERVAL_S = 1.0
PAGE = 500


class _Page(msgspec.Struct, frozen=True):
    findings: tuple[Finding, ...]
    next: str | None


class CommittedFindings:
    """Every committed finding once, in the order seen: appended to ``findings`` and given to ``on_new``."""

    def __init__(
        self, client: httpx.AsyncClient, findings: list[Finding], on_new: Callable[[Finding], None] | None
    ) -> None:
        self._client = client
        self._on_new = on_new
        self._sessions: list[str] = []
        self._seen: set[str] = set()
        self._findings = findings

    def add_session(self, session_id: str) -> None:
        """Follow one more session."""
        self._sessions.append(session_id)

    async def follow(self) -> None:
        """Look for new findings until cancelled; a service that is away for a moment is asked again."""
        while True:
            await asyncio.sleep(POLL_INTERVAL_S)
            with contextlib.suppress(httpx.TransportError, httpx.HTTPStatusError):
                await self._catch_up()

    async def finish(self) -> None:
        """Take in all that is committed now.

        Raises:
            DemoError: the service does not answer.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        return await self._catch_up()
                    except (httpx.TransportError, httpx.HTTPStatusError) as error:
                        LOG.warning("findings_not_read", error=str(error))
                        await asyncio.sleep(POLL_INTERVAL_S)
        except TimeoutError as error:
            raise DemoError("the service does not give the committed findings") from error

    async def _catch_up(self) -> None:
        for session_id in list(self._sessions):
            await self._read(session_id)

    async def _read(self, session_id: str) -> None:
        cursor: str | None = None
        while True:
            query = {"limit": str(PAGE)} | ({} if cursor is None else {"cursor": cursor})
            response = await self._client.get(f"/api/v1/sessions/{session_id}/findings", params=query)
            response.raise_for_status()
            page = msgspec.json.decode(response.content, type=_Page)
            for finding in page.findings:
                self._take(finding)
            cursor = page.next
            if cursor is None:
                return

    def _take(self, finding: Finding) -> None:
        if finding.finding_id in self._seen:
            return
        self._seen.add(finding.finding_id)
        self._findings.append(finding)
        if self._on_new is not None:
            self._on_new(finding)
