"""Everyday wear of a session, packed away while nobody watches."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from processing.analyzer.daily import Daily, DailyState
from processing.analyzer.ledger import Ledger
from processing.domain.samples import Placement

_decoder = msgspec.msgpack.Decoder(DailyState)


class Everyday:
    """Keeps ``Daily``, of which there are bytes only during a set: its stages are a tenth of a session's memory."""

    def __init__(self, placements: Sequence[Placement], packed: bytes = b"") -> None:
        self._placements = placements
        self._packed = packed
        self._daily: Daily | None = None

    def watch(self) -> Daily:
        """Everyday wear, to go on with."""
        if self._daily is None:
            self._daily = Daily(self._placements, _decoder.decode(self._packed) if self._packed else None)
        return self._daily

    def pause(self, ledger: Ledger) -> None:
        """An exercise begins: what is under way is stated, sums and poses are kept."""
        self.watch().finish(ledger)
        self._packed, self._daily = self.state(), None

    def state(self) -> bytes:
        """State as bytes."""
        return self._packed if self._daily is None else msgspec.msgpack.encode(self._daily.state())
