"""Entries of a log as one compressed block: u32 length before each (little endian), then zlib. Pure."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from processing.domain.errors import DecodeError, DecodeReason
from processing.wire.log import MAX_ENTRY_BYTES

_LENGTH = struct.Struct("<I")
_LEVEL = 4
"""Samples hardly shrink further above this level; the time doubles."""


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """Block of encoded entries."""
    return zlib.compress(b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries), _LEVEL)


def unpack_entries(packed: bytes) -> tuple[bytes, ...]:
    """Encoded entries of a block.

    Raises:
        DecodeError: the bytes are no block.
    """
    try:
        data = zlib.decompress(packed)
    except zlib.error as error:
        raise DecodeError(DecodeReason.MALFORMED, "raw block", str(error)) from error
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        if at + _LENGTH.size > len(data):
            raise DecodeError(DecodeReason.MALFORMED, "raw block", f"cut off at byte {at}")
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if length > MAX_ENTRY_BYTES or at + length > len(data):
            raise DecodeError(DecodeReason.MALFORMED, "raw block", f"no entry of {length} bytes at byte {at}")
        entries.append(data[at : at + length])
        at += length
    return tuple(entries)
