"""Bodies of answers: the typed face of the API, and the source of its OpenAPI document."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from processing.domain.exercises import Counting, Evidence, Exercise, Posture
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind
from service.api.board import GatewayReport
from service.api.ports import ControlState, Session, StoredControl
from service.api.results import FaultResult
from service.api.set_bodies import SetOut


class SubjectOut(BaseModel):
    """A person under a pseudonym."""

    subject_id: str
    label: str | None


class WornSensorOut(BaseModel):
    """A sensor that a person wears; None is "not known"."""

    sensor_id: str
    placement: Placement
    gateway_id: str
    connected: bool | None
    battery_percent: int | None
    rate_hz: float | None
    lost_fraction: float | None


class SessionOut(BaseModel):
    """A session; times are UTC."""

    session_id: str
    subject_id: str
    gateway_id: str
    sensors: dict[Placement, str]
    started_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, session: Session) -> SessionOut:
        """Answer for a session."""
        return cls(
            session_id=session.session_id,
            subject_id=session.subject_id,
            gateway_id=session.gateway_id,
            sensors={sensor.placement: sensor.sensor_id for sensor in session.sensors},
            started_at=utc(session.started_ns),
            ended_at=None if session.ended_ns is None else utc(session.ended_ns),
        )


class SubjectDetailOut(SubjectOut):
    """A person, what they wear and what goes on now."""

    sensors: list[WornSensorOut]
    gateway_online: bool | None
    session: SessionOut | None


class ControlOut(BaseModel):
    """A command and how far it came.

    First pending, then applied, expired (its gateway did not take it in time) or refused (its gateway took it, but it
    was not possible: an unknown exercise, a session that is over).

    ``gateway_online`` false means that it will probably expire; the end of a set or session waits instead.
    """

    event_id: str
    type: str
    state: ControlState
    expires_at: datetime
    gateway_online: bool | None = None

    @classmethod
    def of(cls, control: StoredControl, *, gateway_online: bool | None) -> ControlOut:
        """Answer for a command."""
        return cls(
            event_id=control.message.event_id,
            type=str(control.message.command.__struct_config__.tag),
            state=control.state,
            expires_at=utc(control.message.expires_ns),
            gateway_online=gateway_online,
        )


class SensorFaultOut(BaseModel):
    """What is wrong with a sensor now; ``words`` say what to do."""

    placement: Placement
    fault: FaultKind
    words: str

    @classmethod
    def of(cls, result: FaultResult) -> SensorFaultOut:
        """Answer for a fault."""
        return cls(placement=result.placement, fault=result.fault, words=result.words)


class SessionDetailOut(SessionOut):
    """A session with its completed sets."""

    sets: list[SetOut]
    sensor_faults: list[SensorFaultOut]
    """Those that neither a calibration nor, if they pass by themselves, a later set has answered."""


class ExerciseOut(BaseModel):
    """One exercise of the catalogue.

    ``evidence`` says what its numbers were checked against, and with how many people. No count is promised of what is
    ``time_only``.
    """

    code: str
    name: str
    posture: Posture
    counting: Counting
    evidence: Evidence
    evidence_people: int
    time_only: bool
    channels: list[str]
    rom: list[str]
    sensors_best: list[Placement]
    sensors_enough: list[Placement]

    @classmethod
    def of(cls, exercise: Exercise) -> ExerciseOut:
        """Answer for an exercise."""
        return cls(
            code=exercise.code,
            name=exercise.name,
            posture=exercise.posture,
            counting=exercise.counting,
            evidence=exercise.evidence,
            evidence_people=exercise.evidence_people,
            time_only=exercise.time_only,
            channels=[channel.channel.value for channel in exercise.channels],
            rom=[channel.value for channel in exercise.rom],
            sensors_best=sorted(exercise.sensors_best),
            sensors_enough=sorted(exercise.sensors_enough),
        )


class SensorHealthOut(BaseModel):
    """A sensor as its gateway sees it."""

    sensor_id: str
    paired: bool
    connected: bool
    battery_percent: int | None
    rssi_dbm: int | None
    rate_hz: float | None
    lost_fraction: float | None


class GatewayOut(BaseModel):
    """A gateway; ``online`` is None while the service itself does not hear the broker."""

    gateway_id: str
    online: bool | None
    version: str | None
    reported_at: datetime | None
    sensors: list[SensorHealthOut]

    @classmethod
    def of(cls, report: GatewayReport, *, online: bool | None) -> GatewayOut:
        """Answer for a gateway."""
        return cls(
            gateway_id=report.gateway_id,
            online=online,
            version=report.state.version if report.state else None,
            reported_at=None if report.sensors_t_ns is None else utc(report.sensors_t_ns),
            sensors=[
                SensorHealthOut(
                    sensor_id=sensor.sensor_id,
                    paired=sensor.paired,
                    connected=sensor.connected,
                    battery_percent=sensor.battery_percent,
                    rssi_dbm=sensor.rssi_dbm,
                    rate_hz=sensor.rate_hz,
                    lost_fraction=sensor.lost_fraction,
                )
                for sensor in report.sensors
            ],
        )


class HealthOut(BaseModel):
    """Whether the service works; ``broker`` and ``store`` tell which part does not."""

    ok: bool
    broker: bool
    store: bool


def utc(t_ns: int) -> datetime:
    """Time for people and programs that do not count nanoseconds."""
    return datetime.fromtimestamp(t_ns / 1e9, UTC)


def findings_schema() -> dict[str, Any]:
    """Schema of a page of findings; the findings themselves come from the vocabulary (``finding_components``)."""
    return {
        "type": "object",
        "required": ["findings", "next"],
        "properties": {
            "findings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
            "next": {"type": ["string", "null"], "description": "cursor of the next page, null at the end"},
        },
    }
