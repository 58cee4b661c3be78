"""State of a log's analyzer as a value."""

from __future__ import annotations

import msgspec

from processing.domain.entries import StreamOpened
from processing.domain.errors import StateError

STATE_VERSION = 26
"""Grows with every change of what a state holds or means, in any part of the analyzer."""


class OpenStream(msgspec.Struct):
    """A stream slot: what it stands for, and whether samples are coming."""

    opened: StreamOpened
    live: bool


class LogState(msgspec.Struct):
    """State of a ``LogAnalyzer``.

    Attributes:
        expect: next offset, None before the first.
        sessions: as their own bytes.
        events: the last commands (the 16 bytes of their UUID), and whether they could be followed.
    """

    expect: int | None
    streams: list[OpenStream]
    sessions: list[bytes]
    events: dict[bytes, bool]
    unrouted: dict[str, int]
    refused: dict[str, int]


class _Versioned(msgspec.Struct, array_like=True):
    version: int
    state: msgspec.Raw


_versioned = msgspec.msgpack.Decoder(_Versioned)
_state = msgspec.msgpack.Decoder(LogState)


def encode_log_state(state: LogState) -> bytes:
    """Bytes of a state."""
    return msgspec.msgpack.encode((STATE_VERSION, state))


def decode_log_state(data: bytes) -> LogState:
    """State from its bytes.

    Raises:
        StateError: another version wrote these bytes, or they are damaged.
    """
    try:
        versioned = _versioned.decode(data)
        if versioned.version != STATE_VERSION:
            raise StateError(f"version {versioned.version}, this is version {STATE_VERSION}")
        return _state.decode(versioned.state)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(str(error)) from error
