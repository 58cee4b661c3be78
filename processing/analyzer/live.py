"""What a screen shows of a session between findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from processing.analyzer.calibration import Calibrator
from processing.analyzer.exercise_set import ExerciseSet
from processing.analyzer.sensor import SensorPath
from processing.domain.findings import LiveFrame, RomSegment
from processing.domain.samples import Placement


def live_frame(
    session_id: str,
    t_ns: int,
    set_number: int,
    running: ExerciseSet | None,
    paths: Sequence[SensorPath],
    calibrators: Mapping[Placement, Calibrator],
) -> LiveFrame:
    """Frame of a session at a time, with the set that is running, if one is."""
    angles = {} if running is None else running.live()
    upper = Placement.THORAX if Placement.THORAX in calibrators else Placement.PELVIS
    return LiveFrame(
        session_id=session_id,
        t_ns=t_ns,
        exercise=None if running is None else running.exercise.code,
        set_number=set_number,
        reps={} if running is None else running.reps(),
        reps_provisional={} if running is None else running.provisional(),
        held_s=None if running is None else running.held_s,
        lumbar=angles.get(RomSegment.LUMBAR),
        trunk=angles.get(RomSegment(upper.value)),
        calibrated=all(one.rightward is not None for one in calibrators.values()),
        sensors={path.placement.value: path.timeline.present for path in paths},
    )
