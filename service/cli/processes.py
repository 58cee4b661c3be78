"""`lumbar gateway`, `worker` and `serve`: each puts one process together from its settings.

Imports stand inside the functions: a gateway must load neither NumPy nor the web framework.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from processing.domain.errors import SettingsError
from service.cli.stop import until_stopped

if TYPE_CHECKING:
    from gateway.settings import GatewaySettings
    from processing.worker.settings import WorkerSettings
    from service.settings import ServiceSettings

BLE_VARIABLE = "LUMBAR_BLE"


def gateway_process(*, check_config: bool) -> None:
    """Read wearables until told to stop.

    Raises:
        SettingsError: a setting cannot be used.
    """
    from gateway.settings import GatewaySettings

    settings = GatewaySettings.load()
    ble = chosen_ble()
    if check_config:
        _say_ok("gateway")
        return
    asyncio.run(until_stopped(_gateway(settings, ble)))


def chosen_ble() -> str:
    """Radio that ``LUMBAR_BLE`` names.

    ``system`` (default) is the Bluetooth of this machine, else it is an HCI transport of `lumbar sim` such as
    ``tcp-client:127.0.0.1:6402``.

    Raises:
        SettingsError: it is neither.
    """
    ble = os.environ.get(BLE_VARIABLE, "system")
    if ble != "system" and not ble.startswith("tcp-client:"):
        raise SettingsError(f"{BLE_VARIABLE}={ble}: write system, or tcp-client:HOST:PORT of `lumbar sim`")
    return ble


async def _gateway(settings: GatewaySettings, ble: str) -> None:
    from gateway.app import run_gateway
    from gateway.connection import BleBackend

    if ble == "system":
        await run_gateway(settings)
        return
    from firmware_sim.backend import open_virtual_ble

    async with open_virtual_ble(ble) as virtual:
        await run_gateway(settings, BleBackend(virtual.scanner, virtual.client))


def worker_process(*, check_config: bool) -> None:
    """Turn logs into findings until told to stop.

    Raises:
        SettingsError: a setting cannot be used.
    """
    from processing.worker.settings import WorkerSettings

    settings = WorkerSettings.load()
    if check_config:
        _say_ok("worker")
        return
    asyncio.run(until_stopped(_worker(settings)))


async def _worker(settings: WorkerSettings) -> None:
    from processing.worker.app import run_worker
    from service.store.pool import open_pool
    from service.store.worker_store import PostgresWorkerStore

    dsn = settings.database_url.get_secret_value()
    async with open_pool(dsn, application="lumbar worker") as pool:
        await run_worker(settings, PostgresWorkerStore(pool, dsn))


def service_process(*, check_config: bool) -> None:
    """Serve API and screens until told to stop.

    Raises:
        SettingsError: a setting cannot be used.
    """
    from service.settings import ServiceSettings

    settings = ServiceSettings().checked()
    if check_config:
        _say_ok("service")
        return
    asyncio.run(until_stopped(_service(settings)))


async def _service(settings: ServiceSettings) -> None:
    from service.app import run_service
    from service.store.pool import open_pool
    from service.store.service_store import PostgresServiceStore

    async with open_pool(settings.database_url.get_secret_value(), application="lumbar service") as pool:
        await run_service(settings, PostgresServiceStore(pool))


def _say_ok(process: str) -> None:
    sys.stdout.write(f"settings of the {process} are fine\n")
