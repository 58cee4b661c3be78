"""What the end of a set says of simulated people who are not alike to both sides, and who do some repetitions wrong."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np
import pytest

from firmware_sim.motion.course import Manner
from firmware_sim.motion.movements import CALIBRATION
from firmware_sim.motion.truth import Fault, SetTruth
from firmware_sim.patient import SimulatedPatient, draw_patient
from processing.analyzer.inputs import Ordered, SessionInput
from processing.analyzer.session import SessionAnalyzer
from processing.domain.commands import EndSession, EndSet, SensorPlacement, StartExercise, StartSession
from processing.domain.findings import Finding
from processing.domain.ids import SensorId
from processing.domain.quality_findings import SetQuality
from processing.domain.rep_faults import RepFault
from processing.domain.samples import GRAVITY_MPS2
from processing.dsp.blocks import SampleBlock

SESSION = "00000000-0000-4000-8000-000000000001"
SECOND_SIDE = {"standing_side_bend": -1.0, "standing_rotation": 1.0}
"""Sign of the asymmetry of who goes further to the second side: left in the bend, right in the turn."""


def ns(t_s: float) -> int:
    return round(t_s * 1e9)


def done(seed: int, code: str, faulty_share: float = 0.0) -> tuple[SimulatedPatient, SetTruth, SetQuality]:
    """A person calibrates and does ten repetitions."""
    patient = draw_patient(np.random.default_rng(seed))
    patient.timeline.append(CALIBRATION)
    truth = patient.timeline.append(code, reps=10, manner=Manner(faulty_share=faulty_share))
    worn = tuple(SensorPlacement(sensor_id=place.value, placement=place) for place in patient.sources)
    given: list[tuple[int, SessionInput]] = [
        (ns(truth.start_s), Ordered(ns(truth.start_s), StartExercise(session_id=SESSION, exercise=code))),
        (ns(truth.end_s), Ordered(ns(truth.end_s), EndSet(session_id=SESSION))),
        (ns(truth.end_s), Ordered(ns(truth.end_s), EndSession(session_id=SESSION))),
    ]
    for place, source in patient.sources.items():
        for second in range(int(truth.end_s) + 2):
            for part in source.runs(float(second), second + 1.0):
                t_ns = ns(part.t_s) + np.arange(len(part.counts), dtype=np.int64) * (source.period_us * 1000)
                acc = part.counts[:, :3] * (source.acc_range_g * GRAVITY_MPS2 / 32768)
                gyr = part.counts[:, 3:] * (np.radians(source.gyr_range_dps) / 32768)
                given.append((int(t_ns[-1]), SampleBlock(SensorId(place.value), t_ns, acc, gyr)))
    analyzer = SessionAnalyzer(
        StartSession(session_id=SESSION, sensors=worn), 0, {SensorId(place.value): True for place in patient.sources}
    )
    findings: Sequence[Finding] = [
        one for _, piece in sorted(given, key=lambda one: one[0]) for one in analyzer.feed(piece)
    ]
    (quality,) = (one for one in findings if isinstance(one, SetQuality))
    return patient, truth, quality


@pytest.mark.parametrize("code", SECOND_SIDE)
@pytest.mark.parametrize("seed", [31, 32])
def test_asymmetry_is_that_of_the_person(seed: int, code: str) -> None:
    patient, _, quality = done(seed, code)
    more = patient.timeline.body.asymmetry
    assert quality.asymmetry == pytest.approx(SECOND_SIDE[code] * more / (2.0 + more), abs=0.03)
    assert quality.judged == 10
    assert quality.faulty == ()


@pytest.mark.parametrize("seed", [33, 35])
def test_sides_that_take_turns_are_compared_too(seed: int) -> None:
    patient, truth, quality = done(seed, "bird_dog")
    first_deg, second_deg = (median(rep.amplitude for rep in truth.reps[at::2]) for at in (0, 1))
    more_to_the_second = (second_deg - first_deg) / (second_deg + first_deg)
    # The leg that is lifted first turns the pelvis to the left in those who begin with the right one.
    sign = 1.0 if patient.timeline.body.right_first else -1.0
    assert abs(more_to_the_second) > 0.05
    assert quality.asymmetry == pytest.approx(sign * more_to_the_second, abs=0.03)


def test_squats_done_wrong_are_told_from_those_done_well() -> None:
    _, truth, quality = done(35, "squat", faulty_share=0.3)
    named = {
        Fault.PARTIAL: RepFault.SHALLOW,
        Fault.LEAN: RepFault.LEAN,
        Fault.LUMBAR_FLEXION: RepFault.LUMBAR_FLEXION,
        Fault.TWIST: RepFault.TWIST,
    }
    made = {rep.number: named[rep.fault] for rep in truth.reps if rep.fault is not None}
    seen = {rep.number: {fault.fault for fault in rep.faults} for rep in quality.faulty}
    assert len(made) >= 2
    assert set(seen) == set(made)
    assert all(fault in seen[number] for number, fault in made.items())
