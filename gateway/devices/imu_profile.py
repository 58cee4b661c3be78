"""The open lumbar IMU profile, version 1: names, numbers and messages. ``docs/imu-profile.md`` is the specification."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

PROTOCOL_VERSION = 1

SERVICE = "d02a0001-b9ad-49de-b568-bd61920a07cb"
DATA = "d02a0002-b9ad-49de-b568-bd61920a07cb"
CONTROL = "d02a0003-b9ad-49de-b568-bd61920a07cb"
INFO = "d02a0004-b9ad-49de-b568-bd61920a07cb"
TIME = "d02a0005-b9ad-49de-b568-bd61920a07cb"
BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"

SEQUENCE_MODULUS = 2**16
TICK_MODULUS = 2**32
TICK_NS = 1000
FULL_SCALE_COUNTS = 32768
MAX_SERIAL = 2**24 - 1
MAX_PERIOD_NS = 1_000_000_000
DATA_HEAD_BYTES = 16


class SampleKind(IntEnum):
    """What one sample of a stream is."""

    ACC_GYR = 1
    """Six int16: acceleration x, y, z, then angular rate x, y, z."""


class DataFlag(IntFlag):
    """Low half of the first byte of a data message."""

    CLIPPED = 1
    """A sample of the batch is at the end of its range."""
    OVERRUN = 2
    """The device dropped batches since the one before because its transmit queue was full."""


NO_FLAGS = DataFlag(0)


class Opcode(IntEnum):
    """First byte of a control message; the answer has the same with bit 7 set."""

    START = 0x01
    STOP = 0x02
    IDENTIFY = 0x03


class Status(IntEnum):
    """Second byte of an answer."""

    OK = 0
    UNKNOWN_OPCODE = 1
    MALFORMED = 2
    UNSUPPORTED_RATE = 3
    UNSUPPORTED_RANGE = 4
    UNSUPPORTED_BATCH = 5
    FAILED = 6


@dataclass(frozen=True, slots=True)
class DataMessage:
    """One notification of samples.

    Attributes:
        tick: device clock at the first sample, microseconds modulo 2**32.
        packed: n samples of six int16.
        temperature_cdeg: hundredths of a degree Celsius, None if the device does not measure it.
    """

    sequence: int
    tick: int
    period_ns: int
    packed: bytes
    temperature_cdeg: int | None = None
    flags: DataFlag = NO_FLAGS


@dataclass(frozen=True, slots=True)
class Info:
    """What the device is; ``boot_id`` is drawn at each boot. Ranges are nominal, in g and degrees per second."""

    serial: int
    boot_id: int
    firmware: tuple[int, int, int]
    rates_hz: tuple[int, ...]
    acc_ranges_g: tuple[int, ...]
    gyr_ranges_dps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StartRequest:
    """Start a stream; a range or batch size of 0 leaves the choice to the device."""

    rate_hz: int
    acc_range_g: int = 0
    gyr_range_dps: int = 0
    batch_size: int = 0


@dataclass(frozen=True, slots=True)
class StopRequest:
    """Stop the stream."""


@dataclass(frozen=True, slots=True)
class IdentifyRequest:
    """Blink and buzz, so that a person sees which device this is; the pattern is the device's choice."""

    pattern: int


ControlRequest = StartRequest | StopRequest | IdentifyRequest


@dataclass(frozen=True, slots=True)
class Started:
    """Settings of a started stream; a full scale is what 32768 counts stand for."""

    period_ns: int
    acc_full_scale_g: float
    gyr_full_scale_dps: float
    batch_size: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to a control request; ``opcode`` is the byte that was asked, known or not."""

    opcode: int
    status: Status
    started: Started | None = None


def local_name(serial: int) -> str:
    """Advertised name, which is the sensor id.

    Raises:
        ValueError: the serial number does not fit six hexadecimal digits.
    """
    if not 0 <= serial <= MAX_SERIAL:
        raise ValueError(f"serial {serial} is outside 0..{MAX_SERIAL}")
    return f"LUMBAR-{serial:06X}"
