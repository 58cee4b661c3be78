from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pending import BacklogError, PendingEntries
from processing.domain.entries import Gap, GapReason, Samples, SensorEvent, SensorEventKind, StreamOpened
from processing.domain.samples import ClockQuality

PERIOD_US = 10_000


def opened(stream: int = 0) -> StreamOpened:
    return StreamOpened(
        stream=stream,
        t_ns=0,
        sensor_id=f"s{stream}",
        boot_id=1,
        period_ns=PERIOD_US * 1000,
        acc_scale=1.0,
        gyr_scale=1.0,
        clock=ClockQuality.DEVICE,
        driver="test/1",
    )


def samples(index: int, count: int = 5, *, stream: int = 0, late_us: int = 0) -> Samples:
    packed = b"".join((index + n).to_bytes(4, "little") + bytes(8) for n in range(count))
    at_us = index * PERIOD_US
    return Samples(
        stream=stream, tick=at_us % 2**32, t0_us=10**15 + at_us + late_us, t0_uncertainty_us=0, packed=packed
    )


def pending(max_entries: int = 100) -> PendingEntries:
    queue = PendingEntries(max_entries)
    for stream in (0, 1):
        queue.put(opened(stream))
    queue.take()
    return queue


def test_consecutive_notifications_of_a_stream_become_one_entry() -> None:
    queue = pending()
    for index in (0, 5, 10):
        queue.put(samples(index))
        queue.put(samples(index, stream=1))
    assert queue.take() == [samples(0, 15), samples(0, 15, stream=1)]


@pytest.mark.parametrize("second", [samples(10), samples(5, late_us=1_500)], ids=["a hole", "another time line"])
def test_what_does_not_continue_is_an_entry_of_its_own(second: Samples) -> None:
    queue = pending()
    queue.put(samples(0))
    queue.put(second)
    assert queue.take() == [samples(0), second]


def test_an_event_between_samples_stays_between_them() -> None:
    queue = pending()
    event = SensorEvent(stream=0, t_ns=1, event=SensorEventKind.CLOCK_STEPPED)
    for entry in (samples(0), event, samples(5)):
        queue.put(entry)
    assert queue.take() == [samples(0), event, samples(5)]


def test_an_entry_never_grows_beyond_a_thousand_samples() -> None:
    queue = pending()
    for index in range(0, 2_100, 100):
        queue.put(samples(index, 100))
    assert [entry.count for entry in queue.take() if isinstance(entry, Samples)] == [1000, 1000, 100]


def test_what_does_not_fit_is_counted_and_becomes_a_gap_of_the_gateway() -> None:
    queue = pending(max_entries=2)
    queue.put(samples(0))
    queue.put(samples(0, stream=1))
    for index in (100, 105, 110):
        queue.put(samples(index, late_us=50))
    assert queue.dropped_samples == 15
    queue.take()
    queue.put(samples(115, late_us=50))
    gap, after = queue.take()
    assert isinstance(after, Samples)
    first = samples(100, late_us=50)
    assert gap == Gap(stream=0, t0_ns=first.t0_ns, t1_ns=after.t0_ns, reason=GapReason.GATEWAY, lost=15)


def test_events_are_kept_beyond_the_bound_but_not_without_end() -> None:
    queue = pending(max_entries=5)
    event = SensorEvent(stream=0, t_ns=1, event=SensorEventKind.SILENT)
    for _ in range(10):
        queue.put(event)
    with pytest.raises(BacklogError):
        queue.put(event)


def test_entries_that_could_not_be_written_come_first_again() -> None:
    queue = pending()
    queue.put(samples(0))
    taken = queue.take()
    queue.put(samples(5))
    queue.give_back(taken)
    queue.put(samples(10))
    assert queue.take() == [samples(0), samples(5, 10)]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), max_size=60), st.integers(1, 5))
def test_merging_changes_no_sample_and_no_order_of_a_stream(steps: list[tuple[int, int]], take_every: int) -> None:
    queue, at, put, got = pending(), [0, 0], ([], []), ([], [])
    taken: list[Samples] = []
    for number, (stream, skip) in enumerate(steps):
        entry = samples(at[stream] + 5 * skip, stream=stream)
        at[stream] += 5 * (skip + 1)
        put[stream].append(entry.packed)
        queue.put(entry)
        if number % take_every == 0:
            taken += [each for each in queue.take() if isinstance(each, Samples)]
    taken += [each for each in queue.take() if isinstance(each, Samples)]
    for entry in taken:
        got[entry.stream].append(entry.packed)
        assert samples(entry.tick // PERIOD_US, entry.count, stream=entry.stream) == entry
    assert [b"".join(each) for each in got] == [b"".join(each) for each in put]
