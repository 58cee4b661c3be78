"""Stand-ins around a real gateway: wearables behind bleak's ``backend=``, and a worker that keeps what it takes."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError

from gateway.connection import BleBackend
from gateway.devices import imu_codec
from gateway.devices.driver import TimeEcho
from gateway.devices.imu_profile import (
    BATTERY_LEVEL,
    CONTROL,
    DATA,
    INFO,
    SERVICE,
    TIME,
    Answer,
    DataMessage,
    Info,
    Opcode,
    Started,
    StartRequest,
    Status,
)
from processing.domain.entries import LogEntry, Samples
from processing.domain.ids import GatewayId
from processing.wire.log import decode_batch, decode_entry
from processing.wire.messages import Ack, GatewayState, SensorsReport, decode_message, encode_message
from processing.wire.topics import GatewayTopic, gateway_topic

BATCH = 5
PERIOD_NS = 10_000_000


@dataclass
class FakeImu:
    """A wearable whose samples are their own index, so that a test sees every loss and repetition."""

    serial: int
    boot_id: int = 77
    in_reach: bool = True
    advertises: bool = True
    silent: bool = False
    index: int = 0
    sequence: int = 0
    started_s: float = 0.0
    skip_batches: int = 0
    client: FakeClient | None = None
    clients: int = 0
    connected_at_once: int = 0
    garbage: list[bytes] = field(default_factory=list)
    host_ns: int = 0

    @property
    def name(self) -> str:
        return f"LUMBAR-{self.serial:06X}"

    @property
    def address(self) -> str:
        return f"00:00:00:00:00:{self.serial:02X}"

    def info(self) -> bytes:
        return imu_codec.encode_info(Info(self.serial, self.boot_id, (1, 0, 0), (100,), (8,), (2000,)))

    def tick(self) -> int:
        return int((asyncio.get_running_loop().time() - self.started_s) * 1e6) % 2**32

    def reboot(self) -> None:
        self.boot_id += 1
        self.index = self.sequence = 0
        self.started_s = asyncio.get_running_loop().time()
        self.drop()

    def drop(self) -> None:
        """The link breaks from the far side."""
        if self.client is not None:
            self.client.break_link()

    async def run(self) -> None:
        """Sample in real time, connected or not."""
        loop = asyncio.get_running_loop()
        self.started_s = loop.time()
        while True:
            due_s = self.started_s + (self.index + BATCH) * PERIOD_NS / 1e9
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            first = self.index
            self.index += BATCH
            if self.silent:
                continue
            self.sequence = (self.sequence + 1) % 2**16
            if self.skip_batches:
                self.skip_batches -= 1
                continue
            packed = b"".join(
                struct.pack("<6h", i % 2**15, i // 2**15, self.serial, 0, 0, 0) for i in range(first, self.index)
            )
            message = DataMessage(
                sequence=self.sequence, tick=first * 10_000 % 2**32, period_ns=PERIOD_NS, packed=packed
            )
            if self.client is not None:
                while self.garbage:
                    self.client.notify(DATA, self.garbage.pop())
                self.client.notify(DATA, imu_codec.encode_data(message))


class FakeClient(BaseBleakClient):
    """One connection to a ``FakeImu``; the world is bound by ``fake_backend``."""

    world: dict[str, FakeImu]

    def __init__(self, device: BLEDevice, **kwargs: Any) -> None:
        super().__init__(device, disconnected_callback=kwargs["disconnected_callback"], timeout=kwargs["timeout"])
        self._imu = self.world[device.address]
        self._callbacks: dict[str, Callable[[bytearray], Any]] = {}
        self._connected = False

    @property
    def name(self) -> str:
        return self._imu.name

    @property
    def mtu_size(self) -> int:
        return 247

    @property
    def is_connected(self) -> bool:
        return self._connected

    async def connect(self, pair: bool, **kwargs: Any) -> None:  # noqa: FBT001 - bleak's signature
        await asyncio.sleep(0.01)
        if not self._imu.in_reach:
            raise BleakDeviceNotFoundError(self._imu.address)
        assert self._imu.client is None, "the gateway must leave the old client before it makes a new one"
        self._imu.client = self
        self._imu.clients += 1
        self._connected = True
        services = BleakGATTServiceCollection()
        service = BleakGATTService(None, 1, SERVICE)
        services.add_service(service)
        for handle, uuid in enumerate((DATA, CONTROL, INFO, TIME, BATTERY_LEVEL), start=2):
            services.add_characteristic(
                BleakGATTCharacteristic(None, handle, uuid, ["read", "write", "notify"], lambda: 244, service)
            )
        self.services = services

    async def disconnect(self) -> None:
        self.break_link()
        if self._imu.client is self:
            self._imu.client = None

    def break_link(self) -> None:
        if not self._connected:
            return
        self._connected = False
        self._callbacks.clear()
        self.services = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    def notify(self, uuid: str, data: bytes) -> None:
        callback = self._callbacks.get(uuid)
        if callback is not None:
            callback(bytearray(data))

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError

    async def unpair(self) -> None:
        raise NotImplementedError

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **kwargs: Any) -> bytearray:
        self._require_link()
        values = {
            INFO: self._imu.info(),
            BATTERY_LEVEL: bytes([83]),
            TIME: imu_codec.encode_time(TimeEcho(self._imu.host_ns, self._imu.tick())),
        }
        return bytearray(values[characteristic.uuid])

    async def write_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        data: Any,
        response: bool,  # noqa: FBT001 - bleak's
    ) -> None:
        self._require_link()
        if characteristic.uuid == TIME:
            self._imu.host_ns = imu_codec.decode_time_request(bytes(data))
            return
        request = imu_codec.decode_request(bytes(data))
        if isinstance(request, StartRequest):
            started = Started(PERIOD_NS, 8.0, 2000.0, BATCH)
            self.notify(CONTROL, imu_codec.encode_answer(Answer(Opcode.START, Status.OK, started)))

    async def start_notify(self, characteristic: BleakGATTCharacteristic, callback: Any, **kwargs: Any) -> None:
        self._require_link()
        self._callbacks[characteristic.uuid] = callback

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        self._callbacks.pop(characteristic.uuid, None)

    async def read_gatt_descriptor(self, *args: Any, **kwargs: Any) -> bytearray:
        raise NotImplementedError

    async def write_gatt_descriptor(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError

    def _require_link(self) -> None:
        if not self._connected:
            raise BleakError("not connected")


class FakeScanner(BaseBleakScanner):
    """Reports every ``FakeImu`` in reach that is not connected, ten times a second."""

    world: dict[str, FakeImu]

    def __init__(self, detection_callback: Any, service_uuids: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(detection_callback, service_uuids)
        self._handle: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        self.seen_devices = {}
        self._sweep()

    async def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _sweep(self) -> None:
        for imu in self.world.values():
            if imu.in_reach and imu.advertises and (imu.client is None or not imu.client.is_connected):
                advertisement = AdvertisementData(imu.name, {}, {}, [SERVICE], None, -60, ())
                device = self.create_or_update_device(imu.address, imu.address, imu.name, None, advertisement)
                self.call_detection_callbacks(device, advertisement)
        self._handle = asyncio.get_running_loop().call_later(0.1, self._sweep)


def fake_backend(*imus: FakeImu) -> BleBackend:
    """Backend classes whose world holds these wearables."""
    world = {imu.address: imu for imu in imus}
    return BleBackend(
        scanner=type("BoundScanner", (FakeScanner,), {"world": world}),
        client=type("BoundClient", (FakeClient,), {"world": world}),
    )


class FakeWorker:
    """Takes one gateway's log in order, commits as a worker would, and can be told to misbehave."""

    def __init__(self, url_parts: dict[str, Any], gateway_id: GatewayId) -> None:
        self._connection = url_parts
        self._gateway_id = gateway_id
        self.entries: dict[int, LogEntry] = {}
        self.expect = 1
        self.committed = 0
        self.epoch = 1
        self.log_id: int | None = None
        self.duplicates = 0
        self.holes = 0
        self.states: list[GatewayState] = []
        self.report: SensorsReport | None = None
        self.commits = True
        self.deaf = False
        """Loses every batch while set."""
        self._stirred = asyncio.Event()

    def log(self) -> list[LogEntry]:
        """Entries in order of their offsets; fails if one is missing."""
        offsets = sorted(self.entries)
        assert offsets == list(range(offsets[0], offsets[0] + len(offsets))) if offsets else True
        return [self.entries[offset] for offset in offsets]

    def indices(self, serial: int) -> list[int]:
        """Sample indices that arrived from one wearable."""
        out = []
        for entry in self.log():
            if isinstance(entry, Samples):
                rows = list(struct.iter_unpack("<6h", entry.packed))
                out += [row[1] * 2**15 + row[0] for row in rows if row[2] == serial]
        return out

    async def until(self, condition: Callable[[], Any], limit_s: float = 20.0) -> None:
        """Wait for something to become true of what arrived."""
        async with asyncio.timeout(limit_s):
            while not condition():
                self._stirred.clear()
                await self._stirred.wait()

    async def run(self) -> None:
        while True:
            try:
                async with aiomqtt.Client(**self._connection, timeout=3) as client:
                    for topic in (GatewayTopic.STATE, GatewayTopic.LOG):
                        await client.subscribe(gateway_topic(self._gateway_id, topic))
                    if self.log_id is not None:
                        await self.acknowledge(client)
                    async for message in client.messages:
                        await self._take(client, message)
                        self._stirred.set()
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    async def acknowledge(self, client: aiomqtt.Client, **changes: int) -> None:
        assert self.log_id is not None
        values = {"log_id": self.log_id, "committed": self.committed, "expect": self.expect, "epoch": self.epoch}
        await client.publish(gateway_topic(self._gateway_id, GatewayTopic.ACK), encode_message(Ack(**values | changes)))

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        assert isinstance(message.payload, bytes)
        if message.topic.value.endswith("/state"):
            state = decode_message(message.payload, GatewayState)
            self.states.append(state)
            if state.online:
                self.log_id = state.log_id
                self.expect = max(self.expect, state.first_offset)
                await self.acknowledge(client)
            return
        if self.deaf:
            return
        batch = decode_batch(message.payload)
        if batch.first_offset > self.expect:
            self.holes += 1
        elif batch.next_offset <= self.expect:
            self.duplicates += 1
        else:
            for offset, data in enumerate(batch.entries, start=batch.first_offset):
                if offset >= self.expect:
                    self.entries[offset] = decode_entry(data)
            self.expect = batch.next_offset
            if self.commits:
                self.committed = self.expect - 1
        await self.acknowledge(client)


@asynccontextmanager
async def running(*work: Any) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Run coroutines beside the block and end them after it, the last one first; an error of one fails the test."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        try:
            yield tasks
        finally:
            for task in reversed(tasks):
                task.cancel()
                await asyncio.wait([task])
