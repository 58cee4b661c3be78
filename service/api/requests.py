"""Bodies of requests: refused field by field when they are not what they should be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from processing.domain.exercises import CATALOGUE
from processing.domain.ids import GatewayId, SensorId, SubjectId
from processing.domain.posture_types import SittingPose
from processing.domain.samples import Placement
from service.api.desk import ExerciseOrder
from service.api.ports import Pairing

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$", examples=["patient-1"])]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StartSessionIn(_In):
    """Whose session to open."""

    subject_id: Name


class CalibrateIn(_In):
    """Calibrate again: stand still, then bend forward and back."""

    type: Literal["calibrate"]


class StartExerciseIn(_In):
    """Begin a set; ends the running one."""

    type: Literal["start_exercise"]
    exercise: Annotated[str, Field(examples=sorted(CATALOGUE))]


class EndSetIn(_In):
    """End the running set."""

    type: Literal["end_set"]


class EndSessionIn(_In):
    """Close the session."""

    type: Literal["end_session"]


class ReportPainIn(_In):
    """Pain, 0 (none) to 10 (worst imaginable)."""

    type: Literal["report_pain"]
    score: Annotated[int, Field(ge=0, le=10)]


class CapturePostureIn(_In):
    """Take the person's own way of sitting: still for 3 s, upright or slumped."""

    type: Literal["capture_posture"]
    pose: SittingPose


AnyCommandIn = CalibrateIn | StartExerciseIn | EndSetIn | EndSessionIn | ReportPainIn | CapturePostureIn
CommandIn = Annotated[AnyCommandIn, Field(discriminator="type")]


def order_of(command: AnyCommandIn) -> ExerciseOrder:
    """The order that a body states."""
    match command:
        case StartExerciseIn():
            return ExerciseOrder(command.type, exercise=command.exercise)
        case ReportPainIn():
            return ExerciseOrder(command.type, score=command.score)
        case CapturePostureIn():
            return ExerciseOrder(command.type, pose=command.pose)
        case CalibrateIn() | EndSetIn() | EndSessionIn():
            return ExerciseOrder(command.type)


class PairingIn(_In):
    """A sensor, who wears it where, and the gateway that reads it."""

    sensor_id: Name
    subject_id: Name
    placement: Placement
    gateway_id: Name
    mount: Annotated[str | None, Field(max_length=24, examples=["up:+x,forward:-z"])] = None

    def pairing(self) -> Pairing:
        """The pairing as the store takes it."""
        return Pairing(
            SensorId(self.sensor_id),
            SubjectId(self.subject_id),
            self.placement,
            GatewayId(self.gateway_id),
            self.mount,
        )
