"""Parameters varied and judged by the person who was left out."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from processing.analyzer.recording import RecordedSession, analyze_recording
from processing.domain.exercises import CATALOGUE
from processing.domain.findings import Finding
from processing.dsp import turning_points
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.parameters import PARAMETERS, Parameter, constant, floors, parameter_figures
from service.cli.evaluation.progress import Progress
from tests.unit.service.cli.evaluation_folders import simulated_arrays, write

MODULE = "processing.dsp.turning_points"
BEFORE = turning_points.FOLLOW


def a_parameter(best: dict[str, float]) -> Parameter:
    """A parameter that suits each person the better the nearer it is to that person's own scale."""

    def score(recording: Recording) -> float:
        return -abs(turning_points.FOLLOW / BEFORE - best[recording.person])

    return Parameter("FOLLOW", "squat_lowback", figures.EXACT, partial(constant, MODULE, "FOLLOW"), score, "°")


@pytest.fixture
def three_people(tmp_path: Path) -> Folder:
    for person in "ABC":
        write(tmp_path, "squat_lowback", f"{person}_1", {}, t=[0.0])
    return Folder(tmp_path)


def test_a_person_is_scored_with_the_scale_of_the_others(three_people: Folder) -> None:
    (row,) = parameter_figures(three_people, Progress(), [a_parameter({"A": 1.6, "B": 0.8, "C": 0.8})])
    # The others of B are A and C, whose sum is best anywhere from 0.8 to 1.6, so that the parameter stays as it is.
    assert row.per_person == pytest.approx({"A": 0.8, "B": 0.2, "C": 0.2})
    assert row.value == pytest.approx(0.4)
    assert (row.people, row.recordings) == (3, 3)


def test_the_parameter_as_it_is_stands_where_nothing_is_better(three_people: Folder) -> None:
    (row,) = parameter_figures(three_people, Progress(), [a_parameter(dict.fromkeys("ABC", 1.0))])
    assert row.value == pytest.approx(0.0, abs=1e-9)
    assert "as it is 0;" in row.note
    assert row.note.endswith("chosen 1 for 3")


def test_a_folder_without_the_set_has_no_row(tmp_path: Path) -> None:
    assert parameter_figures(Folder(tmp_path), Progress()) == []


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda one: f"{one.name}, {one.set}")
def test_parameters_are_as_before_after_being_scaled(parameter: Parameter) -> None:
    floor_before = [channel.floor for channel in CATALOGUE["squat"].channels]
    with pytest.raises(RuntimeError), parameter.scaled(2.0):
        raise RuntimeError
    assert [channel.floor for channel in CATALOGUE["squat"].channels] == floor_before
    assert BEFORE == turning_points.FOLLOW


def test_a_scaled_floor_is_what_the_catalogue_gives() -> None:
    before = CATALOGUE["squat"].channels[0].floor
    with floors("squat", 2.0):
        assert CATALOGUE["squat"].channels[0].floor == 2.0 * before


def test_scaling_reaches_the_code_that_runs(tmp_path: Path) -> None:
    truth, arrays = simulated_arrays("squat_lowback", "squat", reps=3)
    sides = ("start", "end")
    marks = {
        f"rep_{one}_idx": np.searchsorted(arrays["t"], [getattr(rep, f"{one}_s") for rep in truth.reps])
        for one in sides
    }
    path = write(tmp_path, "squat_lowback", "Q90_1", {}, rep_count=np.int64(3), **marks, **arrays)
    session = recorded_session(path, AnalysisOptions(exercise="squat"))
    as_it_is, _ = analyze_recording(session)
    changed = [
        parameter
        for parameter in PARAMETERS
        if parameter.set == "squat_lowback" and _changes(parameter, session, as_it_is)
    ]
    assert [one.name for one in changed] == ["floors of the squat", "FOLLOW of turning points", "STROKE_SPEED"]


def _changes(parameter: Parameter, session: RecordedSession, as_it_is: list[Finding]) -> bool:
    with parameter.scaled(3.0):
        return analyze_recording(session)[0] != as_it_is
