"""Which migrations are to be applied: pure decisions about files."""

from __future__ import annotations

import re

import pytest

from service.store.errors import MigrationError
from service.store.migrate import packaged_migrations, pending, read_migrations


def test_files_are_ordered_by_number() -> None:
    migrations = read_migrations({"0002_b.sql": "B", "0001_a.sql": "A"})
    assert [migration.sql for migration in migrations] == ["A", "B"]


@pytest.mark.parametrize(
    "files", [{"1_a.sql": ""}, {"0001-a.sql": ""}, {"0002_a.sql": ""}, {"0001_a.sql": "", "0003_b.sql": ""}]
)
def test_a_misnamed_or_missing_number_is_refused(files: dict[str, str]) -> None:
    with pytest.raises(MigrationError):
        read_migrations(files)


def test_only_files_not_yet_applied_are_pending() -> None:
    first, second = read_migrations({"0001_a.sql": "A", "0002_b.sql": "B"})
    assert pending((first, second), {1: first.sha256}) == (second,)


def test_a_changed_file_and_a_newer_database_are_refused() -> None:
    migrations = read_migrations({"0001_a.sql": "A"})
    with pytest.raises(MigrationError, match="was changed"):
        pending(migrations, {1: "another checksum"})
    with pytest.raises(MigrationError, match="update lumbar"):
        pending(migrations, {1: migrations[0].sha256, 2: "x"})


def test_every_table_and_index_of_the_schema_is_qualified() -> None:
    migrations, _ = packaged_migrations()
    for migration in migrations:
        for name in re.findall(r"(?:CREATE TABLE|REFERENCES|ALTER TABLE| ON) ([a-z_.]+)", migration.sql):
            assert name.split(".")[0] in {"lumbar", "identity"}, f"{migration.name}: {name}"


def test_the_guard_asks_for_the_extension_and_its_function_before_it_calls() -> None:
    _, features = packaged_migrations()
    guard, call = features.index("home IS NULL"), features.index("EXECUTE")
    assert features.index("'timescaledb'") < guard < call
    assert features.index("'create_hypertable'") < guard
    assert "if_not_exists => true" in features
