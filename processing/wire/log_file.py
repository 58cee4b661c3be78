"""A gateway's log as a file: what ``lumbar export log`` writes and ``lumbar analyze`` reads.

Layout: the line ``lumbar-log/1``, then log batches, each with its length before it (u32, little endian).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from processing.domain.entries import NumberedEntry
from processing.domain.errors import DecodeError, DecodeReason
from processing.wire.log import MAX_BATCH_BYTES, decode_batch, decode_entry

MAGIC = b"lumbar-log/1\n"
_LENGTH = struct.Struct("<I")


def log_file_part(batch: bytes) -> bytes:
    """One encoded batch as it stands in a log file; a log file is ``MAGIC`` and these, in log order."""
    return _LENGTH.pack(len(batch)) + batch


def is_log_file(data: bytes) -> bool:
    """Tell whether a file that begins like this is a log file."""
    return data.startswith(MAGIC)


def read_log_file(
    data: bytes, on_unreadable: Callable[[int, DecodeError], None] | None = None
) -> Iterator[NumberedEntry]:
    """Entries of a log file in order.

    An entry that cannot be read was passed over by the worker, which keeps it in the log; whoever wants the worker's
    findings does the same and takes note of it in ``on_unreadable(offset, error)``.

    Raises:
        DecodeError: the file is cut off, out of order, or holds something else (the text gives the byte); or an entry
            cannot be read and there is no ``on_unreadable``.
    """
    if not is_log_file(data):
        raise DecodeError(DecodeReason.MALFORMED, "log file", f"does not begin with {MAGIC!r}")
    at = len(MAGIC)
    expect: tuple[int, int] | None = None
    while at < len(data):
        if at + _LENGTH.size > len(data):
            raise DecodeError(DecodeReason.MALFORMED, "log file", f"cut off at byte {at}")
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if length > MAX_BATCH_BYTES or at + length > len(data):
            raise DecodeError(DecodeReason.MALFORMED, "log file", f"no batch of {length} bytes at byte {at}")
        batch = decode_batch(data[at : at + length])
        if expect is not None and (batch.log_id, batch.first_offset) != expect:
            raise DecodeError(
                DecodeReason.MALFORMED, "log file", f"offset {batch.first_offset} at byte {at}, not {expect[1]}"
            )
        for offset, entry in enumerate(batch.entries, batch.first_offset):
            try:
                numbered = NumberedEntry(offset, decode_entry(entry))
            except DecodeError as error:
                if on_unreadable is None:
                    raise
                on_unreadable(offset, error)
                continue
            yield numbered
        expect = (batch.log_id, batch.next_offset)
        at += length
