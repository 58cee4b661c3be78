"""Poses that simulated people held against the poses that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from firmware_sim.motion.truth import HoldTruth, SetTruth
from processing.domain.findings import Finding
from processing.domain.hold_findings import HoldCompleted
from processing.dsp.blocks import NS_PER_S
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure

_METHOD = "time of the finding that spans the middle of a true hold, less the true time; none: all of it"
_FALSE = "findings that span the middle of no true hold, in sets of exercises with a pose to hold"


class SetHolds(NamedTuple):
    """Holds of one set.

    Attributes:
        errors_s: how far the time of each true hold is off; one not found is off by all of it.
        sags_deg: how far the sag of each hold found is off.
        missed: true holds that were not found.
        false_s: length of each hold found that was none.
    """

    person: str
    exercise: str
    errors_s: tuple[float, ...]
    sags_deg: tuple[float, ...]
    missed: int
    false_s: tuple[float, ...]


def set_holds(person: str, truths: Sequence[SetTruth], findings: Sequence[Finding]) -> list[SetHolds]:
    """Holds of each set of a session that has any, true or found."""
    found: dict[int, list[HoldCompleted]] = {}
    for finding in findings:
        if isinstance(finding, HoldCompleted):
            found.setdefault(finding.set_number, []).append(finding)
    scored = (_scored(person, truth, found.get(number, [])) for number, truth in enumerate(truths, start=1))
    return [one for one in scored if one.errors_s or one.false_s]


def _scored(person: str, truth: SetTruth, found: Sequence[HoldCompleted]) -> SetHolds:
    pairs = [(hold, _spanning(hold, found)) for hold in truth.holds]
    matched = [(hold, one) for hold, one in pairs if one is not None]
    right = {one.number for _, one in matched}
    return SetHolds(
        person,
        truth.exercise,
        tuple(hold.seconds if one is None else abs(one.seconds - hold.seconds) for hold, one in pairs),
        tuple(abs(one.sag_deg - hold.sag_deg) for hold, one in matched),
        len(pairs) - len(matched),
        tuple(one.seconds for one in found if one.number not in right),
    )


def _spanning(hold: HoldTruth, found: Sequence[HoldCompleted]) -> HoldCompleted | None:
    middle_ns = round((hold.start_s + hold.end_s) / 2.0 * NS_PER_S)
    return next((one for one in found if one.t0_ns <= middle_ns <= one.t1_ns), None)


def hold_figures(sets: Sequence[SetHolds]) -> list[Figure]:
    """Error of the time held, holds that were none, and error of the sag."""
    errors = [error for one in sets for error in one.errors_s]
    sags = [sag for one in sets for sag in one.sags_deg]
    false_s = [seconds for one in sets for seconds in one.false_s]
    worst = max(sets, key=lambda one: max(one.errors_s, default=0.0), default=None)
    most = max(sets, key=lambda one: len(one.false_s), default=None)
    missed = sum(one.missed for one in sets)
    return [
        _figure(
            sets,
            figures.HOLD_ERROR,
            _METHOD,
            "s",
            float(np.mean(errors)) if errors else None,
            _by_person(sets),
            worst,
            f"{missed} of {len(errors)} not found; largest error {max(errors, default=0.0):.1f} s",
        ),
        _figure(
            sets,
            "false holds",
            _FALSE,
            "",
            float(len(false_s)) if sets else None,
            {},
            most if false_s else None,
            f"longest {max(false_s):.1f} s; pauses of less than 1 s in a pose are no true holds" if false_s else "",
        ),
        _figure(
            sets,
            "sag error, mean",
            "lean from the first to the last second of the holds found, less the true one",
            "°",
            float(np.mean(sags)) if sags else None,
            {},
            None,
            f"{len(sags)} holds",
        ),
    ]


def _figure(
    sets: Sequence[SetHolds],
    measure: str,
    method: str,
    unit: str,
    value: float | None,
    per_person: Mapping[str, float],
    worst: SetHolds | None,
    note: str,
) -> Figure:
    return Figure(
        set=figures.SIMULATOR,
        measure=measure,
        method=method,
        unit=unit,
        value=value,
        people=len({one.person for one in sets}),
        recordings=len(sets),
        repetitions=sum(len(one.errors_s) for one in sets),
        per_person=per_person,
        worst=None if worst is None else f"{worst.exercise} of {worst.person}",
        note=note,
        comparison=measure != figures.HOLD_ERROR,
    )


def _by_person(sets: Sequence[SetHolds]) -> dict[str, float]:
    people: dict[str, list[float]] = {}
    for one in sets:
        people.setdefault(one.person, []).extend(one.errors_s)
    return {person: float(np.mean(errors)) for person, errors in people.items() if errors}
