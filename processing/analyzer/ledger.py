"""Numbers and names findings."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from processing.domain.findings import Finding
from processing.domain.found import Found
from processing.domain.ids import SessionId, finding_uuid

_F = TypeVar("_F", bound=Found)


class LedgerState(msgspec.Struct):
    """How many findings of each kind a session has."""

    session_id: str
    ordinals: dict[str, int] = msgspec.field(default_factory=dict)


class Ledger:
    """Findings of a session that have not been handed out yet.

    The id of a finding follows from session, kind and ordinal, so feeding the same log again gives the same ids.
    """

    def __init__(self, state: LedgerState) -> None:
        self.state = state
        self._waiting: list[Finding] = []

    def add(self, kind: type[_F], **fields: Any) -> _F:  # noqa: ANN401 - the fields of the kind; msgspec checks their names
        """State a finding; ``fields`` are all but its id, session and ordinal."""
        tag = str(kind.__struct_config__.tag)
        ordinal = self.state.ordinals.get(tag, 0)
        self.state.ordinals[tag] = ordinal + 1
        session_id = self.state.session_id
        finding = kind(
            finding_id=finding_uuid(SessionId(session_id), tag, ordinal),
            session_id=session_id,
            ordinal=ordinal,
            **fields,
        )
        self._waiting.append(finding)  # type: ignore[arg-type]
        return finding

    def drain(self) -> list[Finding]:
        """Findings since the last call, in the order in which they became certain."""
        waiting, self._waiting = self._waiting, []
        return waiting
