"""Driver of wearables that speak the open lumbar IMU profile (``docs/imu-profile.md``)."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from math import radians

from gateway.devices.driver import (
    AwaitNotification,
    BatteryLevel,
    DeviceEvent,
    Read,
    SampleBatch,
    Step,
    StreamInfo,
    Subscribe,
    Write,
)
from gateway.devices.imu_codec import (
    decode_answer,
    decode_battery,
    decode_data,
    decode_info,
    decode_time,
    encode_request,
    encode_time_request,
)
from gateway.devices.imu_profile import (
    BATTERY_LEVEL,
    CONTROL,
    DATA,
    FULL_SCALE_COUNTS,
    INFO,
    SEQUENCE_MODULUS,
    SERVICE,
    TICK_MODULUS,
    TICK_NS,
    TIME,
    Opcode,
    Started,
    StartRequest,
    Status,
    StopRequest,
)
from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.ids import SensorId
from processing.domain.samples import GRAVITY_MPS2, ClockQuality

_NAME = re.compile(r"LUMBAR-[0-9A-F]{6}")


class LumbarImuDriver:
    """Translates the open lumbar IMU profile. Holds no state, so one serves every wearable."""

    @property
    def name(self) -> str:
        """Name and version of the driver."""
        return "lumbar-imu/1"

    @property
    def advertised_service(self) -> str:
        """UUID of the IMU service."""
        return SERVICE

    def sensor_id(self, local_name: str | None, service_uuids: Sequence[str]) -> SensorId | None:
        """The advertised name ``LUMBAR-XXXXXX``, if the IMU service is advertised too; None while either is unknown."""
        if local_name is None or _NAME.fullmatch(local_name) is None:
            return None
        if SERVICE not in (uuid.lower() for uuid in service_uuids):
            return None
        return SensorId(local_name)

    def start(self, rate_hz: int) -> Generator[Step, bytes, StreamInfo]:
        """Steps that start a stream at the lowest rate of the device that is not below ``rate_hz``.

        Raises:
            DecodeError: the device answered something that the profile does not allow, or refused.
        """
        info = decode_info((yield Read(INFO)))
        battery_percent = decode_battery((yield Read(BATTERY_LEVEL)))
        device_rate_hz = min((rate for rate in info.rates_hz if rate >= rate_hz), default=max(info.rates_hz))
        yield Subscribe(BATTERY_LEVEL)
        yield Subscribe(CONTROL)
        yield Subscribe(DATA)
        yield Write(CONTROL, encode_request(StartRequest(rate_hz=device_rate_hz)))
        started = _require_started((yield AwaitNotification(CONTROL)))
        return StreamInfo(
            period_ns=started.period_ns,
            acc_scale=started.acc_full_scale_g * GRAVITY_MPS2 / FULL_SCALE_COUNTS,
            gyr_scale=radians(started.gyr_full_scale_dps) / FULL_SCALE_COUNTS,
            clock=ClockQuality.DEVICE,
            boot_id=info.boot_id,
            sequence_modulus=SEQUENCE_MODULUS,
            tick_modulus=TICK_MODULUS,
            tick_ns=TICK_NS,
            driver=self.name,
            firmware=".".join(map(str, info.firmware)),
            battery_percent=battery_percent,
        )

    def ask_time(self, host_ns: int) -> Sequence[Step]:
        """Steps that write a host stamp and read it back with the tick at which it arrived."""
        return (Write(TIME, encode_time_request(host_ns)), Read(TIME))

    def stop(self) -> Sequence[Step]:
        """Steps that stop the stream."""
        return (Write(CONTROL, encode_request(StopRequest())),)

    def decode(self, characteristic: str, data: bytes) -> tuple[DeviceEvent, ...]:
        """Events in a notified value.

        Raises:
            DecodeError: the value is not what the profile says, or the characteristic is not notified by it.
        """
        if characteristic == DATA:
            message = decode_data(data)
            return (SampleBatch(message.sequence, message.tick, message.packed, message.period_ns),)
        if characteristic == BATTERY_LEVEL:
            return (BatteryLevel(decode_battery(data)),)
        if characteristic == TIME:
            return (decode_time(data),)
        if characteristic == CONTROL:
            decode_answer(data)
            return ()
        raise DecodeError(DecodeReason.UNKNOWN_KIND, "notification", f"characteristic {characteristic[:40]}")


def _require_started(data: bytes) -> Started:
    answer = decode_answer(data)
    if answer.opcode != Opcode.START:
        raise DecodeError(DecodeReason.UNKNOWN_KIND, "start answer", f"opcode {answer.opcode:#04x}")
    if answer.started is None:
        raise DecodeError(DecodeReason.OUT_OF_RANGE, "start answer", f"refused: {Status(answer.status).name.lower()}")
    return answer.started
