"""All other messages on MQTT: small MessagePack maps with the names of their fields."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

from processing.domain.commands import ControlMessage, Name, UtcNs
from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.findings import Finding, LiveFrame
from processing.domain.samples import ClockQuality, Placement

MAX_MESSAGE_BYTES = 65_536

Offset = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
LogId = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class GatewayState(msgspec.Struct, frozen=True, kw_only=True):
    """Birth (``online``) or last will of a gateway process.

    ``first_offset`` is the oldest entry it still holds, ``next_offset`` the one it will append next;
    ``boot_id`` is drawn at each start of the process.
    """

    online: bool
    boot_id: LogId
    log_id: LogId
    first_offset: Offset = 1
    next_offset: Offset = 1
    version: Annotated[str, msgspec.Meta(max_length=48)] = ""


class SensorHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Health of one sensor as the gateway sees it; None where it does not know."""

    sensor_id: Name
    paired: bool
    connected: bool
    battery_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    rssi_dbm: int | None = None
    rate_hz: float | None = None
    lost_fraction: float | None = None
    clock: ClockQuality | None = None
    clock_uncertainty_us: int | None = None
    last_sample_ns: UtcNs | None = None


class SensorsReport(msgspec.Struct, frozen=True, kw_only=True):
    """Health of all sensors that a gateway reads or sees."""

    t_ns: UtcNs
    sensors: Annotated[tuple[SensorHealth, ...], msgspec.Meta(max_length=256)]


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker has and wants.

    Attributes:
        committed: results up to and including this offset are stored for good.
        expect: next offset the worker will take; anything else makes the gateway rewind.
        epoch: claim of the worker; an acknowledgement with a lower epoch than one seen is stale.
    """

    log_id: LogId
    committed: Offset
    expect: Offset
    epoch: Offset


class SensorSetting(msgspec.Struct, frozen=True, kw_only=True):
    """One sensor that a gateway shall read."""

    sensor_id: Name
    placement: Placement
    rate_hz: Annotated[int, msgspec.Meta(ge=10, le=400)] = 100


class GatewayConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Sensors paired through this gateway; replaces the one before."""

    version: Offset
    sensors: Annotated[tuple[SensorSetting, ...], msgspec.Meta(max_length=64)]


class Cue(msgspec.Struct, frozen=True, kw_only=True):
    """Buzz a wearable."""

    sensor_id: Name
    pattern: Annotated[int, msgspec.Meta(ge=0, le=255)]
    expires_ns: UtcNs


class LiveFinding(msgspec.Struct, frozen=True, kw_only=True, tag="live_finding"):
    """A provisional copy of a finding, with the id that the committed one will have."""

    finding: Finding


Live = LiveFrame | LiveFinding
Message = GatewayState | SensorsReport | Ack | GatewayConfig | ControlMessage | Cue | LiveFrame | LiveFinding

_M = TypeVar("_M", bound=Message)


def encode_message(message: Message) -> bytes:
    """Bytes of a message.

    Raises:
        DecodeError: larger than ``MAX_MESSAGE_BYTES``.
    """
    data = msgspec.msgpack.encode(message)
    if len(data) > MAX_MESSAGE_BYTES:
        raise DecodeError(DecodeReason.TOO_LARGE, type(message).__name__, f"{len(data)} bytes")
    return data


def decode_message(data: bytes, kind: type[_M]) -> _M:
    """Message of the kind that its topic promises.

    Raises:
        DecodeError: the bytes are no such message or too large.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise DecodeError(DecodeReason.TOO_LARGE, kind.__name__, f"{len(data)} bytes, at most {MAX_MESSAGE_BYTES}")
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(DecodeReason.MALFORMED, kind.__name__, str(error)) from error


_live: msgspec.msgpack.Decoder[Live] = msgspec.msgpack.Decoder(LiveFrame | LiveFinding)


def decode_live(data: bytes) -> Live:
    """Live frame or finding.

    Raises:
        DecodeError: the bytes are neither or too large.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise DecodeError(DecodeReason.TOO_LARGE, "live message", f"{len(data)} bytes, at most {MAX_MESSAGE_BYTES}")
    try:
        return _live.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(DecodeReason.MALFORMED, "live message", str(error)) from error


_finding: msgspec.json.Decoder[Finding] = msgspec.json.Decoder(Finding)


def encode_finding(finding: Finding) -> bytes:
    """Finding as JSON text (UTF-8): floats in their shortest form that reads back to the same bits."""
    return msgspec.json.encode(finding)


def decode_finding(data: bytes | str) -> Finding:
    """Finding from its JSON text.

    Raises:
        DecodeError: the text is no finding.
    """
    try:
        return _finding.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(DecodeReason.MALFORMED, "finding", str(error)) from error
