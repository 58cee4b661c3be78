"""Blocks of raw entries."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.domain.errors import DecodeError
from processing.worker.raw_block import pack_entries, unpack_entries


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_entries_come_back_byte_for_byte(entries: list[bytes]) -> None:
    assert unpack_entries(pack_entries(entries)) == tuple(entries)


@pytest.mark.parametrize(
    "packed",
    [
        b"no zlib",
        zlib.compress(b"\x01\x00"),
        zlib.compress(struct.pack("<I", 5) + b"four"),
        zlib.compress(struct.pack("<I", 1 << 30)),
        pack_entries([b"whole"])[:-2],
    ],
)
def test_a_damaged_block_is_refused(packed: bytes) -> None:
    with pytest.raises(DecodeError):
        unpack_entries(packed)
