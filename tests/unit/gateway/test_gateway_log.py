from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.log import LogError, LogFile
from gateway.survivors import Survivors
from processing.domain.commands import EndSession
from processing.domain.entries import Control, LogEntry, Samples, SensorEvent, SensorEventKind, StreamOpened
from processing.domain.samples import ClockQuality
from processing.wire.log import decode_entry, encode_entry

BIG = 10_000_000


def samples(number: int, count: int = 5) -> Samples:
    return Samples(
        stream=0, tick=number, t0_us=1_000_000 + number, t0_uncertainty_us=0, packed=bytes([number % 256]) * 12 * count
    )


def opened(sensor_id: str = "LUMBAR-000001", stream: int = 0) -> StreamOpened:
    return StreamOpened(
        stream=stream,
        t_ns=10,
        sensor_id=sensor_id,
        boot_id=3,
        period_ns=10_000_000,
        acc_scale=0.001,
        gyr_scale=0.001,
        clock=ClockQuality.DEVICE,
        driver="test/1",
    )


def command(number: int) -> Control:
    text = f"00000000-0000-0000-0000-{number:012x}"
    return Control(t_ns=number, event_id=text, command=EndSession(session_id=text))


def read_all(log: LogFile, offset: int = 1) -> list[LogEntry]:
    return [decode_entry(data) for data in log.read(offset, 10_000, BIG)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "log.sqlite"


def test_a_reopened_log_keeps_identity_entries_and_offsets(path: Path) -> None:
    with LogFile(path, BIG) as log:
        log.append([samples(1), samples(2)])
        log_id = log.log_id
    with LogFile(path, BIG) as log:
        assert log.log_id == log_id
        assert read_all(log) == [samples(1), samples(2)]
        assert log.append([samples(3)]).next_offset == 4


def test_offsets_go_on_when_everything_was_forgotten_before_a_restart(path: Path) -> None:
    with LogFile(path, BIG) as log:
        log.append([samples(1), samples(2)])
        assert log.forget(2).first_offset == 3
    with LogFile(path, BIG) as log:
        assert (log.position.first_offset, log.position.next_offset) == (3, 3)
        log.append([samples(3)])
        assert read_all(log, 3) == [samples(3)]


def test_what_a_killed_process_appended_is_there(path: Path) -> None:
    program = f"""
import os, sys
from pathlib import Path
from gateway.log import LogFile
from processing.domain.entries import Samples
log = LogFile(Path({str(path)!r}), 10_000_000)
log.__enter__()
for n in range(50):
    log.append([Samples(stream=0, tick=n, t0_us=n, t0_uncertainty_us=0, packed=bytes(12))])
    if n == 40:
        log.forget(10)
os.kill(os.getpid(), 9)
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False, timeout=30)
    assert killed.returncode == -9
    with LogFile(path, BIG) as log:
        assert (log.position.first_offset, log.position.next_offset) == (11, 51)
        assert [entry.tick for entry in read_all(log, 11) if isinstance(entry, Samples)] == list(range(10, 50))


def test_a_command_that_was_logged_is_not_logged_again_even_after_a_restart(path: Path) -> None:
    control = Control(t_ns=1, event_id=str(uuid4()), command=EndSession(session_id=str(uuid4())))
    with LogFile(path, BIG) as log:
        log.append([control, control])
        log.forget(1)
    with LogFile(path, BIG) as log:
        assert log.append([control, samples(1)]).next_offset == 3
        assert read_all(log, 2) == [samples(1)]


def test_above_its_bound_the_log_drops_the_oldest_entries_and_counts_them(path: Path) -> None:
    with LogFile(path, 10_000) as log:
        for number in range(300):
            log.append([samples(number)])
        position = log.position
        assert position.size_bytes <= 10_000
        assert position.dropped_entries == position.first_offset - 1 > 0
        kept = read_all(log, position.first_offset)
        assert kept[-1] == samples(299)
        assert len(kept) == position.next_offset - position.first_offset


def test_an_append_whose_making_room_fails_appends_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    control = Control(t_ns=1, event_id=str(uuid4()), command=EndSession(session_id=str(uuid4())))
    with LogFile(path, 10_000) as log:
        log.append([samples(1, 600)])
        with monkeypatch.context() as broken:
            broken.setattr("gateway.log.drop_oldest", refuse)
            with pytest.raises(sqlite3.OperationalError):
                log.append([control, samples(2, 600)])
        assert log.position.next_offset == 2
        position = log.append([control, samples(2, 600)])
        assert (position.next_offset, position.dropped_entries) == (4, 1)
        assert read_all(log, position.first_offset) == [control, samples(2, 600)]


def test_a_commit_that_fails_leaves_no_transaction_behind(path: Path) -> None:
    with LogFile(path, BIG) as log:
        log._connection.execute("PRAGMA foreign_keys = ON")
        log._connection.executescript(
            "CREATE TABLE other (n INTEGER PRIMARY KEY);"
            "CREATE TABLE late (n INTEGER REFERENCES other (n) DEFERRABLE INITIALLY DEFERRED);"
        )
        # A deferred constraint is checked by COMMIT, which so fails and keeps the transaction, as a full disk may.
        with pytest.raises(sqlite3.IntegrityError), log._transaction() as db:
            db.execute("INSERT INTO late VALUES (1)")
        assert log.append([samples(1)]).next_offset == 2


def test_reading_is_bounded_but_gives_at_least_one_entry(path: Path) -> None:
    with LogFile(path, BIG) as log:
        log.append([samples(number) for number in range(10)])
        size = len(log.read(1, 1, 1)[0])
        assert len(log.read(1, 1, 1)) == 1
        assert len(log.read(1, 10, 3 * size)) == 3
        assert len(log.read(1, 4, BIG)) == 4
        assert log.read(11, 10, BIG) == []


@pytest.mark.parametrize("damage", [b"this is no database, is it?" * 100, b""])
def test_a_damaged_file_is_moved_aside_and_a_new_log_begins(path: Path, damage: bytes) -> None:
    with LogFile(path, BIG) as log:
        log.append([samples(1)])
        log_id = log.log_id
    path.write_bytes(damage)
    with LogFile(path, BIG) as log:
        assert log.log_id != log_id
        assert log.position.next_offset == 1
        if damage:
            assert log.moved_aside is not None
            assert log.moved_aside.read_bytes() == damage


def test_damage_inside_is_found_after_a_crash(path: Path) -> None:
    with LogFile(path, BIG) as log:
        log.append([samples(number, 200) for number in range(200)])
    db = sqlite3.connect(path)
    db.execute("UPDATE meta SET value = ? WHERE key = 'clean'", (b"0",))
    db.commit()
    db.close()
    data = bytearray(path.read_bytes())
    for page in range(4, len(data) // 4096):
        data[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    path.write_bytes(bytes(data))
    with LogFile(path, BIG) as log:
        assert log.moved_aside is not None
        assert log.position.next_offset == 1


def test_a_second_gateway_on_the_same_log_is_refused_with_the_reason(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.log._BUSY_S", 0.1)
    with LogFile(path, BIG), pytest.raises(LogError, match="another gateway"), LogFile(path, BIG):
        pass


def test_a_log_of_a_later_version_is_refused_and_left_alone(path: Path) -> None:
    with LogFile(path, BIG):
        pass
    db = sqlite3.connect(path)
    db.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (b"9",))
    db.commit()
    db.close()
    with pytest.raises(LogError, match="version 9"), LogFile(path, BIG):
        pass
    assert path.exists()


def test_streams_left_open_by_a_kill_are_known_with_their_end(path: Path) -> None:
    with LogFile(path, BIG) as log:
        log.append([opened("a", 0), opened("b", 1), samples(7)])
        log.append([SensorEvent(stream=1, t_ns=5, event=SensorEventKind.DISCONNECTED)])
    with LogFile(path, BIG) as log:
        marks = {mark.sensor_id: mark for mark in log.marks}
    assert (marks["a"].slot, marks["b"].slot) == (0, None)
    assert marks["a"].end_ns == samples(7).t0_ns + 5 * 10_000_000
    assert marks["a"].boot_id == 3


def test_commands_and_open_streams_outlive_what_is_dropped_around_them(path: Path) -> None:
    gone = SensorEvent(stream=1, t_ns=5, event=SensorEventKind.DISCONNECTED)
    first, second = command(1), command(2)
    with LogFile(path, 10_000) as log:
        log.append([opened("a", 0), opened("b", 1), opened("c", 2), first, samples(1), opened("d", 2), second, gone])
        for number in range(600):
            log.append([samples(number)])
            # Whatever was dropped until now: nothing is missing between the first entry and the last.
            position = log.position
            assert len(read_all(log, position.first_offset)) == position.next_offset - position.first_offset
        kept = read_all(log, position.first_offset)
        assert position.size_bytes == sum(map(len, log.read(position.first_offset, 10_000, BIG))) <= 10_000
    assert kept[:4] == [opened("a", 0), first, opened("d", 2), second]
    assert position.dropped_entries == position.first_offset - 1 > 300
    with LogFile(path, 10_000) as log:
        assert log.position.size_bytes == position.size_bytes


@given(st.lists(st.sampled_from(["sample", "command", "open 0", "open 1", "close 0", "close 1"]), max_size=60))
def test_a_survivor_never_moves_below_the_place_that_it_was_dropped_from(kinds: list[str]) -> None:
    """A receiver that expects an offset in the dropped range has then taken every survivor below it."""
    survivors, where = Survivors(commands=True), {}
    for number, kind in enumerate(kinds, start=1):
        name, _, slot = kind.partition(" ")
        entry: LogEntry = {
            "sample": samples(number),
            "command": command(number),
            "open": opened(f"s{number}", int(slot or 0)),
            "close": SensorEvent(stream=int(slot or 0), t_ns=number, event=SensorEventKind.DISCONNECTED),
        }[name]
        where[encode_entry(entry)] = number
        survivors.see(encode_entry(entry))
    first = len(kinds) + 1 - len(survivors.entries)
    assert all(where[data] <= place for place, data in enumerate(survivors.entries, start=first))
    assert survivors.size_bytes == sum(map(len, survivors.entries))


def test_of_very_many_commands_the_newest_survive() -> None:
    survivors = Survivors(commands=True)
    for number in range(1_500):
        survivors.see(encode_entry(command(number)))
    kept = [decode_entry(data) for data in survivors.entries]
    assert kept == [command(number) for number in range(500, 1_500)]


def test_skipping_ahead_keeps_what_was_never_sent_and_the_streams_that_it_belongs_to(path: Path) -> None:
    with LogFile(path, BIG) as log:
        log.append([opened("a", 0), command(1), samples(1), samples(2), samples(3), command(2)])
        position = log.skip_to(100, 4)
        assert (position.first_offset, position.next_offset, position.dropped_entries) == (100, 104, 0)
        log.append([samples(4)])
        assert read_all(log, 100) == [opened("a", 0), samples(2), samples(3), command(2), samples(4)]
    with LogFile(path, BIG) as log:
        assert (log.position.first_offset, log.position.next_offset) == (100, 105)
        # By less than there are entries, so that old and new offsets overlap.
        position = log.skip_to(102, 100)
        assert (position.first_offset, position.next_offset) == (102, 107)
        assert read_all(log, 102) == [opened("a", 0), samples(2), samples(3), command(2), samples(4)]
        assert position.size_bytes == sum(map(len, log.read(102, 10, BIG)))


def test_notes_are_kept_beside_the_log(path: Path) -> None:
    with LogFile(path, BIG) as log:
        assert log.load_note("config") is None
        log.save_note("config", b"abc")
    with LogFile(path, BIG) as log:
        assert log.load_note("config") == b"abc"
