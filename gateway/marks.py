"""How far the log knows each sensor's stream, so that a restarted gateway can close what a killed one left open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from processing.domain.entries import LogEntry, Samples, SensorEvent, SensorEventKind, StreamOpened

_MAX_MARKS = 1_000
"""Sensors whose end of stream is remembered over a restart."""


class StreamMark(msgspec.Struct, frozen=True):
    """How far the log knows a sensor's stream; ``slot`` is None once the log says that it disconnected."""

    sensor_id: str
    slot: int | None
    boot_id: int
    period_ns: int
    end_ns: int


_decoder = msgspec.msgpack.Decoder(list[StreamMark])


def encode_marks(marks: Iterable[StreamMark]) -> bytes:
    """Bytes of marks."""
    return msgspec.msgpack.encode(list(marks))


def decode_marks(data: bytes) -> list[StreamMark]:
    """Marks from their bytes.

    Raises:
        msgspec.MsgspecError: the bytes are no marks.
    """
    return _decoder.decode(data)


def apply_mark(marks: dict[str, StreamMark], entry: LogEntry) -> None:
    """Follow the streams through one entry; ``marks`` is keyed by sensor, oldest first, and bounded."""
    if isinstance(entry, StreamOpened):
        _free_slot(marks, entry.stream)
        known = marks.pop(entry.sensor_id, None)
        marks[entry.sensor_id] = StreamMark(
            sensor_id=entry.sensor_id,
            slot=entry.stream,
            boot_id=entry.boot_id,
            period_ns=entry.period_ns,
            end_ns=entry.t_ns if known is None else known.end_ns,
        )
        while len(marks) > _MAX_MARKS:
            del marks[next(iter(marks))]
    elif isinstance(entry, Samples):
        mark = _at_slot(marks, entry.stream)
        if mark is not None:
            end_ns = entry.t0_ns + entry.count * mark.period_ns
            marks[mark.sensor_id] = msgspec.structs.replace(mark, end_ns=end_ns)
    elif isinstance(entry, SensorEvent) and entry.event is SensorEventKind.DISCONNECTED:
        _free_slot(marks, entry.stream)


def left_open(marks: Iterable[StreamMark]) -> Iterator[SensorEvent]:
    """Events for the slots that a killed process left open."""
    for mark in marks:
        if mark.slot is not None:
            yield SensorEvent(stream=mark.slot, t_ns=mark.end_ns, event=SensorEventKind.DISCONNECTED)


def _at_slot(marks: dict[str, StreamMark], slot: int) -> StreamMark | None:
    return next((mark for mark in marks.values() if mark.slot == slot), None)


def _free_slot(marks: dict[str, StreamMark], slot: int) -> None:
    mark = _at_slot(marks, slot)
    if mark is not None:
        marks[mark.sensor_id] = msgspec.structs.replace(mark, slot=None)
