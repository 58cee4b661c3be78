"""Everyday wear between exercises, of simulated people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pytest

from firmware_sim.motion.movements import CALIBRATION
from firmware_sim.patient import SimulatedPatient, draw_patient
from processing.analyzer.inputs import Left, Ordered
from processing.analyzer.session import SessionAnalyzer
from processing.domain.commands import CapturePosture, EndSession, SensorPlacement, StartSession
from processing.domain.findings import Finding
from processing.domain.found import RefusalReason
from processing.domain.ids import SensorId
from processing.domain.posture_findings import (
    BendEpisode,
    CueDue,
    CueReason,
    PostureCaptured,
    PostureCaptureRefused,
    PostureEpisode,
    SlouchEpisode,
    StaticTrunk,
    TrunkExposure,
)
from processing.domain.posture_types import SittingPose, TrunkPosture
from processing.domain.samples import GRAVITY_MPS2, Placement
from processing.domain.sensor_findings import SensorFault
from processing.dsp.blocks import SampleBlock

SESSION = "00000000-0000-4000-8000-000000000001"
BOTH = (Placement.PELVIS, Placement.THORAX)


def ns(t_s: float) -> int:
    return round(t_s * 1e9)


def somebody(seed: int = 21, placements: tuple[Placement, ...] = BOTH) -> SimulatedPatient:
    patient = draw_patient(np.random.default_rng(seed), placements=placements)
    patient.timeline.append(CALIBRATION)
    return patient


def capture(t_s: float, pose: SittingPose) -> Ordered:
    return Ordered(ns(t_s), CapturePosture(session_id=SESSION, pose=pose))


def findings_of(
    patient: SimulatedPatient,
    orders: Sequence[Ordered],
    restart_every_s: int = 0,
    gone: Mapping[Placement, float] = MappingProxyType({}),
) -> list[Finding]:
    """Findings of a whole life; the analyzer is saved and restored every so often, and sensors leave at some time."""
    end_s = int(patient.timeline.end_s) + 5
    worn = tuple(SensorPlacement(sensor_id=place.value, placement=place) for place in patient.sources)
    start = StartSession(session_id=SESSION, sensors=worn)
    analyzer = SessionAnalyzer(start, 0, {SensorId(place.value): True for place in patient.sources})
    findings: list[Finding] = []
    for order in (*orders, Ordered(ns(end_s - 2.0), EndSession(session_id=SESSION))):
        findings += analyzer.feed(order)
    for second in range(end_s):
        if restart_every_s and second % restart_every_s == 0:
            analyzer = SessionAnalyzer.from_state(analyzer.state())
        for place, source in patient.sources.items():
            if second >= gone.get(place, end_s):
                findings += analyzer.feed(Left(SensorId(place.value), ns(second), "disconnected"))
                continue
            for part in source.runs(float(second), second + 1.0):
                t_ns = ns(part.t_s) + np.arange(len(part.counts), dtype=np.int64) * (source.period_us * 1000)
                acc = part.counts[:, :3] * (source.acc_range_g * GRAVITY_MPS2 / 32768)
                gyr = part.counts[:, 3:] * (np.radians(source.gyr_range_dps) / 32768)
                findings += analyzer.feed(SampleBlock(SensorId(place.value), t_ns, acc, gyr))
    assert analyzer.ended
    return findings


def test_a_pose_is_refused_when_a_sensor_is_gone() -> None:
    patient = somebody()
    patient.timeline.append("quiet_sitting", duration_s=45.0)
    gone_s = patient.timeline.end_s - 40.0
    findings = findings_of(patient, [capture(gone_s + 1.0, SittingPose.UPRIGHT)], gone={Placement.THORAX: gone_s})
    (refused,) = of(PostureCaptureRefused, findings)
    assert refused.reason is RefusalReason.NO_DATA


def test_a_sensor_that_loses_most_samples_tells_no_bends() -> None:
    patient = draw_patient(np.random.default_rng(21), lost_fraction=0.4)
    patient.timeline.append(CALIBRATION)
    patient.timeline.append("stoop_lift", reps=3)
    findings = findings_of(patient, ())
    assert of(SensorFault, findings)
    assert not of(BendEpisode, findings)


def of(kind: type, findings: Sequence[Finding]) -> list:
    return [finding for finding in findings if isinstance(finding, kind)]


@pytest.mark.parametrize("placements", [BOTH, (Placement.THORAX,)])
def test_slouching_is_told_by_the_persons_own_poses_and_reminded_of(placements: tuple[Placement, ...]) -> None:
    patient = somebody(placements=placements)
    upright = patient.timeline.append("sitting_upright", duration_s=8.0).sitting[0]
    slump = patient.timeline.append("sitting_slumped", duration_s=8.0).sitting[0]
    patient.timeline.append("sitting_upright", duration_s=20.0)
    slouched = patient.timeline.append("sitting_slumped", duration_s=40.0).sitting[0]
    orders = [capture(upright.start_s, SittingPose.UPRIGHT), capture(slump.start_s, SittingPose.SLUMP)]
    findings = findings_of(patient, orders)
    assert findings == findings_of(patient, orders, restart_every_s=7)
    assert [taken.pose for taken in of(PostureCaptured, findings)] == [SittingPose.UPRIGHT, SittingPose.SLUMP]
    (episode,) = of(SlouchEpisode, findings)
    assert abs(episode.t0_ns - ns(slouched.start_s)) < ns(1.0)
    assert abs(episode.t1_ns - ns(slouched.end_s)) < ns(2.5)  # sitting up takes up to 1.9 s
    assert episode.personal
    (cue,) = of(CueDue, findings)
    assert (cue.t0_ns, cue.after_s) == (episode.t0_ns, 30.0)


def test_two_poses_that_are_almost_the_same_are_refused() -> None:
    patient = somebody()
    once = patient.timeline.append("sitting_upright", duration_s=10.0).sitting[0]
    again = patient.timeline.append("sitting_upright", duration_s=10.0).sitting[0]
    findings = findings_of(
        patient, [capture(once.start_s, SittingPose.UPRIGHT), capture(again.start_s, SittingPose.SLUMP)]
    )
    (refused,) = of(PostureCaptureRefused, findings)
    assert (refused.pose, refused.reason) == (SittingPose.SLUMP, RefusalReason.TOO_CLOSE)


def test_a_pose_of_somebody_who_walks_is_refused() -> None:
    patient = somebody()
    walk = patient.timeline.append("walking", duration_s=40.0)
    findings = findings_of(patient, [capture(walk.start_s + 4.0, SittingPose.UPRIGHT)])
    (refused,) = of(PostureCaptureRefused, findings)
    assert refused.reason is RefusalReason.MOVING
    assert not of(PostureCaptured, findings)


@pytest.mark.parametrize("placements", [BOTH, (Placement.PELVIS,)])
def test_bends_and_lifts_are_told_from_walking_and_from_standing_up(placements: tuple[Placement, ...]) -> None:
    patient = somebody(placements=placements)
    for code in ("walking", "stairs_up", "sit_to_stand"):
        patient.timeline.append(code, reps=2, duration_s=8.0)
    lifts = [patient.timeline.append(code, reps=2) for code in ("stoop_lift", "squat_lift", "twisted_lift")]
    findings = findings_of(patient, ())
    assert findings == findings_of(patient, (), restart_every_s=3)
    true = [bend for lift in lifts for bend in lift.bends]
    bends = of(BendEpisode, findings)
    assert len(bends) == len(true)
    for found, bend in zip(bends, true, strict=True):
        assert abs(found.t_peak_ns - ns(bend.peak_s)) < ns(0.6)
        assert found.knees_bent is bend.knees_bent
        if placements == BOTH:
            assert found.peak_flexion_deg == pytest.approx(bend.peak_flexion_deg, abs=2.0)
            assert abs(found.left_twist_deg) == pytest.approx(bend.twist_deg, abs=2.0)
        else:
            assert found.left_twist_deg is None
    (sums,) = of(TrunkExposure, findings)
    assert (sums.bends, sums.knees_bent) == (6, 2)
    assert sum(sums.band_s.values()) == pytest.approx(sums.upright_s)
    assert sums.over_60_s <= sums.over_30_s <= sums.upright_s


def test_a_trunk_held_forward_is_static_and_reminded_of_when_its_time_is_over() -> None:
    patient = somebody(placements=(Placement.THORAX,))
    held = patient.timeline.append("hamstring_stretch_standing", reps=1, duration_s=150.0).holds[0]
    findings = findings_of(patient, ())
    static = max(of(StaticTrunk, findings), key=lambda one: one.t1_ns - one.t0_ns)
    assert abs(static.t0_ns - ns(held.start_s)) < ns(1.5)
    assert abs(static.t1_ns - ns(held.end_s)) < ns(1.5)
    (cue,) = of(CueDue, findings)
    assert cue.reason is CueReason.STATIC_TRUNK
    assert cue.t0_ns == static.t0_ns
    assert static.limit_s is not None
    assert cue.after_s == pytest.approx(static.limit_s, abs=20.0)  # the mean angle goes on changing after the reminder


def test_postures_follow_each_other_as_they_were_taken() -> None:
    patient = somebody()
    for code in ("quiet_sitting", "quiet_standing", "cat_cow", "bridge", "prone_on_elbows"):
        patient.timeline.settle(code, not_before_s=patient.timeline.end_s + 8.0)
    patient.timeline.settle("quiet_standing", not_before_s=patient.timeline.end_s + 8.0)
    assert [episode.posture for episode in of(PostureEpisode, findings_of(patient, ()))] == [
        TrunkPosture.STANDING,
        TrunkPosture.SITTING,
        TrunkPosture.STANDING,
        TrunkPosture.FACE_DOWN,
        TrunkPosture.SUPINE,
        TrunkPosture.FACE_DOWN,
        TrunkPosture.STANDING,
    ]
