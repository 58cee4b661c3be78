"""What people ask of a session. Commands reach the analyzer only as entries of the gateway's log."""

from __future__ import annotations

from typing import Annotated

import msgspec

from processing.domain.ids import EventId, SensorId, SessionId
from processing.domain.posture_types import SittingPose
from processing.domain.samples import Placement

# "$" alone would let a newline at the end pass; "\Z" is unknown to readers of the JSON schema
Name = Annotated[str, msgspec.Meta(max_length=48, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$(?!\n)")]
UuidText = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$(?!\n)")]
UtcNs = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class SensorPlacement(msgspec.Struct, frozen=True, kw_only=True):
    """One sensor of a session.

    ``mount`` states how the sensor sits as ``"up:+x,forward:-z"`` (sensor axes that point up the
    spine and out of the belly when standing); None leaves that to calibration.
    """

    sensor_id: Name
    placement: Placement
    mount: Annotated[str, msgspec.Meta(max_length=24)] | None = None


class StartSession(msgspec.Struct, frozen=True, kw_only=True, tag="start_session"):
    """Open a session: from here on the samples of these sensors belong to it."""

    session_id: UuidText
    sensors: Annotated[tuple[SensorPlacement, ...], msgspec.Meta(min_length=1, max_length=2)]


class Calibrate(msgspec.Struct, frozen=True, kw_only=True, tag="calibrate"):
    """Calibrate again: the person stands still, then bends forward and back."""

    session_id: UuidText


Degrees = Annotated[float, msgspec.Meta(ge=0.0, le=180.0)]


class RepTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What a good repetition of this person is like, as measured before; None leaves that to the set itself.

    ``amplitude`` is of the counted channel, degrees or metres, and has no effect where several are counted; the angles
    are how far the trunk leans forward, the lower back bends, the pelvis tucks under and the trunk turns, as
    ``FaultSeen`` states them.
    """

    amplitude: Annotated[float, msgspec.Meta(gt=0.0, le=360.0)] | None = None
    lean_deg: Degrees | None = None
    lumbar_flexion_deg: Degrees | None = None
    tuck_deg: Degrees | None = None
    twist_deg: Degrees | None = None


class StartExercise(msgspec.Struct, frozen=True, kw_only=True, tag="start_exercise"):
    """Begin a set of one exercise of the catalogue; ends the running set, if any."""

    session_id: UuidText
    exercise: Annotated[str, msgspec.Meta(max_length=48, pattern=r"^[a-z0-9_]+$(?!\n)")]
    target: RepTarget | None = None


class EndSet(msgspec.Struct, frozen=True, kw_only=True, tag="end_set"):
    """End the running set."""

    session_id: UuidText


class EndSession(msgspec.Struct, frozen=True, kw_only=True, tag="end_session"):
    """Close the session and its running set."""

    session_id: UuidText


class ReportPain(msgspec.Struct, frozen=True, kw_only=True, tag="report_pain"):
    """Pain reported by the person, numeric rating scale 0 (none) to 10 (worst imaginable)."""

    session_id: UuidText
    score: Annotated[int, msgspec.Meta(ge=0, le=10)]


class CapturePosture(msgspec.Struct, frozen=True, kw_only=True, tag="capture_posture"):
    """Take the person's own way of sitting upright or slumped: 3 s still from now on; ends the running set, if any."""

    session_id: UuidText
    pose: SittingPose


Command = StartSession | Calibrate | StartExercise | EndSet | EndSession | ReportPain | CapturePosture


def session_of(command: Command) -> SessionId:
    """Session that a command is meant for."""
    return SessionId(command.session_id)


def sensors_of(command: StartSession) -> tuple[SensorId, ...]:
    """Sensors that a session takes."""
    return tuple(SensorId(sensor.sensor_id) for sensor in command.sensors)


class ControlMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A command on its way from the service to the gateway.

    The gateway appends it once per ``event_id`` and drops it after ``expires_ns`` (UTC), so that a
    command sent into a dead link does not start an exercise an hour later.
    """

    event_id: UuidText
    issued_ns: UtcNs
    expires_ns: UtcNs
    command: Command


def event_of(message: ControlMessage) -> EventId:
    """Id that makes the command idempotent."""
    return EventId(message.event_id)
