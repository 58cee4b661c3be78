"""The worker's store on a real PostgreSQL: claims, compare-and-set, idempotent findings."""

from __future__ import annotations

from uuid import uuid5

import asyncpg
import msgspec
import pytest

from processing.domain.commands import ControlMessage
from processing.domain.ids import EventId, GatewayId
from processing.wire.messages import encode_finding
from processing.worker.ports import (
    AppliedControl,
    Checkpoint,
    CommitOutcome,
    LogName,
    OwnedFinding,
    RawBlock,
    StoreUnavailableError,
)
from processing.worker.raw_block import pack_entries
from service.api.ports import ControlState
from service.store import sessions
from service.store.gateway_logs import log_batches, logs_of
from service.store.pool import Pool, open_pool
from service.store.service_store import PostgresServiceStore
from service.store.worker_store import PostgresWorkerStore
from tests.integration.worker_parts import (
    NAMESPACE,
    T0_NS,
    expected_findings,
    log_of,
    provision,
    session_named,
    start_session,
    stored_findings,
)

GW1 = GatewayId("gw1")
SHARD = 60
LOG = LogName(GW1, 7)
SESSION = session_named("one")


def checkpoint(epoch: int, start: int, committed: int, **changes: object) -> Checkpoint:
    values: dict[str, object] = {
        "log": LOG,
        "epoch": epoch,
        "start": start,
        "committed": committed,
        "state": f"state at {committed}".encode(),
        "blocks": (RawBlock(start + 1, committed, pack_entries([b"e"] * (committed - start)), T0_NS, T0_NS),),
        "losses": (),
        "findings": (),
        "applied": (),
        "ended": {},
        **changes,
    }
    return Checkpoint(**values)  # type: ignore[arg-type]


async def test_of_two_claims_only_one_holds_and_a_later_claim_has_a_higher_epoch(pool: Pool, dsn: str) -> None:
    store = PostgresWorkerStore(pool, dsn)
    async with store.claims("a") as first:
        epoch = await first.claim(SHARD)
        async with store.claims("b") as second:
            assert (await first.workers(), await second.workers()) == (2, 2)
            assert await second.claim(SHARD) is None
            await first.release(SHARD)
            later = await second.claim(SHARD)
    assert epoch is not None
    assert later is not None
    assert later > epoch


async def test_claims_end_with_their_connection_and_the_loss_is_told(pool: Pool, dsn: str) -> None:
    store = PostgresWorkerStore(pool, dsn)
    async with store.claims("a") as first:
        assert await first.claim(SHARD) is not None
        await pool.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'lumbar worker a'"
        )
        with pytest.raises(StoreUnavailableError):
            await first.workers()
        async with store.claims("b") as second:
            assert await second.workers() == 1
            assert await second.claim(SHARD) is not None


async def test_a_checkpoint_stands_only_on_the_offset_and_the_claim_it_started_from(pool: Pool, dsn: str) -> None:
    store = PostgresWorkerStore(pool, dsn)
    async with store.claims("a") as board:
        epoch = await board.claim(SHARD)
        assert epoch is not None
        assert (await store.load(LOG)).committed == 0
        assert await store.commit(checkpoint(epoch, 0, 10)) is CommitOutcome.DONE
        assert await store.commit(checkpoint(epoch, 0, 12)) is CommitOutcome.OVERTAKEN
        assert await store.commit(checkpoint(epoch - 1, 10, 20)) is CommitOutcome.FENCED
    loaded = await store.load(LOG)
    assert (loaded.committed, loaded.state) == (10, b"state at 10")
    assert await pool.fetchval("SELECT count(*) FROM lumbar.raw_block") == 1


async def test_a_refused_checkpoint_leaves_none_of_its_findings(pool: Pool, dsn: str) -> None:
    subject = await provision(pool, SESSION, GW1)
    store = PostgresWorkerStore(pool, dsn)
    owned = tuple(OwnedFinding(subject, GW1, finding) for finding in expected_findings(log_of(SESSION, 10)))
    await store.load(LOG)
    assert await store.commit(checkpoint(1, 0, 10, findings=owned)) is CommitOutcome.FENCED
    assert await pool.fetchval("SELECT count(*) FROM lumbar.finding") == 0


async def test_findings_inserted_twice_are_there_once_and_to_the_letter(pool: Pool, dsn: str) -> None:
    subject = await provision(pool, SESSION, GW1)
    store = PostgresWorkerStore(pool, dsn)
    findings = expected_findings(log_of(SESSION, 20))
    owned = [OwnedFinding(subject, GW1, finding) for finding in findings]
    await store.add_findings(owned[:6])
    await store.add_findings(owned)
    rows = await pool.fetch("SELECT body, t0_ns FROM lumbar.finding ORDER BY ordinal")
    assert [row["body"].encode() for row in rows] == [encode_finding(finding) for finding in findings]
    assert [row["t0_ns"] for row in rows] == [finding.t0_ns for finding in findings]


async def test_a_checkpoint_replaces_what_was_stored_differently_under_the_ids_of_its_findings(
    pool: Pool, dsn: str
) -> None:
    subject = await provision(pool, SESSION, GW1)
    store = PostgresWorkerStore(pool, dsn)
    findings = expected_findings(log_of(SESSION, 20))
    stale = [
        msgspec.structs.replace(findings[0], t0_ns=findings[0].t0_ns - 5_000_000_000),
        msgspec.structs.replace(findings[1], quality=0.5),
        findings[2],
    ]
    await store.add_findings([OwnedFinding(subject, GW1, finding) for finding in stale])
    before = await pool.fetchval("SELECT seq FROM lumbar.finding WHERE ordinal = 3")
    owned = tuple(OwnedFinding(subject, GW1, finding) for finding in findings)
    await store.load(LOG)
    async with store.claims("a") as board:
        epoch = await board.claim(SHARD)
        assert epoch is not None
        assert await store.commit(checkpoint(epoch, 0, 10, findings=owned)) is CommitOutcome.DONE
    assert await stored_findings(pool, SESSION) == findings
    assert await pool.fetchval("SELECT seq FROM lumbar.finding WHERE ordinal = 3") == before


