"""sitting_posture_clips: does the posture stage tell upright from bad sitting?"""

from __future__ import annotations

from processing.domain.errors import RecordingError
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder
from service.cli.evaluation.progress import Progress

JUDGED = ("Upright", "Bad")


def sitting_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """A row that says that there is nothing to measure yet: the signal core has no posture stage."""
    clips = recordings = 0
    for recording in progress.through(folder.recordings(figures.SITTING), len(folder.paths(figures.SITTING))):
        recordings += 1
        if "label" not in recording.arrays:
            folder.leave_out(recording.path, RecordingError(str(recording.path), "array is missing", column="label"))
            continue
        clips += sum(str(label) in JUDGED for label in recording.arrays["label"])
    return [
        Figure(
            set=figures.SITTING,
            measure=figures.BALANCED,
            method="",
            unit="",
            value=None,
            people=0,
            recordings=recordings,
            note=f"posture stage not built yet; {clips} clips of upright and bad sitting wait for it",
        )
    ]
