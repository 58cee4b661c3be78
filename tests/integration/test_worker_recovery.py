"""The worker goes on where a checkpoint or an entry cannot be used."""

from __future__ import annotations

import asyncio

import pytest

from processing.domain.commands import ControlMessage
from processing.domain.entries import NumberedEntry
from processing.domain.findings import Finding
from processing.domain.ids import GatewayId
from processing.worker.app import run_worker
from processing.worker.metrics import WorkerMetrics
from service.embedded.access import BrokerUser
from service.embedded.broker import ChildBroker
from service.store.pool import Pool
from service.store.service_store import PostgresServiceStore
from service.store.worker_store import PostgresWorkerStore
from tests.integration.scripted_gateway import ScriptedGateway, finish
from tests.integration.worker_parts import (
    T0_NS,
    TallyAnalyzer,
    control,
    count,
    expected_findings,
    log_of,
    provision,
    session_named,
    start_session,
    stored_findings,
    worker_settings,
    working,
)

GW1 = GatewayId("gw1")
SESSION = session_named("one")
ENTRIES = (*log_of(SESSION, 50)[:20], b"\xf5unreadable", *log_of(SESSION, 50)[20:])
CUT = 40

Users = dict[str, BrokerUser]


async def _half_done(broker: ChildBroker, users: Users, pool: Pool, store: PostgresWorkerStore) -> None:
    """Commit the first entries of the log, then spoil the checkpoint."""
    await provision(pool, SESSION, GW1)
    start = start_session(SESSION)
    event_id = control(start).event_id
    await PostgresServiceStore(pool).add_control(
        GW1, ControlMessage(event_id=event_id, issued_ns=T0_NS, expires_ns=T0_NS, command=start)
    )
    async with working(worker_settings(broker, users["worker"]), store):
        await finish(ScriptedGateway(broker, users["gw1"], ENTRIES[:CUT]))
    await pool.execute("UPDATE lumbar.log_partition SET checkpoint = '\\x01'")


async def test_a_checkpoint_that_cannot_be_read_is_made_again_from_the_raw_blocks(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    store = PostgresWorkerStore(pool, dsn)
    await _half_done(nats, broker_users, pool, store)
    async with working(worker_settings(nats, broker_users["worker"]), store) as metrics:
        await finish(ScriptedGateway(nats, broker_users["gw1"], ENTRIES))
    assert await stored_findings(pool, SESSION) == expected_findings(ENTRIES)
    assert count(metrics.registry, "checkpoints_unreadable", outcome="replayed") == 1
    assert count(metrics.registry, "partition_failures") == 0


@pytest.mark.parametrize(
    "spoil",
    [
        "DELETE FROM lumbar.raw_block WHERE first_offset = 1",
        "UPDATE lumbar.raw_block SET entries = '\\x00' WHERE first_offset = 1",
    ],
)
async def test_without_the_raw_blocks_the_gateway_goes_on_and_its_sessions_are_ended(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str, spoil: str
) -> None:
    store = PostgresWorkerStore(pool, dsn)
    await _half_done(nats, broker_users, pool, store)
    await pool.execute(spoil)
    await pool.execute("UPDATE lumbar.control SET event_id = session_id")
    async with working(worker_settings(nats, broker_users["worker"]), store) as metrics:
        await finish(ScriptedGateway(nats, broker_users["gw1"], ENTRIES))
    assert await pool.fetchval("SELECT committed FROM lumbar.log_partition") == len(ENTRIES)
    assert count(metrics.registry, "checkpoints_unreadable", outcome="begun_anew") == 1
    assert await pool.fetchval("SELECT ended_ns FROM lumbar.session") is not None
    assert await stored_findings(pool, SESSION) == expected_findings(ENTRIES[:CUT])


class Poisoned(TallyAnalyzer):
    """Breaks at one entry, always."""

    def feed(self, numbered: NumberedEntry) -> list[Finding]:
        if numbered.offset == 25:
            raise RuntimeError("this entry, every time")
        return super().feed(numbered)


async def test_an_entry_at_which_the_analyzer_always_fails_is_passed_over(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    await provision(pool, SESSION, GW1)
    metrics = WorkerMetrics()
    async with asyncio.TaskGroup() as tasks:
        worker = tasks.create_task(
            run_worker(
                worker_settings(nats, broker_users["worker"]),
                PostgresWorkerStore(pool, dsn),
                analyzers=Poisoned,
                metrics=metrics,
            )
        )
        await finish(ScriptedGateway(nats, broker_users["gw1"], ENTRIES))
        worker.cancel()
    without = [*ENTRIES[:24], b"\xf5passed over", *ENTRIES[25:]]
    assert await stored_findings(pool, SESSION) == expected_findings(without)
    assert count(metrics.registry, "partition_failures") == 3
    assert count(metrics.registry, "entries_refused", reason="analyzer_failed") == 1
    assert await pool.fetchval("SELECT max(last_offset) FROM lumbar.raw_block") == len(ENTRIES)
