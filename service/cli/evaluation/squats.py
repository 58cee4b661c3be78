"""squat_lowback: are all squats counted, where do they begin and end, and how soon is that known?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from processing.domain.findings import RepCompleted
from processing.dsp.blocks import NS_PER_S, Floats
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.counting import Count, Told, count_figures, told
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.squat_form import squat_form_figures

TOLERANCE_S = 0.3

_METHOD = "analyzer, sample by sample, one set over the whole recording"
_WINDOWS = "finding whose peak lies in the hand-set window"


class _Window(NamedTuple):
    """A repetition as people marked it and what was found for it; NaN where nothing was."""

    start_off_s: float
    end_off_s: float
    after_end_s: float
    after_marked_end_s: float
    after_peak_s: float


class _Set(NamedTuple):
    person: str
    counted: Count
    windows: list[_Window]


def squat_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """Counts, boundaries against the hand-set windows, and confirmation latency."""
    sets = list(folder.each(figures.SQUATS, _set, progress))
    return [
        *count_figures(figures.SQUATS, _METHOD, [one.counted for one in sets]),
        *_boundary_figures(sets),
        *_latency_figures(sets),
        *squat_form_figures(folder, progress),
    ]


def _set(recording: Recording) -> _Set:
    everything = list(told(recorded_session(recording.path, AnalysisOptions(exercise="squat"))))
    reps = [one for one in everything if isinstance(one.finding, RepCompleted)]
    t_s = recording.floats("t")
    begins, ends = (recording.floats(name).astype(int) for name in ("rep_start_idx", "rep_end_idx"))
    last = t_s.size - 1
    windows = [
        _window(float(t_s[min(begin, last)]), float(t_s[min(end, last)]), reps)
        for begin, end in zip(begins, ends, strict=True)
    ]
    truth = int(recording.floats("rep_count"))
    return _Set(recording.person, Count(recording.person, recording.name, "", len(reps), truth), windows)


def boundary_share(recording: Recording) -> float | None:
    """Percent of the hand-set windows of a recording whose start and end are both met; None if it has no windows."""
    one = _set(recording)
    return _within([one], (0, 1)) if one.windows else None


def _window(start_s: float, end_s: float, reps: Sequence[Told]) -> _Window:
    for at_ns, rep in reps:
        assert isinstance(rep, RepCompleted)
        if start_s <= rep.t_peak_ns / NS_PER_S < end_s:
            out_s = np.nan if at_ns is None else at_ns / NS_PER_S
            return _Window(
                rep.t0_ns / NS_PER_S - start_s,
                rep.t1_ns / NS_PER_S - end_s,
                out_s - rep.t1_ns / NS_PER_S,
                out_s - end_s,
                out_s - rep.t_peak_ns / NS_PER_S,
            )
    return _Window(np.nan, np.nan, np.nan, np.nan, np.nan)


def _column(sets: Sequence[_Set], index: int) -> Floats:
    return np.array([window[index] for one in sets for window in one.windows])


def _within(sets: Sequence[_Set], indices: Sequence[int]) -> float:
    near = [np.abs(_column(sets, index)) <= TOLERANCE_S for index in indices]
    return 100.0 * float(np.mean(np.logical_and.reduce(near)))


def _least_within(sets: Sequence[_Set], indices: Sequence[int]) -> str | None:
    """Recording with the smallest share of windows met, None if all are."""
    shares = {one.counted.recording: _within([one], indices) for one in sets if one.windows}
    worst = min(shares, key=lambda name: shares[name], default=None)
    return worst if worst is not None and shares[worst] < 100.0 else None


def _boundary_figures(sets: Sequence[_Set]) -> list[Figure]:
    shown = (
        (figures.BOUNDARIES, (0, 1), False),
        ("start within 0.3 s", (0,), True),
        ("end within 0.3 s", (1,), True),
    )
    return [
        _figure(
            sets,
            measure,
            f"{_WINDOWS}; share of all windows",
            "%",
            _within(sets, indices) if sets else None,
            {person: _within(own, indices) for person, own in _by_person(sets).items()},
            _median_note(sets, indices),
            comparison=comparison,
            worst=_least_within(sets, indices),
        )
        for measure, indices, comparison in shown
    ]


def _latency_figures(sets: Sequence[_Set]) -> list[Figure]:
    shown = (
        (2, "newest sample fed when the finding came out, less the end that it states", False),
        (3, "the same less the hand-set end", True),
        (4, "the same less the peak that the finding states", True),
    )
    rows = []
    for index, method, comparison in shown:
        known = _known(_column(sets, index))
        rows.append(
            _figure(
                sets,
                figures.LATENCY,
                method,
                "s",
                float(np.median(known)) if known.size else None,
                {p: float(np.median(_known(_column(own, index)))) for p, own in _by_person(sets).items()},
                f"95th percentile {np.percentile(known, 95):.2f} s" if known.size else "no repetition",
                comparison=comparison,
            )
        )
    return rows


def _known(values: Floats) -> Floats:
    known: Floats = values[np.isfinite(values)]
    return known


def _by_person(sets: Sequence[_Set]) -> dict[str, list[_Set]]:
    people: dict[str, list[_Set]] = {}
    for one in sets:
        if one.windows:
            people.setdefault(one.person, []).append(one)
    return people


def _median_note(sets: Sequence[_Set], indices: Sequence[int]) -> str:
    names = ("start", "end")
    medians = [(names[index], _known(_column(sets, index))) for index in indices]
    return ", ".join(f"median {name} {np.median(known):+.2f} s" for name, known in medians if known.size)


def _figure(
    sets: Sequence[_Set],
    measure: str,
    method: str,
    unit: str,
    value: float | None,
    per_person: dict[str, float],
    note: str,
    *,
    comparison: bool,
    worst: str | None = None,
) -> Figure:
    return Figure(
        set=figures.SQUATS,
        measure=measure,
        method=method,
        unit=unit,
        value=value,
        people=len({one.person for one in sets}),
        recordings=len(sets),
        repetitions=sum(len(one.windows) for one in sets),
        per_person=per_person,
        worst=worst,
        note=note,
        comparison=comparison,
    )
