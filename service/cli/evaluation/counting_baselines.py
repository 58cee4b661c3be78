"""What simple offline counters make of the sets whose repetitions are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from firmware_sim.recording import load_recording
from processing.domain.samples import Placement
from service.cli.evaluation import figures
from service.cli.evaluation.baselines import (
    ACCELERATION_PEAKS,
    AUTOCORRELATION,
    PLANE_PEAKS,
    RATE_HZ,
    TILT_PEAKS,
    SimpleCounter,
    Trial,
    body_frame,
    counts_by,
)
from service.cli.evaluation.counting import count_figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.seated_trunk import EXTREMES, plane_counts
from service.cli.evaluation.sit_to_stand import true_count
from service.cli.recordings import recording_plan

MARGIN_S = 2.0
"""What a counter that is told where a plane's movements are sees before the first and after the last extreme."""


def squat_baselines(folder: Folder, progress: Progress) -> list[Figure]:
    """Counts of squats from the sensor at the low back."""
    return _of_low_back(figures.SQUATS, folder.each(figures.SQUATS, _squats, progress))


def sit_to_stand_baselines(folder: Folder, progress: Progress) -> list[Figure]:
    """Counts of sit-to-stands from the sensor at the pelvis."""
    trials = folder.each(figures.SIT_TO_STAND, _sit_to_stands, progress)
    return _of_low_back(figures.SIT_TO_STAND, [trial for trial in trials if trial is not None])


def seated_trunk_baselines(folder: Folder, progress: Progress) -> list[Figure]:
    """Counts per plane from the sensor at T10; two of the counters must be told where each plane's movements are."""
    both = [pair for pairs in folder.each(figures.SEATED, _planes, progress) for pair in pairs]
    whole = [trial for trial, _ in both]
    told = [trial for _, trial in both if trial is not None]
    return [
        *_figures(figures.SEATED, [PLANE_PEAKS], whole, "T10, whole recording"),
        *_figures(figures.SEATED, [ACCELERATION_PEAKS, AUTOCORRELATION], told, "T10, told where each plane's are"),
    ]


def _of_low_back(set_name: str, trials: Iterable[Trial]) -> list[Figure]:
    counters = [ACCELERATION_PEAKS, TILT_PEAKS, AUTOCORRELATION]
    return _figures(set_name, counters, list(trials), "low back, whole recording")


def _squats(recording: Recording) -> Trial:
    return _trial(recording, Placement.PELVIS, int(recording.floats("rep_count")))


def _sit_to_stands(recording: Recording) -> Trial | None:
    truth = true_count(recording)
    return None if truth is None else _trial(recording, Placement.PELVIS, truth)


def _trial(recording: Recording, placement: Placement, truth: int) -> Trial:
    track, mount = load_recording(recording.path)[placement], recording_plan(recording.path).mounts[placement]
    return Trial(recording.person, recording.name, "", truth, *body_frame(track, mount))


def _planes(recording: Recording) -> list[tuple[Trial, Trial | None]]:
    whole = _trial(recording, Placement.THORAX, 0)
    planes = [replace(whole, channel=count.channel, truth=count.truth) for count in plane_counts(recording, {})]
    return [(trial, _told(recording, trial)) for trial in planes]


def _told(recording: Recording, trial: Trial) -> Trial | None:
    """The part of the trial around the plane's extremes, where the recording states them."""
    name = f"t_{EXTREMES[trial.channel]}"
    if f"{name}_pos" not in recording.arrays or f"{name}_neg" not in recording.arrays:
        return None
    extremes_s = np.concatenate((recording.floats(f"{name}_pos"), recording.floats(f"{name}_neg")))
    begin_s = float(recording.floats("t")[0])
    first, last = (round((at_s - begin_s) * RATE_HZ) for at_s in (extremes_s.min(), extremes_s.max()))
    margin = round(MARGIN_S * RATE_HZ)
    part = slice(max(0, first - margin), last + margin)
    return replace(trial, acc=trial.acc[part], gyr=trial.gyr[part])


def _figures(set_name: str, counters: Sequence[SimpleCounter], trials: Sequence[Trial], seen: str) -> list[Figure]:
    people = len({trial.person for trial in trials})
    how = "the one best for the other people" if people > 1 else "the middle one (nobody else to choose on)"
    return [
        figure
        for counter in counters
        for figure in count_figures(
            set_name,
            f"baseline: {counter.name}, offline, {seen}; of {len(counter.settings)} settings {how}",
            counts_by(counter, trials),
            baseline=counter.name,
        )
    ]
