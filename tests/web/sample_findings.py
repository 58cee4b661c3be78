"""Findings as the worker would commit them, for tests of API and pages."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from processing.domain.commands import RepTarget
from processing.domain.exercise_types import Posture
from processing.domain.exercises import Channel
from processing.domain.findings import (
    CalibrationDone,
    Finding,
    RepCompleted,
    RomDirection,
    RomMeasured,
    RomRefused,
    RomSegment,
    SetCompleted,
    SetStarted,
    StepBout,
    kind_of,
)
from processing.domain.found import RefusalReason
from processing.domain.hold_findings import HoldCompleted
from processing.domain.ids import SessionId, finding_uuid
from processing.domain.quality_findings import FaultyRep, SetQuality
from processing.domain.rejections import CountingStopped, RejectionReason, RepRejected
from processing.domain.rep_faults import FaultSeen, RepFault, Unit
from processing.domain.rhythm_findings import CyclingBout
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind, SensorFault
from tests.web.service_twin import T0_NS


def base(session_id: str, kind: str, ordinal: int, t0_s: float, t1_s: float) -> dict[str, Any]:
    return {
        "finding_id": finding_uuid(SessionId(session_id), kind, ordinal),
        "session_id": session_id,
        "ordinal": ordinal,
        "t0_ns": T0_NS + int(t0_s * 1e9),
        "t1_ns": T0_NS + int(t1_s * 1e9),
        "algorithm": "test/1",
        "quality": 1.0,
    }


def a_stop(session_id: str, number: int) -> CountingStopped:
    """The person of a set of forward bending walks off."""
    return CountingStopped(
        **base(session_id, "counting_stopped", number, 5, 5),
        exercise="standing_flexion_extension",
        set_number=number,
        reason=RejectionReason.WALKING,
    )


def a_set(session_id: str, number: int = 1, reps: int = 8, *, refused: bool = False) -> list[Finding]:
    """Findings of one set of forward bending, in order."""
    exercise = "standing_flexion_extension"
    o = number - 1
    common: dict[str, Any] = {"exercise": exercise, "set_number": number}
    found: list[Finding] = [SetStarted(**base(session_id, "set_started", o, 0, 0), **common)]
    for index in range(reps):
        rep = RepCompleted(
            **base(session_id, "rep_completed", o * 100 + index, 4 * index, 4 * index + 3.9),
            **common,
            channel=Channel.FLEXION,
            number=index + 1,
            t_peak_ns=T0_NS + int((4 * index + 2) * 1e9),
            amplitude=71.23456789012345 + index / 3,
            tempo_s=3.9,
            out_s=1.4,
            hold_s=0.9,
            back_s=1.6,
            valid=index != 2,
        )
        found.append(rep)
    if refused:
        found.append(
            RomRefused(
                **base(session_id, "rom_refused", o, 0, 4 * reps),
                **common,
                reason=RefusalReason.NO_DATA,
                detail="thorax silent",
            )
        )
    else:
        for index, (direction, angle) in enumerate([(RomDirection.FLEXION, 52.4), (RomDirection.EXTENSION, 18.6)]):
            found.append(
                RomMeasured(
                    **base(session_id, "rom_measured", 2 * o + index, 0, 4 * reps),
                    **common,
                    segment=RomSegment.LUMBAR,
                    direction=direction,
                    angle_deg=angle,
                    method="isb_zxy/1",
                    calibration_id=None,
                )
            )
    found.append(
        SetCompleted(
            **base(session_id, "set_completed", o, 0, 4 * reps),
            **common,
            reps={"flexion": reps},
            valid_reps={"flexion": max(0, reps - 1)},
        )
    )
    return found


SHALLOW = FaultSeen(fault=RepFault.SHALLOW, found=31.0, usual=55.0, unit=Unit.DEGREES)


def a_rep(session_id: str, number: int, *faults: FaultSeen) -> RepCompleted:
    """A forward bend of set 1."""
    return RepCompleted(
        **base(session_id, "rep_completed", number - 1, 4 * number, 4 * number + 3.9),
        exercise="standing_flexion_extension",
        set_number=1,
        channel=Channel.FLEXION,
        number=number,
        t_peak_ns=T0_NS,
        amplitude=55.0,
        tempo_s=3.9,
        out_s=1.4,
        hold_s=0.9,
        back_s=1.6,
        valid=not faults,
        faults=faults,
    )


def a_quality(session_id: str, judged: int, faulty: int) -> SetQuality:
    """Of the forward bends of set 1 the first ones were too small, and the very first twisted too."""
    twist = FaultSeen(fault=RepFault.TWIST, found=20.0, usual=3.0, unit=Unit.DEGREES)
    return SetQuality(
        **base(session_id, "set_quality", 0, 0, 4 * judged),
        exercise="standing_flexion_extension",
        set_number=1,
        channel=Channel.FLEXION,
        judged=judged,
        watched=(RepFault.SHALLOW, RepFault.TWIST),
        faulty=tuple(
            FaultyRep(number=number, faults=(SHALLOW, twist) if number == 1 else (SHALLOW,))
            for number in range(1, faulty + 1)
        ),
        usual=RepTarget(amplitude=55.0),
        left_deg=None,
        right_deg=None,
        asymmetry=None,
    )


def a_rejection(session_id: str, ordinal: int, reason: RejectionReason) -> RepRejected:
    """A movement in set 1 that was no repetition."""
    return RepRejected(
        **base(session_id, "rep_rejected", ordinal, ordinal, ordinal + 1),
        exercise="standing_flexion_extension",
        set_number=1,
        channel=Channel.FLEXION,
        t_peak_ns=T0_NS,
        amplitude=4.0,
        reason=reason,
    )


def a_hold(session_id: str, number: int = 1, seconds: float = 24.4, **changes: object) -> HoldCompleted:
    """A plank of set 1."""
    hold = HoldCompleted(
        **base(session_id, "hold_completed", number - 1, 2, 2 + seconds),
        exercise="high_plank",
        set_number=1,
        number=number,
        placement=Placement.PELVIS,
        posture=Posture.PRONE,
        seconds=seconds,
        sag_deg=3.2,
        sway_deg=0.4,
        breaks=0,
        whole=True,
    )
    return msgspec.structs.replace(hold, **changes)


def a_timed_set(session_id: str, exercise: str, seconds: float = 300.0) -> SetCompleted:
    """The end of set 1 of an exercise that is not counted."""
    return SetCompleted(
        **base(session_id, "set_completed", 0, 0, seconds),
        exercise=exercise,
        set_number=1,
        reps={},
        valid_reps={},
    )


def a_walk(session_id: str, ordinal: int, steps: int, brisk_s: float) -> StepBout:
    """A bout of steps."""
    at_s = 100.0 * ordinal
    return StepBout(
        **base(session_id, "step_bout", ordinal, at_s, at_s + 90), steps=steps, cadence_per_min=105.0, brisk_s=brisk_s
    )


def a_ride(session_id: str, ordinal: int, seconds: float, cadence_per_min: float) -> CyclingBout:
    """A bout of pedalling."""
    at_s = 100.0 * ordinal
    return CyclingBout(
        **base(session_id, "cycling_bout", ordinal, at_s, at_s + seconds), cadence_per_min=cadence_per_min
    )


def a_fault(session_id: str, ordinal: int, fault: FaultKind, at_s: float) -> SensorFault:
    """Something is wrong with the upper sensor."""
    return SensorFault(
        **base(session_id, "sensor_fault", ordinal, at_s, at_s + 1),
        placement=Placement.THORAX,
        sensor_id="imu-t12",
        fault=fault,
        detail="20° off",
    )


def a_calibration(session_id: str, at_s: float) -> CalibrationDone:
    """A calibration of the upper sensor."""
    return CalibrationDone(
        **base(session_id, "calibration_done", round(at_s), at_s, at_s + 10),
        placement=Placement.THORAX,
        sensor_id="imu-t12",
        method="functional",
        gyro_bias_dps=(0.0, 0.0, 0.0),
        explained=0.99,
    )


def one_of_each(session_id: str) -> list[Finding]:
    """A finding of every kind, with whatever fits its fields."""
    found = []
    for kind in get_args(Finding):
        filled: Finding = _some(msgspec.inspect.type_info(kind))
        name = kind_of(filled)
        found.append(
            msgspec.structs.replace(
                filled, finding_id=finding_uuid(SessionId(session_id), name, 0), session_id=session_id
            )
        )
    return found


_PLAIN: dict[type[msgspec.inspect.Type], object] = {
    msgspec.inspect.StrType: "flexion",
    msgspec.inspect.BoolType: True,
    msgspec.inspect.IntType: 1,
    msgspec.inspect.FloatType: 1.0,
}


def _some(of: msgspec.inspect.Type) -> Any:
    """A value of a type."""
    match of:
        case msgspec.inspect.StructType():
            value: object = of.cls(**{field.name: _some(field.type) for field in of.fields})
        case msgspec.inspect.EnumType():
            value = next(iter(of.cls))
        case msgspec.inspect.UnionType():
            value = _some(next(one for one in of.types if not isinstance(one, msgspec.inspect.NoneType)))
        case msgspec.inspect.TupleType():
            value = tuple(_some(one) for one in of.item_types)
        case msgspec.inspect.VarTupleType():
            value = (_some(of.item_type),)
        case msgspec.inspect.DictType():
            value = {_some(of.key_type): _some(of.value_type)}
        case _:
            value = _PLAIN[type(of)]
    return value
