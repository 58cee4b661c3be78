"""Findings: what the analyzer states about a session, as frozen values.

Times are UTC on the samples' clock, in nanoseconds. Numbers are finite: what is unknown is absent.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from processing.domain.exercises import Channel
from processing.domain.found import Found, RefusalReason
from processing.domain.hold_findings import HoldCompleted, HoldRefused
from processing.domain.posture_findings import EverydayFinding
from processing.domain.quality_findings import SetQuality
from processing.domain.rejections import CountingStopped, RepRejected
from processing.domain.rep_faults import FaultSeen
from processing.domain.rhythm_findings import CyclingBout
from processing.domain.samples import Placement
from processing.domain.sensor_findings import SensorFault


class SetStarted(Found, frozen=True, kw_only=True, tag="set_started"):
    """A set of an exercise began."""

    exercise: str
    set_number: int


class RepCompleted(Found, frozen=True, kw_only=True, tag="rep_completed"):
    """One repetition: ``t0_ns`` start, ``t_peak_ns`` turning point, ``t1_ns`` end.

    ``amplitude`` is peak to peak, in degrees, or metres for ``Channel.VERTICAL``. ``number`` counts from 1 within the
    set and channel. ``faults`` are those that were known when the repetition was over, before it was known what is
    usual in the set; the last word is in ``SetQuality``.

    ``tempo_s`` is the sum of ``out_s`` to the far end, ``hold_s`` near it and ``back_s``, all None where they were not
    seen. Near the far end an angle is within a tenth of its way (1.5° if that is more, but at most a fifth), the
    vertical speed below 0.4 of its peak (our definitions). Who turns like a sine, without any pause, is there for a
    seventh to three tenths of the time. Of a movement to both sides ``hold_s`` is the sum of both ends, and ``back_s``
    includes the way from one to the other.
    """

    exercise: str
    set_number: int
    channel: Channel
    number: int
    t_peak_ns: int
    amplitude: float
    tempo_s: float
    out_s: float | None = None
    hold_s: float | None = None
    back_s: float | None = None
    valid: bool
    faults: tuple[FaultSeen, ...] = ()


class SetCompleted(Found, frozen=True, kw_only=True, tag="set_completed"):
    """A set ended; ``reps`` is the count per channel of the exercise, ``valid_reps`` of these without a fault.

    What is a fault, ``SetQuality`` says.
    """

    exercise: str
    set_number: int
    reps: dict[str, int]
    valid_reps: dict[str, int]


class RomDirection(StrEnum):
    """Direction of a range of motion, as clinicians name it."""

    FLEXION = "flexion"
    EXTENSION = "extension"
    RIGHT_BEND = "right_bend"
    LEFT_BEND = "left_bend"
    LEFT_ROTATION = "left_rotation"
    RIGHT_ROTATION = "right_rotation"


class RomSegment(StrEnum):
    """What moved: a segment against its start pose, or the lumbar spine (thorax against pelvis)."""

    LUMBAR = "lumbar"
    PELVIS = "pelvis"
    THORAX = "thorax"


class RomMeasured(Found, frozen=True, kw_only=True, tag="rom_measured"):
    """Largest angle reached in one direction during a set, from the neutral start pose, degrees ≥ 0.

    Attributes:
        noise_deg: half width of the 95 % band of the angle, from what is known of the sensors and the set.
        peak_speed_dps: largest speed of a movement out to that side, °/s; None if there was none of 10° or more.
        smoothness: mean spectral arc length (SPARC, Balasubramanian et al. 2015) of these movements, without unit:
            about -1.4 is a single smooth one, lower is less smooth.
    """

    exercise: str
    set_number: int
    segment: RomSegment
    direction: RomDirection
    angle_deg: float
    method: str
    calibration_id: str | None
    noise_deg: float | None = None
    peak_speed_dps: float | None = None
    smoothness: float | None = None


class StepBout(Found, frozen=True, kw_only=True, tag="step_bout"):
    """Continuous walking; ``brisk_s`` of it at 100 steps/min and more."""

    steps: int
    cadence_per_min: float
    brisk_s: float


class CalibrationDone(Found, frozen=True, kw_only=True, tag="calibration_done"):
    """A sensor's axes and gyroscope bias are known.

    Attributes:
        method: ``"still"`` (gravity only; flexion and side bend cannot be told apart), ``"functional"``
            (still pose and bending) or ``"mount"`` (still pose and stated mounting).
        gyro_bias_dps: mean rate during the still pose, sensor frame, °/s.
        explained: variance share of the functional axis, None without one.
    """

    placement: Placement
    sensor_id: str
    method: str
    gyro_bias_dps: tuple[float, float, float]
    explained: float | None


class CalibrationRefused(Found, frozen=True, kw_only=True, tag="calibration_refused"):
    """No calibration, and why."""

    placement: Placement
    sensor_id: str
    reason: RefusalReason
    detail: str


class RomRefused(Found, frozen=True, kw_only=True, tag="rom_refused"):
    """No range of motion for this set, and why."""

    exercise: str
    set_number: int
    reason: RefusalReason
    detail: str


class GapSeen(Found, frozen=True, kw_only=True, tag="gap_seen"):
    """Samples of a sensor are missing for longer than can be interpolated."""

    placement: Placement
    sensor_id: str
    cause: str


class PainReported(Found, frozen=True, kw_only=True, tag="pain_reported"):
    """Pain as the person reported it, 0-10."""

    score: int
    exercise: str | None


Finding = (
    SetStarted
    | RepCompleted
    | RepRejected
    | SetCompleted
    | RomMeasured
    | RomRefused
    | SetQuality
    | HoldCompleted
    | HoldRefused
    | StepBout
    | CyclingBout
    | CountingStopped
    | CalibrationDone
    | CalibrationRefused
    | GapSeen
    | PainReported
    | EverydayFinding
    | SensorFault
)


def kind_of(finding: Finding) -> str:
    """Name of the finding's kind as it stands on the wire and in the store."""
    tag = finding.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


class LiveFrame(msgspec.Struct, frozen=True, kw_only=True, tag="live_frame"):
    """What a screen shows between findings; provisional, never stored.

    Angles are degrees from the neutral pose of the set, None where unknown.
    """

    session_id: str
    t_ns: int
    exercise: str | None
    set_number: int
    reps: dict[str, int]
    reps_provisional: dict[str, int] = {}
    """``reps`` and the repetition under way from its turn on; it may be taken back if it proves to be none."""
    held_s: float | None = None
    """How long the pose of the exercise has been held now, None while it is not."""
    lumbar: tuple[float, float, float] | None
    """Flexion, right bend, left rotation of the thorax against the pelvis."""
    trunk: tuple[float, float, float] | None
    """The same of the uppermost sensor against the earth."""
    calibrated: bool
    sensors: dict[str, bool]
    """Placement -> samples are coming."""
