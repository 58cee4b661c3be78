from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.peripherals.batches import BatchMaker, FirmwareSettings, Stream, WearableCounters
from firmware_sim.source import SampleRun
from gateway.devices.imu_profile import NO_FLAGS, SEQUENCE_MODULUS, DataFlag, DataMessage

PERIOD_US = 10_000


def run(first: int, count: int, *, offset_us: int = 0) -> SampleRun:
    """Samples ``first`` to ``first + count`` of a clock of 10 ms; each holds its number."""
    counts = np.repeat(np.arange(first, first + count), 6).reshape(-1, 6).astype(np.int16)
    return SampleRun(first * 0.01, first * PERIOD_US + offset_us, counts)


def numbers(message: DataMessage) -> list[int]:
    return np.frombuffer(message.packed, "<i2").reshape(-1, 6)[:, 0].tolist()


def maker(size: int = 5, boot_tick_us: int = 0) -> BatchMaker:
    return BatchMaker(size=size, period_us=PERIOD_US, boot_tick_us=boot_tick_us)


@given(st.lists(st.integers(1, 17), max_size=30), st.integers(1, 19))
def test_however_the_samples_come_the_batches_are_the_same(cuts: list[int], size: int) -> None:
    whole, cut = maker(size), maker(size)
    first, messages = 0, []
    for count in cuts:
        messages += cut.feed(run(first, count))
        first += count
    expected = whole.feed(run(0, first)) if first else []
    assert messages + cut.flush() == expected + whole.flush()
    assert [number for message in messages for number in numbers(message)] == list(range(first // size * size))


def test_a_hole_ends_a_batch() -> None:
    batches = maker()
    assert batches.feed(run(0, 3)) == []
    short, full = batches.feed(run(4, 5))
    assert (short.tick, numbers(short)) == (0, [0, 1, 2])
    assert (full.tick, numbers(full)) == (4 * PERIOD_US, [4, 5, 6, 7, 8])
    assert (short.sequence, full.sequence) == (0, 1)


def test_a_clock_that_is_rounded_makes_no_hole() -> None:
    batches = maker()
    batches.feed(run(0, 3))
    (message,) = batches.feed(run(3, 2, offset_us=1))
    assert numbers(message) == [0, 1, 2, 3, 4]


def test_ticks_count_from_the_boot_and_wrap_like_the_sequence() -> None:
    batches = maker(size=1, boot_tick_us=5)
    assert batches.feed(SampleRun(0.0, 2**32 + 7, np.zeros((1, 6), np.int16)))[0].tick == 2
    *_, last = batches.feed(SampleRun(0.0, 0, np.zeros((SEQUENCE_MODULUS, 6), np.int16)))
    assert last.sequence == 0


@pytest.mark.parametrize(("count", "flags"), [(32767, DataFlag.CLIPPED), (-32768, DataFlag.CLIPPED), (32766, NO_FLAGS)])
def test_a_sample_at_the_end_of_its_range_is_marked(count: int, flags: DataFlag) -> None:
    counts = np.zeros((5, 6), np.int16)
    counts[2, 4] = count
    assert maker().feed(SampleRun(0.0, 0, counts))[0].flags == flags


class TwentySamples:
    """Samples 0 to 19, one every 10 ms."""

    period_us = PERIOD_US
    acc_range_g = 16.0
    gyr_range_dps = 2000.0
    duration_s: float | None = 0.2

    def runs(self, t0_s: float, t1_s: float) -> tuple[SampleRun, ...]:
        first, end = (min(20, int(np.ceil(t_s * 100 - 1e-6))) for t_s in (t0_s, t1_s))
        return (run(first, end - first),) if end > first else ()

    def tick_us(self, t_s: float) -> int:
        return round(t_s * 1e6)


def stream(counters: WearableCounters, *, queue_batches: int = 10, lost_batches: float = 0.0) -> Stream:
    return Stream(
        TwentySamples(),
        FirmwareSettings(serial=1, batch_size=5, queue_batches=queue_batches, lost_batches=lost_batches),
        counters,
        np.random.default_rng(0),
        batch_size=5,
        boot_tick_us=0,
        now_s=0.0,
    )


def taken(of: Stream) -> list[DataMessage]:
    messages = []
    while (message := of.take()) is not None:
        messages.append(message)
    return messages


def test_what_is_left_when_a_source_ends_is_sent_as_a_short_batch() -> None:
    streamed = stream(WearableCounters())
    streamed.sample(0.18, subscribed=True)
    assert [len(numbers(message)) for message in taken(streamed)] == [5, 5, 5]
    streamed.sample(0.22, subscribed=True)
    streamed.sample(0.28, subscribed=True)
    assert [numbers(message) for message in taken(streamed)] == [[15, 16, 17, 18, 19]]
    streamed.sample(0.5, subscribed=True)
    assert taken(streamed) == []


def test_a_source_that_pauses_gives_up_its_half_batch() -> None:
    streamed = stream(WearableCounters())
    streamed.sample(0.02, subscribed=True)
    assert taken(streamed) == []
    late = TwentySamples()
    late.runs = lambda _t0_s, _t1_s: ()  # type: ignore[method-assign]
    streamed._source = late
    streamed.sample(0.1, subscribed=True)
    assert [numbers(message) for message in taken(streamed)] == [[0, 1]]


def test_a_full_queue_drops_its_oldest_batch_and_the_next_one_says_so() -> None:
    counters = WearableCounters()
    streamed = stream(counters, queue_batches=2)
    streamed.sample(0.2, subscribed=True)
    first, second = taken(streamed)
    assert (first.sequence, second.sequence) == (2, 3)
    assert (first.flags, second.flags) == (DataFlag.OVERRUN, NO_FLAGS)
    assert counters == WearableCounters(made=4, sent=2, overrun=2)


def test_without_a_subscriber_batches_are_numbered_and_forgotten() -> None:
    counters = WearableCounters()
    streamed = stream(counters)
    streamed.sample(0.1, subscribed=False)
    streamed.sample(0.2, subscribed=True)
    assert [message.sequence for message in taken(streamed)] == [2, 3]
    assert counters.overrun == 0


def test_a_lost_batch_keeps_its_number() -> None:
    counters = WearableCounters()
    streamed = stream(counters, lost_batches=0.5)
    streamed.sample(0.2, subscribed=True)
    kept = [message.sequence for message in taken(streamed)]
    assert counters.spoiled == 4 - len(kept)
    assert 0 < counters.spoiled < 4
    assert set(kept) < {0, 1, 2, 3}
