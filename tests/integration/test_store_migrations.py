"""Migrations on a real PostgreSQL: from empty, again, at once, and with files that were tampered with."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from service.store.errors import MigrationError
from service.store.migrate import Migration, apply, migrate, packaged_migrations


async def test_a_database_is_migrated_from_empty_and_the_second_time_nothing_is_left_to_do(empty_dsn: str) -> None:
    migrations, _ = packaged_migrations()
    assert await migrate(empty_dsn) == [migration.name for migration in migrations]
    assert await migrate(empty_dsn) == []


async def test_several_migrators_at_once_apply_each_file_once(empty_dsn: str) -> None:
    migrations, _ = packaged_migrations()
    done = await asyncio.gather(*(migrate(empty_dsn) for _ in range(4)))
    assert sorted(name for names in done for name in names) == [migration.name for migration in migrations]


async def test_a_changed_file_is_refused_and_nothing_is_applied(empty_dsn: str) -> None:
    first = Migration(1, "0001_first.sql", "CREATE TABLE lumbar.first (id int)")
    changed = Migration(1, "0001_first.sql", "CREATE TABLE lumbar.first (id bigint)")
    second = Migration(2, "0002_second.sql", "CREATE TABLE lumbar.second (id int)")
    connection = await asyncpg.connect(empty_dsn)
    try:
        await apply(connection, [first], "SELECT 1")
        with pytest.raises(MigrationError, match=r"0001_first\.sql was changed"):
            await apply(connection, [changed, second], "SELECT 1")
        assert await connection.fetchval("SELECT to_regclass('lumbar.second')") is None
    finally:
        await connection.close()


async def test_a_file_that_fails_leaves_nothing_of_itself_and_keeps_those_before(empty_dsn: str) -> None:
    good = Migration(1, "0001_good.sql", "CREATE TABLE lumbar.good (id int)")
    bad = Migration(2, "0002_bad.sql", "CREATE TABLE lumbar.bad (id int); SELECT 1 / 0")
    connection = await asyncpg.connect(empty_dsn)
    try:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await apply(connection, [good, bad], "SELECT 1")
        found = await connection.fetchrow("SELECT to_regclass('lumbar.good') AS good, to_regclass('lumbar.bad') AS bad")
        assert found is not None
        assert (found["good"] is None, found["bad"]) == (False, None)
    finally:
        await connection.close()


async def test_on_plain_postgresql_findings_stay_an_ordinary_table(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        assert await connection.fetchval("SELECT relkind FROM pg_class WHERE oid = 'lumbar.finding'::regclass") == b"r"
    finally:
        await connection.close()


async def test_where_create_hypertable_exists_the_guard_calls_it_for_findings(empty_dsn: str) -> None:
    """Stands in for TimescaleDB: an extension of that name with a function of that name, which notes its call."""
    _, features = packaged_migrations()
    connection = await asyncpg.connect(empty_dsn)
    try:
        await connection.execute(_STAND_IN)
        await connection.execute(features.replace("pg_catalog.pg_extension", "stand_in.extension"))
        row = await connection.fetchrow("SELECT * FROM stand_in.called")
    finally:
        await connection.close()
    assert row is not None
    assert tuple(row) == ("lumbar.finding", "t0", True, True)


_STAND_IN = """
CREATE SCHEMA stand_in;
CREATE SCHEMA "Odd Name";
CREATE TABLE stand_in.called (relation text, time_column text, if_not_exists bool, migrate_data bool);
CREATE VIEW stand_in.extension AS
SELECT 'timescaledb'::name AS extname, oid AS extnamespace FROM pg_namespace WHERE nspname = 'Odd Name';
CREATE FUNCTION "Odd Name".create_hypertable(
    relation text, time_column name, chunk_time_interval interval, if_not_exists bool, migrate_data bool
) RETURNS void LANGUAGE sql
AS $$ INSERT INTO stand_in.called VALUES (relation, time_column, if_not_exists, migrate_data) $$;
"""
