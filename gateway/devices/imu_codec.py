"""Bytes of the open lumbar IMU profile: encode and decode of each message side by side.

All numbers are little endian. The byte tables and examples of ``docs/imu-profile.md`` are tested against
this module. The simulated wearable uses the same codec from the other end.
"""

from __future__ import annotations

import struct
from math import isfinite

from gateway.devices.driver import TimeEcho
from gateway.devices.imu_profile import (
    MAX_PERIOD_NS,
    MAX_SERIAL,
    PROTOCOL_VERSION,
    Answer,
    ControlRequest,
    DataFlag,
    DataMessage,
    IdentifyRequest,
    Info,
    Opcode,
    SampleKind,
    Started,
    StartRequest,
    Status,
    StopRequest,
)
from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.samples import BYTES_PER_SAMPLE

_UNKNOWN_TEMPERATURE = -(2**15)
_TIME_BASE_US = 1
_ANSWER_BIT = 0x80

_DATA_HEAD = struct.Struct("<BBHIIBxh")
_INFO_HEAD = struct.Struct("<BBBBIIB")
_START = struct.Struct("<BHBHB")
_STARTED = struct.Struct("<BBBIffB")
_TIME_REQUEST = struct.Struct("<Q")
_TIME = struct.Struct("<QI")


def encode_data(message: DataMessage) -> bytes:
    """Bytes of a data message."""
    temperature = _UNKNOWN_TEMPERATURE if message.temperature_cdeg is None else message.temperature_cdeg
    head = _DATA_HEAD.pack(
        PROTOCOL_VERSION << 4 | message.flags,
        SampleKind.ACC_GYR,
        message.sequence,
        message.tick,
        message.period_ns,
        len(message.packed) // BYTES_PER_SAMPLE,
        temperature,
    )
    return head + message.packed


def decode_data(data: bytes) -> DataMessage:
    """Data message from its bytes.

    Raises:
        DecodeError: they are none.
    """
    what = "imu data"
    _require_size(data, _DATA_HEAD.size, what)
    version_flags, kind, sequence, tick, period_ns, count, temperature = _DATA_HEAD.unpack_from(data)
    _require_version(version_flags >> 4, what)
    if kind != SampleKind.ACC_GYR:
        raise DecodeError(DecodeReason.UNKNOWN_KIND, what, f"sample kind {kind}")
    packed = data[_DATA_HEAD.size :]
    if count == 0 or len(packed) != count * BYTES_PER_SAMPLE:
        raise DecodeError(DecodeReason.MALFORMED, what, f"{len(packed)} bytes for {count} samples")
    _require_period(period_ns, what)
    return DataMessage(
        sequence=sequence,
        tick=tick,
        period_ns=period_ns,
        packed=packed,
        temperature_cdeg=None if temperature == _UNKNOWN_TEMPERATURE else temperature,
        flags=DataFlag(version_flags & (DataFlag.CLIPPED | DataFlag.OVERRUN)),
    )


def encode_info(info: Info) -> bytes:
    """Value of the info characteristic."""
    head = _INFO_HEAD.pack(PROTOCOL_VERSION, *info.firmware, info.serial, info.boot_id, _TIME_BASE_US)
    return b"".join(
        (
            head,
            struct.pack(f"<B{len(info.rates_hz)}H", len(info.rates_hz), *info.rates_hz),
            struct.pack(f"<B{len(info.acc_ranges_g)}B", len(info.acc_ranges_g), *info.acc_ranges_g),
            struct.pack(f"<B{len(info.gyr_ranges_dps)}H", len(info.gyr_ranges_dps), *info.gyr_ranges_dps),
        )
    )


def decode_info(data: bytes) -> Info:
    """Info from its bytes; bytes after the known ones belong to later minor versions and are ignored.

    Raises:
        DecodeError: they are none.
    """
    what = "imu info"
    _require_size(data, _INFO_HEAD.size, what)
    version, major, minor, patch, serial, boot_id, time_base = _INFO_HEAD.unpack_from(data)
    _require_version(version, what)
    if time_base != _TIME_BASE_US:
        raise DecodeError(DecodeReason.UNKNOWN_KIND, what, f"time base {time_base}")
    if serial > MAX_SERIAL:
        raise DecodeError(DecodeReason.OUT_OF_RANGE, what, f"serial {serial:#x}")
    rates_hz, at = _decode_list(data, _INFO_HEAD.size, "H", what)
    acc_ranges_g, at = _decode_list(data, at, "B", what)
    gyr_ranges_dps, at = _decode_list(data, at, "H", what)
    return Info(
        serial=serial,
        boot_id=boot_id,
        firmware=(major, minor, patch),
        rates_hz=rates_hz,
        acc_ranges_g=acc_ranges_g,
        gyr_ranges_dps=gyr_ranges_dps,
    )


def encode_request(request: ControlRequest) -> bytes:
    """Value to write to the control characteristic."""
    match request:
        case StartRequest(rate_hz, acc_range_g, gyr_range_dps, batch_size):
            return _START.pack(Opcode.START, rate_hz, acc_range_g, gyr_range_dps, batch_size)
        case StopRequest():
            return bytes([Opcode.STOP])
        case IdentifyRequest(pattern):
            return bytes([Opcode.IDENTIFY, pattern])


