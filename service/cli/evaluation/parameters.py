"""Would other people have chosen the parameters that the signal core has? Leave one person out.

Every parameter is scaled up and down by itself, everything else being as it is live. The scale that scores best on all
people but one is then scored on that one. If the parameters fit the people here and not people, this score is lower
than that of the parameters as they are; if it is the same and the scores hardly depend on the scale, the exact number
does not matter.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from processing.analyzer.recording import analyze_recording
from processing.domain.errors import LumbarError
from processing.domain.exercises import CATALOGUE
from processing.domain.samples import Placement
from processing.dsp.blocks import GRID_S, Floats
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.counting import reps_by_channel
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording, person_of, read_recording
from service.cli.evaluation.left_out import left_out
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.seated_trunk import EXERCISE, plane_counts
from service.cli.evaluation.squats import boundary_share
from service.cli.evaluation.tilt import angle_between_deg, both_known, directions_at, rms
from service.cli.evaluation.wheelchair import good_sensors

SCALES = (1.0, 0.6, 0.8, 1.25, 1.6)
"""Factors of each parameter, that of the parameter as it is first: it stands where another is not better."""


class Parameter(NamedTuple):
    """A number of the signal core, and what it is judged by.

    Attributes:
        name: for people; with ``set`` and ``measure`` it is unique.
        scaled: makes the number so many times as large, within its context and process.
        score: what a recording of the set scores, higher is better, errors being negative; None if there is nothing
            to score. Its size is shown.
        unit: of the score.
    """

    name: str
    set: str
    measure: str
    scaled: Callable[[float], AbstractContextManager[None]]
    score: Callable[[Recording], float | None]
    unit: str


@contextmanager
def constant(module: str, name: str, scale: float) -> Iterator[None]:
    """Make a constant of a module so many times as large."""
    owner = importlib.import_module(module)
    before = getattr(owner, name)
    setattr(owner, name, before * scale)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def floors(code: str, scale: float) -> Iterator[None]:
    """Make the least amplitudes of an exercise so many times as large."""
    before = CATALOGUE[code]
    channels = tuple(
        msgspec.structs.replace(
            channel,
            floor=channel.floor * scale,
            fallback_floor=None if channel.fallback_floor is None else channel.fallback_floor * scale,
        )
        for channel in before.channels
    )
    CATALOGUE[code] = msgspec.structs.replace(before, channels=channels)
    try:
        yield
    finally:
        CATALOGUE[code] = before


def _planes_exact(recording: Recording) -> float | None:
    found = _counted(recording, EXERCISE)
    counts = plane_counts(recording, found)
    return 100.0 * float(np.mean([count.off == 0 for count in counts])) if counts else None


def _squats_exact(recording: Recording) -> float | None:
    return 100.0 * (sum(_counted(recording, "squat").values()) == int(recording.floats("rep_count")))


def _counted(recording: Recording, exercise: str) -> Mapping[str, int]:
    findings, _ = analyze_recording(recorded_session(recording.path, AnalysisOptions(exercise=exercise)))
    return reps_by_channel(findings)


def _tilt_error(recording: Recording) -> float | None:
    """Less the RMSE of the tilt of the low back, degrees."""
    sensor = good_sensors(recording).get(Placement.PELVIS)
    if sensor is None:
        return None
    found = directions_at(sensor.t_s, sensor.grid_s, sensor.found, 1.5 * GRID_S)
    known = both_known(found, sensor.truth)
    return -rms(angle_between_deg(found[known], sensor.truth[known])) if known.any() else None


_FOLLOW = partial(constant, "processing.dsp.turning_points", "FOLLOW")
_TAU = partial(constant, "processing.dsp.orientation", "TAU_AT_REST_S")
_HALVING = partial(constant, "processing.dsp.orientation", "HALVING_RATE_RADPS")
_MIN_SHARE = partial(constant, "processing.analyzer.counters", "MIN_SHARE")
_STROKE_SPEED = partial(constant, "processing.dsp.vertical_bounds", "STROKE_SPEED")

PARAMETERS: Sequence[Parameter] = (
    Parameter("floors of the squat", figures.SQUATS, figures.EXACT, partial(floors, "squat"), _squats_exact, "%"),
    Parameter("FOLLOW of turning points", figures.SQUATS, figures.EXACT, _FOLLOW, _squats_exact, "%"),
    Parameter("STROKE_SPEED", figures.SQUATS, figures.BOUNDARIES, _STROKE_SPEED, boundary_share, "%"),
    Parameter("floors of seated ROM", figures.SEATED, figures.EXACT, partial(floors, EXERCISE), _planes_exact, "%"),
    Parameter("FOLLOW of turning points", figures.SEATED, figures.EXACT, _FOLLOW, _planes_exact, "%"),
    Parameter("MIN_SHARE of a plane", figures.SEATED, figures.EXACT, _MIN_SHARE, _planes_exact, "%"),
    Parameter("TAU_AT_REST_S", figures.WHEELCHAIR, figures.TILT_LOW_BACK, _TAU, _tilt_error, "°"),
    Parameter("HALVING_RATE_RADPS", figures.WHEELCHAIR, figures.TILT_LOW_BACK, _HALVING, _tilt_error, "°"),
)
"""What counts and tilt rest on. Where a set has one person (steps), or does not say whose recordings it has (sitting),
nobody can be left out."""


def parameter_figures(folder: Folder, progress: Progress, parameters: Sequence[Parameter] = PARAMETERS) -> list[Figure]:
    """Score of each parameter with the scale that suits the other people, beside that of the parameter as it is."""
    items = [
        _Item(parameter, scale, path)
        for parameter in parameters
        for scale in SCALES
        for path in folder.paths(parameter.set)
    ]
    scores = dict(zip(items, progress.each(_score, items), strict=True))
    asked = [parameter for parameter in parameters if folder.has(parameter.set)]
    return [_figure(parameter, folder.paths(parameter.set), scores) for parameter in asked]


class _Item(NamedTuple):
    parameter: Parameter
    scale: float
    path: Path


def _score(item: _Item) -> float | None:
    """Score of one recording with one scale; None if the recording cannot be used."""
    try:
        with item.parameter.scaled(item.scale):
            return item.parameter.score(read_recording(item.path))
    except LumbarError:
        return None


def _figure(parameter: Parameter, paths: Sequence[Path], scores: Mapping[_Item, float | None]) -> Figure:
    table = [[scores[_Item(parameter, scale, path)] for path in paths] for scale in SCALES]
    usable = [number for number in range(len(paths)) if all(row[number] is not None for row in table)]
    known: Floats = np.array([[row[number] for number in usable] for row in table], dtype=np.float64)
    people = [person_of(paths[number]) for number in usable]
    chosen = left_out(people, known)
    own = [float(known[chosen[person], number]) for number, person in enumerate(people)]
    return Figure(
        set=figures.PARAMETERS,
        measure=f"{parameter.name}: {parameter.measure} of {parameter.set}",
        method="each person scored with the scale of the parameter that suits the other people best",
        unit=parameter.unit,
        value=abs(float(np.mean(own))) if own else None,
        people=len(chosen),
        recordings=len(usable),
        per_person={
            person: abs(float(np.mean([one for one, whose in zip(own, people, strict=True) if whose == person])))
            for person in chosen
        },
        note=_note(known, chosen) if own else "nothing to score",
    )


def _note(known: Floats, chosen: Mapping[str, int]) -> str:
    by_scale = sorted(zip(SCALES, known.mean(axis=1), strict=True))
    picked = Counter(SCALES[number] for number in chosen.values()).most_common()
    return (
        f"as it is {abs(known[0].mean()):.4g}; by scale "
        + ", ".join(f"{scale:g}: {abs(mean):.4g}" for scale, mean in by_scale)
        + "; chosen "
        + ", ".join(f"{scale:g} for {count}" for scale, count in picked)
    )
