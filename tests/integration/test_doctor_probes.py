"""What `lumbar doctor` sees of a real broker and a real database."""

from __future__ import annotations

import asyncpg

from service.cli.doctor_probes import see_broker, see_database
from service.embedded.access import BrokerUser
from service.embedded.broker import ChildBroker
from service.store.migrate import migrate, packaged_migrations


async def test_a_login_is_accepted_or_refused_by_both_brokers(
    broker: ChildBroker, broker_users: dict[str, BrokerUser]
) -> None:
    user = broker_users["gw1"]
    accepted = await see_broker(broker.url(user))
    assert (accepted.problem, accepted.refused) == ("", False)
    refused = await see_broker(f"mqtt://{user.name}:not-the-password@127.0.0.1:{broker.port}")
    assert refused.refused
    assert "not-the-password" not in repr(refused)


async def test_a_database_is_seen_before_and_after_its_migrations_and_is_not_changed(empty_dsn: str) -> None:
    names = tuple(migration.name for migration in packaged_migrations()[0])
    for _ in range(2):
        before = await see_database(empty_dsn)
        assert (before.problem, before.pending) == ("", names)
    await migrate(empty_dsn)
    after = await see_database(empty_dsn)
    assert (after.problem, after.pending, after.schema_problem) == ("", (), "")
    assert after.version


async def test_a_database_of_a_newer_release_is_said_to_be_one(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("INSERT INTO lumbar.migration (number, name, sha256) VALUES (9999, '9999_new.sql', 'x')")
    await connection.close()
    seen = await see_database(dsn)
    assert "9999" in seen.schema_problem
