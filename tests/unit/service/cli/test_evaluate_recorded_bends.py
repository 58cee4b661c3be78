from __future__ import annotations

from pathlib import Path

import numpy as np

from service.cli.evaluation import figures
from service.cli.evaluation.folder import Folder
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.recorded_bends import recorded_bends_figures
from tests.unit.service.cli.evaluation_folders import simulated_arrays, write


def test_squats_are_bends_with_bent_knees_and_bends_on_a_chair_are_not(tmp_path: Path) -> None:
    truth, arrays = simulated_arrays("squat_lowback", "squat")
    marks = [np.searchsorted(arrays["t"], [getattr(rep, side) for rep in truth.reps]) for side in ("start_s", "end_s")]
    write(tmp_path, "squat_lowback", "Q1_set1", {}, rep_start_idx=marks[0], rep_end_idx=marks[1], **arrays)
    _, seated = simulated_arrays("trunk_seated", "seated_rom")
    write(tmp_path, "trunk_seated", "T01_1", {}, **seated)
    found, bent, straight = recorded_bends_figures(Folder(tmp_path), Progress())
    assert (found.measure, bent.measure, straight.measure) == (figures.BENDS_FOUND, figures.KNEES, figures.KNEES)
    assert found.note.endswith(f"of {truth.count()}")
    assert bent.value == straight.value == 100.0
    assert bent.repetitions
    assert straight.repetitions


def test_a_recording_without_marks_is_left_out(tmp_path: Path) -> None:
    _, arrays = simulated_arrays("squat_lowback", "squat")
    write(tmp_path, "squat_lowback", "Q1_set1", {}, **arrays)
    folder = Folder(tmp_path)
    assert recorded_bends_figures(folder, Progress()) == []
    assert "rep_start_idx" in folder.broken["squat_lowback/Q1_set1.npz"]


def test_without_recordings_there_are_no_rows(tmp_path: Path) -> None:
    assert recorded_bends_figures(Folder(tmp_path), Progress()) == []
