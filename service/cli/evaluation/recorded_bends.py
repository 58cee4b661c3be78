"""Bends of real people: squats bend the knees while the trunk leans, bends on a chair cannot.

Nobody recorded work or housework. But both sets hold movements of the trunk out and back whose kind is known, so that
the stage that tells bends, and bent from straight knees, can be held against people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from firmware_sim.recording import load_recording
from processing.domain.errors import LumbarError, RecordingError
from processing.domain.samples import Placement
from processing.dsp.bends import KNEES_M, MIN_PEAK_DEG, MIN_PELVIS_PEAK_DEG, Bend, Bends
from processing.dsp.blocks import GRID_NS, NS_PER_S
from processing.dsp.mounting import rightward_of
from processing.dsp.rotation import upward
from processing.dsp.trunk_axes import TICK_NS, trunk_axes
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.orientation_stage import oriented
from service.cli.evaluation.progress import Progress
from service.cli.recordings import recording_plan

_PER_TICK = TICK_NS // GRID_NS
_FIRST = 50
"""Samples of the grid (0.5 s) whose mean acceleration tells where up was in the first pose."""


class _Judged(NamedTuple):
    """Bends of a recording: true ones, those found among them, and found ones whose knees were told right."""

    person: str
    recording: str
    true: int
    found: int
    told: int
    knees_right: int


def recorded_bends_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """Squats found as bends with bent knees, and bends of seated people found to be with straight ones."""
    squats = list(_judged(folder, progress, figures.SQUATS, Placement.PELVIS))
    seated = list(_judged(folder, progress, figures.SEATED, Placement.THORAX))
    figures_of: list[Figure] = []
    if squats:
        figures_of.append(_share(figures.BENDS_FOUND, "squats of squat_lowback, sensor of the low back", squats))
        figures_of.append(_knees("bends found in squat_lowback, where all knees are bent", squats))
    if seated:
        figures_of.append(_knees("bends found in trunk_seated, where none are", seated))
    return figures_of


def _judged(folder: Folder, progress: Progress, set_name: str, upper: Placement) -> Iterator[_Judged]:
    for recording in progress.through(folder.recordings(set_name), len(folder.paths(set_name))):
        try:
            bends = recorded_bends(recording, upper)
            spans = _squat_spans(recording) if set_name == figures.SQUATS else []
        except LumbarError as error:
            folder.leave_out(recording.path, error)
            continue
        bent = [bend for bend in bends if bend.lowest_m is not None and bend.lowest_m <= KNEES_M]
        yield _Judged(
            recording.person,
            recording.name,
            true=len(spans),
            found=sum(any(begin <= bend.t_peak_ns <= end for bend in bends) for begin, end in spans),
            told=len(bends),
            knees_right=len(bent) if spans else len(bends) - len(bent),
        )


def recorded_bends(recording: Recording, upper: Placement) -> list[Bend]:
    """Bends by the stage, with the lean of one sensor and the height of the pelvis.

    Up is where it is in the first half second: no recording begins with the still pose of a calibration.

    Raises:
        RecordingError: a sensor is missing, or too short.
    """
    tracks, mounts = load_recording(recording.path), recording_plan(recording.path).mounts
    if upper not in tracks or Placement.PELVIS not in tracks:
        raise RecordingError(str(recording.path), "a sensor is missing")
    top = oriented(tracks[upper], mounts[upper])
    low = top if upper is Placement.PELVIS else oriented(tracks[Placement.PELVIS], mounts[Placement.PELVIS])
    mount = mounts[upper]
    axes = None if mount is None else trunk_axes(top.acc[:_FIRST].mean(axis=0).tolist(), rightward_of(mount).tolist())
    if axes is None:
        raise RecordingError(str(recording.path), "where right is, is not known")
    ups = upward(low.quats, low.acc)
    stage = Bends(MIN_PELVIS_PEAK_DEG if upper is Placement.PELVIS else MIN_PEAK_DEG)
    found: list[Bend | None] = []
    for stop in range(_PER_TICK, min(len(low.t_ns), len(top.t_ns)) + 1, _PER_TICK):
        lean = axes.lean(top.quats[stop - 1].tolist())
        up_mps2 = float(ups[stop - _PER_TICK : stop].mean())
        found.append(stage.step(int(top.t_ns[stop - 1]), lean.flexion_deg, None, up_mps2, walking=False))
    return [bend for bend in found if bend is not None]


def _squat_spans(recording: Recording) -> list[tuple[float, float]]:
    t_ns = NS_PER_S * recording.floats("t")
    begins, ends = recording.floats("rep_start_idx").astype(int), recording.floats("rep_end_idx").astype(int)
    return [(float(t_ns[begin]), float(t_ns[end])) for begin, end in zip(begins, ends, strict=True)]


def _share(measure: str, method: str, judged: Sequence[_Judged]) -> Figure:
    return _figure(measure, method, [(one, one.found, one.true) for one in judged])


def _knees(method: str, judged: Sequence[_Judged]) -> Figure:
    return _figure(figures.KNEES, method, [(one, one.knees_right, one.told) for one in judged])


def _figure(measure: str, method: str, parts: Sequence[tuple[_Judged, int, int]]) -> Figure:
    right, of = sum(part for _, part, _ in parts), sum(whole for _, _, whole in parts)
    people: dict[str, list[tuple[int, int]]] = {}
    for one, part, whole in parts:
        people.setdefault(one.person, []).append((part, whole))
    wrong = max(parts, key=lambda part: part[2] - part[1])
    return Figure(
        set=figures.EVERYDAY,
        measure=measure,
        method=method,
        unit="%",
        value=100.0 * right / of if of else None,
        people=len(people),
        recordings=len(parts),
        repetitions=of,
        per_person={
            person: 100.0 * sum(part for part, _ in own) / sum(whole for _, whole in own)
            for person, own in people.items()
            if sum(whole for _, whole in own)
        },
        worst=wrong[0].recording if wrong[1] < wrong[2] else None,
        note=f"{right} of {of}",
        comparison=True,
    )
