"""Entries of a gateway's log: the only input of the signal core.

An entry has an offset, given by its place in the log, and one of the kinds below. Streams are
numbered slots: ``StreamOpened`` says which sensor, scale and rate a slot stands for until the slot is
opened again, so that the samples themselves need only one byte to say whose they are.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, NamedTuple

import msgspec

from processing.domain.commands import Command, Name, UtcNs, UuidText
from processing.domain.samples import BYTES_PER_SAMPLE, ClockQuality

MAX_STREAMS = 240
"""Stream slots of one gateway; the codec keeps the byte values above for other kinds of entry."""

StreamSlot = Annotated[int, msgspec.Meta(ge=0, lt=MAX_STREAMS)]


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive samples of one stream, evenly spaced by the period of the stream.

    Attributes:
        stream: slot opened by an earlier ``StreamOpened``.
        tick: device time of the first sample in microseconds modulo 2**32.
        t0_us: UTC of the first sample in microseconds since 1970; frozen here, so that a replay does
            not depend on when a packet arrived.
        t0_uncertainty_us: half width of the interval that ``t0_us`` is known to, 65535 if worse or unknown.
        packed: ``n`` samples of six little-endian int16 counts (acc x, y, z, gyr x, y, z).
    """

    stream: StreamSlot
    tick: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    t0_us: Annotated[int, msgspec.Meta(ge=0, lt=2**55)]
    t0_uncertainty_us: Annotated[int, msgspec.Meta(ge=0, lt=2**16)]
    packed: bytes

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.packed) // BYTES_PER_SAMPLE

    @property
    def t0_ns(self) -> int:
        """UTC of the first sample in nanoseconds since 1970."""
        return self.t0_us * 1000


class StreamOpened(msgspec.Struct, frozen=True, kw_only=True, tag="stream_opened"):
    """A sensor begins to stream in a slot.

    Attributes:
        boot_id: changes whenever the device restarted; ticks of different boots are not comparable.
        period_ns: nominal time between two samples.
        acc_scale: m/s² per count.
        gyr_scale: rad/s per count.
        driver: name and version of the driver that decoded the bytes.
    """

    stream: StreamSlot
    t_ns: UtcNs
    sensor_id: Name
    boot_id: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    period_ns: Annotated[int, msgspec.Meta(gt=0, le=1_000_000_000)]
    acc_scale: Annotated[float, msgspec.Meta(gt=0)]
    gyr_scale: Annotated[float, msgspec.Meta(gt=0)]
    clock: ClockQuality
    driver: Annotated[str, msgspec.Meta(max_length=48)]


class GapReason(StrEnum):
    """Where samples were lost."""

    DEVICE = "device"
    """The device skipped them: its sequence or tick jumps."""
    LINK = "link"
    """The radio link was down."""
    GATEWAY = "gateway"
    """The gateway was down or dropped them; a counter says how many."""


class Gap(msgspec.Struct, frozen=True, kw_only=True, tag="gap"):
    """Samples of a stream that will never come: from after the last sample to before the next one (UTC)."""

    stream: StreamSlot
    t0_ns: UtcNs
    t1_ns: UtcNs
    reason: GapReason
    lost: Annotated[int, msgspec.Meta(ge=0)] | None = None


class SensorEventKind(StrEnum):
    """What happened to a sensor."""

    SILENT = "silent"
    """No samples although connected; whoever waits for them should stop waiting."""
    DISCONNECTED = "disconnected"
    REBOOTED = "rebooted"
    CLOCK_STEPPED = "clock_stepped"
    """The mapping from device tick to UTC jumped; the samples after it do not continue those before."""


class SensorEvent(msgspec.Struct, frozen=True, kw_only=True, tag="sensor_event"):
    """Something happened to the sensor of a stream; no samples before ``t_ns`` will follow."""

    stream: StreamSlot
    t_ns: UtcNs
    event: SensorEventKind


class Control(msgspec.Struct, frozen=True, kw_only=True, tag="control"):
    """A command, stamped by the gateway when it entered the log; takes effect at ``t_ns`` of the samples."""

    t_ns: UtcNs
    event_id: UuidText
    command: Command


LogEntry = Samples | StreamOpened | Gap | SensorEvent | Control


class NumberedEntry(NamedTuple):
    """An entry and its place in the log."""

    offset: int
    entry: LogEntry
