"""Simulated people do every exercise of the catalogue, with the truth known by construction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from firmware_sim.imperfections import count_scale
from firmware_sim.motion.course import Manner
from firmware_sim.motion.movements import CALIBRATION
from firmware_sim.motion.truth import SetTruth
from firmware_sim.patient import SimulatedPatient, SimulatedSource, draw_patient
from processing.analyzer.inputs import Ordered, SessionInput
from processing.analyzer.recording import RecordedSession
from processing.analyzer.session import SessionAnalyzer
from processing.domain.commands import EndSession, EndSet, SensorPlacement, StartExercise, StartSession
from processing.domain.exercises import CATALOGUE, Counting, Exercise
from processing.domain.findings import Finding, SetCompleted
from processing.domain.ids import SensorId
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S, SampleBlock
from service.cli.evaluation import figures
from service.cli.evaluation.counting import Count, count_figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.holds import SetHolds, hold_figures, set_holds
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.rep_faults import JudgedRep, fault_figures, judged_reps

SEED = 20_260
"""Seed of the people; another one gives other people."""

FAULTY_SHARE = 0.15
LOST_FRACTION = 0.03
"""Loss in packets of five, as in wheelchair_trunk; for every second person."""

SHORTEST_REPS, LONGEST_REPS = 5, 11
REP_HOLD_S = (2.0, 5.0)
POSE_HOLD_S = (10.0, 20.0)

_SESSION = "00000000-0000-4000-8000-000000000001"
_STEP_S = 10.0
_METHOD = (
    "analyzer, two sensors, calibration, one set of each exercise; every second person with cheap sensors, 3 % loss"
)


@dataclass(frozen=True, slots=True)
class SimulatedSession:
    """What a person does: the session, and what is true of its sets."""

    person: str
    truths: Sequence[SetTruth]
    session: RecordedSession

    def inputs(self) -> Iterator[SessionInput]:
        """Commands and samples in order of time, samples in pieces of ten seconds.

        A command comes before the piece of samples that reaches its time: fed later, it would hold from later on.
        """
        pieces: list[tuple[int, SessionInput]] = [(order.t_ns, order) for order in self.session.orders]
        for block in self.session.blocks:
            size = round(_STEP_S * 100)
            parts = [block.part(at, at + size) for at in range(0, len(block), size)]
            pieces += [(int(part.t_ns[-1]), part) for part in parts]
        return (given for _, given in sorted(pieces, key=lambda piece: piece[0]))


EXERCISES = tuple(one for one in CATALOGUE.values() if one.counting in (Counting.COUNTED, Counting.HELD))
"""What the sensors can be judged by: the rest of the catalogue is minutes, or the person's own start and end."""


def simulated_figures(people: int, progress: Progress, exercises: Sequence[Exercise] = EXERCISES) -> list[Figure]:
    """Exact counts and hold times of people who do these exercises."""
    everybody = list(progress.each(partial(_person, exercises), range(people)))
    scored = [one for person in everybody for one in person.scored]
    by_part: dict[str, list[Count]] = {
        "sets without a faulty repetition": [one.counted for one in scored if not one.faulty],
        "people with good sensors": [one.counted for one in scored if not one.cheap],
        "both": [one.counted for one in scored if not one.faulty and not one.cheap],
    }
    for one in scored:
        by_part.setdefault(one.counted.recording, []).append(one.counted)
    return [
        *count_figures(figures.SIMULATOR, _METHOD, [one.counted for one in scored]),
        *hold_figures([one for person in everybody for one in person.holds]),
        *fault_figures([one for person in everybody for one in person.reps]),
        *(
            count_figures(figures.SIMULATOR, f"of these {part}", own, comparison=True)[0]
            for part, own in by_part.items()
        ),
    ]


class _Person(NamedTuple):
    scored: list[_Scored]
    holds: list[SetHolds]
    reps: list[JudgedRep]


def _person(exercises: Sequence[Exercise], number: int) -> _Person:
    simulated = simulated_session(number, exercises)
    findings = _findings(simulated)
    return _Person(
        _counts(simulated, findings, cheap=_is_cheap(number)),
        set_holds(simulated.person, simulated.truths, findings),
        judged_reps(simulated.person, simulated.truths, findings),
    )


