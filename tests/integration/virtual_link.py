"""What the tests of the virtual radio share: a central that performs the steps of the real driver. Not a test."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice

from firmware_sim.backend import VirtualBle
from gateway.devices import imu_codec, imu_profile
from gateway.devices.driver import AwaitNotification, Driver, Read, SampleBatch, StreamInfo, Subscribe, Write
from gateway.devices.imu_profile import DataMessage
from gateway.devices.lumbar_imu import LumbarImuDriver

DRIVER: Driver = LumbarImuDriver()


async def find(ble: VirtualBle, name: str, timeout_s: float = 5.0) -> BLEDevice:
    """Wearable of this name."""
    device = await BleakScanner.find_device_by_name(
        name, timeout_s, backend=ble.scanner, service_uuids=[DRIVER.advertised_service]
    )
    assert device is not None, f"{name} does not advertise"
    return device


@dataclass
class Link:
    """A connected wearable and what came from it."""

    client: BleakClient
    gone: asyncio.Event
    batches: asyncio.Queue[SampleBatch] = field(default_factory=asyncio.Queue)
    messages: list[DataMessage] = field(default_factory=list)
    info: StreamInfo | None = None

    async def start(self, rate_hz: int = 100) -> StreamInfo:
        """Perform the driver's steps."""
        inboxes: dict[str, asyncio.Queue[bytes]] = {}
        generator = DRIVER.start(rate_hz)
        reply = b""
        try:
            step = next(generator)
            while True:
                match step:
                    case Read(characteristic):
                        reply = bytes(await self.client.read_gatt_char(characteristic))
                    case Write(characteristic, data, response):
                        await self.client.write_gatt_char(characteristic, data, response)
                        reply = b""
                    case Subscribe(characteristic):
                        inboxes[characteristic] = asyncio.Queue()
                        await self._subscribe(characteristic, inboxes[characteristic])
                        reply = b""
                    case AwaitNotification(characteristic):
                        reply = await inboxes[characteristic].get()
                step = generator.send(reply)
        except StopIteration as stop:
            self.info = stop.value
            return stop.value

    async def _subscribe(self, characteristic: str, inbox: asyncio.Queue[bytes]) -> None:
        def on_value(_: object, value: bytearray) -> None:
            if characteristic != imu_profile.DATA:
                inbox.put_nowait(bytes(value))
                return
            self.messages.append(imu_codec.decode_data(bytes(value)))
            for event in DRIVER.decode(characteristic, bytes(value)):
                assert isinstance(event, SampleBatch)
                self.batches.put_nowait(event)

        await self.client.start_notify(characteristic, on_value)

    async def receive(self, count: int) -> list[SampleBatch]:
        """The next batches."""
        return [await self.batches.get() for _ in range(count)]


@asynccontextmanager
async def linked(ble: VirtualBle, device: BLEDevice) -> AsyncIterator[Link]:
    """A connection to a wearable."""
    gone = asyncio.Event()
    async with BleakClient(device, lambda _: gone.set(), backend=ble.client, timeout=5) as client:
        yield Link(client, gone)


def counts(batch: SampleBatch) -> list[int]:
    """First count of each sample; the others must be the same."""
    samples = list(struct.iter_unpack("<6h", batch.packed))
    assert all(len(set(sample)) == 1 for sample in samples)
    return [sample[0] for sample in samples]
