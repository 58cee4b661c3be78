"""The firmware of the simulated wearable between two boots: GATT server, stream, transmit queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import structlog
from bumble import att
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.host import DataPacketQueue, Host
from bumble.transport.common import AsyncPipeSink

from firmware_sim.controller import ACL_PACKETS, RadioController
from firmware_sim.operations import uninterrupted
from firmware_sim.peripherals.batches import FirmwareSettings, Stream, WearableCounters
from firmware_sim.peripherals.identity import (
    advertising_data,
    device_info,
    information_service,
    scan_response_data,
    static_address,
)
from firmware_sim.source import SampleSource
from gateway.devices import imu_codec, imu_profile
from gateway.devices.driver import TimeEcho
from gateway.devices.imu_profile import (
    Answer,
    ControlRequest,
    IdentifyRequest,
    Opcode,
    Started,
    StartRequest,
    Status,
    StopRequest,
)
from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.samples import BYTES_PER_SAMPLE

_log = structlog.get_logger(__name__)

ADVERTISING_INTERVAL_MS = 100.0
_ATT_NOTIFICATION_BYTES = 3
_IDLE_S = 0.05
_WAITING_INDICATIONS = 4

_READ = Characteristic.Properties.READ
_WRITE = Characteristic.Properties.WRITE
_NOTIFY = Characteristic.Properties.NOTIFY
_INDICATE = Characteristic.Properties.INDICATE
_READABLE = Characteristic.READABLE
_WRITEABLE = Characteristic.WRITEABLE


@dataclass(frozen=True, slots=True)
class _Indication:
    characteristic: Characteristic[bytes]
    value: bytes
    then: Callable[[], None]


class Firmware:
    """One boot of a wearable."""

    def __init__(
        self,
        settings: FirmwareSettings,
        source: SampleSource,
        controller: RadioController,
        *,
        boot_id: int,
        boot_tick_us: int,
        now_s: Callable[[], float],
        battery_percent: Callable[[], int],
        rng: np.random.Generator,
        counters: WearableCounters,
    ) -> None:
        self.controller = controller
        self._settings = settings
        self._source = source
        self._boot_tick_us = boot_tick_us
        self._now_s = now_s
        self._battery_percent = battery_percent
        self._rng = rng
        self._counters = counters
        self._info = device_info(settings.serial, boot_id, source)
        self._connection: Connection | None = None
        self._stream: Stream | None = None
        self._room = asyncio.Event()
        self._answering = False
        self._indications: asyncio.Queue[_Indication] = asyncio.Queue(_WAITING_INDICATIONS)
        self._echo = TimeEcho(host_ns=0, tick=0)
        self._shown_percent = battery_percent()
        self._data: Characteristic[bytes] = Characteristic(imu_profile.DATA, _NOTIFY, _READABLE)
        self._control: Characteristic[bytes] = Characteristic(
            imu_profile.CONTROL, _WRITE | _INDICATE, _WRITEABLE, CharacteristicValue(write=self._on_control)
        )
        self._time: Characteristic[bytes] = Characteristic(
            imu_profile.TIME,
            _READ | _WRITE | _INDICATE,
            _READABLE | _WRITEABLE,
            CharacteristicValue(read=lambda _: imu_codec.encode_time(self._echo), write=self._on_time),
        )
        self._battery: Characteristic[bytes] = Characteristic(
            imu_profile.BATTERY_LEVEL,
            _READ | _NOTIFY,
            _READABLE,
            CharacteristicValue(read=lambda _: bytes([self._battery_percent()])),
        )
        self._device = Device(
            name=imu_profile.local_name(settings.serial),
            address=static_address(settings.serial),
            host=Host(controller, AsyncPipeSink(controller)),
        )
        info = Characteristic(imu_profile.INFO, _READ, _READABLE, imu_codec.encode_info(self._info))
        self._device.add_services(
            [
                Service(imu_profile.SERVICE, [self._data, self._control, info, self._time]),
                information_service(settings.serial),
                Service("180F", [self._battery]),
            ]
        )

    @property
    def is_streaming(self) -> bool:
        """Whether a central has started the stream."""
        return self._stream is not None

    async def run(self) -> None:
        """Advertise, serve whoever connects, advertise again."""
        connections: asyncio.Queue[tuple[Connection, asyncio.Event]] = asyncio.Queue(1)

        def on_connection(connection: Connection) -> None:
            gone = asyncio.Event()
            connection.on(Connection.EVENT_DISCONNECTION, lambda _reason: gone.set())
            connections.put_nowait((connection, gone))
            self._connection = connection

        self._device.on(Device.EVENT_CONNECTION, on_connection)
        self._device.advertising_data = advertising_data()
        self._device.scan_response_data = scan_response_data(self._settings.serial)
        self._device.advertising_interval_min = self._device.advertising_interval_max = ADVERTISING_INTERVAL_MS
        await uninterrupted(self._device.power_on())
        while True:
            await uninterrupted(self._device.start_advertising())
            connection, gone = await connections.get()
            await self._serve(connection, gone)

    async def hang_up(self) -> None:
        """Disconnect the central, if there is one."""
        if self._connection is not None:
            await uninterrupted(self._connection.disconnect())

    async def _serve(self, connection: Connection, gone: asyncio.Event) -> None:
        packets = connection.data_packet_queue
        if packets is None:  # it went as fast as it came
            return
        packets.on("flow", self._room.set)
        try:
            async with asyncio.TaskGroup() as group:
                serving = [
                    group.create_task(self._sample(connection)),
                    group.create_task(self._transmit(connection, packets)),
                    group.create_task(self._indicate(connection)),
                ]
                await gone.wait()
                for task in serving:
                    task.cancel()
        finally:
            packets.remove_listener("flow", self._room.set)
            self._connection = None
            self._stream = None
            self._answering = False
            self._indications = asyncio.Queue(_WAITING_INDICATIONS)

    async def _sample(self, connection: Connection) -> None:
        """Sample in real time, and tell when the battery has fallen."""
        while True:
            stream = self._stream
            if stream is not None:
                stream.sample(self._now_s(), subscribed=self._is_subscribed(self._data, att_bit=1))
                self._room.set()
            percent = self._battery_percent()
            if percent != self._shown_percent:
                self._shown_percent = percent
                await self._device.notify_subscriber(connection, self._battery, bytes([percent]))
            await asyncio.sleep(_IDLE_S if stream is None else max(0.0, stream.due_s - self._now_s()))

    async def _transmit(self, connection: Connection, packets: DataPacketQueue) -> None:
        """Hand batches to the radio while it takes them; those that wait can still be dropped."""
        while True:
            await self._room.wait()
            self._room.clear()
            while self._stream is not None and packets.pending < ACL_PACKETS:
                message = self._stream.take()
                if message is None:
                    break
                await self._device.notify_subscriber(connection, self._data, imu_codec.encode_data(message))

    async def _indicate(self, connection: Connection) -> None:
        """Send answers one after the other; each waits for its confirmation."""
        while True:
            indication = await self._indications.get()
            try:
                await self._device.indicate_subscriber(connection, indication.characteristic, indication.value)
            except TimeoutError:
                _log.warning("wearable.indication_not_confirmed", serial=self._settings.serial)
            finally:
                indication.then()

    def _is_subscribed(self, characteristic: Characteristic[bytes], att_bit: int) -> bool:
        if self._connection is None:
            return False
        subscriptions = self._device.gatt_server.subscribers.get(self._connection, {})
        return bool(subscriptions.get(characteristic.handle, b"\0")[0] & att_bit)

    def _on_control(self, connection: Connection, value: bytes) -> None:
        if not self._is_subscribed(self._control, att_bit=2):
            raise att.ATT_Error(att.ErrorCode.CCCD_IMPROPERLY_CONFIGURED)
        if self._answering:
            raise att.ATT_Error(att.ErrorCode.PROCEDURE_ALREADY_IN_PROGRESS)
        if not value:
            raise att.ATT_Error(att.ErrorCode.INVALID_ATTRIBUTE_LENGTH)
        try:
            request = imu_codec.decode_request(value)
        except DecodeError as error:
            unknown = error.reason is DecodeReason.UNKNOWN_KIND
            answer = Answer(value[0], Status.UNKNOWN_OPCODE if unknown else Status.MALFORMED)
        else:
            answer = self._obey(request, connection.att_mtu)

        def answered() -> None:
            self._answering = False
            if answer.started is not None:
                self._stream = self._new_stream(answer.started.batch_size)

        self._answering = True
        self._indications.put_nowait(_Indication(self._control, imu_codec.encode_answer(answer), answered))

    def _obey(self, request: ControlRequest, att_mtu: int) -> Answer:
        match request:
            case StartRequest():
                return self._start(request, att_mtu)
            case StopRequest():
                self._stream = None
                return Answer(Opcode.STOP, Status.OK)
            case IdentifyRequest():
                self._counters.identified += 1
                return Answer(Opcode.IDENTIFY, Status.OK)

    def _start(self, request: StartRequest, att_mtu: int) -> Answer:
        most = (att_mtu - _ATT_NOTIFICATION_BYTES - imu_profile.DATA_HEAD_BYTES) // BYTES_PER_SAMPLE
        batch_size = request.batch_size or min(self._settings.batch_size, most)
        if request.rate_hz not in self._info.rates_hz:
            return Answer(Opcode.START, Status.UNSUPPORTED_RATE)
        if not (
            request.acc_range_g in (0, *self._info.acc_ranges_g)
            and request.gyr_range_dps in (0, *self._info.gyr_ranges_dps)
        ):
            return Answer(Opcode.START, Status.UNSUPPORTED_RANGE)
        if not 1 <= batch_size <= most:
            return Answer(Opcode.START, Status.UNSUPPORTED_BATCH)
        self._stream = None
        started = Started(
            period_ns=self._source.period_us * 1000,
            acc_full_scale_g=self._source.acc_range_g,
            gyr_full_scale_dps=self._source.gyr_range_dps,
            batch_size=batch_size,
        )
        return Answer(Opcode.START, Status.OK, started)

    def _new_stream(self, batch_size: int) -> Stream:
        return Stream(
            self._source,
            self._settings,
            self._counters,
            self._rng,
            batch_size=batch_size,
            boot_tick_us=self._boot_tick_us,
            now_s=self._now_s(),
        )

    def _on_time(self, _connection: Connection, value: bytes) -> None:
        try:
            host_ns = imu_codec.decode_time_request(value)
        except DecodeError as error:
            raise att.ATT_Error(att.ErrorCode.INVALID_ATTRIBUTE_LENGTH) from error
        tick_us = self._source.tick_us(self._now_s()) - self._boot_tick_us
        self._echo = TimeEcho(host_ns=host_ns, tick=tick_us % imu_profile.TICK_MODULUS)
        if self._is_subscribed(self._time, att_bit=2) and not self._indications.full():
            self._indications.put_nowait(_Indication(self._time, imu_codec.encode_time(self._echo), lambda: None))