async def test_a_checkpoint_marks_commands_as_applied_and_sessions_as_ended(pool: Pool, dsn: str) -> None:
    await provision(pool, SESSION, GW1)
    store = PostgresWorkerStore(pool, dsn)
    event_id = EventId(str(uuid5(NAMESPACE, "event")))
    message = ControlMessage(
        event_id=event_id, issued_ns=T0_NS, expires_ns=T0_NS + 1, command=start_session(SESSION, "S1")
    )
    service = PostgresServiceStore(pool)
    assert await service.add_control(GW1, message)
    await service.expire_controls([event_id])
    async with store.claims("a") as board:
        epoch = await board.claim(SHARD)
        assert epoch is not None
        await store.load(LOG)
        done = checkpoint(epoch, 0, 10, applied=(AppliedControl(event_id, 4),), ended={SESSION: T0_NS - 5})
        assert await store.commit(done) is CommitOutcome.DONE
    row = await pool.fetchrow("SELECT state, applied_log_id, applied_offset FROM lumbar.control")
    assert row is not None
    assert tuple(row) == ("applied", 7, 4)
    session = await service.session(SESSION)
    assert session is not None
    assert session.ended_ns == T0_NS


async def test_a_checkpoint_marks_commands_that_could_not_be_followed_as_refused_for_good(pool: Pool, dsn: str) -> None:
    await provision(pool, SESSION, GW1)
    store, service = PostgresWorkerStore(pool, dsn), PostgresServiceStore(pool)
    event_id = EventId(SESSION)
    message = ControlMessage(event_id=event_id, issued_ns=0, expires_ns=1, command=start_session(SESSION, "S1"))
    assert await service.add_control(GW1, message)
    async with store.claims("a") as board:
        epoch = await board.claim(SHARD)
        assert epoch is not None
        await store.load(LOG)
        await store.commit(checkpoint(epoch, 0, 10, applied=(AppliedControl(event_id, 4, followed=False),)))
        await store.commit(checkpoint(epoch, 10, 20, applied=(AppliedControl(event_id, 14),)))
    found = await service.control(event_id)
    assert found is not None
    assert found.state is ControlState.REFUSED


async def test_a_new_log_ends_the_sessions_that_an_older_one_left_open(pool: Pool, dsn: str) -> None:
    await provision(pool, SESSION, GW1)
    waiting = session_named("waiting")
    await provision(pool, waiting, GW1)
    store, service = PostgresWorkerStore(pool, dsn), PostgresServiceStore(pool)
    for session_id in (SESSION, waiting):
        start = start_session(session_id, "S1")
        await service.add_control(
            GW1, ControlMessage(event_id=session_id, issued_ns=T0_NS, expires_ns=T0_NS, command=start)
        )
    async with store.claims("a") as board:
        epoch = await board.claim(SHARD)
        assert epoch is not None
        await store.load(LOG)
        await store.commit(checkpoint(epoch, 0, 10, applied=(AppliedControl(EventId(SESSION), 4),)))
    await store.load(LOG)
    assert len(await service.open_sessions()) == 2
    await store.load(LogName(GW1, 8))
    assert [session.session_id for session in await service.open_sessions()] == [waiting]


async def test_the_log_comes_back_as_batches_byte_for_byte(pool: Pool, dsn: str) -> None:
    from processing.wire.log import decode_batch

    store = PostgresWorkerStore(pool, dsn)
    entries = log_of(SESSION, 2_500)
    cut = 2_400
    blocks = (
        RawBlock(1, cut, pack_entries(entries[:cut]), None, None),
        RawBlock(cut + 1, len(entries), pack_entries(entries[cut:]), T0_NS, T0_NS),
    )
    async with store.claims("a") as board:
        epoch = await board.claim(SHARD)
        assert epoch is not None
        await store.load(LOG)
        assert await store.commit(checkpoint(epoch, 0, len(entries), blocks=blocks)) is CommitOutcome.DONE
    (extent,) = await logs_of(pool, GW1)
    assert (extent.log_id, extent.first_offset, extent.last_offset) == (7, 1, len(entries))
    batches = [decode_batch(batch) async for batch in log_batches(pool, GW1, 7)]
    assert [batch.first_offset for batch in batches] == [1, 2_001, 2_401]
    assert tuple(entry for batch in batches for entry in batch.entries) == entries


async def test_an_outage_is_told_as_such(dsn: str) -> None:
    nowhere = "postgresql://lumbar:x@127.0.0.1:1/lumbar"
    async with open_pool(nowhere) as pool:
        store = PostgresWorkerStore(pool, nowhere)
        with pytest.raises(StoreUnavailableError):
            await store.load(LOG)
        with pytest.raises(StoreUnavailableError):
            async with store.claims("a"):
                pass


async def test_the_hot_queries_walk_their_indexes_without_sorting(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        for query, arguments, index in (
            (sessions._FINDINGS, (SESSION, 5, 9), "finding_session"),
            (sessions._PENDING_CONTROLS, (), "control_pending"),
            (sessions._OPEN_SESSIONS, (), "session_open"),
            (sessions._LATEST_SESSION, ("p1",), "session_subject"),
        ):
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *arguments))
            assert index in plan
            assert "Sort" not in plan
    finally:
        await connection.close()
