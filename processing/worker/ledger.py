"""Whose a session is: asks the store once per session and remembers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import structlog

from processing.domain.commands import StartSession
from processing.domain.findings import Finding
from processing.domain.ids import GatewayId, SessionId, SubjectId
from processing.worker.intake import DropReason, owner_of
from processing.worker.metrics import WorkerMetrics
from processing.worker.ports import OwnedFinding, WorkerStore

_log = structlog.get_logger("worker")

_MAX_REMEMBERED = 256
"""Sessions of one gateway; the oldest is asked for again when more turn up."""


class SessionLedger:
    """Owners of the sessions in one gateway's log."""

    def __init__(self, gateway_id: GatewayId, store: WorkerStore, metrics: WorkerMetrics) -> None:
        self._gateway_id = gateway_id
        self._store = store
        self._metrics = metrics
        self._owners: dict[SessionId, SubjectId | DropReason] = {}

    async def owned(
        self, findings: Sequence[Finding], opened: Mapping[SessionId, StartSession]
    ) -> tuple[OwnedFinding, ...]:
        """Findings with their person; those without are counted, logged and left out.

        Raises:
            StoreUnavailableError: the store cannot say now.
        """
        session_ids = dict.fromkeys(SessionId(finding.session_id) for finding in findings)
        owners = await self.owners(session_ids, opened)
        kept: list[OwnedFinding] = []
        for finding in findings:
            owner = owners[SessionId(finding.session_id)]
            if isinstance(owner, DropReason):
                self._metrics.findings_dropped.labels(owner).inc()
            else:
                kept.append(OwnedFinding(owner, self._gateway_id, finding))
        return tuple(kept)

    async def owners(
        self, session_ids: Collection[SessionId], opened: Mapping[SessionId, StartSession]
    ) -> Mapping[SessionId, SubjectId | DropReason]:
        """Owner of each session, or why it has none.

        Raises:
            StoreUnavailableError: the store cannot say now.
        """
        owners = {session_id: self._owners[session_id] for session_id in session_ids if session_id in self._owners}
        unknown = [session_id for session_id in session_ids if session_id not in owners]
        if unknown:
            records = await self._store.sessions(unknown)
            for session_id in unknown:
                owners[session_id] = owner_of(self._gateway_id, opened.get(session_id), records.get(session_id))
                self._remember(session_id, owners[session_id])
        return owners

    def _remember(self, session_id: SessionId, owner: SubjectId | DropReason) -> None:
        if isinstance(owner, DropReason):
            _log.warning("session_without_owner", gateway=self._gateway_id, session=session_id, reason=owner)
        while len(self._owners) >= _MAX_REMEMBERED:
            del self._owners[next(iter(self._owners))]
        self._owners[session_id] = owner
