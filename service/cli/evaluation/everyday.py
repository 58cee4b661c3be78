"""Everyday wear of simulated people: postures, bends and slouching, with the truth known by construction.

No recording of the data shows people at work or at home, so these figures rest on simulation only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from firmware_sim.motion.movements import CALIBRATION
from firmware_sim.motion.truth import BendTruth, PostureTruth, SetTruth, SittingTruth
from firmware_sim.patient import SimulatedPatient, draw_patient
from processing.analyzer.inputs import Ordered
from processing.analyzer.recording import RecordedSession, analyze_recording
from processing.domain.commands import CapturePosture, SensorPlacement, StartSession
from processing.domain.exercises import Posture
from processing.domain.findings import Finding
from processing.domain.posture_findings import BendEpisode, PostureEpisode, SlouchEpisode
from processing.domain.posture_types import SittingPose, TrunkPosture
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S
from processing.dsp.slouch import DELAYS_NS, ENTER_SHARE
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.simulated import LOST_FRACTION, sampled

SEED = 30_260
"""Seed of the people; another one gives other people."""

BENDS = ("bend", "stoop_lift", "squat_lift", "twisted_lift")
NO_BENDS = ("walking", "stairs_up", "stairs_down", "quiet_standing", "sit_to_stand")
WAYS_OF_SITTING = (
    ("sitting_slumped", 45.0),
    ("sitting_upright", 45.0),
    ("quiet_sitting", 45.0),
    ("sitting_slumped", 35.0),
)
POSTURES = ("cat_cow", "prone_on_elbows", "bridge", "side_plank", "quiet_standing")
SETTLED_S = 12.0
SETTLING_S = 3.0
"""Beginning of a posture that is not judged: changing over takes the dwell of 2 s to be believed."""

_SESSION = "00000000-0000-4000-8000-000000000002"
_METHOD = "analyzer, two sensors, calibration, no exercise; every second person with cheap sensors, 3 % loss"
_ALONE = "the same with the sensor of the pelvis alone"
_RIGHT = {
    Posture.STANDING: {TrunkPosture.STANDING, TrunkPosture.UPRIGHT},
    Posture.SITTING: {TrunkPosture.SITTING, TrunkPosture.UPRIGHT},
    Posture.QUADRUPED: {TrunkPosture.FACE_DOWN},
    Posture.PRONE: {TrunkPosture.FACE_DOWN},
    Posture.SUPINE: {TrunkPosture.SUPINE},
}


class _Day(NamedTuple):
    """What a person did."""

    postures: Sequence[PostureTruth]
    bends: Sequence[BendTruth]
    no_bends: Sequence[SetTruth]
    sitting: Sequence[SittingTruth]
    side: TrunkPosture


class _Scored(NamedTuple):
    """Seconds of posture (judged, right, told to be sitting or standing), bends and slouches of one person."""

    person: str
    judged_s: float
    right_s: float
    seated_s: float
    told_s: float
    bends: int
    found: int
    peak_errors_deg: Sequence[float]
    twist_errors_deg: Sequence[float]
    knees_right: int
    false_bends: Sequence[str]
    slouches: int
    slouches_found: int
    false_slouches: int


def everyday_figures(people: int, progress: Progress) -> list[Figure]:
    """Figures of so many simulated people."""
    everybody = list(progress.each(_person, range(people)))
    scored, alone = [both for both, _ in everybody], [pelvis for _, pelvis in everybody]
    return [
        _share(figures.POSTURE_TIME, scored, "right_s", "judged_s", f"{_METHOD}; from {SETTLING_S:g} s into each on"),
        _share(figures.SEAT_TIME, scored, "told_s", "seated_s", "of these the time sitting and standing, told apart"),
        _share(figures.BENDS_FOUND, scored, "found", "bends", _METHOD),
        _false_bends(scored),
        _error(figures.PEAK_ERROR, {one.person: one.peak_errors_deg for one in scored}),
        _error(figures.TWIST_ERROR, {one.person: one.twist_errors_deg for one in scored}),
        _share(figures.KNEES, scored, "knees_right", "found", "of the bends found"),
        _share(figures.SLOUCHES_FOUND, scored, "slouches_found", "slouches", f"{_METHOD}; own poses captured"),
        _sum(figures.FALSE_SLOUCHES, scored),
        _share(figures.POSTURE_TIME, alone, "right_s", "judged_s", _ALONE, comparison=True),
        _share(figures.BENDS_FOUND, alone, "found", "bends", _ALONE, comparison=True),
        _false_bends(alone, comparison=True),
        _share(figures.KNEES, alone, "knees_right", "found", f"{_ALONE}, of the bends found", comparison=True),
        _share(figures.SLOUCHES_FOUND, alone, "slouches_found", "slouches", _ALONE, comparison=True),
    ]


def _person(number: int) -> tuple[_Scored, _Scored]:
    """What was found with both sensors, and with that of the pelvis alone."""
    cheap = number % 2 == 1
    patient = draw_patient(
        np.random.default_rng([SEED, number]),
        grade="cheap" if cheap else "good",
        lost_fraction=LOST_FRACTION if cheap else 0.0,
    )
    session, day = _live(patient)
    both, _ = analyze_recording(session)
    alone, _ = analyze_recording(_with_pelvis_alone(session))
    return _score(f"person {number}", day, both), _score(f"person {number}", day, alone)


def _with_pelvis_alone(session: RecordedSession) -> RecordedSession:
    worn = tuple(one for one in session.start.sensors if one.placement is Placement.PELVIS)
    blocks = tuple(block for block in session.blocks if block.sensor_id in {one.sensor_id for one in worn})
    return RecordedSession(StartSession(session_id=_SESSION, sensors=worn), blocks, session.orders)


def _live(patient: SimulatedPatient) -> tuple[RecordedSession, _Day]:
    timeline = patient.timeline
    timeline.append(CALIBRATION)
    orders: list[Ordered] = []
    for pose, code in ((SittingPose.UPRIGHT, "sitting_upright"), (SittingPose.SLUMP, "sitting_slumped")):
        (own,) = timeline.append(code, duration_s=SETTLED_S).sitting
        orders.append(Ordered(_ns(own.start_s), CapturePosture(session_id=_SESSION, pose=pose)))
    sitting = [timeline.append(code, duration_s=seconds) for code, seconds in WAYS_OF_SITTING]
    no_bends = [timeline.append(code, duration_s=25.0, reps=3) for code in NO_BENDS]
    bends = [timeline.append(code, reps=3) for code in BENDS]
    for code in POSTURES:
        timeline.settle(code, not_before_s=timeline.end_s + SETTLED_S)
    end_s = timeline.end_s + SETTLED_S
    worn = tuple(SensorPlacement(sensor_id=place.value, placement=place) for place in patient.sources)
    blocks = tuple(sampled(place, source, end_s) for place, source in patient.sources.items())
    day = _Day(
        timeline.postures,
        [bend for one in bends for bend in one.bends],
        no_bends,
        [way for one in sitting for way in one.sitting],
        TrunkPosture.RIGHT_SIDE if timeline.body.right_first else TrunkPosture.LEFT_SIDE,
    )
    return RecordedSession(StartSession(session_id=_SESSION, sensors=worn), blocks, tuple(orders)), day


def _score(person: str, day: _Day, findings: Sequence[Finding]) -> _Scored:
    judged_s, right_s, seated_s, told_s = _posture_times(day, findings)
    found = [finding for finding in findings if isinstance(finding, BendEpisode)]
    pairs = [(true, one) for true in day.bends for one in found if one.t0_ns <= _ns(true.peak_s) <= one.t1_ns]
    matched = {one.ordinal for _, one in pairs}
    slouched = [finding for finding in findings if isinstance(finding, SlouchEpisode)]
    long = [way for way in day.sitting if way.slump > ENTER_SHARE and _ns(way.end_s - way.start_s) >= DELAYS_NS[0]]
    hit = [one for one in slouched if any(_covers(one, way) for way in long)]
    return _Scored(
        person=person,
        judged_s=judged_s,
        right_s=right_s,
        seated_s=seated_s,
        told_s=told_s,
        bends=len(day.bends),
        found=len({true for true, _ in pairs}),
        peak_errors_deg=[abs(one.peak_flexion_deg - true.peak_flexion_deg) for true, one in pairs],
        twist_errors_deg=[abs(abs(one.left_twist_deg or 0.0) - true.twist_deg) for true, one in pairs],
        knees_right=sum(one.knees_bent is true.knees_bent for true, one in pairs),
        false_bends=[_doing(day, one) for one in found if one.ordinal not in matched],
        slouches=len(long),
        slouches_found=sum(any(_covers(one, way) for one in slouched) for way in long),
        false_slouches=len(slouched) - len(hit),
    )


def _covers(one: SlouchEpisode, way: SittingTruth) -> bool:
    return one.t0_ns <= _ns((way.start_s + way.end_s) / 2.0) <= one.t1_ns


def _posture_times(day: _Day, findings: Sequence[Finding]) -> tuple[float, float, float, float]:
    """Seconds judged, right, truly sitting or standing, and told so, by the middles of tenths of seconds."""
    episodes = [finding for finding in findings if isinstance(finding, PostureEpisode)]
    known_s = min((one.t0_ns for one in episodes), default=0) / NS_PER_S
    judged = right = seated = told = 0
    for true in day.postures:
        begin_s = max(true.start_s + SETTLING_S, known_s)
        end_s = begin_s + SETTLED_S - SETTLING_S if true.end_s is None else true.end_s
        allowed = {day.side} if true.posture is Posture.SIDE_LYING else _RIGHT[true.posture]
        for t_s in np.arange(begin_s, end_s, 0.1):
            found = next((one.posture for one in episodes if one.t0_ns <= _ns(t_s) < one.t1_ns), None)
            judged += 1
            right += found in allowed
            if true.posture in (Posture.SITTING, Posture.STANDING):
                seated += 1
                told += found is not None and found.value == true.posture.value
    return 0.1 * judged, 0.1 * right, 0.1 * seated, 0.1 * told


def _doing(day: _Day, bend: BendEpisode) -> str:
    during = (one.exercise for one in day.no_bends if _ns(one.start_s) <= bend.t_peak_ns <= _ns(one.end_s))
    return next(during, "changing over")


def _share(
    measure: str, scored: Sequence[_Scored], part: str, whole: str, method: str, *, comparison: bool = False
) -> Figure:
    of = sum(getattr(one, whole) for one in scored)
    rates = {one.person: 100.0 * getattr(one, part) / getattr(one, whole) for one in scored if getattr(one, whole)}
    got = sum(getattr(one, part) for one in scored)
    return Figure(
        set=figures.EVERYDAY,
        measure=measure,
        method=method,
        unit="%",
        value=100.0 * got / of if of else None,
        people=len(rates),
        recordings=len(rates),
        per_person=rates,
        worst=min(rates, key=lambda person: rates[person], default=None),
        note=f"{got:.6g} of {of:.6g}" + (" s" if whole.endswith("_s") else ""),
        comparison=comparison,
    )


def _false_bends(scored: Sequence[_Scored], *, comparison: bool = False) -> Figure:
    doing = [what for one in scored for what in one.false_bends]
    named = ", ".join(f"{what} {doing.count(what)}" for what in sorted(set(doing)))
    return Figure(
        set=figures.EVERYDAY,
        measure=figures.FALSE_BENDS,
        method=_ALONE
        if comparison
        else f"during {', '.join(NO_BENDS)} (25 s or 3 times each), sitting, and changes of posture",
        unit="",
        value=float(len(doing)) if scored else None,
        people=len(scored),
        recordings=len(scored),
        per_person={one.person: float(len(one.false_bends)) for one in scored},
        note=named,
        comparison=comparison,
    )


def _error(measure: str, by_person: Mapping[str, Sequence[float]]) -> Figure:
    errors = {person: float(np.mean(own)) for person, own in by_person.items() if own}
    everything = [error for own in by_person.values() for error in own]
    return Figure(
        set=figures.EVERYDAY,
        measure=measure,
        method="of the bends found",
        unit="°",
        value=float(np.mean(everything)) if everything else None,
        people=len(errors),
        recordings=len(errors),
        repetitions=len(everything),
        per_person=errors,
        worst=max(errors, key=lambda person: errors[person], default=None),
    )


def _sum(measure: str, scored: Sequence[_Scored]) -> Figure:
    return Figure(
        set=figures.EVERYDAY,
        measure=measure,
        method="upright, as people just sit, and everything else",
        unit="",
        value=float(sum(one.false_slouches for one in scored)) if scored else None,
        people=len(scored),
        recordings=len(scored),
        per_person={one.person: float(one.false_slouches) for one in scored},
    )


def _ns(t_s: float) -> int:
    return round(t_s * NS_PER_S)
