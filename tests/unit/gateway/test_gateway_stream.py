from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.devices.driver import SampleBatch, StreamInfo, TimeEcho
from gateway.marks import StreamMark
from gateway.stream import SensorStream
from processing.domain.entries import (
    Gap,
    GapReason,
    LogEntry,
    Samples,
    SensorEvent,
    SensorEventKind,
    StreamOpened,
)
from processing.domain.errors import DecodeError
from processing.domain.ids import SensorId
from processing.domain.samples import ClockQuality

T0 = 1_790_000_000_000_000_000
PERIOD_NS = 10_000_000
BATCH = 5
BATCH_NS = BATCH * PERIOD_NS
DELAY_NS = 8_000_000


def info(boot_id: int = 1, tick_modulus: int | None = 2**32) -> StreamInfo:
    return StreamInfo(
        period_ns=PERIOD_NS,
        acc_scale=0.002,
        gyr_scale=0.001,
        clock=ClockQuality.DEVICE,
        boot_id=boot_id,
        sequence_modulus=2**16,
        tick_modulus=tick_modulus,
        tick_ns=1000,
        driver="test/1",
        firmware="1",
        battery_percent=None,
    )


def batch(number: int, *, offset_us: int = 0, period_ns: int = PERIOD_NS) -> SampleBatch:
    tick = (number * BATCH_NS // 1000 + offset_us) % 2**32
    return SampleBatch(sequence=number % 2**16, tick=tick, packed=bytes(12 * BATCH), period_ns=period_ns)


def arrival_ns(number: int) -> int:
    """When batch ``number`` arrives: after its last sample."""
    return T0 + number * BATCH_NS + (BATCH - 1) * PERIOD_NS + DELAY_NS


def feed(stream: SensorStream, first: int, last: int, *, offset_us: int = 0) -> list[LogEntry]:
    out: list[LogEntry] = []
    for number in range(first, last):
        out += stream.accept(batch(number, offset_us=offset_us), arrival_ns(number))
    return out


@pytest.fixture
def stream() -> SensorStream:
    stream = SensorStream(SensorId("s"))
    stream.open(0, info(), T0)
    return stream


def test_samples_are_held_until_the_clock_has_settled_and_then_all_come(stream: SensorStream) -> None:
    assert feed(stream, 0, 5) == []
    entries = feed(stream, 5, 20)
    assert all(isinstance(entry, Samples) for entry in entries)
    assert [entry.t0_ns for entry in entries if isinstance(entry, Samples)] == [
        T0 + DELAY_NS + number * BATCH_NS for number in range(20)
    ]


def test_what_was_held_is_not_lost_when_the_link_breaks_early(stream: SensorStream) -> None:
    feed(stream, 0, 3)
    entries = stream.close()
    assert [type(entry) for entry in entries] == [Samples, Samples, Samples, SensorEvent]


def test_skipped_ticks_become_a_gap_of_the_device_between_the_samples(stream: SensorStream) -> None:
    feed(stream, 0, 20)
    end_ns = stream.end_ns
    gap, samples = feed(stream, 23, 24)
    assert isinstance(samples, Samples)
    assert gap == Gap(stream=0, t0_ns=end_ns or 0, t1_ns=samples.t0_ns, reason=GapReason.DEVICE, lost=15)
    assert stream.totals.lost == 15


def test_a_jitter_of_the_tick_below_half_a_period_is_no_gap(stream: SensorStream) -> None:
    feed(stream, 0, 20)
    entries = feed(stream, 20, 21, offset_us=4_000) + feed(stream, 21, 22, offset_us=-4_000)
    assert [type(entry) for entry in entries] == [Samples, Samples]


def test_notifications_dropped_by_the_gateway_are_its_own_gap(stream: SensorStream) -> None:
    feed(stream, 0, 20)
    stream.lost_in_gateway()
    gap = feed(stream, 22, 23)[0]
    assert isinstance(gap, Gap)
    assert gap.reason is GapReason.GATEWAY
    later = feed(stream, 24, 25)[0]
    assert isinstance(later, Gap)
    assert later.reason is GapReason.DEVICE


def test_a_notification_that_comes_twice_counts_once(stream: SensorStream) -> None:
    feed(stream, 0, 20)
    assert len(feed(stream, 20, 21)) == 1
    assert feed(stream, 20, 21) == []
    assert stream.totals.duplicates == 1
    assert stream.totals.received == 21 * BATCH


def test_a_reconnection_keeps_the_clock_and_shows_the_link_gap_with_its_count(stream: SensorStream) -> None:
    feed(stream, 0, 40)
    (lost,) = stream.close()
    end_ns = stream.end_ns or 0
    assert lost == SensorEvent(stream=0, t_ns=end_ns, event=SensorEventKind.DISCONNECTED)
    (opened,) = stream.open(3, info(), arrival_ns(60))
    assert isinstance(opened, StreamOpened)
    assert opened.stream == 3
    gap, samples = feed(stream, 60, 61)
    assert isinstance(samples, Samples)
    assert gap == Gap(stream=3, t0_ns=end_ns, t1_ns=samples.t0_ns, reason=GapReason.LINK, lost=100)


HOUR_NS = 3_600_000_000_000


def times_of(entries: list[LogEntry]) -> list[int]:
    return [entry.t0_ns for entry in entries if isinstance(entry, Samples)]


@pytest.mark.parametrize("by_ns", [-HOUR_NS, 72 * HOUR_NS])
def test_a_step_of_utc_moves_later_samples_and_is_told_before_them(stream: SensorStream, by_ns: int) -> None:
    feed(stream, 0, 20)
    end_ns = stream.end_ns or 0
    assert stream.step(by_ns) == [SensorEvent(stream=0, t_ns=end_ns + by_ns, event=SensorEventKind.CLOCK_STEPPED)]
    gap, samples = feed(stream, 21, 22)
    # Arrivals are stamped with a clock that did not step, so what is lost is still known by the tick.
    assert gap == Gap(
        stream=0, t0_ns=end_ns + by_ns, t1_ns=end_ns + by_ns + BATCH_NS, reason=GapReason.DEVICE, lost=BATCH
    )
    assert times_of([samples]) == [end_ns + by_ns + BATCH_NS]
    assert stream.totals.clock_steps == 0


def test_a_step_between_two_connections_is_told_when_the_stream_opens_again(stream: SensorStream) -> None:
    feed(stream, 0, 20)
    stream.close()
    end_ns = stream.end_ns or 0
    assert stream.step(-HOUR_NS) == []
    told = stream.open(1, info(), T0)[1:]
    assert told == [SensorEvent(stream=1, t_ns=end_ns - HOUR_NS, event=SensorEventKind.CLOCK_STEPPED)]
    gap, *_ = feed(stream, 24, 25)
    assert isinstance(gap, Gap)
    assert (gap.t0_ns, gap.lost) == (end_ns - HOUR_NS, 20)
    assert len(stream.open(1, info(), T0)) == 1


def test_held_samples_get_the_time_that_is_right_when_they_are_released(stream: SensorStream) -> None:
    feed(stream, 0, 3)
    assert stream.step(HOUR_NS) == []
    assert times_of(feed(stream, 3, 20))[0] == T0 + DELAY_NS + HOUR_NS


def test_a_clock_that_was_set_back_while_the_gateway_was_down_is_a_step() -> None:
    mark = StreamMark(sensor_id="s", slot=None, boot_id=1, period_ns=PERIOD_NS, end_ns=T0 + HOUR_NS)
    stream = SensorStream(SensorId("s"), mark)
    stream.open(0, info(), T0)
    stepped, *samples = feed(stream, 0, 20)
    assert stepped == SensorEvent(stream=0, t_ns=T0 + DELAY_NS, event=SensorEventKind.CLOCK_STEPPED)
    assert all(isinstance(entry, Samples) for entry in samples)


def test_a_running_stream_can_say_again_what_it_is(stream: SensorStream) -> None:
    (opened,) = stream.opening()
    assert isinstance(opened, StreamOpened)
    assert (opened.stream, opened.sensor_id, opened.t_ns) == (0, "s", T0)
    stream.close()
    assert stream.opening() == []


def test_a_reboot_is_told_and_the_gap_is_measured_in_utc(stream: SensorStream) -> None:
    feed(stream, 0, 40)
    stream.close()
    kinds = [e.event for e in stream.open(0, info(boot_id=2), arrival_ns(50)) if isinstance(e, SensorEvent)]
    assert kinds == [SensorEventKind.REBOOTED]
    # The new boot counts from nearly zero again.
    entries = feed(stream, 60, 80, offset_us=-60 * BATCH_NS // 1000 + 777)
    assert isinstance(entries[0], Gap)
    assert entries[0].lost == 100
    assert entries[0].reason is GapReason.LINK


def test_after_a_restart_of_the_gateway_the_silence_is_its_gap() -> None:
    mark = StreamMark(sensor_id="s", slot=None, boot_id=1, period_ns=PERIOD_NS, end_ns=T0 + DELAY_NS)
    stream = SensorStream(SensorId("s"), mark)
    assert [type(entry) for entry in stream.open(0, info(), T0)] == [StreamOpened]
    gap = feed(stream, 20, 40)[0]
    assert gap == Gap(
        stream=0, t0_ns=T0 + DELAY_NS, t1_ns=T0 + DELAY_NS + 20 * BATCH_NS, reason=GapReason.GATEWAY, lost=100
    )


def test_a_tick_that_falls_without_a_reboot_starts_a_new_clock_and_says_stepped(stream: SensorStream) -> None:
    feed(stream, 0, 100)
    entries = feed(stream, 100, 140, offset_us=-3_000_000)
    stepped = [entry for entry in entries if isinstance(entry, SensorEvent)]
    assert [event.event for event in stepped] == [SensorEventKind.CLOCK_STEPPED]
    samples = [entry for entry in entries if isinstance(entry, Samples)]
    assert stepped[0].t_ns == samples[0].t0_ns
    assert samples[-1].t0_ns == T0 + DELAY_NS + 139 * BATCH_NS
    assert stream.totals.clock_steps == 1


def test_silence_is_told_at_the_end_of_the_samples_so_that_late_ones_still_follow_it(stream: SensorStream) -> None:
    feed(stream, 0, 20)
    (event,) = stream.silent()
    assert event == SensorEvent(stream=0, t_ns=stream.end_ns or 0, event=SensorEventKind.SILENT)
    late = feed(stream, 20, 21)[0]
    assert isinstance(late, Samples)
    assert isinstance(event, SensorEvent)
    assert late.t0_ns >= event.t_ns


def test_a_time_echo_bounds_the_uncertainty_of_the_samples(stream: SensorStream) -> None:
    assert [e.t0_uncertainty_us for e in feed(stream, 0, 20) if isinstance(e, Samples)][-1] == 65_535
    now_ns = 20 * BATCH_NS
    stream.echo(TimeEcho(host_ns=T0 + now_ns - 3_000_000, tick=now_ns // 1000), T0 + now_ns + 9_000_000)
    (entry,) = feed(stream, 21, 22)[-1:]
    assert isinstance(entry, Samples)
    assert 11_000 <= entry.t0_uncertainty_us <= 11_100


@pytest.mark.parametrize(
    "bad",
    [
        SampleBatch(sequence=1, tick=None, packed=bytes(12), period_ns=PERIOD_NS),
        SampleBatch(sequence=1, tick=1, packed=b"", period_ns=PERIOD_NS),
        batch(1, period_ns=2 * PERIOD_NS),
    ],
    ids=["no tick", "no samples", "other rate"],
)
def test_a_batch_that_does_not_fit_the_stream_is_refused(stream: SensorStream, bad: SampleBatch) -> None:
    with pytest.raises(DecodeError):
        stream.accept(bad, T0)


def test_a_device_without_a_clock_and_samples_before_the_start_are_refused() -> None:
    stream = SensorStream(SensorId("s"))
    with pytest.raises(DecodeError):
        stream.accept(batch(0), T0)
    with pytest.raises(DecodeError):
        stream.open(0, info(tick_modulus=None), T0)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 200), st.booleans()), min_size=10, max_size=120))
