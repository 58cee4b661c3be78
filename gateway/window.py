"""What to send next: Go-back-N over a channel that loses, repeats and reorders nothing but may drop. Pure.

The receiver says which offset it expects; the sender keeps a bounded number of entries in flight beyond the
last committed one and goes back when the receiver stands still.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from processing.wire.messages import Ack


class AckFate(StrEnum):
    """What became of an acknowledgement."""

    TAKEN = "taken"
    REWOUND = "rewound"
    """Taken, and something has to be sent again."""
    STALE = "stale"
    """From a worker whose claim has passed to another one."""
    OTHER_LOG = "other_log"
    AHEAD = "ahead"
    """The receiver holds entries that were never sent: this log is an older copy, it must skip to ``expect``."""
    BEHIND = "behind"
    """The receiver wants entries that were dropped: it must be told where the log begins."""


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """Bounds of what is sent.

    Attributes:
        max_entries: entries in flight beyond the last committed one.
        max_bytes: bytes in flight.
        batch_entries: entries of one message.
        batch_bytes: bytes of one message; well below the 256 KiB that the codec allows.
        timeout_s: no acknowledgement for so long although entries are in flight: go back and probe.
        max_timeout_s: the timeout doubles up to this while nobody answers.
    """

    max_entries: int = 2_000
    max_bytes: int = 1_000_000
    batch_entries: int = 200
    batch_bytes: int = 64_000
    timeout_s: float = 4.0
    max_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """Send entries from ``offset`` on, at most so many and so much."""

    offset: int
    max_entries: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class _Sent:
    next_offset: int
    size_bytes: int
    at_s: float


class SendWindow:
    """State of the sending side of one log. Time is an argument, in seconds of any steady clock.

    Args:
        limits: bounds.
        unsent_from: entries from this offset on were never sent, also not by an earlier process.
    """

    def __init__(self, limits: WindowLimits | None = None, unsent_from: int = 1) -> None:
        self._limits = limits or WindowLimits()
        self.unsent_from = unsent_from
        """Entries from this offset on were never sent, so no receiver can have them."""
        self._in_flight: deque[_Sent] = deque()
        self._cursor: int | None = None
        self._committed = 0
        self._expect = 0
        self._epoch = 0
        self._last_ack_s = 0.0
        self._timeout_s = self._limits.timeout_s
        self._probing = False

    @property
    def committed(self) -> int:
        """Highest offset whose results are stored for good; everything up to it may be forgotten."""
        return self._committed

    @property
    def unanswered(self) -> bool:
        """Whether the receiver has not yet said where to go on since the connection was made."""
        return self._cursor is None

    def connected(self, now_s: float) -> None:
        """A new connection: whatever was in flight is gone, and the receiver must say where to go on."""
        self._cursor = None
        self._in_flight.clear()
        # Claims are compared within a connection: a receiver with a new database counts them from one again.
        self._epoch = 0
        self._expect = 0
        self._heard(now_s)

    def on_ack(self, ack: Ack, *, log_id: int, first_offset: int, next_offset: int, now_s: float) -> AckFate:
        """The receiver spoke; ``first_offset`` and ``next_offset`` tell what the log holds."""
        if ack.log_id != log_id:
            return AckFate.OTHER_LOG
        if ack.epoch < self._epoch:
            return AckFate.STALE
        # What was dropped unsent the receiver has passed over.
        if ack.expect > max(self.unsent_from, first_offset):
            return AckFate.AHEAD
        new_claim = ack.epoch > self._epoch
        stands_still = ack.expect == self._expect and self._sent_before_last_ack(ack.expect)
        goes_back = ack.expect < self._expect
        self._epoch = ack.epoch
        self._committed = max(self._committed, min(ack.committed, next_offset - 1), first_offset - 1)
        self._expect = ack.expect
        probed = self._probing
        self._heard(now_s)
        while self._in_flight and self._in_flight[0].next_offset <= self._committed + 1:
            self._in_flight.popleft()
        start = max(ack.expect, first_offset)
        fate = AckFate.TAKEN
        if self._cursor is None or start > self._cursor:
            self._cursor = start
        elif (new_claim or stands_still or goes_back or probed) and start < self._cursor:
            self._go_back_to(start)
            fate = AckFate.REWOUND
        return AckFate.BEHIND if ack.expect < first_offset else fate

    def next_order(self, first_offset: int, next_offset: int) -> Order | None:
        """What to send now, if anything; the offsets tell what the log holds."""
        if self._cursor is None:
            return None
        if self._cursor < first_offset:
            # The log was full and dropped its oldest entries before they could be sent.
            self._committed = max(self._committed, first_offset - 1)
            self._cursor = first_offset
            self._in_flight.clear()
        if self._cursor >= next_offset:
            return None
        limits = self._limits
        if self._probing and self._in_flight:
            return None
        free_entries = self._committed + 1 + limits.max_entries - self._cursor
        free_bytes = limits.max_bytes - sum(sent.size_bytes for sent in self._in_flight)
        if free_entries <= 0 or free_bytes <= 0:
            return None
        return Order(self._cursor, min(free_entries, limits.batch_entries), min(free_bytes, limits.batch_bytes))

    def leaving(self, next_offset: int) -> None:
        """Entries before ``next_offset`` are about to go out: from now on a receiver may have them."""
        self.unsent_from = max(self.unsent_from, next_offset)

    def renumbered(self, offset: int) -> None:
        """The log skipped: what was never sent now begins at ``offset``."""
        self.unsent_from = offset

    def sent(self, offset: int, count: int, size_bytes: int, now_s: float) -> None:
        """Entries went out, after ``leaving`` was told. Ignored if a rewind moved the cursor meanwhile."""
        if offset != self._cursor:
            return
        if not self._in_flight:
            self._last_ack_s = max(self._last_ack_s, now_s)
        self._cursor = offset + count
        self._in_flight.append(_Sent(self._cursor, size_bytes, now_s))

    def on_time(self, now_s: float) -> bool:
        """Look at the clock; True if nobody answered for too long and the window went back to its beginning.

        From then on one batch at a time is sent, ever more rarely, until an acknowledgement comes.
        """
        if self._cursor is None or not self._in_flight or now_s - self._last_ack_s < self._timeout_s:
            return False
        self._go_back_to(min(self._cursor, self._committed + 1))
        self._probing = True
        self._last_ack_s = now_s
        self._timeout_s = min(2 * self._timeout_s, self._limits.max_timeout_s)
        return True

    def _heard(self, now_s: float) -> None:
        self._last_ack_s = now_s
        self._timeout_s = self._limits.timeout_s
        self._probing = False

    def _sent_before_last_ack(self, offset: int) -> bool:
        """Whether the batch with ``offset`` had gone out before the receiver last spoke, so that it had its chance."""
        return any(sent.next_offset > offset and sent.at_s < self._last_ack_s for sent in self._in_flight)

    def _go_back_to(self, offset: int) -> None:
        self._cursor = offset
        while self._in_flight and self._in_flight[-1].next_offset > offset:
            self._in_flight.pop()
