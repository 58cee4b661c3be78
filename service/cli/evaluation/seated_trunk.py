"""trunk_seated: are the movements of each plane counted in whole recordings, the other planes being distractors?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from processing.analyzer.recording import analyze_recording
from processing.domain.errors import RecordingError
from processing.dsp.blocks import Floats
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.counting import Count, count_figures, reps_by_channel
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.progress import Progress

PLANES = ("flexion", "lateral_bend", "axial_rotation")
"""Channels in the order of ``rep_count``."""

EXTREMES = dict(zip(PLANES, ("sagittal", "frontal", "axial"), strict=True))
"""How the arrays with the times of the extremes name each plane."""

EXERCISE = "seated_rom"

_METHOD = "analyzer, whole recording as one set without boundaries, all planes counted at once; per plane"


def seated_trunk_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """Shares of plane counts that are exact and within one."""
    counts = [count for found in folder.each(figures.SEATED, _counts, progress) for count in found]
    return count_figures(figures.SEATED, _METHOD, counts)


def _counts(recording: Recording) -> list[Count]:
    findings, _ = analyze_recording(recorded_session(recording.path, AnalysisOptions(exercise=EXERCISE)))
    return plane_counts(recording, reps_by_channel(findings))


def plane_counts(recording: Recording, found: Mapping[str, int]) -> list[Count]:
    """Counts beside the true ones, of the planes whose true count is known.

    Raises:
        RecordingError: the recording has no count for each plane.
    """
    truth: Floats = recording.floats("rep_count")
    if truth.shape != (len(PLANES),):
        raise RecordingError(str(recording.path), "needs a count for each of three planes", column="rep_count")
    return [
        Count(recording.person, recording.name, plane, found.get(plane, 0), int(true))
        for plane, true in zip(PLANES, truth, strict=True)
        if np.isfinite(true)
    ]
