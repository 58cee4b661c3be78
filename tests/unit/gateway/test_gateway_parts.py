from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from gateway.app import run_gateway
from gateway.connection import Inbox, LinkLostError
from gateway.health import RateMeter
from gateway.journal import open_journal
from gateway.log import LogError, LogFile
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.stream import StreamTotals
from processing.domain.entries import SensorEvent, SensorEventKind, StreamOpened
from processing.domain.errors import SettingsError
from processing.domain.samples import ClockQuality
from processing.metrics_server import served_metrics
from processing.wire.broker_address import parse_broker_url
from service.embedded.process import free_port

SENDER = None  # bleak passes the characteristic; the inbox knows it by the subscription


def put(inbox: Inbox, characteristic: str, data: bytes) -> None:
    inbox.put(characteristic, SENDER, bytearray(data))  # type: ignore[arg-type]


async def test_a_full_inbox_drops_the_new_and_marks_the_next_one() -> None:
    inbox = Inbox(capacity=2)
    for number in range(4):
        put(inbox, "data", bytes([number]))
    assert inbox.dropped == 2
    first = await inbox.get()
    put(inbox, "data", b"\x09")
    rest = [await inbox.get(), await inbox.get()]
    assert [(each.data, each.after_loss) for each in (first, *rest)] == [
        (b"\x00", False),
        (b"\x01", False),
        (b"\x09", True),
    ]


async def test_an_answer_is_found_among_samples_that_keep_waiting() -> None:
    inbox = Inbox()
    put(inbox, "data", b"1")
    put(inbox, "control", b"2")
    assert (await inbox.get("control")).data == b"2"
    assert (await inbox.get()).data == b"1"


async def test_a_closed_inbox_is_emptied_before_it_ends() -> None:
    inbox = Inbox()
    put(inbox, "data", b"1")
    inbox.close("disconnected")
    inbox.close("too late")
    assert (await inbox.get()).data == b"1"
    with pytest.raises(LinkLostError, match=r"^disconnected$"):
        await inbox.get()


def totals(received: int, lost: int) -> StreamTotals:
    return StreamTotals(received=received, lost=lost, duplicates=0, clock_steps=0)


def test_rate_and_loss_are_those_of_the_last_half_minute() -> None:
    meter = RateMeter()
    assert meter.update(0, totals(0, 0)) == (None, None)
    assert meter.update(1_000_000_000, totals(100, 0)) == (None, None)
    assert meter.update(10_000_000_000, totals(1000, 0)) == (100.0, 0.0)
    for second in range(11, 61):
        rates = meter.update(second * 1_000_000_000, totals(1000 + (second - 10) * 90, (second - 10) * 10))
    assert rates == (pytest.approx(90.0), pytest.approx(0.1))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://gw1:secret@broker:1884", ("broker", 1884, "gw1", "secret", False)),
        ("mqtts://gw1:p%40ss@broker", ("broker", 8883, "gw1", "p@ss", True)),
        ("mqtt://127.0.0.1", ("127.0.0.1", 1883, None, None, False)),
    ],
)
def test_a_broker_url_says_where_and_as_whom(url: str, expected: tuple[object, ...]) -> None:
    address = parse_broker_url(url)
    assert address == expected
    assert "secret" not in repr(address)


def test_wrong_settings_are_all_named_without_telling_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBAR_GATEWAY_ID", "no name")
    monkeypatch.setenv("LUMBAR_MQTT_URL", "http://gw:secret@x")
    monkeypatch.delenv("LUMBAR_GATEWAY_LOG", raising=False)
    monkeypatch.setenv("LUMBAR_METRICS_PORT", "http")
    with pytest.raises(SettingsError) as refused:
        GatewaySettings.load()
    text = str(refused.value)
    for name in ("LUMBAR_GATEWAY_ID", "LUMBAR_MQTT_URL", "LUMBAR_GATEWAY_LOG", "LUMBAR_METRICS_PORT"):
        assert name in text
    assert "secret" not in text


def test_settings_come_from_the_environment_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBAR_GATEWAY_ID", "gw1")
    monkeypatch.setenv("LUMBAR_MQTT_URL", "mqtt://gw1:secret@broker")
    monkeypatch.setenv("LUMBAR_GATEWAY_LOG", "log.sqlite")
    settings = GatewaySettings.load({"gateway_log_max_mb": 8})
    assert (settings.gateway_id, settings.gateway_log, settings.gateway_log_max_mb) == ("gw1", Path("log.sqlite"), 8)
    assert "secret" not in repr(settings)


