"""squat_lowback: are the faults seen that people were asked to make, and only those?

One of a person's correct sets says what is usual for that person; all others are judged against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import msgspec

from processing.analyzer.inputs import Ordered
from processing.analyzer.recording import analyze_recording
from processing.domain.commands import RepTarget, StartExercise
from processing.domain.quality_findings import SetQuality
from processing.domain.rep_faults import RepFault
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.progress import Progress

CORRECT = "correct"

ASKED: Mapping[str, RepFault] = {
    "excessive_lean": RepFault.LEAN,
    "partial_squat": RepFault.SHALLOW,
    "butt_wink": RepFault.PELVIS_TUCKED,
}
"""Forms that people were asked for, and the fault that this is. Knees that fall inward do not move the back."""

UNSEEN = "knee_valgus"

_CHUNK = 50
_METHOD = "repetitions of the sets asked for, at the end of each set, against the person's first correct set"


class _Judged(NamedTuple):
    person: str
    form: str
    quality: SetQuality


def squat_form_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """Share of repetitions flagged, by the form that was asked for."""
    correct = [one for one in folder.each(figures.SQUATS, _correct, progress) if one is not None]
    usual = {one.person: one for one in reversed(correct)}
    targets = {person: one.quality.usual for person, one in usual.items()}
    judged = [one for one in folder.each(figures.SQUATS, partial(_judged, targets), progress) if one is not None]
    held_back = {person: one.quality.session_id for person, one in usual.items()}
    scored = [one for one in judged if one.quality.session_id != held_back[one.person]]
    rows = [
        _figure([one for one in scored if one.form == form], f"{form} seen as {fault.value}", fault)
        for form, fault in ASKED.items()
    ]
    return [
        *rows,
        _figure([one for one in scored if one.form == CORRECT], "correct, but seen as faulty", None),
        _figure([one for one in scored if one.form == UNSEEN], f"{UNSEEN}, seen as faulty", None),
    ]


def _correct(recording: Recording) -> _Judged | None:
    return _judge(recording, None) if recording.meta.get("form") == CORRECT else None


def _judged(targets: Mapping[str, RepTarget], recording: Recording) -> _Judged | None:
    target = targets.get(recording.person)
    known = recording.meta.get("form") in {*ASKED, CORRECT, UNSEEN}
    return _judge(recording, target) if known and target is not None else None


def _judge(recording: Recording, target: RepTarget | None) -> _Judged | None:
    session = recorded_session(recording.path, AnalysisOptions(exercise="squat"))
    orders = tuple(
        Ordered(one.t_ns, msgspec.structs.replace(one.command, target=target))
        for one in session.orders
        if isinstance(one.command, StartExercise)
    )
    findings, _ = analyze_recording(replace(session, orders=orders), _CHUNK)
    quality = next((one for one in findings if isinstance(one, SetQuality)), None)
    return None if quality is None else _Judged(recording.person, str(recording.meta.get("form")), quality)


def _figure(sets: Sequence[_Judged], measure: str, fault: RepFault | None) -> Figure:
    people = sorted({one.person for one in sets})
    return Figure(
        set=figures.SQUATS,
        measure=measure,
        method=_METHOD,
        unit="%",
        value=_share(sets, fault) if sets else None,
        people=len(people),
        recordings=len(sets),
        repetitions=sum(one.quality.judged for one in sets),
        per_person={person: _share([one for one in sets if one.person == person], fault) for person in people},
        note=", ".join(f"{name} {count}" for name, count in _faults(sets).items()),
        comparison=True,
    )


def _share(sets: Sequence[_Judged], fault: RepFault | None) -> float:
    flagged = sum(
        any(fault is None or seen.fault is fault for seen in rep.faults) for one in sets for rep in one.quality.faulty
    )
    return 100.0 * flagged / max(sum(one.quality.judged for one in sets), 1)


def _faults(sets: Sequence[_Judged]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in sorted(seen.fault.value for one in sets for rep in one.quality.faulty for seen in rep.faults):
        counts[name] = counts.get(name, 0) + 1
    return counts
