"""`lumbar doctor`: what observations mean, and that the probes answer in values whatever they meet."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from bleak import BleakScanner
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from gateway.devices.lumbar_imu import SERVICE
from service.cli.doctor import Check, Outcome, judge
from service.cli.doctor_probes import (
    BluetoothSeen,
    BrokerSeen,
    DatabaseSeen,
    DiskSeen,
    ProcessSeen,
    Seen,
    see_bluetooth,
    see_broker,
    see_database,
    see_disk,
    see_process,
)
from service.embedded.process import free_port

SECRET = "a-secret-nobody-may-read"
GOOD = Seen(
    python=(3, 12, 1),
    processes={
        name: ProcessSeen(configured=True, variables=("LUMBAR_X",)) for name in ("gateway", "worker", "service")
    },
    broker=BrokerSeen(address="mqtt://ward-1@hub:1883"),
    database=DatabaseSeen(configured=True, version="18.1", timescaledb="2.23"),
    parts={"nats-server": True, "PostgreSQL": True, "bumble": True},
    bluetooth=BluetoothSeen(devices=4, wearables=2),
    disk=DiskSeen(folder="/var/lib/lumbar", free_mb=9_000, growth_mb=512),
    clock_synchronised=True,
)
NOTHING_SET = msgspec.structs.replace(
    GOOD,
    processes={name: ProcessSeen(configured=False, variables=("LUMBAR_X",)) for name in GOOD.processes},
    broker=BrokerSeen(),
    database=DatabaseSeen(configured=False),
    parts=dict.fromkeys(GOOD.parts, False),
    disk=DiskSeen(),
)


def check(seen: Seen, name: str) -> Check:
    (found,) = [one for one in judge(seen) if one.name == name]
    return found


def test_a_machine_that_has_everything_is_fine_and_nothing_is_advised() -> None:
    checks = judge(GOOD)
    assert {one.outcome for one in checks} == {Outcome.OK}
    assert not [one for one in checks if one.advice]


def test_a_machine_without_settings_has_nothing_that_failed() -> None:
    outcomes = [one.outcome for one in judge(NOTHING_SET)]
    assert Outcome.FAILED not in outcomes
    assert outcomes.count(Outcome.NOT_CONFIGURED) == 3 + 1 + 1 + 3 + 1


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        ({"python": (3, 10, 4)}, "Python", "3.11"),
        ({"broker": BrokerSeen(address="mqtt://hub:1883", problem="no", refused=True)}, "broker", "password"),
        ({"broker": BrokerSeen(address="mqtt://hub:1883", problem="no")}, "broker", "runs"),
        ({"database": DatabaseSeen(configured=True, problem="no")}, "database", "server runs"),
        ({"database": DatabaseSeen(configured=True, pending=("0002_b.sql",))}, "database schema", "db migrate"),
        ({"database": DatabaseSeen(configured=True, schema_problem="newer")}, "database schema", "release"),
        ({"bluetooth": BluetoothSeen(problem="no adapter")}, "Bluetooth", "bluetoothctl"),
        ({"disk": DiskSeen(folder="/nowhere", problem="no")}, "disk of the gateway log", "folder"),
        ({"clock_synchronised": False}, "clock", "timedatectl"),
    ],
)
def test_what_is_wrong_fails_and_says_what_to_do(change: dict[str, object], name: str, word: str) -> None:
    found = check(msgspec.structs.replace(GOOD, **change), name)
    assert found.outcome is Outcome.FAILED
    assert word in found.advice


def test_missing_migrations_are_named() -> None:
    seen = msgspec.structs.replace(GOOD, database=DatabaseSeen(configured=True, pending=("0002_b.sql", "0003_c.sql")))
    assert "0002_b.sql, 0003_c.sql" in check(seen, "database schema").found


def test_a_log_that_can_outgrow_the_disk_is_a_warning() -> None:
    seen = msgspec.structs.replace(GOOD, disk=DiskSeen(folder="/x", free_mb=600, growth_mb=512))
    assert check(seen, "disk of the gateway log").outcome is Outcome.WARNING


def test_no_bluetooth_fails_a_gateway_only() -> None:
    seen = msgspec.structs.replace(NOTHING_SET, bluetooth=BluetoothSeen(problem="no adapter"))
    assert check(seen, "Bluetooth").outcome is Outcome.WARNING
    virtual = msgspec.structs.replace(GOOD, bluetooth=BluetoothSeen(virtual="tcp-client:127.0.0.1:6402"))
    assert check(virtual, "Bluetooth").outcome is Outcome.NOT_CONFIGURED


def test_settings_are_explained_without_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBAR_GATEWAY_ID", "ward 1")
    monkeypatch.setenv("LUMBAR_MQTT_URL", f"http://ward:{SECRET}@hub")
    monkeypatch.setenv("LUMBAR_HTTP_PORT", "seventy")
    monkeypatch.setenv("LUMBAR_DATABASE_URL", f"postgresql://u:{SECRET}@h/d")
    for process, word in (("gateway", "LUMBAR_GATEWAY_LOG"), ("worker", "LUMBAR_MQTT_URL"), ("service", "HTTP_PORT")):
        seen = see_process(process)
        assert seen.configured
        assert word in seen.problem
        assert SECRET not in seen.problem


def test_a_radio_that_does_not_exist_is_a_problem_of_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ID", "w"), ("LOG", "x.sqlite")):
        monkeypatch.setenv(f"LUMBAR_GATEWAY_{name}", value)
    monkeypatch.setenv("LUMBAR_MQTT_URL", "mqtt://hub")
    monkeypatch.setenv("LUMBAR_BLE", "usb:0")
    assert "LUMBAR_BLE" in see_process("gateway").problem


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "no"), "D-Bus"),
        (BleakError("No powered Bluetooth adapters found."), "powered"),
        (TimeoutError(), "did not answer"),
        (RuntimeError("the bus said something new"), "something new"),
    ],
)
async def test_whatever_bluetooth_raises_is_reported(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    async def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(BleakScanner, "discover", fail)
    assert words in (await see_bluetooth("system")).problem


async def test_wearables_are_told_from_other_devices_that_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    async def heard(**_: object) -> dict[str, tuple[None, AdvertisementData]]:
        ours = AdvertisementData("LUMBAR-000101", {}, {}, [SERVICE], None, -60, ())
        other = AdvertisementData("Headphones", {}, {}, [], None, -60, ())
        return {"1": (None, ours), "2": (None, other)}

    monkeypatch.setattr(BleakScanner, "discover", heard)
    assert await see_bluetooth("system") == BluetoothSeen(devices=2, wearables=1)


async def test_a_broker_that_is_away_or_misspelt_is_a_problem_without_the_password() -> None:
    for url in (f"mqtt://ward:{SECRET}@127.0.0.1:{free_port()}", f"amqp://ward:{SECRET}@hub"):
        seen = await see_broker(url)
        assert seen.problem
        assert not seen.refused
        assert SECRET not in repr(seen)


async def test_a_broker_that_refuses_the_login_is_told_from_one_that_is_away() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(2)
        writer.write(bytes([0x20, 2, 0, 5]))  # CONNACK, MQTT 3.1.1: not authorized
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        seen = await see_broker(f"mqtt://ward:{SECRET}@127.0.0.1:{port}")
    assert seen.refused
    assert "authori" in seen.problem.lower()


async def test_a_database_that_is_away_or_misspelt_is_a_problem_without_the_password() -> None:
    for url in (f"postgresql://u:{SECRET}@127.0.0.1:{free_port()}/d", f"mysql://u:{SECRET}@h/d"):
        seen = await see_database(url)
        assert seen.problem
        assert SECRET not in repr(seen)


def test_the_disk_of_a_log_is_that_of_its_folder(tmp_path: Path) -> None:
    assert see_disk(tmp_path / "none" / "log.sqlite", 512).problem
    log = tmp_path / "log.sqlite"
    log.write_bytes(bytes(3_000_000))
    seen = see_disk(log, 512)
    assert (seen.folder, seen.problem, seen.growth_mb) == (str(tmp_path), "", 509)
    assert seen.free_mb > 0


@pytest.mark.parametrize("broken", [False, True])
def test_the_exit_code_says_whether_a_check_failed(*, broken: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LUMBAR_")}
    environment["LUMBAR_BLE"] = "tcp-client:127.0.0.1:6402"
    if broken:
        environment["LUMBAR_MQTT_URL"] = f"mqtt://127.0.0.1:{free_port()}"
    done = subprocess.run(
        [sys.executable, "-m", "service.cli.main", "doctor", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    outcomes = {one["name"]: one["outcome"] for one in json.loads(done.stdout)}
    assert done.returncode == int(broken), done.stderr
    assert outcomes["broker"] == ("failed" if broken else "not configured")
    assert outcomes["Bluetooth"] == "not configured"
