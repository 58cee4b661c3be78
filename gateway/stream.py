"""One sensor's stream over all its connections: what arrives goes in, log entries come out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.clock import UNKNOWN_UNCERTAINTY_US, DeviceClock, Stamp
from gateway.devices.driver import SampleBatch, StreamInfo, TimeEcho
from gateway.marks import StreamMark
from processing.domain.entries import (
    Gap,
    GapReason,
    LogEntry,
    Samples,
    SensorEvent,
    SensorEventKind,
    StreamOpened,
)
from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.ids import SensorId
from processing.domain.samples import BYTES_PER_SAMPLE

_HELD_BATCHES = 200
"""Batches kept back until the clock has settled; at 20 a second far more than that takes."""

_BACKWARD_NS = 50_000_000
"""Samples of a new clock that begin so long before the end of the old ones belong to another time line; links differ
in their delay by less (devices.md §2.4)."""

_US_PER_WRAP = 2**32


@dataclass(frozen=True, slots=True)
class StreamTotals:
    """Counts since the gateway started."""

    received: int
    lost: int
    duplicates: int
    clock_steps: int


@dataclass(frozen=True, slots=True)
class _Held:
    batch: SampleBatch
    arrival_ns: int
    device_ns: int


@dataclass(frozen=True, slots=True)
class _Open:
    entry: StreamOpened
    info: StreamInfo


class SensorStream:
    """State of a sensor's stream; outlives connections, so that a gap spans from the last sample to the next.

    Args:
        sensor_id: whose stream.
        mark: how far the log of an earlier process knows it.
        utc_offset_ns: UTC minus the host time that arrivals are stamped with.
    """

    def __init__(self, sensor_id: SensorId, mark: StreamMark | None = None, utc_offset_ns: int = 0) -> None:
        self._sensor_id = sensor_id
        self._utc_offset_ns = utc_offset_ns
        self._stamped = False
        """Whether ``_end_ns`` was counted with ``_utc_offset_ns`` and not by an earlier process."""
        self._step_untold = False
        self._boot_id = None if mark is None else mark.boot_id
        self._end_ns = None if mark is None else mark.end_ns
        self._gap_reason = GapReason.LINK if mark is None else GapReason.GATEWAY
        self._open: _Open | None = None
        self._clock: DeviceClock | None = None
        self._next_device_ns: int | None = None
        """Device time at which the next sample is due."""
        self._last_device_ns: int | None = None
        """Device time of the first sample of the last batch."""
        self._last_sequence: int | None = None
        self._held: list[_Held] = []
        self._received = self._lost = self._duplicates = self._clock_steps = 0
        self.uncertainty_us = UNKNOWN_UNCERTAINTY_US

    @property
    def totals(self) -> StreamTotals:
        """Counts since the gateway started."""
        return StreamTotals(self._received, self._lost, self._duplicates, self._clock_steps)

    @property
    def end_ns(self) -> int | None:
        """UTC just after the last sample, None before the first."""
        return self._end_ns

    @property
    def info(self) -> StreamInfo | None:
        """What the running stream delivers, None while there is none."""
        return None if self._open is None else self._open.info

    def open(self, slot: int, info: StreamInfo, now_ns: int) -> list[LogEntry]:
        """A connection has started the stream.

        Raises:
            DecodeError: the device has no clock; virtual ticks are not supported.
        """
        if info.tick_modulus is None:
            raise DecodeError(DecodeReason.OUT_OF_RANGE, "stream", f"{self._sensor_id} has no device clock")
        self._last_sequence = None
        self._held.clear()
        opened = StreamOpened(
            stream=slot,
            t_ns=now_ns,
            sensor_id=self._sensor_id,
            boot_id=info.boot_id,
            period_ns=info.period_ns,
            acc_scale=info.acc_scale,
            gyr_scale=info.gyr_scale,
            clock=info.clock,
            driver=info.driver,
        )
        self._open = _Open(opened, info)
        entries: list[LogEntry] = [opened]
        if self._step_untold:
            entries.append(self._event(SensorEventKind.CLOCK_STEPPED))
            self._step_untold = False
        if self._clock is None or self._boot_id != info.boot_id:
            if self._boot_id not in {None, info.boot_id}:
                entries.append(self._event(SensorEventKind.REBOOTED))
            self._new_clock(info)
        self._boot_id = info.boot_id
        return entries

    def step(self, utc_offset_ns: int) -> list[LogEntry]:
        """The offset of UTC to host time has changed; samples that are still held get the new time."""
        change_ns = utc_offset_ns - self._utc_offset_ns
        self._utc_offset_ns = utc_offset_ns
        if self._end_ns is None or not self._stamped:
            return []
        self._end_ns = max(0, self._end_ns + change_ns)
        self._step_untold = self._open is None
        return [] if self._step_untold else [self._event(SensorEventKind.CLOCK_STEPPED)]

    def opening(self) -> list[LogEntry]:
        """What was said when the running stream was opened, to be said again."""
        return [] if self._open is None else [self._open.entry]

    def accept(self, batch: SampleBatch, arrival_ns: int) -> list[LogEntry]:
        """A notification with samples arrived.

        Raises:
            DecodeError: it does not fit the stream that was started.
        """
        opened, clock = self._require_open()
        count = len(batch.packed) // BYTES_PER_SAMPLE
        if (
            batch.tick is None
            or count == 0
            or abs(batch.period_ns - opened.info.period_ns) > opened.info.period_ns // 20
        ):
            raise DecodeError(
                DecodeReason.OUT_OF_RANGE,
                "sample batch",
                f"tick {batch.tick}, {count} samples, period {batch.period_ns} ns, not {opened.info.period_ns} ns",
            )
        if batch.sequence is not None and batch.sequence == self._last_sequence:
            self._duplicates += 1
            return []
        self._last_sequence = batch.sequence
        self._held.append(_Held(batch, arrival_ns, _observe(clock, opened.info, batch, arrival_ns)))
        if not clock.settled and len(self._held) < _HELD_BATCHES:
            return []
        return self._release()

    def echo(self, echo: TimeEcho, arrival_ns: int) -> None:
        """A two-way measurement of the device's clock came back."""
        self._require_open()[1].echo(echo.tick, echo.host_ns, arrival_ns)

    def lost_in_gateway(self) -> None:
        """Notifications were dropped here; the hole that follows is ours."""
        self._gap_reason = GapReason.GATEWAY

    def silent(self) -> list[LogEntry]:
        """No sample has come for a while although the sensor is connected."""
        return [*self._release(), self._event(SensorEventKind.SILENT)]

    def close(self) -> list[LogEntry]:
        """The connection is gone."""
        if self._open is None:
            return []
        entries = [*self._release(), self._event(SensorEventKind.DISCONNECTED)]
        self._open = None
        self._gap_reason = GapReason.LINK
        return entries

    def _require_open(self) -> tuple[_Open, DeviceClock]:
        if self._open is None or self._clock is None:
            raise DecodeError(DecodeReason.OUT_OF_RANGE, "sample batch", f"{self._sensor_id} has not started to stream")
        return self._open, self._clock

    def _event(self, kind: SensorEventKind) -> SensorEvent:
        """Event at the end of the samples so far: later ones may still be on their way."""
        assert self._open is not None
        when_ns = self._open.entry.t_ns if self._end_ns is None else self._end_ns
        return SensorEvent(stream=self._open.entry.stream, t_ns=when_ns, event=kind)

    def _release(self) -> list[LogEntry]:
        held, self._held = self._held, []
        entries: list[LogEntry] = []
        for each in held:
            entries += self._entries(each)
        return entries

    def _entries(self, held: _Held) -> list[LogEntry]:
        opened, clock = self._require_open()
        period_ns = opened.info.period_ns
        slot, device_ns, stepped = opened.entry.stream, held.device_ns, False
        if self._last_device_ns is not None and device_ns <= self._last_device_ns:
            # The tick fell without a new boot id: the old mapping is worth nothing, begin a new one with this batch.
            clock, stepped = self._new_clock(opened.info), True
            device_ns = _observe(clock, opened.info, held.batch, held.arrival_ns)
        stamp = clock.stamp(device_ns)
        t0_ns = stamp.t_ns + self._utc_offset_ns
        entries: list[LogEntry] = []
        if self._end_ns is not None:
            if self._next_device_ns is None:
                lost = _periods(t0_ns - self._end_ns, period_ns)
                stepped = stepped or t0_ns < self._end_ns - _BACKWARD_NS
            else:
                lost = _periods(device_ns - self._next_device_ns, period_ns)
            if lost > 0 and t0_ns > self._end_ns:
                self._lost += lost
                entries.append(
                    Gap(
                        stream=opened.entry.stream,
                        t0_ns=self._end_ns,
                        t1_ns=t0_ns,
                        reason=self._gap_reason,
                        lost=lost,
                    )
                )
        self._gap_reason = GapReason.DEVICE
        if stepped or stamp.stepped:
            self._clock_steps += 1
            entries.append(
                SensorEvent(stream=slot, t_ns=t0_ns, event=SensorEventKind.CLOCK_STEPPED),
            )
        entries.append(self._samples(opened, held.batch, device_ns, stamp))
        return entries

    def _samples(self, opened: _Open, batch: SampleBatch, device_ns: int, stamp: Stamp) -> Samples:
        samples = Samples(
            stream=opened.entry.stream,
            tick=device_ns // 1000 % _US_PER_WRAP,
            t0_us=(stamp.t_ns + self._utc_offset_ns) // 1000,
            t0_uncertainty_us=stamp.uncertainty_us,
            packed=batch.packed,
        )
        span_ns = samples.count * opened.info.period_ns
        self._received += samples.count
        self._stamped = True
        self._end_ns = samples.t0_ns + span_ns
        self._last_device_ns = device_ns
        self._next_device_ns = device_ns + span_ns
        self.uncertainty_us = stamp.uncertainty_us
        return samples

    def _new_clock(self, info: StreamInfo) -> DeviceClock:
        assert info.tick_modulus is not None
        self._clock = DeviceClock(info.tick_ns, info.tick_modulus)
        self._next_device_ns = self._last_device_ns = None
        return self._clock


def _observe(clock: DeviceClock, info: StreamInfo, batch: SampleBatch, arrival_ns: int) -> int:
    """Show a packet to the clock; gives the device time of its first sample.

    The packet left after its last sample: how many samples it holds must not shift the clock.
    """
    assert info.tick_modulus is not None
    assert batch.tick is not None
    span_ticks = (len(batch.packed) // BYTES_PER_SAMPLE - 1) * info.period_ns // info.tick_ns
    return clock.observe((batch.tick + span_ticks) % info.tick_modulus, arrival_ns) - span_ticks * info.tick_ns


def _periods(span_ns: int, period_ns: int) -> int:
    """Whole periods in a span, rounded; negative if the span is."""
    return (2 * span_ns + period_ns) // (2 * period_ns)
