"""sit_to_stand_bench: is a cycle with two bends of the trunk one repetition?"""

from __future__ import annotations

from processing.analyzer.recording import analyze_recording
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.counting import Count, count_figures, reps_by_channel
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.progress import Progress

_METHOD = "analyzer, exercise sit_to_stand, one set over the whole recording"


def sit_to_stand_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """Shares of counts that are exact and within one; recordings that state no count are left out by themselves."""
    counts = [count for count in folder.each(figures.SIT_TO_STAND, _count, progress) if count is not None]
    return count_figures(figures.SIT_TO_STAND, _METHOD, counts)


def _count(recording: Recording) -> Count | None:
    truth = true_count(recording)
    if truth is None:
        return None
    findings, _ = analyze_recording(recorded_session(recording.path, AnalysisOptions(exercise="sit_to_stand")))
    return Count(recording.person, recording.name, "", sum(reps_by_channel(findings).values()), truth)


def true_count(recording: Recording) -> int | None:
    """True count: as stated, which the seat's load cell confirms in every recording that states one."""
    stated = recording.meta.get("rep_count")
    return stated if isinstance(stated, int) else None
