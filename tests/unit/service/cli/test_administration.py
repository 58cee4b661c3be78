"""Administration commands: their settings, the choice of a log, and files that are whole or not there."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.domain.entries import SensorEvent, SensorEventKind
from processing.domain.errors import SettingsError
from processing.domain.ids import GatewayId
from processing.wire.log import encode_batch, encode_entry
from processing.wire.log_file import read_log_file
from service.cli.administration import (
    Continuous,
    DatabaseSettings,
    ExportError,
    choose_log,
    migrate_database,
    new_file,
    write_log,
)
from service.store.gateway_logs import LogExtent

GATEWAY = GatewayId("gw1")
OLD, NEW = LogExtent(7, 1, 40), LogExtent(3, 1, 5)


def _batch(first: int, stop: int) -> bytes:
    entries = [
        encode_entry(SensorEvent(stream=1, t_ns=offset, event=SensorEventKind.SILENT)) for offset in range(first, stop)
    ]
    return encode_batch(9, first, entries)


async def _written(cuts: list[tuple[int, int]], last_offset: int | None = None) -> bytes:
    async def batches() -> AsyncIterator[bytes]:
        for first, stop in cuts:
            yield _batch(first, stop)

    parts: list[bytes] = []
    await write_log(batches(), Continuous(cuts[0][0], last_offset), parts.append)
    return b"".join(parts)


@given(steps=st.lists(st.integers(1, 5), min_size=1, max_size=6), last=st.integers(1, 30))
async def test_a_log_is_written_up_to_the_last_offset_wanted(steps: list[int], last: int) -> None:
    edges = [1]
    for step in steps:
        edges.append(edges[-1] + step)
    end = edges[-1] - 1

    data = await _written(list(pairwise(edges)), min(last, end))

    assert [numbered.offset for numbered in read_log_file(data)] == list(range(1, min(last, end) + 1))


async def test_a_hole_in_the_log_is_refused_with_the_way_around_it() -> None:
    with pytest.raises(ExportError, match=r"offsets 4-6 of log 9.*--last-offset 3"):
        await _written([(1, 4), (7, 9)])


async def test_the_part_before_a_hole_can_be_written() -> None:
    data = await _written([(1, 4), (7, 9)], last_offset=3)

    assert [numbered.offset for numbered in read_log_file(data)] == [1, 2, 3]


def test_the_newest_log_is_taken_and_that_is_said() -> None:
    said: list[str] = []

    assert choose_log(GATEWAY, [OLD, NEW], None, said.append) is NEW
    assert "2 logs" in said[0]
    assert "7 (offsets 1-40)" in said[0]


def test_a_single_log_is_taken_without_a_word() -> None:
    said: list[str] = []

    assert choose_log(GATEWAY, [OLD], None, said.append) is OLD
    assert said == []


def test_a_log_is_taken_by_its_id() -> None:
    assert choose_log(GATEWAY, [OLD, NEW], 7, pytest.fail) is OLD


@pytest.mark.parametrize(("logs", "problem"), [([], "no log of a gateway 'gw1'"), ([OLD], "no log 3; there is: 7")])
def test_a_log_that_is_not_there_is_an_error(logs: list[LogExtent], problem: str) -> None:
    with pytest.raises(ExportError, match=problem):
        choose_log(GATEWAY, logs, 3, pytest.fail)


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "log.bin"
    with new_file(out) as write:
        write(b"one")
        assert not out.exists()
        write(b"two")

    assert out.read_bytes() == b"onetwo"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [out]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "log.bin"
    out.write_bytes(b"old")

    def write_half() -> None:
        with new_file(out) as write:
            write(b"new")
            raise ExportError("in the middle")

    with pytest.raises(ExportError, match="in the middle"):
        write_half()

    assert out.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


def test_an_outage_inside_the_block_is_not_taken_for_a_bad_file(tmp_path: Path) -> None:
    with pytest.raises(ConnectionRefusedError), new_file(tmp_path / "log.bin"):
        raise ConnectionRefusedError


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="No such file"), new_file(tmp_path / "none" / "log.bin"):
        pytest.fail("there is no place for the file")


def test_no_command_guesses_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUMBAR_DATABASE_URL", raising=False)

    with pytest.raises(SettingsError, match="LUMBAR_DATABASE_URL is not set"):
        DatabaseSettings.load()


def test_a_url_of_another_kind_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBAR_DATABASE_URL", "mysql://user:secret@host/db")

    with pytest.raises(SettingsError, match="scheme 'mysql'") as caught:
        DatabaseSettings.load()
    assert "secret" not in str(caught.value)


def test_a_database_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    # nothing listens on the discard port of the loopback interface
    monkeypatch.setenv("LUMBAR_DATABASE_URL", "postgresql://user:secret@127.0.0.1:9/db")

    with pytest.raises(SettingsError, match="LUMBAR_DATABASE_URL") as caught:
        migrate_database()
    assert "secret" not in str(caught.value)
