"""Walking, stairs, water and the bike of simulated people: what is found of it, and what is taken for an exercise.

Recordings with a truth are of a walk on the level, and of one person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from firmware_sim.motion.movements import CALIBRATION
from firmware_sim.motion.truth import SetTruth
from firmware_sim.patient import draw_patient
from processing.analyzer.recording import analyze_recording
from processing.domain.exercises import CATALOGUE, Counting
from processing.domain.findings import Finding, RepCompleted, StepBout
from processing.domain.rhythm_findings import CyclingBout
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.simulated import LOST_FRACTION, session_of

SEED = 40_260
"""Seed of the people; another one gives other people."""

ON_FOOT = ("walking", "stairs_up", "stairs_down")
WATER, BIKE = "aquatic_walking", "stationary_bike"
LASTS_S = 30.0

ASKED_EACH = 3
"""Exercises that a person is asked for while walking; the next person is asked for the next ones."""

_METHOD = "analyzer, one sensor (pelvis and thorax in turn); every second person with a cheap sensor, 3 % loss"


class _Person(NamedTuple):
    name: str
    steps_off: float
    water_off: float
    turns_off: float
    false_reps: Sequence[str]


def gait_figures(people: int, progress: Progress) -> list[Figure]:
    """Figures of so many simulated people."""
    everybody = list(progress.each(_person, range(people)))
    counted = len(_COUNTED)
    return [
        _mean(figures.STEP_ERROR, _METHOD, "%", {one.name: one.steps_off for one in everybody}),
        _mean(
            figures.WATER_ERROR, "aquatic_walking, the same people", "%", {one.name: one.water_off for one in everybody}
        ),
        _mean(
            figures.TURNS_ERROR, "stationary_bike, the same", "1/min", {one.name: one.turns_off for one in everybody}
        ),
        Figure(
            set=figures.GAIT,
            measure=figures.FALSE_REPS,
            method=f"{', '.join(ON_FOOT)}; each person is asked for {ASKED_EACH} of {counted} counted exercises",
            unit="",
            value=float(sum(len(one.false_reps) for one in everybody)) if everybody else None,
            people=len(everybody),
            recordings=len(everybody) * ASKED_EACH,
            per_person={one.name: float(len(one.false_reps)) for one in everybody},
            note=", ".join(f"{one.name}: {rep}" for one in everybody for rep in one.false_reps),
        ),
    ]


_COUNTED = tuple(one.code for one in CATALOGUE.values() if one.counting is Counting.COUNTED)


def _person(number: int) -> _Person:
    truths, findings = _session(number, (*ON_FOOT, WATER, BIKE), ("walking",) * len(ON_FOOT) + (WATER, BIKE))
    walked, water, bike = truths[: len(ON_FOOT)], truths[-2], truths[-1]
    steps = [(_steps(findings, truth), truth.steps) for truth in walked]
    false_reps = []
    for at in range(ASKED_EACH):
        asked = _COUNTED[(ASKED_EACH * number + at) % len(_COUNTED)]
        _, found = _session(number, ON_FOOT, (asked,) * len(ON_FOOT))
        false_reps += [asked for one in found if isinstance(one, RepCompleted)]
    rides = [one.cadence_per_min for one in findings if isinstance(one, CyclingBout)]
    assert bike.cadence_per_min is not None
    return _Person(
        f"person {number}",
        100.0 * sum(abs(found - true) for found, true in steps) / sum(true for _, true in steps),
        100.0 * abs(_steps(findings, water) - water.steps) / water.steps,
        abs((float(np.mean(rides)) if rides else 0.0) - bike.cadence_per_min),
        false_reps,
    )


def _session(number: int, does: Sequence[str], asked: Sequence[str]) -> tuple[list[SetTruth], list[Finding]]:
    """What a person does while asked for something, perhaps something else, and what the analyzer finds."""
    cheap = number % 2 == 1
    patient = draw_patient(
        np.random.default_rng([SEED, number]),
        placements=((Placement.PELVIS, Placement.THORAX)[number // 2 % 2],),
        grade="cheap" if cheap else "good",
        lost_fraction=LOST_FRACTION if cheap else 0.0,
    )
    patient.timeline.append(CALIBRATION)
    truths = [patient.timeline.append(code, duration_s=LASTS_S) for code in does]
    told = [replace(truth, exercise=code) for truth, code in zip(truths, asked, strict=True)]
    findings, _ = analyze_recording(session_of(patient, told))
    return truths, findings


def _steps(findings: Sequence[Finding], truth: SetTruth) -> int:
    bouts = (one for one in findings if isinstance(one, StepBout))
    return sum(one.steps for one in bouts if truth.start_s <= one.t0_ns / NS_PER_S <= truth.end_s)


def _mean(measure: str, method: str, unit: str, by_person: Mapping[str, float]) -> Figure:
    return Figure(
        set=figures.GAIT,
        measure=measure,
        method=method,
        unit=unit,
        value=float(np.mean(list(by_person.values()))) if by_person else None,
        people=len(by_person),
        recordings=len(by_person),
        per_person=by_person,
        worst=max(by_person, key=lambda person: by_person[person], default=None),
    )
