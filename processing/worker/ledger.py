"""Whose a session is, and whether it goes on: asks the store and remembers what cannot change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import structlog

from processing.domain.commands import StartSession
from processing.domain.findings import Finding
from processing.domain.ids import GatewayId, SessionId, SubjectId
from processing.worker.intake import DropReason, is_after_end, owner_of
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
        self._ended_ns: dict[SessionId, int] = {}

    async def owned(
        self,
        findings: Sequence[Finding],
        opened: Mapping[SessionId, StartSession],
        still_open: Collection[SessionId],
    ) -> tuple[OwnedFinding, ...]:
        """Findings with their person; those without are counted, logged and left out.

        Args:
            findings: what an analyzer confirmed.
            opened: sessions that the log opened.
            still_open: those among them that the log did not end; people may have.

        Raises:
            StoreUnavailableError: the store cannot say now.
        """
        self._forget_surplus()
        session_ids = dict.fromkeys(SessionId(finding.session_id) for finding in findings)
        await self._ask([each for each in session_ids if each in still_open and each not in self._ended_ns], opened)
        owners = await self.owners(session_ids, opened)
        kept: list[OwnedFinding] = []
        for finding in findings:
            session_id = SessionId(finding.session_id)
            owner = owners[session_id]
            if session_id in still_open and is_after_end(finding.t0_ns, self._ended_ns.get(session_id)):
                owner = DropReason.AFTER_END
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
        await self._ask([session_id for session_id in session_ids if session_id not in self._owners], opened)
        return {session_id: self._owners[session_id] for session_id in session_ids}

    async def _ask(self, session_ids: Sequence[SessionId], opened: Mapping[SessionId, StartSession]) -> None:
        if not session_ids:
            return
        records = await self._store.sessions(session_ids)
        for session_id in session_ids:
            record = records.get(session_id)
            self._remember(session_id, owner_of(self._gateway_id, opened.get(session_id), record))
            if record is not None and record.ended_ns is not None:
                self._ended_ns[session_id] = record.ended_ns

    def _remember(self, session_id: SessionId, owner: SubjectId | DropReason) -> None:
        if isinstance(owner, DropReason) and self._owners.get(session_id) != owner:
            _log.warning("session_without_owner", gateway=self._gateway_id, session=session_id, reason=owner)
        self._owners[session_id] = owner

    def _forget_surplus(self) -> None:
        while len(self._owners) > _MAX_REMEMBERED:
            oldest = next(iter(self._owners))
            del self._owners[oldest]
            self._ended_ns.pop(oldest, None)
