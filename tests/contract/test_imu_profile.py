"""The examples of docs/imu-profile.md are what the codec reads and writes, byte for byte."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import pytest

from gateway.devices import imu_codec, imu_profile
from gateway.devices.driver import TimeEcho
from gateway.devices.imu_profile import (
    Answer,
    DataFlag,
    DataMessage,
    IdentifyRequest,
    Info,
    Opcode,
    Started,
    StartRequest,
    Status,
    StopRequest,
)

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "imu-profile.md").read_text(encoding="utf-8")
_EXAMPLES = {
    name: bytes.fromhex(digits)
    for name, digits in re.findall(r"^```hex (.+)\n([0-9a-f\s]+)```$", _DOCUMENT, re.MULTILINE)
}

_MEANINGS: dict[str, tuple[Any, Any, object]] = {
    "info": (
        imu_codec.encode_info,
        imu_codec.decode_info,
        Info(
            serial=0x00A1B2,
            boot_id=0x1234ABCD,
            firmware=(1, 2, 3),
            rates_hz=(50, 100),
            acc_ranges_g=(8, 16),
            gyr_ranges_dps=(1000, 2000),
        ),
    ),
    "start request": (imu_codec.encode_request, imu_codec.decode_request, StartRequest(100, 16, 2000, 5)),
    "start answer": (
        imu_codec.encode_answer,
        imu_codec.decode_answer,
        Answer(Opcode.START, Status.OK, Started(10_000_000, 16.0, 2000.0, 5)),
    ),
    "refused start request": (imu_codec.encode_request, imu_codec.decode_request, StartRequest(400)),
    "refused start answer": (
        imu_codec.encode_answer,
        imu_codec.decode_answer,
        Answer(Opcode.START, Status.UNSUPPORTED_RATE),
    ),
    "stop request": (imu_codec.encode_request, imu_codec.decode_request, StopRequest()),
    "stop answer": (imu_codec.encode_answer, imu_codec.decode_answer, Answer(Opcode.STOP, Status.OK)),
    "identify request": (imu_codec.encode_request, imu_codec.decode_request, IdentifyRequest(2)),
    "data": (
        imu_codec.encode_data,
        imu_codec.decode_data,
        DataMessage(
            sequence=513,
            tick=0x01020304,
            period_ns=10_000_000,
            packed=struct.pack("<12h", 0, 0, 4096, 0, 0, 0, -1, 2, 4095, 100, -100, 32767),
            temperature_cdeg=3650,
            flags=DataFlag.CLIPPED,
        ),
    ),
    "time request": (imu_codec.encode_time_request, imu_codec.decode_time_request, 1_700_000_000_123_456_789),
    "time": (
        imu_codec.encode_time,
        imu_codec.decode_time,
        TimeEcho(host_ns=1_700_000_000_123_456_789, tick=5_000_000),
    ),
}


def test_every_example_of_the_document_is_checked() -> None:
    assert set(_EXAMPLES) == set(_MEANINGS)


@pytest.mark.parametrize("name", sorted(_MEANINGS))
def test_an_example_of_the_document_is_the_message_it_says(name: str) -> None:
    encode, decode, message = _MEANINGS[name]
    assert decode(_EXAMPLES[name]) == message
    assert encode(message) == _EXAMPLES[name]


def test_the_document_names_every_uuid_of_the_profile() -> None:
    for uuid in (
        imu_profile.SERVICE,
        imu_profile.DATA,
        imu_profile.CONTROL,
        imu_profile.INFO,
        imu_profile.TIME,
    ):
        assert f"`{uuid}`" in _DOCUMENT


def test_the_document_names_every_status() -> None:
    _, _, rows = _DOCUMENT.partition("| status | meaning |")
    table = dict(re.findall(r"^\| (\d+) \| (.+?)(?::.*)? \|$", rows.partition("\n\n")[0], re.MULTILINE))
    for status in Status:
        assert table[str(status.value)].replace(" ", "_").upper() == status.name


def test_a_data_head_is_as_long_as_the_document_says() -> None:
    assert f"exactly {imu_profile.DATA_HEAD_BYTES} + 12 `n` bytes" in _DOCUMENT
