"""Simulated walking is judged by the steps that the simulator took."""

from __future__ import annotations

from service.cli.evaluation import figures
from service.cli.evaluation.gait import gait_figures
from service.cli.evaluation.progress import Progress


def test_walking_is_judged_by_what_a_simulated_person_did() -> None:
    rows = {row.measure: row for row in gait_figures(1, Progress())}
    assert set(rows) == {figures.STEP_ERROR, figures.WATER_ERROR, figures.TURNS_ERROR, figures.FALSE_REPS}
    assert all(row.people == 1 and row.value is not None for row in rows.values())
    assert 0.0 <= rows[figures.STEP_ERROR].value < 10.0
    assert rows[figures.TURNS_ERROR].value < 5.0


def test_nobody_gives_no_value() -> None:
    assert {row.value for row in gait_figures(0, Progress())} == {None}
