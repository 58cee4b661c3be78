"""The wearables in a process of their own, reached over HCI on a local TCP socket."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakError

from firmware_sim.backend import open_virtual_ble
from firmware_sim.peripherals.lumbar_imu import LumbarImuPeripheral
from firmware_sim.process import serve_wearables
from processing.domain.errors import SettingsError
from tests.integration.counting_sim import CountingSource
from tests.integration.virtual_link import counts, find, linked

NAME = "LUMBAR-00A1B2"
SIM = Path(__file__).with_name("counting_sim.py")


@asynccontextmanager
async def sim_process(port: int = 0) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """A simulator process, and the port it listens on."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SIM), str(port), "A1B2", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield process, int(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_samples_come_from_another_process_and_its_death_is_noticed() -> None:
    async with (
        asyncio.timeout(30),
        sim_process() as (process, port),
        open_virtual_ble(f"tcp-client:127.0.0.1:{port}") as ble,
        linked(ble, await find(ble, NAME)) as link,
    ):
        await link.start()
        received = [count for batch in await link.receive(5) for count in counts(batch)]
        assert received == list(range(received[0], received[0] + 25))
        process.kill()
        await link.gone.wait()
        with pytest.raises(BleakError):
            await link.client.read_gatt_char(0x2A19)


async def test_a_restarted_simulator_is_found_again_by_scans_old_and_new() -> None:
    seen: asyncio.Queue[tuple[BLEDevice, AdvertisementData]] = asyncio.Queue()
    async with (
        asyncio.timeout(40),
        sim_process() as (process, port),
        open_virtual_ble(f"tcp-client:127.0.0.1:{port}") as ble,
        BleakScanner(lambda device, data: seen.put_nowait((device, data)), backend=ble.scanner),
    ):
        device, _ = await seen.get()
        process.kill()
        await process.wait()
        with pytest.raises(BleakError):
            await BleakClient(device, backend=ble.client, timeout=5).connect()
        while not seen.empty():
            seen.get_nowait()
        async with sim_process(port):
            await seen.get()
            async with linked(ble, await find(ble, NAME)) as link:
                await link.start()
                await link.receive(1)


async def test_without_a_simulator_bluetooth_is_not_available() -> None:
    async with open_virtual_ble("tcp-client:127.0.0.1:1") as ble:
        with pytest.raises(BleakBluetoothNotAvailableError):
            await BleakScanner(backend=ble.scanner).start()


@asynccontextmanager
async def served(wearable: LumbarImuPeripheral) -> AsyncIterator[int]:
    """A wearable served over TCP by this process."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        serving = group.create_task(serve_wearables([wearable], "tcp-server:127.0.0.1:0", on_listening=port.set_result))
        yield await port
        serving.cancel()


async def test_a_wearable_advertises_again_after_its_gateway_disappeared() -> None:
    wearable = LumbarImuPeripheral(0xA1B2, CountingSource())
    async with served(wearable) as port:
        for _ in range(2):
            async with open_virtual_ble(f"tcp-client:127.0.0.1:{port}", supervision_timeout_s=0.3) as ble:
                client = BleakClient(await find(ble, NAME), backend=ble.client, timeout=5)
                await client.connect()
                assert client.is_connected


async def test_two_gateways_share_the_air_of_one_simulator() -> None:
    async with served(LumbarImuPeripheral(0xA1B2, CountingSource())) as port:
        transport = f"tcp-client:127.0.0.1:{port}"
        async with open_virtual_ble(transport) as one, open_virtual_ble(transport) as other:
            device = await find(other, NAME)
            async with linked(one, await find(one, NAME)) as link:
                await link.start()
                with pytest.raises(TimeoutError):
                    await BleakClient(device, backend=other.client, timeout=0.3).connect()
                await link.receive(1)


async def test_bytes_that_are_no_hci_end_only_their_own_connection() -> None:
    async with (
        served(LumbarImuPeripheral(0xA1B2, CountingSource())) as port,
        open_virtual_ble(f"tcp-client:127.0.0.1:{port}") as ble,
        linked(ble, await find(ble, NAME)) as link,
    ):
        await link.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        await link.receive(2)


@pytest.mark.parametrize("transport", ["", "tcp-server:7001", "tcp-server:127.0.0.1:http", "tcp-client:127.0.0.1:7001"])
async def test_a_transport_that_cannot_be_served_is_a_settings_error(transport: str) -> None:
    with pytest.raises(SettingsError, match="tcp-server:HOST:PORT"):
        await serve_wearables([], transport)
