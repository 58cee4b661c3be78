"""sit_to_stand_bench: is a cycle with two bends of the trunk one repetition?"""

from __future__ import annotations

from processing.analyzer.recording import analyze_recording
from processing.domain.errors import LumbarError
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.counting import Count, count_figures, reps_by_channel
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.progress import Progress

_METHOD = "analyzer, exercise sit_to_stand, one set over the whole recording"


def sit_to_stand_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """Shares of counts that are exact and within one; recordings that state no count are left out by themselves."""
    counts: list[Count] = []
    paths = folder.paths(figures.SIT_TO_STAND)
    for recording in progress.through(folder.recordings(figures.SIT_TO_STAND), len(paths)):
        truth = true_count(recording)
        if truth is None:
            continue
        try:
            findings, _ = analyze_recording(recorded_session(recording.path, AnalysisOptions(exercise="sit_to_stand")))
        except LumbarError as error:
            folder.leave_out(recording.path, error)
            continue
        found = sum(reps_by_channel(findings).values())
        counts.append(Count(recording.person, recording.name, "", found, truth))
    return count_figures(figures.SIT_TO_STAND, _METHOD, counts)


def true_count(recording: Recording) -> int | None:
    """True count: as stated, which the seat's load cell confirms in every recording that states one."""
    stated = recording.meta.get("rep_count")
    return stated if isinstance(stated, int) else None
