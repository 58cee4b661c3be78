"""sitting_posture_clips: does the slouch stage tell upright from bad sitting?

Nobody captured poses of their own for these clips, and they do not say whose they are. What a live session captures is
taken from the other clips: all others, since a person captures the pose in the sitting that it is used in; and, as a
comparison, only those of other stretches of the recording, as if the pose had been captured in another sitting. Nothing
else is chosen by the clips: the shares and the usual slump are those of the stage.

All bad clips but none of the upright ones contain the movement out of the upright pose, so that this set cannot tell a
judge of posture from one of movement. The stage looks at the pose alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firmware_sim.recording import Track
from processing.domain.errors import LumbarError, RecordingError
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, Floats
from processing.dsp.slouch import Slouch, sitting_between
from processing.dsp.trunk_axes import Vector, angle_deg, unit, up_of
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.orientation_stage import oriented
from service.cli.evaluation.progress import Progress

UPRIGHT, BAD = "Upright", "Bad"

FOLDS = 5
"""Stretches of the recording that lend each other the upright pose."""

FIXED_DEG = 5.5
"""Threshold on the mean acceleration of a clip that was found by hand on these clips (signals.md §4.2)."""

MIRRORED = -1.0
"""Factor on the rates: this sensor (LSM9DS1) states accelerations and rates in a left-handed frame, so that the rates
turn the wrong way for right-handed mathematics. (``aster94/SensorFusion`` issue 7; and it shows: over the other clips,
standing up and sitting down, integrated rates and accelerations end 28° apart as they are, 4° with the sign changed.)
"""

_STAGE = "slouch stage at the end of each clip (no dwell)"


class _Clip(NamedTuple):
    """A clip: its name, whether it is called bad, up in the sensor's frame every 50 ms, and its mean acceleration."""

    name: str
    bad: bool
    ups: Sequence[Vector]
    mean_acc: Vector


class _Judged(NamedTuple):
    name: str
    bad: bool
    slouched: bool


def sitting_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """Balanced accuracy of the stage with the usual slump and with a personal one, and of a fixed threshold."""
    clips: list[_Clip] = []
    recordings = 0
    for recording in progress.through(folder.recordings(figures.SITTING), len(folder.paths(figures.SITTING))):
        try:
            clips += _clips(recording)
            recordings += 1
        except LumbarError as error:
            folder.leave_out(recording.path, error)
    each, stretches = len(clips), min(FOLDS, len(clips))
    methods: Sequence[tuple[str, int, Callable[[_Clip, Sequence[_Clip]], bool]]] = (
        (f"{_STAGE}, usual slump; upright pose: mean of all other upright clips", each, _by_usual_slump),
        (f"the same; upright pose: mean of {FOLDS - 1} of {FOLDS} other stretches", stretches, _by_usual_slump),
        ("as the first; slump: mean end of all other bad clips, as if captured", each, _by_their_slump),
        (f"baseline: mean acceleration of a clip more than {FIXED_DEG}° from all other upright clips", each, _by_mean),
    )
    return [
        _figure(method, _judge(clips, folds, slouched), recordings, comparison=number > 0, simple=slouched is _by_mean)
        for number, (method, folds, slouched) in enumerate(methods)
    ]


def angles_from_upright_deg(recording: Recording) -> dict[bool, list[float]]:
    """Angle of each clip's end from the mean of all other upright clips, degrees, of upright (False) and bad clips.

    Raises:
        RecordingError: the recording has no such clips.
    """
    clips = _clips(recording)
    angles: dict[bool, list[float]] = {False: [], True: []}
    for clip in clips:
        others = [other for other in clips if other is not clip]
        if any(not other.bad for other in others):
            angles[clip.bad].append(angle_deg(clip.ups[-1], _upright(others)))
    return angles


