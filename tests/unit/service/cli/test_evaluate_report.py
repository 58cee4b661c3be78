"""Targets, the command and the page of `lumbar evaluate`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from processing.domain.errors import SettingsError
from service.cli.evaluate import MISSED, evaluate, evaluate_command
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure, Row, Target, judged
from service.cli.evaluation.folder import Folder, person_of
from service.cli.evaluation.markdown import accuracy_page, markdown
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.questions import Question, questions
from tests.unit.service.cli.evaluation_folders import simulated_arrays, write

SQUATS_EXACT = Target(set="squats", measure="exact", unit="%", at_least=97.0)


def a_figure(value: float | None, *, comparison: bool = False, baseline: str | None = None) -> Figure:
    return Figure(
        set="squats",
        measure="exact",
        method="m",
        unit="%",
        value=value,
        people=2,
        recordings=3,
        comparison=comparison,
        baseline=baseline,
    )


def command(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(evaluate_command)
    return CliRunner().invoke(app, ["--jobs", "1", *arguments])


@pytest.mark.parametrize(
    ("value", "result", "holds"),
    [(97.0, "pass", True), (96.9, "fail", False), (None, "not measured", None)],
)
def test_a_figure_is_held_against_its_target(value: float | None, result: str, *, holds: bool | None) -> None:
    (row,) = judged([a_figure(value)], targets=[SQUATS_EXACT])
    assert (row.result.value, row.holds, row.target) == (result, holds, "≥ 97 %")


def test_a_comparison_has_no_target() -> None:
    (row,) = judged([a_figure(3.0, comparison=True)], targets=[SQUATS_EXACT])
    assert (row.result.value, row.holds, row.target) == ("-", None, None)


def test_an_absent_set_has_a_row_for_each_of_its_targets() -> None:
    rows = judged([], absent=["squats"], targets=[SQUATS_EXACT])
    assert [(row.measure, row.result.value, row.holds) for row in rows] == [("exact", "absent", None)]


def test_every_target_has_one_limit_and_a_question_of_its_own() -> None:
    assert all((target.at_most is None) != (target.at_least is None) for target in figures.TARGETS)
    assert {target.set for target in figures.TARGETS} <= {question.name for question in questions(1)}


def test_a_folder_without_recordings_measures_nothing_of_them(tmp_path: Path) -> None:
    asked = [question for question in questions(1) if question.needs is not None]
    rows = evaluate(Folder(tmp_path), asked, Progress())
    assert {row.result.value for row in rows} == {"absent"}
    assert {(row.set, row.measure) for row in rows} == {
        (target.set, target.measure)
        for target in figures.TARGETS
        if target.set not in (figures.SIMULATOR, figures.SPEED)
    }


def test_questions_are_asked_in_order_with_the_folder(tmp_path: Path) -> None:
    write(tmp_path, "broad", "x", {}, t=[0.0])
    told = Question("mine", "broad", lambda folder, _: [a_figure(float(len(folder.paths("broad"))))])
    (row,) = evaluate(Folder(tmp_path), [told], Progress())
    assert row.value == 1.0


def test_json_is_a_list_of_rows_with_the_promised_fields(tmp_path: Path) -> None:
    done = command(str(tmp_path), "--only", "broad", "--json")
    assert done.exit_code == 0
    rows = json.loads(done.stdout)
    assert len(rows) == 3
    assert {"set", "measure", "people", "recordings", "value", "target", "holds"} <= set(rows[0])
    assert (rows[0]["target"], rows[0]["at_most"], rows[0]["at_least"]) == ("≤ 0.72 °", 0.72, None)


def test_the_table_names_what_is_absent(tmp_path: Path) -> None:
    done = command(str(tmp_path), "--only", "squat_lowback")
    assert done.exit_code == 0
    assert "absent" in done.stdout


def test_strict_says_by_its_exit_code_that_a_target_does_not_hold(tmp_path: Path) -> None:
    assert command(str(tmp_path), "--only", "broad", "--strict").exit_code == MISSED


def test_what_could_not_be_read_is_named_on_standard_error(tmp_path: Path) -> None:
    (tmp_path / "sitting_posture_clips").mkdir()
    (tmp_path / "sitting_posture_clips" / "clips.npz").write_bytes(b"no")
    done = command(str(tmp_path), "--only", "sitting_posture_clips")
    assert "left out sitting_posture_clips/clips.npz" in done.stderr


def test_processes_give_the_rows_and_reasons_that_one_gives(tmp_path: Path) -> None:
    truth, arrays = simulated_arrays("sit_to_stand_bench", "sit_to_stand")
    write(tmp_path, "sit_to_stand_bench", "B90_sts", {"rep_count": truth.count()}, **arrays)
    write(tmp_path, "sit_to_stand_bench", "B91_sts", {"rep_count": 3}, t=[0.0])
    alone, together = (
        command(str(tmp_path), "--only", "sit_to_stand_bench", "--json", "--jobs", jobs) for jobs in ("1", "2")
    )
    assert alone.stdout == together.stdout
    assert "B91_sts" in together.stderr
    assert alone.stderr.splitlines()[-1] == together.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [["--only", "golf"], []])
def test_an_unknown_name_or_folder_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    folder = tmp_path if arguments else tmp_path / "missing"
    assert isinstance(command(str(folder), *arguments).exception, SettingsError)


def test_the_page_keeps_what_lies_around_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "accuracy.md"
    page.write_text("before\n<!-- lumbar evaluate: begin -->\noutdated\n<!-- lumbar evaluate: end -->\nafter\n")
    rows = judged([a_figure(98.0)], targets=[SQUATS_EXACT])
    accuracy_page(page, rows, date(2025, 11, 22))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "outdated" not in text
    assert markdown(rows, {}) in text
    assert "2025-11-22" in text
    accuracy_page(page, rows, date(2025, 11, 22))
    assert page.read_text() == text


def many_people(count: int) -> tuple[Row, ...]:
    scores = {f"P{number:02}": 100.0 - number for number in range(count)}
    figure = msgspec.structs.replace(a_figure(98.0), per_person=scores)
    return judged([figure, a_figure(40.0, comparison=True), a_figure(50.0, baseline="peaks")], targets=[SQUATS_EXACT])


def test_the_page_begins_with_what_has_a_target_beside_the_best_simple_method() -> None:
    summary = markdown(many_people(2), {}).partition("### squats")[0].splitlines()
    assert summary[-2:] == ["| squats | exact | 98 % | ≥ 97 % | holds | 50 %, peaks | 2 | 3 |", ""]


def test_comparisons_are_folded_and_pictures_linked() -> None:
    text = markdown(many_people(2), {"squats": "images/squats.png"})
    shown, _, folded = text.partition("<details>")
    assert "(images/squats.png)" in shown
    assert ("| exact | 40 % |" in shown, "| exact | 40 % |" in folded) == (False, True)


def test_of_many_people_those_who_miss_targets_are_listed() -> None:
    assert [f"| P{number:02} |" in markdown(many_people(5), {}) for number in range(5)] == [True] * 5
    text = markdown(many_people(20), {})
    assert "4 of 20 people reach every target" in text
    assert [f"| P{number:02} |" in text for number in (3, 4, 15, 16)] == [False, True, True, False]


def test_the_command_writes_a_page_with_the_picture_of_the_worst_recording(tmp_path: Path) -> None:
    truth, arrays = simulated_arrays("sit_to_stand_bench", "sit_to_stand")
    seat = {f"seat_{side}_t": np.array([rep.start_s for rep in truth.reps]) for side in ("off", "on")}
    write(tmp_path, "sit_to_stand_bench", "B90_sts", {"rep_count": truth.count()}, **arrays, **seat)
    page = tmp_path / "docs" / "accuracy.md"
    page.parent.mkdir()
    assert command(str(tmp_path), "--only", "sit_to_stand_bench", "--page", str(page)).exit_code == 0
    assert "](images/accuracy/sit_to_stand_bench.png)" in page.read_text()
    assert (page.parent / "images" / "accuracy" / "sit_to_stand_bench.png").exists()


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "accuracy.md"
    page.write_text("mine")
    with pytest.raises(SettingsError, match="begin"):
        accuracy_page(page, (), date(2025, 11, 22))
    assert page.read_text() == "mine"


def test_people_are_named_by_their_files() -> None:
    names = ("walking_lowback/M_HA001_Test5.npz", "squat_lowback/Q2_correct_set1.npz", "broad/01_a.npz")
    assert [person_of(Path(name)) for name in names] == ["M_HA001", "Q2", ""]
