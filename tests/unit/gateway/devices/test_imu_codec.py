from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.devices import imu_codec
from gateway.devices.driver import TimeEcho
from gateway.devices.imu_profile import (
    DATA_HEAD_BYTES,
    MAX_PERIOD_NS,
    MAX_SERIAL,
    NO_FLAGS,
    Answer,
    ControlRequest,
    DataFlag,
    DataMessage,
    IdentifyRequest,
    Info,
    Opcode,
    Started,
    StartRequest,
    Status,
    StopRequest,
    local_name,
)
from processing.domain.errors import DecodeError, DecodeReason

U8 = st.integers(0, 2**8 - 1)
U16 = st.integers(0, 2**16 - 1)
U32 = st.integers(0, 2**32 - 1)
PERIOD_NS = st.integers(1, MAX_PERIOD_NS)
FULL_SCALE = st.floats(min_value=0.125, max_value=10_000, width=32)


def list_of(most: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(1, most), min_size=1, max_size=8).map(tuple)


DATA = st.builds(
    DataMessage,
    sequence=U16,
    tick=U32,
    period_ns=PERIOD_NS,
    packed=st.integers(1, 19).flatmap(lambda n: st.binary(min_size=12 * n, max_size=12 * n)),
    temperature_cdeg=st.none() | st.integers(-(2**15) + 1, 2**15 - 1),
    flags=st.sampled_from([NO_FLAGS, DataFlag.CLIPPED, DataFlag.OVERRUN, DataFlag.CLIPPED | DataFlag.OVERRUN]),
)
INFO = st.builds(
    Info,
    serial=st.integers(0, MAX_SERIAL),
    boot_id=U32,
    firmware=st.tuples(U8, U8, U8),
    rates_hz=list_of(2**16 - 1),
    acc_ranges_g=list_of(2**8 - 1),
    gyr_ranges_dps=list_of(2**16 - 1),
)
REQUEST = (
    st.builds(StartRequest, rate_hz=U16, acc_range_g=U8, gyr_range_dps=U16, batch_size=U8)
    | st.just(StopRequest())
    | st.builds(IdentifyRequest, pattern=U8)
)
ANSWER = st.builds(
    Answer, opcode=st.integers(0, 127), status=st.sampled_from([s for s in Status if s is not Status.OK])
) | st.builds(
    Answer,
    opcode=st.just(int(Opcode.START)),
    status=st.just(Status.OK),
    started=st.builds(
        Started,
        period_ns=PERIOD_NS,
        acc_full_scale_g=FULL_SCALE,
        gyr_full_scale_dps=FULL_SCALE,
        batch_size=U8,
    ),
)

DECODERS = (
    imu_codec.decode_data,
    imu_codec.decode_info,
    imu_codec.decode_request,
    imu_codec.decode_answer,
    imu_codec.decode_time_request,
    imu_codec.decode_time,
    imu_codec.decode_battery,
)


@given(DATA)
def test_data_reads_back(message: DataMessage) -> None:
    assert imu_codec.decode_data(imu_codec.encode_data(message)) == message


@given(INFO, st.binary(max_size=4))
def test_info_reads_back_and_later_fields_are_ignored(info: Info, later: bytes) -> None:
    assert imu_codec.decode_info(imu_codec.encode_info(info) + later) == info


@given(REQUEST)
def test_a_request_reads_back(request_: ControlRequest) -> None:
    assert imu_codec.decode_request(imu_codec.encode_request(request_)) == request_


@given(ANSWER)
def test_an_answer_reads_back(answer: Answer) -> None:
    assert imu_codec.decode_answer(imu_codec.encode_answer(answer)) == answer


@given(st.integers(0, 2**64 - 1), U32)
def test_a_time_echo_reads_back(host_ns: int, tick: int) -> None:
    assert imu_codec.decode_time_request(imu_codec.encode_time_request(host_ns)) == host_ns
    assert imu_codec.decode_time(imu_codec.encode_time(TimeEcho(host_ns, tick))) == TimeEcho(host_ns, tick)


@pytest.mark.parametrize("decode", DECODERS)
@given(data=st.binary(max_size=64))
def test_any_bytes_are_a_value_or_a_decode_error(decode: Callable[[bytes], object], data: bytes) -> None:
    try:
        decode(data)
    except DecodeError as error:
        assert error.reason in DecodeReason


@given(DATA, st.data())
def test_a_cut_data_message_is_refused(message: DataMessage, data: st.DataObject) -> None:
    encoded = imu_codec.encode_data(message)
    with pytest.raises(DecodeError):
        imu_codec.decode_data(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


def _data(**changed: int) -> bytes:
    head = {"version": 0x10, "kind": 1, "sequence": 0, "tick": 0, "period_ns": 10_000_000, "count": 1} | changed
    return struct.pack("<BBHIIBxh", *head.values(), 0) + bytes(12)


def test_the_plain_message_of_these_tests_is_valid() -> None:
    assert len(_data()) == DATA_HEAD_BYTES + 12
    assert imu_codec.decode_data(_data()).sequence == 0


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"version": 0x20}, DecodeReason.UNKNOWN_KIND),
        ({"kind": 2}, DecodeReason.UNKNOWN_KIND),
        ({"period_ns": 0}, DecodeReason.OUT_OF_RANGE),
        ({"period_ns": MAX_PERIOD_NS + 1}, DecodeReason.OUT_OF_RANGE),
        ({"count": 0}, DecodeReason.MALFORMED),
        ({"count": 2}, DecodeReason.MALFORMED),
    ],
)
def test_data_that_breaks_the_profile_is_refused_with_its_reason(changed: dict[str, int], reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        imu_codec.decode_data(_data(**changed))
    assert refused.value.reason is reason


def test_a_reserved_flag_is_ignored() -> None:
    assert imu_codec.decode_data(_data(version=0x1C)).flags == NO_FLAGS


def test_info_without_a_rate_is_refused() -> None:
    info = imu_codec.encode_info(Info(1, 2, (1, 0, 0), (), (16,), (2000,)))
    with pytest.raises(DecodeError) as refused:
        imu_codec.decode_info(info)
    assert refused.value.reason is DecodeReason.OUT_OF_RANGE


@pytest.mark.parametrize("full_scale", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_full_scale_is_refused(full_scale: float) -> None:
    answer = imu_codec.encode_answer(Answer(Opcode.START, Status.OK, Started(10_000_000, full_scale, 2000.0, 5)))
    with pytest.raises(DecodeError) as refused:
        imu_codec.decode_answer(answer)
    assert refused.value.reason is DecodeReason.OUT_OF_RANGE


def test_the_local_name_holds_the_serial_number() -> None:
    assert local_name(0xA1B2) == "LUMBAR-00A1B2"
    with pytest.raises(ValueError, match="serial"):
        local_name(MAX_SERIAL + 1)
