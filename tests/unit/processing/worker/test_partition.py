"""A partition gathers exactly what a checkpoint must hold."""

from __future__ import annotations

import pytest

from processing.domain.entries import Gap, GapReason
from processing.domain.errors import DecodeError
from processing.domain.ids import GatewayId
from processing.wire.log import encode_entry
from processing.worker.partition import Partition, increase
from processing.worker.ports import LogName, StoredPartition
from processing.worker.raw_block import unpack_entries
from tests.integration.worker_parts import (
    T0_NS,
    TallyAnalyzer,
    expected_findings,
    log_of,
    session_named,
)

LOG = LogName(GatewayId("gw1"), 7)
SESSION = session_named("one")
ENTRIES = log_of(SESSION, 30)


def partition(committed: int = 0, state: bytes | None = None) -> Partition:
    return Partition(LOG, StoredPartition(committed, state), TallyAnalyzer)


@pytest.mark.parametrize("cut", [1, 2, 15, 32])
def test_a_partition_restored_from_its_checkpoint_finds_the_same(cut: int) -> None:
    first = partition()
    for entry in ENTRIES[:cut]:
        first.feed(entry)
    saved = first.checkpoint(1, ())
    second = partition(saved.committed, saved.state)
    assert second.expect == cut + 1
    for entry in ENTRIES[cut:]:
        second.feed(entry)
    assert first.findings + second.findings == expected_findings(ENTRIES)


def test_a_checkpoint_holds_the_raw_entries_the_commands_and_the_ended_sessions() -> None:
    whole = partition()
    for entry in ENTRIES:
        whole.feed(entry)
    saved = whole.checkpoint(3, ())
    (block,) = saved.blocks
    assert unpack_entries(block.packed) == ENTRIES
    assert (block.first_offset, block.last_offset, block.t0_ns) == (1, len(ENTRIES), T0_NS)
    assert [control.offset for control in saved.applied] == [2, len(ENTRIES)]
    assert saved.ended == {SESSION: T0_NS + 30 * 10_000_000}
    whole.advance(saved)
    assert not whole.dirty
    assert not whole.holds_control
    after = whole.checkpoint(3, ())
    assert (after.start, after.blocks, after.applied, after.ended) == (len(ENTRIES), (), (), {})


def test_an_entry_that_cannot_be_read_keeps_its_place_in_the_log() -> None:
    some = partition()
    some.feed(ENTRIES[0])
    with pytest.raises(DecodeError):
        some.feed(b"\xf0")
    some.feed(ENTRIES[1])
    (block,) = some.checkpoint(1, ()).blocks
    assert unpack_entries(block.packed) == (ENTRIES[0], b"\xf0", ENTRIES[1])
    assert some.expect == 4


def test_a_jump_records_the_loss_and_begins_a_new_block() -> None:
    some = partition()
    some.feed(ENTRIES[0])
    assert some.jump(5) == 3
    assert some.jump(5) == 0
    some.feed(ENTRIES[1])
    saved = some.checkpoint(1, ())
    assert saved.losses == ((2, 4),)
    assert [(block.first_offset, block.last_offset) for block in saved.blocks] == [(1, 1), (5, 5)]
    assert saved.committed == 5


def test_the_span_of_a_block_covers_the_gaps_in_it() -> None:
    some = partition()
    some.feed(encode_entry(Gap(stream=0, t0_ns=5, t1_ns=2, reason=GapReason.LINK)))
    some.feed(encode_entry(Gap(stream=0, t0_ns=3, t1_ns=9, reason=GapReason.LINK)))
    (block,) = some.checkpoint(1, ()).blocks
    assert (block.t0_ns, block.t1_ns) == (2, 9)


def test_sessions_ended_long_ago_are_forgotten() -> None:
    some = partition()
    for number in range(200):
        for entry in log_of(session_named(str(number)), 1):
            some.feed(entry)
        some.advance(some.checkpoint(1, ()))
    assert len(some.opened) <= 65
    assert session_named("199") in some.opened


def test_growth_of_counters_is_told_even_when_one_began_anew() -> None:
    assert increase({"a": 3, "b": 5, "c": 1}, {"a": 4, "b": 2, "c": 1, "d": 7}) == {"a": 1, "b": 2, "d": 7}
