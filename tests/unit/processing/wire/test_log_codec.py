from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.domain.commands import (
    Calibrate,
    CapturePosture,
    Command,
    EndSession,
    EndSet,
    ReportPain,
    SensorPlacement,
    StartExercise,
    StartSession,
)
from processing.domain.entries import (
    Control,
    Gap,
    GapReason,
    LogEntry,
    Samples,
    SensorEvent,
    SensorEventKind,
    StreamOpened,
)
from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.posture_types import SittingPose
from processing.domain.samples import ClockQuality, Placement
from processing.wire.log import (
    MAX_BATCH_BYTES,
    MAX_ENTRY_BYTES,
    decode_batch,
    decode_entry,
    encode_batch,
    encode_entry,
)

slots = st.integers(0, 239)
utc_ns = st.integers(0, 2**62 - 1)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,47}", fullmatch=True)
uuids = st.uuids().map(str)
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(
        StartSession,
        session_id=uuids,
        sensors=st.lists(
            st.builds(
                SensorPlacement,
                sensor_id=names,
                placement=st.sampled_from(Placement),
                mount=st.none() | st.just("up:+x,forward:-z"),
            ),
            min_size=1,
            max_size=2,
        ).map(tuple),
    ),
    st.builds(Calibrate, session_id=uuids),
    st.builds(StartExercise, session_id=uuids, exercise=st.from_regex(r"[a-z0-9_]{1,48}", fullmatch=True)),
    st.builds(EndSet, session_id=uuids),
    st.builds(EndSession, session_id=uuids),
    st.builds(ReportPain, session_id=uuids, score=st.integers(0, 10)),
    st.builds(CapturePosture, session_id=uuids, pose=st.sampled_from(SittingPose)),
)
entries: st.SearchStrategy[LogEntry] = st.one_of(
    st.builds(
        Samples,
        stream=slots,
        tick=st.integers(0, 2**32 - 1),
        t0_us=st.integers(0, 2**55 - 1),
        t0_uncertainty_us=st.integers(0, 2**16 - 1),
        packed=st.integers(1, 50).flatmap(lambda n: st.binary(min_size=12 * n, max_size=12 * n)),
    ),
    st.builds(
        StreamOpened,
        stream=slots,
        t_ns=utc_ns,
        sensor_id=names,
        boot_id=st.integers(0, 2**32 - 1),
        period_ns=st.integers(1, 10**9),
        acc_scale=st.floats(1e-9, 1e3),
        gyr_scale=st.floats(1e-9, 1e3),
        clock=st.sampled_from(ClockQuality),
        driver=st.text(max_size=48),
    ),
    st.builds(
        Gap,
        stream=slots,
        t0_ns=utc_ns,
        t1_ns=utc_ns,
        reason=st.sampled_from(GapReason),
        lost=st.none() | st.integers(0, 10**9),
    ),
    st.builds(SensorEvent, stream=slots, t_ns=utc_ns, event=st.sampled_from(SensorEventKind)),
    st.builds(Control, t_ns=utc_ns, event_id=uuids, command=commands),
)


@given(entries)
def test_every_entry_reads_back_as_it_was(entry: LogEntry) -> None:
    assert decode_entry(encode_entry(entry)) == entry


@given(st.integers(0, 2**32 - 1), st.integers(1, 2**61), st.lists(entries, max_size=5))
def test_a_batch_reads_back_with_its_place_in_the_log(log_id: int, first: int, some: list[LogEntry]) -> None:
    batch = decode_batch(encode_batch(log_id, first, [encode_entry(entry) for entry in some]))

    assert (batch.log_id, batch.first_offset, batch.next_offset) == (log_id, first, first + len(some))
    assert [decode_entry(data) for data in batch.entries] == some


@given(st.binary(max_size=300))
def test_any_bytes_are_an_entry_or_a_decode_error(data: bytes) -> None:
    try:
        entry = decode_entry(data)
    except DecodeError:
        return
    assert decode_entry(encode_entry(entry)) == entry


@given(st.binary(max_size=300))
def test_any_bytes_are_a_batch_or_a_decode_error(data: bytes) -> None:
    try:
        batch = decode_batch(data)
    except DecodeError:
        return
    assert batch.next_offset == batch.first_offset + len(batch.entries)


def test_golden_bytes_of_samples() -> None:
    entry = Samples(
        stream=3,
        tick=0x01020304,
        t0_us=1_700_000_000_000_000,
        t0_uncertainty_us=1500,
        packed=bytes(range(12)),
    )

    assert encode_entry(entry).hex() == "0304030201" + "00401e18240a06" + "dc05" + bytes(range(12)).hex()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", DecodeReason.MALFORMED),
        (b"\x03\x00", DecodeReason.MALFORMED),
        (b"\x03" + bytes(13) + bytes(11), DecodeReason.MALFORMED),
        (bytes([250]) + bytes(40), DecodeReason.UNKNOWN_KIND),
        (b"\xff\xc1", DecodeReason.MALFORMED),
        (bytes(MAX_ENTRY_BYTES + 1), DecodeReason.TOO_LARGE),
    ],
)
def test_a_broken_entry_says_why(data: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as error:
        decode_entry(data)

    assert error.value.reason is reason


def test_a_batch_larger_than_the_cap_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(DecodeError) as error:
        decode_batch(bytes(MAX_BATCH_BYTES + 1))

    assert error.value.reason is DecodeReason.TOO_LARGE


def test_the_envelope_costs_at_most_15_percent_over_the_samples_of_six_sensors_at_10_batches_per_s() -> None:
    samples = [
        encode_entry(
            Samples(
                stream=slot,
                tick=2**31,
                t0_us=1_800_000_000_000_000,
                t0_uncertainty_us=900,
                packed=bytes(12 * 10),
            )
        )
        for slot in range(6)
    ]

    size = len(encode_batch(2**31, 30_000_000, samples))

    assert size / (6 * 120) - 1 <= 0.15
