"""What becomes of sensors that are not to be trusted: found or not, and what wrong numbers came out all the same.

Simulated people calibrate and do three sets of range of motion; something goes wrong that is known by construction.
Sound people, and all recordings of real ones, show how often something is found that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from firmware_sim.motion.truth import SetTruth
from processing.analyzer.exercise_set import DOUBTED_QUALITY
from processing.analyzer.recording import RecordedSession, analyze_recording
from processing.domain.errors import LumbarError
from processing.domain.findings import Finding, RomMeasured, SetCompleted
from processing.domain.sensor_findings import FaultKind, SensorFault
from processing.dsp.blocks import NS_PER_S, SampleBlock
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.fault_scenarios import RANGES, SCENARIOS, SETS, SOUND, Scenario
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, person_of
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.simulated import SEED, session_of

WRONG_DEG = 5.0
"""A range of motion further off is a wrong number: smallest change that clinicians take for real (signals.md §2.5)."""

_RECORDED = (figures.WHEELCHAIR, figures.SQUATS, figures.SEATED, figures.SIT_TO_STAND, figures.WALKING)
_CHUNK = 10


class Outcome(NamedTuple):
    """One session of one person.

    Attributes:
        faults: kinds that were found.
        late_s: time from the onset to the first finding of a kind that was to be found, None without.
        ranges, wrong, counts, miscounts: stated without doubt, and of these wrong.
    """

    scenario: str
    person: int
    faults: frozenset[FaultKind]
    late_s: float | None
    ranges: int
    wrong: int
    counts: int
    miscounts: int


def sensor_fault_figures(people: int, folder: Folder, progress: Progress) -> list[Figure]:
    """Per scenario: found, delay, wrong numbers; and false alarms."""
    asked = [(name, number) for name in SCENARIOS for number in range(people)]
    outcomes = list(progress.each(outcome, asked))
    shown = [
        figure
        for name, scenario in SCENARIOS.items()
        for figure in _scenario_figures(name, scenario, [one for one in outcomes if one.scenario == name])
    ]
    paths = [path for name in _RECORDED for path in folder.paths(name)]
    return [*shown, _recorded_figure(paths, list(progress.each(_alarms, paths)))]


def outcome(asked: tuple[str, int]) -> Outcome:
    """What becomes of one scenario, by name, with one simulated person."""
    name, number = asked
    scenario = SCENARIOS[name]
    patient, truths, onset_s = scenario.person((SEED, number))
    session = session_of(patient, truths, begin_s=scenario.begin_s(truths), mount=scenario.mount)
    found = _with_times(session)
    findings = [finding for _, finding in found]
    faults = [(t_s, one.fault) for t_s, one in found if isinstance(one, SensorFault)]
    late_s = min((t_s - onset_s for t_s, fault in faults if fault in scenario.kinds), default=None)
    return Outcome(name, number, frozenset(fault for _, fault in faults), late_s, *_numbers(findings, truths))


def _with_times(session: RecordedSession) -> list[tuple[float, Finding]]:
    """Findings, each with the time of the newest sample when it came out."""
    analyzer = session.analyzer()
    newest_s, found = 0.0, []
    for given in session.inputs(_CHUNK):
        if isinstance(given, SampleBlock):
            newest_s = max(newest_s, float(given.t_ns[-1]) / NS_PER_S)
        found += [(newest_s, finding) for finding in analyzer.feed(given)]
    return found


def _numbers(findings: Sequence[Finding], truths: Sequence[SetTruth]) -> tuple[int, int, int, int]:
    ranges = [one for one in findings if isinstance(one, RomMeasured)]
    off_deg = []
    for one in ranges:
        true_deg = truths[one.set_number - 1].rom_deg(one.segment, one.direction)
        assert true_deg is not None
        off_deg.append(abs(one.angle_deg - true_deg))
    done = [one for one in findings if isinstance(one, SetCompleted) and one.quality > DOUBTED_QUALITY]
    miscounts = sum(sum(one.reps.values()) != truths[one.set_number - 1].count() for one in done)
    return len(ranges), sum(deg > WRONG_DEG for deg in off_deg), len(done), miscounts


def _alarms(path: Path) -> list[str] | None:
    """What is said about the sensors of a recording, None if it cannot be read."""
    try:
        session = recorded_session(path, AnalysisOptions())
    except LumbarError:
        return None
    findings, _ = analyze_recording(session)
    return [f"{path.stem} {one.placement} {one.fault}" for one in findings if isinstance(one, SensorFault)]


def _scenario_figures(name: str, scenario: Scenario, outcomes: Sequence[Outcome]) -> list[Figure]:
    late_s = [one.late_s for one in outcomes if one.late_s is not None]
    others = sum(bool(one.faults - scenario.kinds) for one in outcomes)
    delay = f"median delay {np.median(late_s):.1f} s; " if late_s else ""
    people = len(outcomes)
    told, share = (f"{name}: false alarms", others) if name == SOUND else (f"{name}: found", len(late_s))
    ranges, counts = sum(one.ranges for one in outcomes), sum(one.counts for one in outcomes)
    wrong, miscounts = sum(one.wrong for one in outcomes), sum(one.miscounts for one in outcomes)
    sets = f"the counts of {counts} of {len(SETS) * people} sets were stated without a lower quality"
    off = f"off by more than {WRONG_DEG:g}° of the person's true one"
    return [
        _figure(told, scenario.words, "%", 100.0 * share / people, people, f"{delay}{others} told of something else"),
        _figure(f"{name}: wrong ranges", off, "", wrong, people, f"{ranges} of {RANGES * people} ranges were stated"),
        _figure(f"{name}: wrong counts", "count of a set is not the true one", "", miscounts, people, sets),
    ]


def _figure(measure: str, method: str, unit: str, value: float, people: int, note: str) -> Figure:
    return Figure(
        set=figures.SENSOR_FAULTS,
        measure=measure,
        method=method,
        unit=unit,
        value=float(value),
        people=people,
        recordings=people,
        note=note,
    )


def _recorded_figure(paths: Sequence[Path], said: Sequence[list[str] | None]) -> Figure:
    read = [(path, one) for path, one in zip(paths, said, strict=True) if one is not None]
    return Figure(
        set=figures.SENSOR_FAULTS,
        measure="recordings of real people: said about their sensors",
        method=f"all recordings of {', '.join(_RECORDED)}, mounts stated per set",
        unit="",
        value=float(sum(len(one) for _, one in read)) if read else None,
        people=len({(path.parent.name, person_of(path)) for path, _ in read}),
        recordings=len(read),
        note="; ".join(text for _, one in read for text in one) or ("nothing" if read else "no recordings"),
    )
