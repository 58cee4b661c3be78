"""bleak, the driver and the simulated wearable on the virtual radio of one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode

from firmware_sim.backend import VirtualBle, open_virtual_ble
from firmware_sim.peripherals.lumbar_imu import LumbarImuPeripheral
from firmware_sim.radio import Radio
from gateway.devices import imu_codec, imu_profile
from gateway.devices.imu_profile import DataFlag, IdentifyRequest, Opcode, StartRequest, Status
from gateway.devices.registry import recognise
from processing.domain.samples import GRAVITY_MPS2
from tests.integration.counting_sim import PERIOD_US, CountingSource
from tests.integration.virtual_link import DRIVER, Link, counts, find, linked

SUPERVISION_TIMEOUT_S = 0.8
NAME = "LUMBAR-00A1B2"
SERIAL = 0x00A1B2


@asynccontextmanager
async def worn(*wearables: LumbarImuPeripheral, radio: Radio | None = None) -> AsyncIterator[VirtualBle]:
    """Wearables that are switched on, and a central in range; nothing may take longer than 20 s."""
    air = radio or Radio()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = [group.create_task(wearable.run(air)) for wearable in wearables]
        async with open_virtual_ble(air, supervision_timeout_s=SUPERVISION_TIMEOUT_S) as ble:
            yield ble
        for task in running:
            task.cancel()


@asynccontextmanager
async def streaming(ble: VirtualBle) -> AsyncIterator[Link]:
    async with linked(ble, await find(ble, NAME)) as link:
        await link.start()
        yield link


def sequences(link: Link) -> list[int]:
    return [message.sequence for message in link.messages]


def lost(link: Link) -> int:
    return sum((after - before - 1) % imu_profile.SEQUENCE_MODULUS for before, after in pairwise(sequences(link)))


def all_samples(link: Link) -> Iterator[int]:
    for message in link.messages:
        yield from (int.from_bytes(message.packed[i : i + 2], "little") for i in range(0, len(message.packed), 12))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    while not condition():  # noqa: ASYNC110  # counters of the device under test have no event
        await asyncio.sleep(0.01)


async def test_a_wearable_is_found_by_its_service_and_says_its_name_and_strength() -> None:
    async with worn(LumbarImuPeripheral(SERIAL, CountingSource(), rssi_dbm=-70)) as ble:
        seen: asyncio.Queue[tuple[BLEDevice, AdvertisementData]] = asyncio.Queue()
        async with BleakScanner(
            lambda device, data: seen.put_nowait((device, data)), [DRIVER.advertised_service], backend=ble.scanner
        ) as scanner:
            device, advertisement = await seen.get()
        assert scanner.discovered_devices == [device]
        found = recognise(advertisement.local_name, advertisement.service_uuids)
        assert found is not None
        assert found.sensor_id == NAME
        assert -80 < advertisement.rssi < -60


async def test_a_scan_for_another_service_finds_nothing() -> None:
    async with worn(LumbarImuPeripheral(SERIAL, CountingSource())) as ble:
        seen: list[object] = []
        other = "0000ffe5-0000-1000-8000-00805f9a34fb"
        async with BleakScanner(lambda device, data: seen.append(device), [other], backend=ble.scanner):
            await find(ble, NAME)
        assert not seen


async def test_the_samples_that_arrive_are_those_of_the_source() -> None:
    async with worn(LumbarImuPeripheral(SERIAL, CountingSource())) as ble, streaming(ble) as link:
        batches = await link.receive(10)
        received = [count for batch in batches for count in counts(batch)]
        assert received == list(range(received[0], received[0] + 50))
        assert [batch.sequence for batch in batches] == list(range(10))
        assert [batch.tick for batch in batches] == [counts(batch)[0] * PERIOD_US for batch in batches]
        assert {batch.period_ns for batch in batches} == {PERIOD_US * 1000}
        assert link.info is not None
        assert link.info.acc_scale == 16 * GRAVITY_MPS2 / 32768
        assert link.info.battery_percent == 100


async def test_samples_from_before_the_stream_never_come() -> None:
    async with worn(LumbarImuPeripheral(SERIAL, CountingSource())) as ble:
        device = await find(ble, NAME)
        await asyncio.sleep(0.3)
        async with linked(ble, device) as link:
            await link.start()
            (first,) = await link.receive(1)
        assert counts(first)[0] >= 30


async def test_injected_loss_shows_in_the_sequence_numbers_and_nowhere_else() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource(), lost_batches=0.3, seed=4)
    async with worn(wearable) as ble, streaming(ble) as link:
        await link.receive(15)
        assert lost(link) > 0
        first = link.messages[0]
        start = first.tick // PERIOD_US - 5 * first.sequence
        assert all(message.tick // PERIOD_US == start + 5 * message.sequence for message in link.messages)
        await until(lambda: wearable.counters.spoiled > 0)


async def test_a_lossy_radio_delays_batches_but_loses_none() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource())
    async with worn(wearable, radio=Radio(seed=1, loss=0.3)) as ble, streaming(ble) as link:
        await link.receive(15)
        received = list(all_samples(link))
        assert received == list(range(received[0], received[0] + len(received)))


async def test_a_wearable_that_hangs_up_can_be_connected_again() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource())
    async with worn(wearable) as ble:
        async with streaming(ble) as link:
            await link.receive(2)
            await wearable.hang_up()
            await link.gone.wait()
            assert not link.client.is_connected
        async with streaming(ble) as link:
            assert (await link.receive(1))[0].sequence == 0


async def test_the_same_client_object_can_connect_again() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource())
    async with worn(wearable) as ble:
        client = BleakClient(await find(ble, NAME), backend=ble.client, timeout=5)
        for _ in range(2):
            await client.connect()
            assert bytes(await client.read_gatt_char(imu_profile.BATTERY_LEVEL)) == bytes([100])
            await client.disconnect()
            assert not client.is_connected


async def test_a_vanished_wearable_is_noticed_and_welcome_when_it_reappears() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource())
    async with worn(wearable) as ble:
        async with streaming(ble) as link:
            await link.receive(2)
            wearable.vanish()
            await link.gone.wait()
            wearable.reappear()
        async with streaming(ble) as link:
            await link.receive(2)


async def test_a_short_absence_loses_nothing() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource())
    async with worn(wearable) as ble, streaming(ble) as link:
        await link.receive(2)
        wearable.vanish()
        await asyncio.sleep(SUPERVISION_TIMEOUT_S / 3)
        wearable.reappear()
        await link.receive(10)
        assert not link.gone.is_set()
        assert lost(link) == 0


async def test_a_full_transmit_queue_drops_its_oldest_batches_and_says_so() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource(), batch_size=1, queue_batches=4)
    async with worn(wearable) as ble, streaming(ble) as link:
        await link.receive(3)
        wearable.vanish()
        await until(lambda: wearable.counters.overrun > 0)
        wearable.reappear()
        await until(lambda: 0 < lost(link) == wearable.counters.overrun)
        after_the_gap = next(
            after for before, after in pairwise(link.messages) if after.sequence != before.sequence + 1
        )
        assert after_the_gap.flags & DataFlag.OVERRUN


async def test_a_host_that_does_not_read_makes_the_wearable_drop_and_say_so() -> None:
    air = Radio()
    wearable = LumbarImuPeripheral(SERIAL, CountingSource(), batch_size=1, queue_batches=4)
    async with worn(wearable, radio=air) as ble, streaming(ble) as link:
        await link.receive(3)
        (central,) = (station for station in air._stations if station.name == "central")
        central.host_reads = False
        await until(lambda: wearable.counters.overrun > 0)
        central.host_reads = True
        await until(lambda: 0 < lost(link) == wearable.counters.overrun)


async def test_a_connection_that_timed_out_does_not_harm_the_next() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource())
    async with worn(wearable) as ble:
        device = await find(ble, NAME)
        wearable.vanish()
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await BleakClient(device, backend=ble.client, timeout=0.2).connect()
        wearable.reappear()
        async with linked(ble, device) as link:
            await link.start()
            await link.receive(1)


async def test_a_cancelled_connection_does_not_harm_the_next() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource())
    async with worn(wearable) as ble:
        device = await find(ble, NAME)
        wearable.vanish()
        connecting = asyncio.ensure_future(BleakClient(device, backend=ble.client).connect())
        await asyncio.sleep(0.1)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        wearable.reappear()
        async with linked(ble, device):
            pass


async def test_a_reboot_shows_as_silence_and_then_a_new_boot_id_and_clock() -> None:
    boot_ids = iter((11, 22))
    wearable = LumbarImuPeripheral(SERIAL, CountingSource(), draw_boot_id=lambda: next(boot_ids))
    async with worn(wearable) as ble:
        async with streaming(ble) as link:
            (before,) = await link.receive(1)
            assert link.info is not None
            assert link.info.boot_id == 11
            wearable.reboot()
            await link.gone.wait()
        async with streaming(ble) as link:
            (after,) = await link.receive(1)
            assert link.info is not None
            assert link.info.boot_id == 22
            assert after.tick is not None
            assert before.tick is not None
            assert after.tick < counts(after)[0] * PERIOD_US - before.tick


async def test_three_wearables_stream_through_one_central() -> None:
    wearables = [LumbarImuPeripheral(serial, CountingSource()) for serial in (1, 2, 3)]

    async def five_batches(ble: VirtualBle, device: BLEDevice) -> set[int | None]:
        async with linked(ble, device) as link:
            await link.start()
            return {batch.sequence for batch in await link.receive(5)}

    async with worn(*wearables) as ble:
        devices = [await find(ble, wearable.sensor_id) for wearable in wearables]
        received = await asyncio.gather(*(five_batches(ble, device) for device in devices))
        assert received == [set(range(5))] * 3


async def test_the_device_echoes_the_hosts_stamp_with_its_clock() -> None:
    async with worn(LumbarImuPeripheral(SERIAL, CountingSource())) as ble, linked(ble, await find(ble, NAME)) as link:
        echoes: asyncio.Queue[bytes] = asyncio.Queue()
        await link.client.start_notify(imu_profile.TIME, lambda _, value: echoes.put_nowait(bytes(value)))
        for stamp in (123, 456):
            request = imu_codec.encode_time_request(stamp)
            await link.client.write_gatt_char(imu_profile.TIME, request, response=True)
        first, second = [imu_codec.decode_time(await echoes.get()) for _ in range(2)]
        assert (first.host_ns, second.host_ns) == (123, 456)
        assert first.tick <= second.tick
        assert imu_codec.decode_time(bytes(await link.client.read_gatt_char(imu_profile.TIME))) == second


async def test_a_falling_battery_is_told() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource(), battery_hours=0.002)
    async with worn(wearable) as ble, linked(ble, await find(ble, NAME)) as link:
        levels: asyncio.Queue[int] = asyncio.Queue()
        await link.client.start_notify(imu_profile.BATTERY_LEVEL, lambda _, value: levels.put_nowait(value[0]))
        first, second = await levels.get(), await levels.get()
        assert 100 > first > second


@pytest.mark.parametrize(
    ("request_bytes", "opcode", "status"),
    [
        (imu_codec.encode_request(IdentifyRequest(1)), Opcode.IDENTIFY, Status.OK),
        (imu_codec.encode_request(StartRequest(50)), Opcode.START, Status.UNSUPPORTED_RATE),
        (imu_codec.encode_request(StartRequest(100, acc_range_g=2)), Opcode.START, Status.UNSUPPORTED_RANGE),
        (imu_codec.encode_request(StartRequest(100, batch_size=20)), Opcode.START, Status.UNSUPPORTED_BATCH),
        (b"\x01\x64", Opcode.START, Status.MALFORMED),
        (b"\x55", 0x55, Status.UNKNOWN_OPCODE),
    ],
)
async def test_a_control_request_is_answered(request_bytes: bytes, opcode: int, status: Status) -> None:
    async with worn(LumbarImuPeripheral(SERIAL, CountingSource())) as ble, linked(ble, await find(ble, NAME)) as link:
        answers: asyncio.Queue[bytes] = asyncio.Queue()
        await link.client.start_notify(imu_profile.CONTROL, lambda _, value: answers.put_nowait(bytes(value)))
        await link.client.write_gatt_char(imu_profile.CONTROL, request_bytes, response=True)
        answer = imu_codec.decode_answer(await answers.get())
        assert (answer.opcode, answer.status) == (opcode, status)


async def test_a_stopped_stream_is_silent_and_can_be_started_again() -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource())
    async with worn(wearable) as ble, streaming(ble) as link:
        await link.receive(1)
        (stop,) = DRIVER.stop()
        await link.client.write_gatt_char(imu_profile.CONTROL, b"\x02", response=True)
        assert stop.characteristic == imu_profile.CONTROL
        await until(lambda: not wearable.is_streaming)
        await link.client.write_gatt_char(
            imu_profile.CONTROL, imu_codec.encode_request(StartRequest(100)), response=True
        )
        await until(lambda: sequences(link).count(0) == 2)


async def test_a_control_request_without_indications_is_refused() -> None:
    async with worn(LumbarImuPeripheral(SERIAL, CountingSource())) as ble, linked(ble, await find(ble, NAME)) as link:
        with pytest.raises(BleakGATTProtocolError) as refused:
            await link.client.write_gatt_char(imu_profile.CONTROL, b"\x02", response=True)
        assert refused.value.code is BleakGATTProtocolErrorCode.CCCD_IMPROPERLY_CONFIGURED


@pytest.mark.parametrize(
    "operation",
    [
        lambda client: client.read_gatt_char(imu_profile.INFO),
        lambda client: client.write_gatt_char(imu_profile.TIME, bytes(8), response=True),
        lambda client: client.start_notify(imu_profile.DATA, lambda *_: None),
    ],
    ids=["read", "write", "subscribe"],
)
async def test_an_operation_on_a_vanishing_wearable_ends_with_an_error(
    operation: Callable[[BleakClient], Awaitable[object]],
) -> None:
    wearable = LumbarImuPeripheral(SERIAL, CountingSource())
    async with worn(wearable) as ble, linked(ble, await find(ble, NAME)) as link:
        wearable.vanish()
        with pytest.raises(BleakError):
            await operation(link.client)
        await link.gone.wait()
        with pytest.raises(BleakError):
            await operation(link.client)
