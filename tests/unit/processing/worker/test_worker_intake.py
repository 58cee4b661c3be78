"""What a batch is to a partition, and whose a session is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.domain.commands import SensorPlacement, StartSession
from processing.domain.ids import GatewayId, SubjectId
from processing.domain.samples import Placement
from processing.wire.log import LogBatch
from processing.worker.intake import DropReason, Verdict, is_after_end, judge, owner_of
from processing.worker.ports import SessionRecord

GW = GatewayId("gw1")
SESSION = "12345678-1234-5678-9234-567812345678"
PELVIS = SensorPlacement(sensor_id="S1", placement=Placement.PELVIS)
THORAX = SensorPlacement(sensor_id="S2", placement=Placement.THORAX)


@pytest.mark.parametrize(
    ("first", "count", "verdict", "skip"),
    [
        (10, 3, Verdict.TAKE, 0),
        (8, 3, Verdict.TAKE, 2),
        (8, 2, Verdict.DUPLICATE, 0),
        (11, 1, Verdict.HOLE, 0),
        (10, 0, Verdict.DUPLICATE, 0),
    ],
)
def test_a_batch_is_judged_by_the_offset_that_is_expected(first: int, count: int, verdict: Verdict, skip: int) -> None:
    assert judge(7, 10, LogBatch(7, first, (b"e",) * count)) == (verdict, skip)


def test_a_batch_of_another_log_is_told_apart_whatever_its_offsets() -> None:
    assert judge(7, 10, LogBatch(8, 10, (b"e",))).verdict is Verdict.OTHER_LOG


@given(
    total=st.integers(1, 60),
    deliveries=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=60),
)
def test_whatever_arrives_in_whatever_order_each_entry_is_taken_once_and_in_order(
    total: int, deliveries: list[tuple[int, int]]
) -> None:
    log = [str(offset).encode() for offset in range(1, total + 1)]
    taken: list[bytes] = []
    for first, count in deliveries:
        batch = LogBatch(7, first, tuple(log[first - 1 : first - 1 + count]))
        verdict, skip = judge(7, len(taken) + 1, batch)
        if verdict is Verdict.TAKE:
            taken += batch.entries[skip:]
    assert taken == log[: len(taken)]


@pytest.mark.parametrize(
    ("t0_s", "ended_s", "after"), [(5, None, False), (900, 1000, False), (1059, 1000, False), (1061, 1000, True)]
)
def test_what_begins_a_minute_after_the_end_of_a_session_is_not_part_of_it(
    t0_s: int, ended_s: int | None, *, after: bool
) -> None:
    ended_ns = None if ended_s is None else ended_s * 1_000_000_000
    assert is_after_end(t0_s * 1_000_000_000, ended_ns) is after


def record(gateway: str = "gw1", *sensors: SensorPlacement) -> SessionRecord:
    return SessionRecord(SubjectId("p1"), GatewayId(gateway), sensors or (PELVIS, THORAX))


@pytest.mark.parametrize(
    ("opened", "known", "owner"),
    [
        ((PELVIS,), record(), "p1"),
        ((THORAX, PELVIS), record(), "p1"),
        ((PELVIS,), None, DropReason.UNKNOWN_SESSION),
        (None, record(), DropReason.UNKNOWN_SESSION),
        ((PELVIS,), record("gw2"), DropReason.OTHER_GATEWAY),
        ((PELVIS, THORAX), record("gw1", PELVIS), DropReason.UNPAIRED_SENSOR),
        (
            (SensorPlacement(sensor_id="S1", placement=Placement.THORAX),),
            record("gw1", PELVIS),
            DropReason.UNPAIRED_SENSOR,
        ),
    ],
)
def test_a_session_has_an_owner_only_if_the_store_knows_it_on_this_gateway_with_these_sensors(
    opened: tuple[SensorPlacement, ...] | None, known: SessionRecord | None, owner: str
) -> None:
    start = None if opened is None else StartSession(session_id=SESSION, sensors=opened)
    assert owner_of(GW, start, known) == owner
