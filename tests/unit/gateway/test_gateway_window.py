from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.window import AckFate, SendWindow, WindowLimits
from processing.wire.messages import Ack

LIMITS = WindowLimits(max_entries=40, max_bytes=500, batch_entries=7, batch_bytes=90, timeout_s=4.0, max_timeout_s=16.0)
ENTRY_BYTES = 10
LOG_ID = 5


@dataclass
class Chain:
    """A log, the window, a channel that loses what it is told to lose, and a receiver that may start again."""

    window: SendWindow = field(default_factory=lambda: SendWindow(LIMITS))
    first: int = 1
    next: int = 1
    now_s: float = 0.0
    up: deque[tuple[int, int]] = field(default_factory=deque)
    down: deque[Ack] = field(default_factory=deque)
    expect: int = 1
    committed: int = 0
    epoch: int = 1
    taken: list[int] = field(default_factory=list)

    def append(self, count: int) -> None:
        self.next += count

    def send(self) -> None:
        while (order := self.window.next_order(self.first, self.next)) is not None:
            count = min(order.max_entries, max(1, order.max_bytes // ENTRY_BYTES), self.next - order.offset)
            assert order.offset >= self.first, "what was forgotten is not sent"
            assert order.offset + count - 1 - self.window.committed <= LIMITS.max_entries
            self.window.leaving(order.offset + count)
            self.up.append((order.offset, count))
            self.window.sent(order.offset, count, count * ENTRY_BYTES, self.now_s)

    def deliver(self) -> None:
        """One batch reaches the receiver, which takes it or asks for what is missing."""
        if not self.up:
            return
        offset, count = self.up.popleft()
        if offset <= self.expect < offset + count:
            self.taken += range(self.expect, offset + count)
            self.expect = offset + count
        elif offset != self.expect:
            self.acknowledge()

    def commit(self) -> None:
        self.committed = self.expect - 1
        self.acknowledge()

    def restart_receiver(self) -> None:
        """What was not committed is forgotten and fed again."""
        self.epoch += 1
        self.expect = self.committed + 1
        self.taken = [offset for offset in self.taken if offset <= self.committed]
        self.acknowledge()

    def reconnect(self) -> None:
        self.up.clear()
        self.down.clear()
        self.window.connected(self.now_s)
        self.acknowledge()

    def acknowledge(self) -> None:
        self.down.append(Ack(log_id=LOG_ID, committed=self.committed, expect=self.expect, epoch=self.epoch))

    def hear(self) -> None:
        if self.down:
            ack = self.down.popleft()
            self.window.on_ack(ack, log_id=LOG_ID, first_offset=self.first, next_offset=self.next, now_s=self.now_s)
            assert self.window.committed <= self.committed, "nothing is forgotten before it was committed"
            self.first = max(self.first, self.window.committed + 1)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.window.on_time(self.now_s)


ACTIONS = {
    "append": lambda chain: chain.append(5),
    "append much": lambda chain: chain.append(60),
    "send": Chain.send,
    "deliver": Chain.deliver,
    "deliver all": lambda chain: [chain.deliver() for _ in range(len(chain.up))],
    "lose up": lambda chain: chain.up and chain.up.popleft(),
    "lose down": lambda chain: chain.down and chain.down.popleft(),
    "commit": Chain.commit,
    "hear": Chain.hear,
    "restart": Chain.restart_receiver,
    "reconnect": Chain.reconnect,
    "wait": lambda chain: chain.wait(1.0),
    "wait long": lambda chain: chain.wait(9.0),
}


@settings(max_examples=200)
@given(st.lists(st.sampled_from(sorted(ACTIONS)), min_size=80, max_size=160))
def test_over_a_lossy_channel_everything_arrives_in_order_and_nothing_is_forgotten_too_early(
    actions: list[str],
) -> None:
    chain = Chain()
    chain.reconnect()
    for action in actions:
        ACTIONS[action](chain)
        assert chain.taken == list(range(1, chain.expect))
    for _ in range(40 + chain.next // 10):
        chain.send()
        while chain.up:
            chain.deliver()
        chain.commit()
        while chain.down:
            chain.hear()
        chain.wait(5.0)
    assert chain.taken == list(range(1, chain.next))
    assert chain.first == chain.next


def acked(window: SendWindow, *, committed: int = 0, expect: int = 1, epoch: int = 1, log_id: int = LOG_ID) -> AckFate:
    ack = Ack(log_id=log_id, committed=committed, expect=expect, epoch=epoch)
    return window.on_ack(ack, log_id=LOG_ID, first_offset=1, next_offset=1000, now_s=100.0)


@pytest.fixture
def window() -> SendWindow:
    window = SendWindow(LIMITS, unsent_from=50)
    window.connected(0.0)
    return window


def test_nothing_is_sent_before_the_first_acknowledgement_of_a_connection(window: SendWindow) -> None:
    assert window.next_order(1, 1000) is None
    acked(window)
    order = window.next_order(1, 1000)
    assert order is not None
    assert order.offset == 1
    window.connected(1.0)
    assert window.next_order(1, 1000) is None


def test_an_acknowledgement_of_progress_does_not_repeat_what_is_under_way(window: SendWindow) -> None:
    acked(window)
    for offset in range(1, 29, 7):
        window.sent(offset, 7, 70, 1.0)
    assert acked(window, committed=7, expect=15) is AckFate.TAKEN
    order = window.next_order(1, 1000)
    assert order is not None
    assert order.offset == 29


def test_a_new_claim_and_a_step_back_rewind_at_once(window: SendWindow) -> None:
    acked(window)
    window.sent(1, 7, 70, 1.0)
    window.sent(8, 7, 70, 1.0)
    assert acked(window, expect=8, epoch=1) is AckFate.TAKEN
    assert acked(window, expect=1, epoch=1) is AckFate.REWOUND
    window.sent(1, 7, 70, 101.0)
    assert acked(window, expect=1, epoch=2) is AckFate.REWOUND
    assert acked(window, expect=9, epoch=1) is AckFate.STALE


def test_other_logs_and_offsets_never_sent_are_told_apart(window: SendWindow) -> None:
    assert acked(window, log_id=6) is AckFate.OTHER_LOG
    # The log has grown to 1000, but only entries up to 49 can have been sent by this process or one before it.
    assert acked(window, expect=51) is AckFate.AHEAD
    assert window.next_order(1, 1000) is None
    assert acked(window, expect=50) is AckFate.TAKEN
    window.leaving(57)
    assert acked(window, expect=57) is AckFate.TAKEN
    assert acked(window, expect=58) is AckFate.AHEAD


def test_a_log_that_skipped_goes_on_at_its_new_offset(window: SendWindow) -> None:
    assert acked(window, expect=500) is AckFate.AHEAD
    window.renumbered(500)
    assert acked(window, committed=499, expect=500) is AckFate.TAKEN
    order = window.next_order(500, 1450)
    assert order is not None
    assert order.offset == 500


def test_what_was_dropped_unsent_may_be_passed_over(window: SendWindow) -> None:
    ack = Ack(log_id=LOG_ID, committed=0, expect=501, epoch=1)
    assert window.on_ack(ack, log_id=LOG_ID, first_offset=501, next_offset=600, now_s=0.0) is AckFate.TAKEN


def test_a_receiver_that_wants_dropped_entries_gets_the_oldest_there_are(window: SendWindow) -> None:
    ack = Ack(log_id=LOG_ID, committed=0, expect=1, epoch=1)
    assert window.on_ack(ack, log_id=LOG_ID, first_offset=501, next_offset=600, now_s=0.0) is AckFate.BEHIND
    order = window.next_order(501, 600)
    assert order is not None
    assert order.offset == 501


def test_an_unanswered_window_is_probed_ever_more_rarely(window: SendWindow) -> None:
    acked(window)
    window.sent(1, 7, 70, 100.0)
    window.sent(8, 7, 70, 100.0)
    probes, now_s = [], 100.0
    while now_s < 200.0:
        now_s += 1.0
        if window.on_time(now_s):
            probes.append(now_s - 100.0)
            order = window.next_order(1, 1000)
            assert order is not None
            assert order.offset == 1
            window.sent(1, 7, 70, now_s)
            assert window.next_order(1, 1000) is None, "one batch, then patience"
    assert probes == [4.0, 12.0, 28.0, 44.0, 60.0, 76.0, 92.0]


def test_the_window_closes_at_its_bound_and_opens_with_a_commit(window: SendWindow) -> None:
    acked(window)
    offset = 1
    while (order := window.next_order(1, 1000)) is not None:
        window.sent(offset, order.max_entries, 10, 1.0)
        offset += order.max_entries
    assert offset == 1 + LIMITS.max_entries
    acked(window, committed=10, expect=offset)
    assert window.next_order(1, 1000) is not None
