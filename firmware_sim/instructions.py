"""What simulated patients can be told, and what they answer: one JSON object a line (docs/simulator.md)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from processing.domain.errors import DecodeError, DecodeReason

PatientNumber = Annotated[int, msgspec.Meta(ge=0, lt=100)]
MAX_LINE_BYTES = 4096


class Settle(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="settle"):
    """Take the posture that an exercise starts from and stay still."""

    patient: PatientNumber
    exercise: str


class Perform(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="perform"):
    """Do a set of an exercise, or ``calibration``; ``faulty_share`` of the repetitions go wrong, drawn one by one."""

    patient: PatientNumber
    exercise: str
    reps: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 5
    duration_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] = 20.0
    faulty_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0


class Replay(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="replay"):
    """Start the recording of a replayed person as soon as all their sensors stream."""

    patient: PatientNumber


class Vanish(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="vanish"):
    """Take a patient's sensors out of radio range for a while."""

    patient: PatientNumber
    seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)]


Instruction = Settle | Perform | Replay | Vanish


class SensorWorn(msgspec.Struct, frozen=True, kw_only=True):
    """A wearable and where it sits."""

    sensor_id: str
    placement: str


class PatientReady(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated or replayed person; ``recording`` is the file of a replayed one."""

    patient: int
    sensors: tuple[SensorWorn, ...]
    recording: str | None = None
    duration_s: float | None = None


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="ready"):
    """The wearables advertise."""

    patients: tuple[PatientReady, ...]


class Settled(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="settled"):
    """Answer to ``settle``: from ``t_ns`` (UTC) on the person is still."""

    patient: int
    t_ns: int


class PlannedRep(msgspec.Struct, frozen=True, kw_only=True):
    """One true repetition, UTC; amplitude in degrees, or metres for ``vertical``."""

    channel: str
    number: int
    start_ns: int
    peak_ns: int
    end_ns: int
    amplitude: float


class PlannedRom(msgspec.Struct, frozen=True, kw_only=True):
    """True range of motion of a set."""

    segment: str
    direction: str
    angle_deg: float


class Performing(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="performing"):
    """Answer to ``perform``: what will truly have happened by ``end_ns`` (UTC)."""

    patient: int
    exercise: str
    go_ns: int
    end_ns: int
    reps: tuple[PlannedRep, ...]
    rom: tuple[PlannedRom, ...]
    steps: int


class Replaying(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="replaying"):
    """Answer to ``replay``: the first sample is of ``t0_ns`` (UTC), the last of ``end_ns``."""

    patient: int
    t0_ns: int
    end_ns: int


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="refused"):
    """An instruction that cannot be followed, and why; ``patient`` is None if the line could not be read."""

    patient: int | None
    problem: str


SimEvent = Ready | Settled | Performing | Replaying | Refused

_instruction: msgspec.json.Decoder[Instruction] = msgspec.json.Decoder(Instruction)
_event: msgspec.json.Decoder[SimEvent] = msgspec.json.Decoder(SimEvent)


def decode_instruction(line: bytes) -> Instruction:
    """Instruction of a line.

    Raises:
        DecodeError: the line is no instruction or too long.
    """
    if len(line) > MAX_LINE_BYTES:
        raise DecodeError(DecodeReason.TOO_LARGE, "instruction", f"{len(line)} bytes")
    try:
        return _instruction.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(DecodeReason.MALFORMED, "instruction", str(error)) from error


def decode_event(line: bytes) -> SimEvent:
    """Event of a line.

    Raises:
        DecodeError: the line is no event.
    """
    try:
        return _event.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(DecodeReason.MALFORMED, "simulator event", str(error)) from error


def encode_line(message: Instruction | SimEvent) -> bytes:
    """Line of a message, without the line end."""
    return msgspec.json.encode(message)