def decode_request(data: bytes) -> ControlRequest:
    """Request from a value written to the control characteristic.

    Raises:
        DecodeError: ``UNKNOWN_KIND`` for an unknown opcode, ``MALFORMED`` for a wrong length.
    """
    what = "imu control request"
    _require_size(data, 1, what)
    match data[0], len(data):
        case Opcode.START, _START.size:
            _, rate_hz, acc_range_g, gyr_range_dps, batch_size = _START.unpack(data)
            return StartRequest(rate_hz, acc_range_g, gyr_range_dps, batch_size)
        case Opcode.STOP, 1:
            return StopRequest()
        case Opcode.IDENTIFY, 2:
            return IdentifyRequest(data[1])
        case Opcode.START | Opcode.STOP | Opcode.IDENTIFY, size:
            raise DecodeError(DecodeReason.MALFORMED, what, f"{size} bytes for opcode {data[0]:#04x}")
        case opcode, _:
            raise DecodeError(DecodeReason.UNKNOWN_KIND, what, f"opcode {opcode:#04x}")


def encode_answer(answer: Answer) -> bytes:
    """Value that the device indicates on the control characteristic."""
    opcode = answer.opcode | _ANSWER_BIT
    if answer.started is None:
        return bytes([opcode, answer.status])
    started = answer.started
    return _STARTED.pack(
        opcode,
        answer.status,
        SampleKind.ACC_GYR,
        started.period_ns,
        started.acc_full_scale_g,
        started.gyr_full_scale_dps,
        started.batch_size,
    )


def decode_answer(data: bytes) -> Answer:
    """Answer from a value indicated on the control characteristic.

    Raises:
        DecodeError: it is none.
    """
    what = "imu control answer"
    _require_size(data, 2, what)
    opcode = data[0] & ~_ANSWER_BIT
    if not data[0] & _ANSWER_BIT:
        raise DecodeError(DecodeReason.UNKNOWN_KIND, what, f"opcode {data[0]:#04x} is no answer")
    try:
        status = Status(data[1])
    except ValueError as error:
        raise DecodeError(DecodeReason.OUT_OF_RANGE, what, f"status {data[1]}") from error
    if opcode != Opcode.START or status is not Status.OK:
        return Answer(opcode, status)
    _require_size(data, _STARTED.size, what)
    _, _, kind, period_ns, acc_full_scale_g, gyr_full_scale_dps, batch_size = _STARTED.unpack_from(data)
    if kind != SampleKind.ACC_GYR:
        raise DecodeError(DecodeReason.UNKNOWN_KIND, what, f"sample kind {kind}")
    _require_period(period_ns, what)
    for full_scale in (acc_full_scale_g, gyr_full_scale_dps):
        if not (isfinite(full_scale) and full_scale > 0):
            raise DecodeError(DecodeReason.OUT_OF_RANGE, what, f"full scale {full_scale}")
    return Answer(opcode, status, Started(period_ns, acc_full_scale_g, gyr_full_scale_dps, batch_size))


def encode_time_request(host_ns: int) -> bytes:
    """Value to write to the time characteristic: a stamp of the host's choice, given back unchanged."""
    return _TIME_REQUEST.pack(host_ns)


def decode_time_request(data: bytes) -> int:
    """Host stamp from a value written to the time characteristic.

    Raises:
        DecodeError: it is not 8 bytes long.
    """
    if len(data) != _TIME_REQUEST.size:
        raise DecodeError(DecodeReason.MALFORMED, "imu time request", f"{len(data)} bytes, not {_TIME_REQUEST.size}")
    (host_ns,) = _TIME_REQUEST.unpack(data)
    return int(host_ns)


def encode_time(echo: TimeEcho) -> bytes:
    """Value of the time characteristic: the last host stamp and the device clock when it arrived."""
    return _TIME.pack(echo.host_ns, echo.tick)


def decode_time(data: bytes) -> TimeEcho:
    """Time echo from its bytes.

    Raises:
        DecodeError: they are none.
    """
    _require_size(data, _TIME.size, "imu time")
    host_ns, tick = _TIME.unpack_from(data)
    return TimeEcho(host_ns=host_ns, tick=tick)


def decode_battery(data: bytes) -> int:
    """State of charge in percent from the standard Battery Level (Bluetooth SIG, 0x2A19).

    Raises:
        DecodeError: it is none.
    """
    if len(data) != 1 or data[0] > 100:
        raise DecodeError(DecodeReason.OUT_OF_RANGE, "battery level", data[:8].hex())
    return data[0]


def _decode_list(data: bytes, at: int, code: str, what: str) -> tuple[tuple[int, ...], int]:
    _require_size(data, at + 1, what)
    items = struct.Struct(f"<{data[at]}{code}")
    end = at + 1 + items.size
    _require_size(data, end, what)
    values: tuple[int, ...] = items.unpack_from(data, at + 1)
    if not values or 0 in values:
        raise DecodeError(DecodeReason.OUT_OF_RANGE, what, f"list {values}")
    return values, end


def _require_size(data: bytes, size: int, what: str) -> None:
    if len(data) < size:
        raise DecodeError(DecodeReason.MALFORMED, what, f"{len(data)} bytes are fewer than {size}")


def _require_version(version: int, what: str) -> None:
    if version != PROTOCOL_VERSION:
        raise DecodeError(DecodeReason.UNKNOWN_KIND, what, f"protocol version {version}, not {PROTOCOL_VERSION}")


def _require_period(period_ns: int, what: str) -> None:
    if not 0 < period_ns <= MAX_PERIOD_NS:
        raise DecodeError(DecodeReason.OUT_OF_RANGE, what, f"sample period {period_ns} ns")