def _clips(recording: Recording) -> list[_Clip]:
    acc, gyr = recording.floats("acc"), recording.floats("gyr")
    labels, names = _texts(recording, "label"), _texts(recording, "name")
    rate_hz = float(recording.floats("fs"))
    if acc.ndim != 3 or acc.shape != gyr.shape or not len(acc) == len(labels) == len(names):
        raise RecordingError(str(recording.path), "clips, labels and names do not go together")
    chosen = [at for at, label in enumerate(labels) if label in (UPRIGHT, BAD)]
    return [_clip(names[at], labels[at], acc[at], gyr[at], rate_hz) for at in chosen]


def _clip(name: str, label: str, acc: Floats, gyr: Floats, rate_hz: float) -> _Clip:
    run = oriented(Track(np.arange(len(acc)) / rate_hz, acc, MIRRORED * gyr))
    ups = [up_of(quat) for quat in run.quats[BLOCK_SAMPLES - 1 :: BLOCK_SAMPLES].tolist()]
    return _Clip(name, label == BAD, ups, _mean([(x, y, z) for x, y, z in acc.tolist()]))


def _texts(recording: Recording, name: str) -> list[str]:
    if name not in recording.arrays:
        raise RecordingError(str(recording.path), "array is missing", column=name)
    return [str(text) for text in recording.arrays[name]]


def _judge(clips: Sequence[_Clip], folds: int, slouched: Callable[[_Clip, Sequence[_Clip]], bool]) -> list[_Judged]:
    """Every clip by those of the other folds; a fold is a stretch of the clips of each label as they were recorded."""
    places: npt.NDArray[np.int_] = np.zeros(len(clips), dtype=np.int_)
    for bad in (False, True):
        own = [at for at, clip in enumerate(clips) if clip.bad is bad]
        places[own] = np.arange(len(own)) * folds // max(1, len(own))
    judged = []
    for at, (clip, place) in enumerate(zip(clips, places, strict=True)):
        others = [other for other_at, other in enumerate(clips) if places[other_at] != place and other_at != at]
        if any(not other.bad for other in others) and any(other.bad for other in others):
            judged.append(_Judged(clip.name, clip.bad, slouched(clip, others)))
    return judged


def _by_usual_slump(clip: _Clip, others: Sequence[_Clip]) -> bool:
    return _stage(clip, _upright(others), None)


def _by_their_slump(clip: _Clip, others: Sequence[_Clip]) -> bool:
    return _stage(clip, _upright(others), _mean([other.ups[-1] for other in others if other.bad]))


def _by_mean(clip: _Clip, others: Sequence[_Clip]) -> bool:
    return angle_deg(clip.mean_acc, _mean([other.mean_acc for other in others if not other.bad])) > FIXED_DEG


def _stage(clip: _Clip, upright: Vector, slump: Vector | None) -> bool:
    stage = Slouch()
    for number, up in enumerate(clip.ups):
        stage.step(number * BLOCK_NS, sitting_between([up], [upright], None if slump is None else [slump]))
    return stage.slouched


def _upright(others: Sequence[_Clip]) -> Vector:
    return _mean([up for other in others if not other.bad for up in other.ups])


def _mean(vectors: Sequence[Vector]) -> Vector:
    x, y, z = np.mean(vectors, axis=0).tolist()
    return unit((x, y, z))


def _figure(method: str, judged: Sequence[_Judged], recordings: int, *, comparison: bool, simple: bool) -> Figure:
    bad = [one for one in judged if one.bad]
    upright = [one for one in judged if not one.bad]
    found, kept = sum(one.slouched for one in bad), sum(not one.slouched for one in upright)
    wrong = next((one.name for one in judged if one.slouched is not one.bad), None)
    return Figure(
        set=figures.SITTING,
        measure=figures.BALANCED,
        method=method,
        unit="",
        value=0.5 * (found / len(bad) + kept / len(upright)) if bad and upright else None,
        people=0,
        recordings=recordings,
        worst=wrong,
        note=f"{found} of {len(bad)} bad and {kept} of {len(upright)} upright clips; people are not named"
        if judged
        else "no clips of upright and bad sitting",
        comparison=comparison,
        baseline=f"mean acceleration, {FIXED_DEG}°" if simple else None,
    )
