"""State of a session's analyzer as a value."""

from __future__ import annotations

import msgspec

from processing.analyzer.calibration import CalibratorState
from processing.analyzer.exercise_set import ExerciseSetState
from processing.analyzer.ledger import LedgerState
from processing.analyzer.sensor import SensorPathState
from processing.analyzer.sensor_truth import SensorTruthState
from processing.domain.commands import Command, StartSession


class WaitingCommand(msgspec.Struct, frozen=True):
    """A command whose time the samples have not reached."""

    t_ns: int
    command: Command


class SessionState(msgspec.Struct):
    """State of a ``SessionAnalyzer``; ``daily`` is packed."""

    start: StartSession
    begin_ns: int
    front: int
    ledger: LedgerState
    paths: list[SensorPathState]
    calibrators: list[CalibratorState]
    truth: SensorTruthState
    commands: list[WaitingCommand]
    running: ExerciseSetState | None
    daily: bytes
    sets: int
    ended: bool
    dropped: int
    seen: bool


_decoder = msgspec.msgpack.Decoder(SessionState)


def encode_session_state(state: SessionState) -> bytes:
    """Bytes of a state."""
    return msgspec.msgpack.encode(state)


def decode_session_state(data: bytes) -> SessionState:
    """State from its bytes.

    Raises:
        msgspec.MsgspecError: the bytes are no such state.
    """
    return _decoder.decode(data)
