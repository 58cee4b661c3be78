"""Follows the committed findings of the demo's sessions through the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import msgspec

from processing.domain.findings import Finding

POLL_INTERVAL_S = 1.0
PAGE = 500


class _Page(msgspec.Struct, frozen=True):
    findings: tuple[Finding, ...]
    next: str | None


class CommittedFindings:
    """Every committed finding once, in the order in which they were seen.

    ``on_new`` is called with each.
    """

    def __init__(self, client: httpx.AsyncClient, on_new: Callable[[Finding], None] | None) -> None:
        self._client = client
        self._on_new = on_new
        self._sessions: list[str] = []
        self._seen: set[str] = set()
        self.findings: list[Finding] = []

    def add_session(self, session_id: str) -> None:
        """Follow one more session."""
        self._sessions.append(session_id)

    async def follow(self) -> None:
        """Look for new findings until cancelled; a service that is away for a moment is asked again."""
        while True:
            await asyncio.sleep(POLL_INTERVAL_S)
            await self.catch_up()

    async def catch_up(self) -> None:
        """Take in all that is committed now."""
        for session_id in list(self._sessions):
            try:
                await self._read(session_id)
            except (httpx.TransportError, httpx.HTTPStatusError):
                continue

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
        self.findings.append(finding)
        if self._on_new is not None:
            self._on_new(finding)