def test_metrics_are_served_and_a_taken_port_is_a_clear_error() -> None:
    port = free_port()
    with (
        served_metrics(Metrics().registry, "127.0.0.1", port),
        pytest.raises(SettingsError, match="LUMBAR_METRICS_PORT"),
        served_metrics(Metrics().registry, "127.0.0.1", port),
    ):
        pass


EVENT = SensorEvent(stream=0, t_ns=1, event=SensorEventKind.SILENT)
OPENED = StreamOpened(
    stream=0,
    t_ns=1,
    sensor_id="s",
    boot_id=1,
    period_ns=10_000_000,
    acc_scale=1.0,
    gyr_scale=1.0,
    clock=ClockQuality.DEVICE,
    driver="test/1",
)


async def test_a_journal_commits_what_waits_when_it_is_closed(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "log", Metrics(), max_bytes=10**6, flush_s=60.0, max_pending=10) as journal:
        journal.put(EVENT)
        assert journal.position.next_offset == 1
    with LogFile(tmp_path / "log", 10**6) as log:
        assert log.position.next_offset == 2


async def test_a_refused_commit_is_counted_and_tried_again_with_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.journal._RETRY_S", 0.01)
    metrics = Metrics()
    refusals = 3
    append = LogFile.append

    def full(log: LogFile, entries: object) -> object:
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise sqlite3.OperationalError("database or disk is full")
        return append(log, entries)  # type: ignore[arg-type]

    monkeypatch.setattr(LogFile, "append", full)
    async with open_journal(tmp_path / "log", metrics, max_bytes=10**6, flush_s=0.01, max_pending=10) as journal:
        async with asyncio.TaskGroup() as group:
            committing = group.create_task(journal.run())
            journal.put(EVENT)
            journal.put(EVENT)
            await journal.grown.wait()
            committing.cancel()
        assert journal.position.next_offset == 3
    assert metrics.registry.get_sample_value("lumbar_gateway_log_write_errors_total") == 3


async def test_work_that_the_disk_refuses_is_counted_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        raise sqlite3.OperationalError("disk I/O error")

    metrics = Metrics()
    async with open_journal(tmp_path / "log", metrics, max_bytes=10**6, flush_s=0.01, max_pending=10) as journal:
        journal.put(EVENT)
        await journal.flush()
        with monkeypatch.context() as broken:
            for work in ("read", "forget", "skip_to", "load_note", "save_note"):
                broken.setattr(LogFile, work, refuse)
            assert await journal.read(1, 10, 1000) == []
            await journal.forget(1)
            assert not await journal.skip_to(9, 1)
            assert await journal.load_note("config") is None
            await journal.save_note("config", b"1")
        assert journal.position.first_offset == 1
        assert len(await journal.read(1, 10, 1000)) == 1
    for name in ("read", "forget", "skip", "load", "save"):
        assert metrics.registry.get_sample_value("lumbar_gateway_log_errors_total", {"work": name}) == 1


async def test_a_log_that_cannot_be_opened_ends_the_gateway_with_its_own_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = GatewaySettings(
        gateway_id="gw", mqtt_url="mqtt://127.0.0.1:1", gateway_log=tmp_path / "file" / "log.sqlite"
    )
    with pytest.raises(LogError, match="directory"):
        await run_gateway(settings)


async def test_a_disk_that_stays_full_ends_the_gateway_with_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_log: LogFile, _entries: object) -> object:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("gateway.journal._WRITE_PATIENCE_S", 0.05)
    monkeypatch.setattr("gateway.journal._RETRY_S", 0.01)
    with LogFile(tmp_path / "log", 10**6) as log:
        log.append([OPENED])
    # The slot that this log left open has to be closed first, and that cannot be written.
    monkeypatch.setattr(LogFile, "append", full)
    settings = GatewaySettings(gateway_id="gw", mqtt_url="mqtt://127.0.0.1:1", gateway_log=tmp_path / "log")
    with pytest.raises(LogError, match="disk is full"):
        await run_gateway(settings, drivers=())
