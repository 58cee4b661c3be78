"""The worker between a real broker and a real database: order, crashes, other workers, bad input."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import aiomqtt

from processing.domain.entries import Samples
from processing.domain.ids import GatewayId
from processing.wire.log import encode_entry
from processing.wire.messages import LiveFinding, LiveFrame, decode_live
from processing.wire.topics import GatewayTopic, gateway_topic, live_filter
from processing.worker.raw_block import unpack_entries
from service.embedded.access import BrokerUser
from service.embedded.broker import ChildBroker
from service.store.pool import Pool
from service.store.worker_store import PostgresWorkerStore
from tests.integration.scripted_gateway import ScriptedGateway, finish
from tests.integration.worker_parts import (
    T0_NS,
    count,
    eventually,
    expected_findings,
    log_of,
    provision,
    session_named,
    stored_findings,
    stored_offsets,
    worker_settings,
    working,
)

GW1, GW2 = GatewayId("gw1"), GatewayId("gw2")
SESSION = session_named("one")

Users = dict[str, BrokerUser]


async def test_lost_and_doubled_messages_leave_a_contiguous_log_and_undisturbed_findings(
    broker: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    await provision(pool, SESSION, GW1)
    entries = log_of(SESSION, 120)
    gateway = ScriptedGateway(
        broker, broker_users["gw1"], entries, lose=frozenset({0, 3, 9, 10, 17, 26}), repeat=frozenset(range(27, 400))
    )
    async with working(worker_settings(broker, broker_users["worker"]), PostgresWorkerStore(pool, dsn)) as metrics:
        await finish(gateway)
    assert await stored_findings(pool, SESSION) == expected_findings(entries)
    blocks = await stored_offsets(pool, GW1)
    assert blocks[0][0] == 1
    assert blocks[-1][1] == len(entries)
    assert all(after[0] == before[1] + 1 for before, after in pairwise(blocks))
    packed = await pool.fetch("SELECT entries FROM lumbar.raw_block ORDER BY first_offset")
    assert tuple(entry for row in packed for entry in unpack_entries(row["entries"])) == entries
    assert count(metrics.registry, "batches", verdict="hole") > 0
    assert count(metrics.registry, "batches", verdict="duplicate") > 0
    committed = [ack.committed for ack in gateway.acks]
    assert committed == sorted(committed)


async def test_a_worker_stopped_midway_and_started_again_finds_the_same(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    await provision(pool, SESSION, GW1)
    entries = log_of(SESSION, 400)
    gateway = ScriptedGateway(nats, broker_users["gw1"], entries, batch=3)
    store = PostgresWorkerStore(pool, dsn)
    settings = worker_settings(nats, broker_users["worker"], checkpoint_bytes=1000)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(finish(gateway))
        for _ in range(3):
            async with working(settings, store):
                gateway.progress.clear()
                while gateway.committed < 60 and not running.done():
                    await gateway.progress.wait()
                    gateway.progress.clear()
        async with working(settings, store):
            await running
    assert await stored_findings(pool, SESSION) == expected_findings(entries)
    assert await pool.fetchval("SELECT ended_ns FROM lumbar.session") >= T0_NS


async def test_broker_and_database_connections_that_break_change_nothing(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    await provision(pool, SESSION, GW1)
    entries = log_of(SESSION, 600)
    gateway = ScriptedGateway(nats, broker_users["gw1"], entries, batch=2)
    async with working(worker_settings(nats, broker_users["worker"]), PostgresWorkerStore(pool, dsn)) as metrics:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(finish(gateway))
            await gateway.progress.wait()
            nats.kill()
            await nats.start()
            gateway.progress.clear()
            await gateway.progress.wait()
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            )
            await running
        assert await stored_findings(pool, SESSION) == expected_findings(entries)
        assert count(metrics.registry, "outages", reason="broker") >= 1
        assert count(metrics.registry, "outages", reason="unexpected") == 0


async def test_two_workers_share_the_shards_and_double_nothing(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    other_session = session_named("two")
    await provision(pool, SESSION, GW1)
    await provision(pool, other_session, GW2, "S2", "p2")
    logs = {SESSION: log_of(SESSION, 300), other_session: log_of(other_session, 300, "S2")}
    gateways = [
        ScriptedGateway(nats, broker_users["gw1"], logs[SESSION], batch=3),
        ScriptedGateway(nats, broker_users["gw2"], logs[other_session], batch=3),
    ]
    store = PostgresWorkerStore(pool, dsn)
    async with (
        working(worker_settings(nats, broker_users["worker"], worker_id="a"), store) as first,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(finish(*gateways))
        await gateways[0].progress.wait()
        async with working(worker_settings(nats, broker_users["worker"], worker_id="b"), store) as second:

            async def shared() -> bool:
                held = [metrics.registry.get_sample_value("lumbar_worker_shards") for metrics in (first, second)]
                return held == [32, 32]

            await eventually(shared, "32 shards each")
        await running
    for session_id, entries in logs.items():
        assert await stored_findings(pool, session_id) == expected_findings(entries)


async def test_malformed_messages_are_counted_and_other_gateways_go_on(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    await provision(pool, SESSION, GW1)
    entries = list(log_of(SESSION, 40))
    entries[9:9] = [b"", b"\xf5nonsense", b"\xff\x81\xa4type\xa3who"]
    bad = broker_users["gw2"]
    async with working(worker_settings(nats, broker_users["worker"]), PostgresWorkerStore(pool, dsn)) as metrics:

        async def listening() -> bool:
            return metrics.registry.get_sample_value("lumbar_worker_shards") == 64

        await eventually(listening, "every shard claimed and subscribed")
        async with aiomqtt.Client("127.0.0.1", nats.port, username=bad.name, password=bad.password) as client:
            log, state = gateway_topic(GW2, GatewayTopic.LOG), gateway_topic(GW2, GatewayTopic.STATE)
            for topic, payload in ((log, b"\x00"), (log, bytes(300_000)), (state, b"\xc1"), (log, b"")):
                await client.publish(topic, payload, qos=1)
            await finish(ScriptedGateway(nats, broker_users["gw1"], entries))

        async def counted() -> bool:
            return (
                count(metrics.registry, "messages_refused", reason="malformed") == 3
                and count(metrics.registry, "messages_refused", reason="too_large") == 1
            )

        await eventually(counted, "four refused messages")
        assert count(metrics.registry, "entries_refused", reason="malformed") == 2
        assert count(metrics.registry, "entries_refused", reason="unknown_kind") == 1
    assert await stored_findings(pool, SESSION) == expected_findings(entries)
    assert await pool.fetchval("SELECT max(last_offset) FROM lumbar.raw_block") == len(entries)


async def test_findings_of_a_session_that_is_not_this_gateways_are_dropped_and_the_log_goes_on(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    unpaired = session_named("unpaired")
    await provision(pool, SESSION, GW2)
    await provision(pool, unpaired, GW1, "another-sensor")
    entries = (*log_of(SESSION, 10), *log_of(session_named("nobody's"), 10), *log_of(unpaired, 10))
    async with working(worker_settings(nats, broker_users["worker"]), PostgresWorkerStore(pool, dsn)) as metrics:
        await finish(ScriptedGateway(nats, broker_users["gw1"], entries))
    assert await pool.fetchval("SELECT count(*) FROM lumbar.finding") == 0
    for reason in ("other_gateway", "unknown_session", "unpaired_sensor"):
        assert count(metrics.registry, "findings_dropped", reason=reason) == 5
    assert await pool.fetchval("SELECT ended_ns FROM lumbar.session WHERE gateway_id = 'gw2'") is None


async def test_what_comes_long_after_people_ended_a_session_is_not_theirs_although_the_log_goes_on(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    await provision(pool, SESSION, GW1)
    later = Samples(stream=0, tick=0, t0_us=T0_NS // 1000 + 70_000_000, t0_uncertainty_us=0, packed=bytes(12))
    entries = [*log_of(SESSION, 20)[:-1], *[encode_entry(later)] * 10]
    await pool.execute("UPDATE lumbar.session SET ended_ns = started_ns")
    async with working(worker_settings(nats, broker_users["worker"]), PostgresWorkerStore(pool, dsn)) as metrics:
        await finish(ScriptedGateway(nats, broker_users["gw1"], entries))
    assert await stored_findings(pool, SESSION) == expected_findings(entries)[:10]
    assert count(metrics.registry, "findings_dropped", reason="after_end") == 5


async def test_entries_that_the_gateway_dropped_are_recorded_as_lost(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    entries = log_of(SESSION, 30)
    gateway = ScriptedGateway(nats, broker_users["gw1"], entries, first_offset=11)
    async with working(worker_settings(nats, broker_users["worker"]), PostgresWorkerStore(pool, dsn)) as metrics:
        await finish(gateway)
    assert gateway.acks[-1].committed == len(entries)
    assert count(metrics.registry, "entries_lost") == 10
    assert tuple(await pool.fetchrow("SELECT first_offset, last_offset FROM lumbar.log_loss") or ()) == (1, 10)
    assert (await stored_offsets(pool, GW1))[0][0] == 11


async def test_a_new_log_of_a_gateway_starts_at_its_own_beginning(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    await provision(pool, SESSION, GW1)
    after = session_named("after")
    await provision(pool, after, GW1)
    logs = {SESSION: log_of(SESSION, 50), after: log_of(after, 50)}
    async with working(worker_settings(nats, broker_users["worker"]), PostgresWorkerStore(pool, dsn)):
        for log_id, (_, entries) in enumerate(logs.items(), start=1):
            await finish(ScriptedGateway(nats, broker_users["gw1"], entries, log_id=log_id))
    for session_id, entries in logs.items():
        assert await stored_findings(pool, session_id) == expected_findings(entries)
    assert await pool.fetchval("SELECT count(*) FROM lumbar.log_partition") == 2


async def test_screens_get_frames_and_findings_with_the_ids_of_the_committed_ones(
    nats: ChildBroker, broker_users: Users, pool: Pool, dsn: str
) -> None:
    subject = await provision(pool, SESSION, GW1)
    entries = log_of(SESSION, 60)
    screen = broker_users["service"]
    async with aiomqtt.Client("127.0.0.1", nats.port, username=screen.name, password=screen.password) as client:
        await client.subscribe(live_filter())
        async with working(
            worker_settings(nats, broker_users["worker"], live_interval_s=0.0), PostgresWorkerStore(pool, dsn)
        ):
            await finish(ScriptedGateway(nats, broker_users["gw1"], entries))
            wanted = {finding.finding_id for finding in expected_findings(entries)}
            frames = 0
            async with asyncio.timeout(20):
                async for message in client.messages:
                    assert str(message.topic) == f"lumbar/v1/live/{subject}"
                    assert isinstance(message.payload, bytes)
                    live = decode_live(message.payload)
                    if isinstance(live, LiveFinding):
                        wanted.discard(live.finding.finding_id)
                    frames += isinstance(live, LiveFrame)
                    if not wanted and frames:
                        break
    assert frames > 0
