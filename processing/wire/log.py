"""Bytes of log entries and of the batches that carry them.

An entry is one byte of kind followed by its body. Kinds 0-239 are samples of that stream slot:

    slot u8 | tick u32 | t0_us 7 bytes | t0_uncertainty_us u16 | n x 12 bytes        (little endian)

which costs 14 bytes an entry. Kind 255 is any other entry, as a MessagePack map with its name in
``type``. A batch is the MessagePack array ``[log_id, first_offset, [entry, …]]``. The gateway stores entries
as these bytes, so sending the log encodes nothing again.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import msgspec

from processing.domain.entries import (
    MAX_STREAMS,
    Control,
    Gap,
    LogEntry,
    Samples,
    SensorEvent,
    StreamOpened,
)
from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.samples import BYTES_PER_SAMPLE, MAX_SAMPLES_PER_ENTRY

MAX_ENTRY_BYTES = 16_384
MAX_BATCH_BYTES = 262_144
MAX_BATCH_ENTRIES = 2_000

_HEAD = struct.Struct("<BI7sH")
_OTHER_KIND = 255

_other: msgspec.msgpack.Decoder[StreamOpened | Gap | SensorEvent | Control] = msgspec.msgpack.Decoder(
    StreamOpened | Gap | SensorEvent | Control
)


class LogBatch(msgspec.Struct, frozen=True, array_like=True):
    """Consecutive entries of one log, still encoded.

    ``log_id`` is drawn when a gateway creates its log: offsets of different logs do not continue each other.
    """

    log_id: int
    first_offset: int
    entries: tuple[bytes, ...]

    @property
    def next_offset(self) -> int:
        """Offset after the last entry."""
        return self.first_offset + len(self.entries)


_batch = msgspec.msgpack.Decoder(LogBatch)


def encode_entry(entry: LogEntry) -> bytes:
    """Bytes of an entry.

    Raises:
        DecodeError: the entry is outside the limits of the format.
    """
    if isinstance(entry, Samples):
        _check_packed(entry.packed)
        if not (0 <= entry.stream < MAX_STREAMS and 0 <= entry.t0_us < 2**55):
            raise DecodeError(DecodeReason.OUT_OF_RANGE, "samples", f"stream {entry.stream}, t0_us {entry.t0_us}")
        head = _HEAD.pack(entry.stream, entry.tick, entry.t0_us.to_bytes(7, "little"), entry.t0_uncertainty_us)
        return head + entry.packed
    data = bytes([_OTHER_KIND]) + msgspec.msgpack.encode(entry)
    if len(data) > MAX_ENTRY_BYTES:
        raise DecodeError(DecodeReason.TOO_LARGE, "log entry", f"{len(data)} bytes, at most {MAX_ENTRY_BYTES}")
    return data


def decode_entry(data: bytes) -> LogEntry:
    """Entry from its bytes.

    Raises:
        DecodeError: the bytes are no entry.
    """
    if not data:
        raise DecodeError(DecodeReason.MALFORMED, "log entry", "no bytes")
    if len(data) > MAX_ENTRY_BYTES:
        raise DecodeError(DecodeReason.TOO_LARGE, "log entry", f"{len(data)} bytes, at most {MAX_ENTRY_BYTES}")
    if data[0] == _OTHER_KIND:
        try:
            return _other.decode(memoryview(data)[1:])
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise DecodeError(DecodeReason.MALFORMED, "log entry", str(error)) from error
    if data[0] >= MAX_STREAMS:
        raise DecodeError(DecodeReason.UNKNOWN_KIND, "log entry", f"kind {data[0]}")
    if len(data) < _HEAD.size:
        raise DecodeError(DecodeReason.MALFORMED, "samples", f"{len(data)} bytes are fewer than a head of {_HEAD.size}")
    stream, tick, t0, uncertainty_us = _HEAD.unpack_from(data)
    packed = data[_HEAD.size :]
    _check_packed(packed)
    t0_us = int.from_bytes(t0, "little")
    if t0_us >= 2**55:
        raise DecodeError(DecodeReason.OUT_OF_RANGE, "samples", f"t0_us {t0_us}")
    return Samples(stream=stream, tick=tick, t0_us=t0_us, t0_uncertainty_us=uncertainty_us, packed=packed)


def encode_batch(log_id: int, first_offset: int, entries: Sequence[bytes]) -> bytes:
    """Bytes of a batch of encoded entries.

    Raises:
        DecodeError: more or larger entries than a batch may hold.
    """
    data = msgspec.msgpack.encode((log_id, first_offset, tuple(entries)))
    if len(data) > MAX_BATCH_BYTES or len(entries) > MAX_BATCH_ENTRIES:
        raise DecodeError(DecodeReason.TOO_LARGE, "log batch", f"{len(data)} bytes, {len(entries)} entries")
    return data


def decode_batch(data: bytes) -> LogBatch:
    """Batch from its bytes; the entries stay encoded, so that one bad entry does not spoil the others.

    Raises:
        DecodeError: the bytes are no batch or too large.
    """
    if len(data) > MAX_BATCH_BYTES:
        raise DecodeError(DecodeReason.TOO_LARGE, "log batch", f"{len(data)} bytes, at most {MAX_BATCH_BYTES}")
    try:
        batch = _batch.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(DecodeReason.MALFORMED, "log batch", str(error)) from error
    if len(batch.entries) > MAX_BATCH_ENTRIES:
        raise DecodeError(DecodeReason.TOO_LARGE, "log batch", f"{len(batch.entries)} entries")
    if not (0 <= batch.log_id < 2**32 and 1 <= batch.first_offset < 2**62):
        raise DecodeError(DecodeReason.OUT_OF_RANGE, "log batch", f"log {batch.log_id}, offset {batch.first_offset}")
    return batch


def _check_packed(packed: bytes) -> None:
    count, rest = divmod(len(packed), BYTES_PER_SAMPLE)
    if rest or not 1 <= count <= MAX_SAMPLES_PER_ENTRY:
        raise DecodeError(
            DecodeReason.MALFORMED,
            "samples",
            f"{len(packed)} bytes are not 1-{MAX_SAMPLES_PER_ENTRY} samples of {BYTES_PER_SAMPLE}",
        )
