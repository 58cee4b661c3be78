"""All questions of an evaluation, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from service.cli.evaluation import figures
from service.cli.evaluation.core_speed import core_speed_figures
from service.cli.evaluation.counting_baselines import seated_trunk_baselines, sit_to_stand_baselines, squat_baselines
from service.cli.evaluation.everyday import everyday_figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder
from service.cli.evaluation.gait import gait_figures
from service.cli.evaluation.parameters import parameter_figures
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.recorded_bends import recorded_bends_figures
from service.cli.evaluation.rigid_body import rigid_body_figures
from service.cli.evaluation.robustness import robustness_figures
from service.cli.evaluation.seated_trunk import seated_trunk_figures
from service.cli.evaluation.sensor_faults import sensor_fault_figures
from service.cli.evaluation.simulated import simulated_figures
from service.cli.evaluation.sit_to_stand import sit_to_stand_figures
from service.cli.evaluation.sitting import sitting_figures
from service.cli.evaluation.squats import squat_figures
from service.cli.evaluation.step_baseline import step_baselines
from service.cli.evaluation.walking import walking_figures
from service.cli.evaluation.wheelchair import wheelchair_figures

Ask = Callable[[Folder, Progress], list[Figure]]


class Question(NamedTuple):
    """One part of an evaluation.

    Attributes:
        name: name of its rows in the column "set".
        needs: set of recordings that it rests on, None if it needs none.
        ask: what measures it.
    """

    name: str
    needs: str | None
    ask: Ask


LEAVE_ONE_OUT = Question(figures.PARAMETERS, None, parameter_figures)
"""Asked when wanted: it takes as long as all the others."""


JUDGED_PEOPLE = 100
"""Simulated people of the question that has targets (issue 3)."""

OTHER_PEOPLE = 20
"""Simulated people of the questions without a target, so that all of them together take minutes."""


def questions(people: int | None = None) -> Sequence[Question]:
    """What is asked always; ``people`` are simulated, None for the usual numbers."""
    judged, others = people or JUDGED_PEOPLE, people or OTHER_PEOPLE
    recorded: Sequence[tuple[str, Ask]] = (
        (figures.BROAD, rigid_body_figures),
        (figures.WHEELCHAIR, wheelchair_figures),
        (figures.SQUATS, _both(squat_figures, squat_baselines)),
        (figures.SEATED, _both(seated_trunk_figures, seated_trunk_baselines)),
        (figures.SIT_TO_STAND, _both(sit_to_stand_figures, sit_to_stand_baselines)),
        (figures.WALKING, _both(walking_figures, step_baselines)),
        (figures.SITTING, sitting_figures),
    )
    return (
        *(Question(name, name, ask) for name, ask in recorded),
        Question(figures.SIMULATOR, None, partial(_simulated, judged)),
        Question(figures.EVERYDAY, None, partial(_everyday, others)),
        Question(figures.GAIT, None, partial(_gait, others)),
        Question(figures.ROBUSTNESS, figures.SEATED, robustness_figures),
        Question(figures.SENSOR_FAULTS, None, partial(sensor_fault_figures, others)),
        Question(figures.SPEED, None, lambda _, progress: core_speed_figures(progress)),
    )


def _both(core: Ask, baselines: Ask) -> Ask:
    return lambda folder, progress: [*core(folder, progress), *baselines(folder, progress)]


def _simulated(people: int, _: Folder, progress: Progress) -> list[Figure]:
    return simulated_figures(people, progress)


def _everyday(people: int, folder: Folder, progress: Progress) -> list[Figure]:
    return [*everyday_figures(people, progress), *recorded_bends_figures(folder, progress)]


def _gait(people: int, _: Folder, progress: Progress) -> list[Figure]:
    return gait_figures(people, progress)
