"""walking_lowback: is every step found, and is walking never taken for an exercise?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from firmware_sim.recording import load_recording
from processing.analyzer.recording import analyze_recording
from processing.domain.errors import RecordingError
from processing.domain.exercises import CATALOGUE, Counting
from processing.domain.findings import RepCompleted
from processing.domain.samples import Placement
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, NS_PER_S, Floats
from processing.dsp.rotation import up_in_sensor, upward
from processing.dsp.steps import STEP_DELAY_NS, Bout, Steps
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.orientation_stage import oriented
from service.cli.evaluation.progress import Progress
from service.cli.recordings import recording_plan

TOLERANCE_S = 0.5

REFERENCES = ("indip", "stereophoto")
"""Truths, the one that the published figures of mobgap rest on first (signals.md §5)."""

_IN_PLACE = (figures.SQUATS, figures.SEATED, figures.SIT_TO_STAND)

_STEPS = "step stage of the analyzer; steps of confirmed bouts, within reference bouts, 0.5 s tolerance"


class Walk(NamedTuple):
    """Steps of one recording within the reference bouts: how many go together, were found, are true.

    ``outside`` counts steps found elsewhere, where the reference says nothing: walking it left out, or no walking.
    """

    person: str
    recording: str
    matched: int
    found: int
    true: int
    outside: int

    @property
    def f1(self) -> float:
        """Twice the steps that go together among all that were found or are true."""
        return 2.0 * self.matched / max(self.found + self.true, 1)


def walking_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """F1 of steps against each reference, and repetitions of every counted exercise."""
    walks: dict[str, list[Walk]] = {reference: [] for reference in REFERENCES}
    false_reps: list[tuple[str, str, Counter[str]]] = []
    for own, counted in folder.each(figures.WALKING, _answers, progress):
        for reference, walk in own.items():
            walks[reference].append(walk)
        false_reps.append(counted)
    steps = [step_figure(f"{_STEPS}, against {reference}", walks[reference]) for reference in REFERENCES]
    compared = [msgspec.structs.replace(one, comparison=True) for one in steps[1:]]
    return [steps[0], *compared, _false_figure(false_reps), _elsewhere(folder, progress)]


def _answers(recording: Recording) -> tuple[dict[str, Walk], tuple[str, str, Counter[str]]]:
    """Walks by reference, and person, recording and false repetitions."""
    steps_s = step_times_s(recording)
    walks = {
        reference: walk_against(recording, steps_s, reference)
        for reference in REFERENCES
        if f"ref_{reference}_bouts" in recording.arrays
    }
    return walks, (recording.person, recording.name, _false_reps(recording))


def step_times_s(recording: Recording) -> Floats:
    """Times of the steps of all bouts, shape (n,): findings state bouts only, so the stage itself is asked."""
    run = oriented(
        load_recording(recording.path)[Placement.PELVIS], recording_plan(recording.path).mounts[Placement.PELVIS]
    )
    stage = Steps()
    pending: list[int] = []
    kept: list[int] = []
    last_ns, before_ns = stage.state.last_ns, 0
    middles_ns = run.t_ns.reshape(-1, BLOCK_SAMPLES).mean(axis=1).astype(np.int64)
    ups_mps2 = upward(run.quats, run.acc).reshape(-1, BLOCK_SAMPLES).mean(axis=1)
    axes = map(tuple, up_in_sensor(run.quats[BLOCK_SAMPLES // 2 :: BLOCK_SAMPLES]).tolist())
    for t_ns, up_mps2, axis in zip(middles_ns.tolist(), ups_mps2.tolist(), axes, strict=True):
        bouts = [stage.reset()] if before_ns and t_ns - before_ns > BLOCK_NS else []
        before_ns = t_ns
        bouts.append(stage.step(t_ns, up_mps2, axis))
        if stage.state.last_ns != last_ns:
            last_ns = stage.state.last_ns
            pending.append(last_ns - STEP_DELAY_NS)
        kept += _of_bouts(bouts, pending)
    kept += _of_bouts([stage.finish()], pending)
    return np.array(kept, dtype=np.float64) / NS_PER_S


def _of_bouts(bouts: Sequence[Bout | None], pending: Sequence[int]) -> list[int]:
    return [t_ns for bout in bouts if bout is not None for t_ns in pending if bout.t0_ns <= t_ns <= bout.t1_ns]


def walk_against(recording: Recording, steps_s: Floats, reference: str) -> Walk:
    """Hold the times of steps against a reference.

    Raises:
        RecordingError: the recording has no such reference, or contacts without a time.
    """
    bouts = recording.floats(f"ref_{reference}_bouts").reshape(-1, 2)
    contacts = np.sort(recording.floats(f"ref_{reference}_initial_contact_t"))
    if not np.isfinite(contacts).all():
        raise RecordingError(str(recording.path), f"{reference} has contacts without a time")
    within = np.zeros(steps_s.size, dtype=np.bool_)
    for begin_s, end_s in bouts:
        within |= (steps_s >= begin_s - TOLERANCE_S) & (steps_s <= end_s + TOLERANCE_S)
    found = np.sort(steps_s[within])
    pairs, outside = matched(found, contacts, TOLERANCE_S), steps_s.size - found.size
    return Walk(recording.person, recording.name, pairs, found.size, contacts.size, outside)


def matched(found_s: Floats, true_s: Floats, tolerance_s: float) -> int:
    """Largest number of pairs of times, one of each, that are no further apart than the tolerance; both sorted."""
    pairs = at = 0
    for true in true_s:
        while at < found_s.size and found_s[at] < true - tolerance_s:
            at += 1
        if at < found_s.size and found_s[at] <= true + tolerance_s:
            pairs += 1
            at += 1
    return pairs


def step_figure(method: str, walks: Sequence[Walk]) -> Figure:
    """F1 of all steps of all recordings together."""
    by_person: dict[str, list[Walk]] = {}
    for walk in walks:
        by_person.setdefault(walk.person, []).append(walk)
    pairs, found, true, outside = (
        sum(getattr(walk, name) for walk in walks) for name in ("matched", "found", "true", "outside")
    )
    return Figure(
        set=figures.WALKING,
        measure=figures.STEP_F1,
        method=method,
        unit="",
        value=_pooled_f1(walks) if walks else None,
        people=len(by_person),
        recordings=len(walks),
        per_person={person: _pooled_f1(own) for person, own in by_person.items()},
        worst=min(walks, key=lambda walk: walk.f1).recording if walks else None,
        note=f"{found} found, {true} true, {pairs} matched; {outside} found outside" if walks else "no reference",
    )


def _pooled_f1(walks: Sequence[Walk]) -> float:
    total = sum(walk.found + walk.true for walk in walks)
    return 2.0 * sum(walk.matched for walk in walks) / total if total else 0.0


def _elsewhere(folder: Folder, progress: Progress) -> Figure:
    """Steps in recordings of people who stay in their place."""
    found = [one for name in _IN_PLACE for one in folder.each(name, _steps_in, progress)]
    by_person: Counter[str] = Counter()
    for person, _, steps in found:
        by_person[person] += steps
    worst = max(found, key=lambda one: one[2], default=None)
    return Figure(
        set=figures.WALKING,
        measure=figures.STEPS_ELSEWHERE,
        method=f"step stage of the analyzer over the recordings of {', '.join(_IN_PLACE)}",
        unit="",
        value=float(by_person.total()) if found else None,
        people=len(by_person),
        recordings=len(found),
        per_person={person: float(steps) for person, steps in by_person.items()},
        worst=worst[1] if worst is not None and worst[2] else None,
        comparison=True,
    )


def _steps_in(recording: Recording) -> tuple[str, str, int]:
    return recording.person, recording.name, step_times_s(recording).size


def _false_reps(recording: Recording) -> Counter[str]:
    """Repetitions by exercise when every counted exercise of the catalogue is asked for while walking."""
    counts: Counter[str] = Counter()
    for exercise in CATALOGUE.values():
        if exercise.counting is Counting.COUNTED:
            findings, _ = analyze_recording(recorded_session(recording.path, AnalysisOptions(exercise=exercise.code)))
            counts[exercise.code] = sum(isinstance(finding, RepCompleted) for finding in findings)
    return counts


def _false_figure(false_reps: Sequence[tuple[str, str, Counter[str]]]) -> Figure:
    by_person: Counter[str] = Counter()
    by_exercise: Counter[str] = Counter()
    for person, _, counts in false_reps:
        by_person[person] += counts.total()
        by_exercise += counts
    worst = max(false_reps, key=lambda one: one[2].total(), default=None)
    exercises = [exercise for exercise in CATALOGUE.values() if exercise.counting is Counting.COUNTED]
    named = ", ".join(f"{code} {count}" for code, count in by_exercise.most_common() if count)
    return Figure(
        set=figures.WALKING,
        measure=figures.FALSE_REPS,
        method=f"analyzer, each of {len(exercises)} counted exercises asked for over the whole recording",
        unit="",
        value=float(by_exercise.total()) if false_reps else None,
        people=len(by_person),
        recordings=len(false_reps),
        per_person={person: float(count) for person, count in by_person.items()},
        worst=worst[1] if worst is not None and worst[2].total() else None,
        note=named,
    )