def simulated_session(number: int, exercises: Sequence[Exercise]) -> SimulatedSession:
    """One person of the series, who calibrates and does a set of each exercise."""
    rng = np.random.default_rng([SEED, number])
    cheap = _is_cheap(number)
    patient = draw_patient(rng, grade="cheap" if cheap else "good", lost_fraction=LOST_FRACTION if cheap else 0.0)
    patient.timeline.append(CALIBRATION)
    truths = []
    for exercise in exercises:
        counted = exercise.counting is Counting.COUNTED
        truths.append(
            patient.timeline.append(
                exercise.code,
                reps=int(rng.integers(SHORTEST_REPS, LONGEST_REPS)) if counted else 2,
                duration_s=float(rng.uniform(*(REP_HOLD_S if counted else POSE_HOLD_S))),
                manner=Manner(faulty_share=FAULTY_SHARE if counted else 0.0),
            )
        )
    return SimulatedSession(f"person {number}", tuple(truths), session_of(patient, truths))


def _is_cheap(number: int) -> bool:
    return number % 2 == 1


def session_of(
    patient: SimulatedPatient, truths: Sequence[SetTruth], *, begin_s: float = 0.0, mount: str | None = None
) -> RecordedSession:
    """The sets of a person as one session, recorded from ``begin_s`` on, with sensors of a stated mount or none."""
    orders: list[Ordered] = []
    for truth in truths:
        orders.append(Ordered(_ns(truth.start_s), StartExercise(session_id=_SESSION, exercise=truth.exercise)))
        orders.append(Ordered(_ns(truth.end_s), EndSet(session_id=_SESSION)))
    orders.append(Ordered(_ns(truths[-1].end_s), EndSession(session_id=_SESSION)))
    worn = tuple(SensorPlacement(sensor_id=place.value, placement=place, mount=mount) for place in patient.sources)
    end_s = truths[-1].end_s + 2.0
    blocks = tuple(sampled(place, source, end_s, begin_s) for place, source in patient.sources.items())
    return RecordedSession(StartSession(session_id=_SESSION, sensors=worn), blocks, tuple(orders))


def sampled(place: Placement, source: SimulatedSource, end_s: float, begin_s: float = 0.0) -> SampleBlock:
    """Everything that a simulated sensor gives out from ``begin_s`` to ``end_s``, on times as a gateway states them."""
    starts = np.arange(begin_s, end_s, _STEP_S)
    runs = [run for start_s in starts for run in source.runs(float(start_s), min(float(start_s) + _STEP_S, end_s))]
    t_ns = [_ns(run.t_s) + np.arange(len(run.counts), dtype=np.int64) * (source.period_us * 1000) for run in runs]
    readings = np.concatenate([run.counts for run in runs]) * count_scale(source.acc_range_g, source.gyr_range_dps)
    acc, gyr = np.ascontiguousarray(readings[:, :3]), np.ascontiguousarray(readings[:, 3:])
    return SampleBlock(SensorId(place.value), np.concatenate(t_ns), acc, gyr)


def _ns(t_s: float) -> int:
    return round(t_s * NS_PER_S)


def _findings(simulated: SimulatedSession) -> list[Finding]:
    session = simulated.session
    analyzer = SessionAnalyzer(session.start, 0, {block.sensor_id: True for block in session.blocks})
    findings = [finding for given in simulated.inputs() for finding in analyzer.feed(given)]
    return findings + analyzer.close(session.end_ns)


class _Scored(NamedTuple):
    counted: Count
    faulty: bool
    cheap: bool


def _counts(simulated: SimulatedSession, findings: Sequence[Finding], *, cheap: bool) -> list[_Scored]:
    done = {finding.set_number: finding for finding in findings if isinstance(finding, SetCompleted)}
    scored = []
    for number, truth in enumerate(simulated.truths, start=1):
        found = done[number].reps if number in done else {}
        faulty = any(rep.fault is not None for rep in truth.reps)
        for channel in CATALOGUE[truth.exercise].channels:
            name = channel.channel.value
            count = Count(simulated.person, truth.exercise, name, found.get(name, 0), truth.count(channel.channel))
            scored.append(_Scored(count, faulty, cheap))
    return scored
