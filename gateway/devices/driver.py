"""What a driver is: a pure translation between a wearable's bytes and our words.

A driver never waits. Starting a stream is a generator of steps; the link performs each step over
Bluetooth and sends the answer back in. Everything that arrives later goes through ``decode``.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from processing.domain.ids import SensorId
from processing.domain.samples import ClockQuality


@dataclass(frozen=True, slots=True)
class Read:
    """Read a characteristic; its value is sent back."""

    characteristic: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write a characteristic; empty bytes are sent back."""

    characteristic: str
    data: bytes
    response: bool = True


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Subscribe to notifications or indications; empty bytes are sent back."""

    characteristic: str


@dataclass(frozen=True, slots=True)
class AwaitNotification:
    """Wait for the next notification of a subscribed characteristic; its value is sent back."""

    characteristic: str


Step = Read | Write | Subscribe | AwaitNotification


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the samples of a started stream mean.

    Attributes:
        sequence_modulus: batches are numbered modulo this, None if they are not numbered.
        tick_modulus: ticks wrap at this, in ticks; None if the device has no clock.
        tick_ns: length of a tick.
    """

    period_ns: int
    acc_scale: float
    gyr_scale: float
    clock: ClockQuality
    boot_id: int
    sequence_modulus: int | None
    tick_modulus: int | None
    tick_ns: int
    driver: str
    firmware: str
    battery_percent: int | None


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """Samples of one notification, packed as ``processing.domain.entries.Samples.packed``."""

    sequence: int | None
    tick: int | None
    packed: bytes
    period_ns: int


@dataclass(frozen=True, slots=True)
class BatteryLevel:
    """State of charge."""

    percent: int


@dataclass(frozen=True, slots=True)
class TimeEcho:
    """Device clock at a host stamp that we sent: a two-way measurement of the clock offset."""

    host_ns: int
    tick: int


DeviceEvent = SampleBatch | BatteryLevel | TimeEcho


class Driver(Protocol):
    """One kind of wearable."""

    @property
    def name(self) -> str:
        """Name and version, e.g. ``"lumbar-imu/1"``; stands in each stream that it opened."""
        ...

    @property
    def advertised_service(self) -> str:
        """UUID that the wearable advertises (lower case, 128 bit)."""
        ...

    def sensor_id(self, local_name: str | None, service_uuids: Sequence[str]) -> SensorId | None:
        """Stable id of an advertising device if it is one of this kind, else None."""
        ...

    def start(self, rate_hz: int) -> Generator[Step, bytes, StreamInfo]:
        """Steps that configure and start the stream.

        Raises:
            DecodeError: the device answered something that its specification does not allow.
        """
        ...

    def ask_time(self, host_ns: int) -> Sequence[Step]:
        """Steps that measure the device's clock against a host stamp, none if it cannot.

        The tick must be read before the first step is answered; the value of a ``Read`` among them goes through
        ``decode`` and gives a ``TimeEcho``.
        """
        ...

    def stop(self) -> Sequence[Step]:
        """Steps that stop the stream."""
        ...

    def decode(self, characteristic: str, data: bytes) -> tuple[DeviceEvent, ...]:
        """Events in the value of a notified characteristic.

        Raises:
            DecodeError: the value is not what the specification says.
        """
        ...