def test_samples_and_gaps_cover_the_time_line_without_overlap(steps: list[tuple[int, int, bool]]) -> None:
    """Whatever is lost, late or reconnected: every entry begins where the one before ended, up to the clock's slew."""
    stream = SensorStream(SensorId("s"))
    entries = stream.open(0, info(), T0)
    number = 0
    for skip, delay_ms, reconnect in steps:
        number += skip
        entries += stream.accept(batch(number), arrival_ns(number) + delay_ms * 1_000_000)
        if reconnect:
            entries += stream.close()
            entries += stream.open(0, info(), arrival_ns(number))
    entries += stream.close()
    end_ns: int | None = None
    stepped = False
    for entry in entries:
        if isinstance(entry, SensorEvent):
            stepped = stepped or entry.event is SensorEventKind.CLOCK_STEPPED
        elif isinstance(entry, Gap):
            assert entry.t0_ns == end_ns
            assert entry.t1_ns > entry.t0_ns
            end_ns = entry.t1_ns
        elif isinstance(entry, Samples):
            slew_ns = 4 * BATCH_NS // 100
            assert end_ns is None or stepped or abs(entry.t0_ns - end_ns) <= slew_ns
            end_ns, stepped = entry.t0_ns + BATCH_NS, False
    assert sum(entry.count for entry in entries if isinstance(entry, Samples)) == len(steps) * BATCH
    lost = sum(entry.lost or 0 for entry in entries if isinstance(entry, Gap))
    assert lost <= (number - steps[0][0] + 1 - len(steps)) * BATCH
