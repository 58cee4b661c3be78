"""The worker when something goes wrong inside: a broken analyzer, a stolen claim, a gateway that leaves."""

from __future__ import annotations

import asyncio

import aiomqtt

from processing.domain.entries import NumberedEntry
from processing.domain.findings import Finding
from processing.domain.ids import GatewayId
from processing.wire.log import encode_batch
from processing.wire.messages import GatewayState, encode_message
from processing.wire.topics import GatewayTopic, gateway_topic
from processing.worker.app import run_worker
from processing.worker.metrics import WorkerMetrics
from processing.worker.ports import Checkpoint, CommitOutcome, LogName, StoredPartition
from service.embedded.access import BrokerUser
from service.embedded.broker import ChildBroker
from service.store.pool import Pool
from service.store.worker_store import PostgresWorkerStore
from tests.integration.scripted_gateway import ScriptedGateway, finish
from tests.integration.worker_parts import (
    TallyAnalyzer,
    count,
    eventually,
    expected_findings,
    log_of,
    provision,
    session_named,
    stored_findings,
    worker_settings,
    working,
)

GW1 = GatewayId("gw1")
SESSION = session_named("one")

Users = dict[str, BrokerUser]


class PoisonedAnalyzer(TallyAnalyzer):
    """Breaks at one entry the first time it sees it."""

    broken = False

    def feed(self, numbered: NumberedEntry) -> list[Finding]:
        if numbered.offset == 25 and not PoisonedAnalyzer.broken:
            PoisonedAnalyzer.broken = True
            raise RuntimeError("half way through an entry")
        return super().feed(numbered)


async def test_an_error_inside_an_analyzer_sends_its_gateway_back_to_the_last_checkpoint(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    await provision(pool, SESSION, GW1)
    entries = log_of(SESSION, 60)
    metrics = WorkerMetrics()
    async with asyncio.TaskGroup() as tasks:
        worker = tasks.create_task(
            run_worker(
                worker_settings(nats, broker_users["worker"]),
                PostgresWorkerStore(pool, dsn),
                analyzers=PoisonedAnalyzer,
                metrics=metrics,
            )
        )
        await finish(ScriptedGateway(nats, broker_users["gw1"], entries))
        worker.cancel()
    assert count(metrics.registry, "partition_failures") == 1
    assert await stored_findings(pool, SESSION) == expected_findings(entries)


class StumblingStore(PostgresWorkerStore):
    """Makes a mistake the first time that a log is loaded."""

    stumbled = False

    async def load(self, log: LogName) -> StoredPartition:
        if not self.stumbled:
            self.stumbled = True
            raise RuntimeError("at a birth")
        return await super().load(log)


async def test_an_error_at_a_birth_does_not_keep_the_gateway_waiting(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    await provision(pool, SESSION, GW1)
    entries = log_of(SESSION, 20)
    async with working(worker_settings(nats, broker_users["worker"]), StumblingStore(pool, dsn)) as metrics:
        await finish(ScriptedGateway(nats, broker_users["gw1"], entries))
    assert count(metrics.registry, "partition_failures") == 1
    assert await stored_findings(pool, SESSION) == expected_findings(entries)


class StolenStore(PostgresWorkerStore):
    """Another worker claims the shard behind this one's back, once, just before a commit."""

    stolen = False

    async def commit(self, checkpoint: Checkpoint) -> CommitOutcome:
        if not self.stolen:
            self.stolen = True
            await self._pool.execute("UPDATE lumbar.shard SET epoch = epoch + 1, owner = 'thief'")
        return await super().commit(checkpoint)


async def test_a_worker_whose_claim_was_taken_commits_nothing_under_it(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    await provision(pool, SESSION, GW1)
    entries = log_of(SESSION, 60)
    gateway = ScriptedGateway(nats, broker_users["gw1"], entries)
    async with working(worker_settings(nats, broker_users["worker"]), StolenStore(pool, dsn)) as metrics:
        await finish(gateway)
    assert count(metrics.registry, "checkpoints", outcome="fenced") == 1
    assert count(metrics.registry, "outages", reason="claim") == 1
    assert await stored_findings(pool, SESSION) == expected_findings(entries)
    epochs = [ack.epoch for ack in gateway.acks]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) == 2


async def test_a_gateway_that_says_goodbye_is_committed_to_its_last_entry(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    entries = log_of(SESSION, 12)
    user = broker_users["gw1"]
    settings = worker_settings(nats, broker_users["worker"], checkpoint_interval_s=60, command_checkpoint_s=60)

    def state(*, online: bool) -> bytes:
        return encode_message(GatewayState(online=online, boot_id=1, log_id=7, next_offset=len(entries) + 1))

    async with (
        working(settings, PostgresWorkerStore(pool, dsn)),
        aiomqtt.Client("127.0.0.1", nats.port, username=user.name, password=user.password) as client,
    ):
        await client.subscribe(gateway_topic(GW1, GatewayTopic.ACK))
        await client.publish(gateway_topic(GW1, GatewayTopic.STATE), state(online=True), qos=1, retain=True)
        async with asyncio.timeout(20):
            await anext(client.messages)
        await client.publish(gateway_topic(GW1, GatewayTopic.LOG), encode_batch(7, 1, entries))
        await client.publish(gateway_topic(GW1, GatewayTopic.STATE), state(online=False), qos=1, retain=True)

        async def committed() -> bool:
            return bool(await pool.fetchval("SELECT committed FROM lumbar.log_partition") == len(entries))

        await eventually(committed, "the checkpoint that the goodbye caused")
