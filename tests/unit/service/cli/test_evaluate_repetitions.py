"""How holds and faults of repetitions are scored."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_sim.motion.truth import Fault, HoldTruth, RepTruth, SetTruth
from processing.domain.commands import RepTarget
from processing.domain.exercises import Channel, Posture
from processing.domain.findings import Finding, RepCompleted
from processing.domain.hold_findings import HoldCompleted
from processing.domain.quality_findings import FaultyRep, SetQuality
from processing.domain.rep_faults import FaultSeen, RepFault, Unit
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder
from service.cli.evaluation.holds import hold_figures, set_holds
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.rep_faults import fault_figures, judged_reps
from service.cli.evaluation.squat_form import squat_form_figures
from tests.unit.service.cli.evaluation_folders import simulated_arrays, write

FOUND = {"finding_id": "", "session_id": "", "ordinal": 0, "algorithm": "a/1", "quality": 1.0, "set_number": 1}


def by_measure(rows: list[Figure]) -> dict[str, Figure]:
    return {row.measure: row for row in rows}


def held(number: int, start_s: float, end_s: float) -> HoldCompleted:
    return HoldCompleted(
        **FOUND,
        t0_ns=round(start_s * NS_PER_S),
        t1_ns=round(end_s * NS_PER_S),
        exercise="side_plank",
        number=number,
        placement=Placement.PELVIS,
        posture=Posture.SIDE_LYING,
        seconds=end_s - start_s,
        sag_deg=2.0,
        sway_deg=0.3,
        breaks=0,
        whole=True,
    )


def test_a_hold_not_found_is_off_by_its_length_and_one_that_was_none_is_false() -> None:
    truth = SetTruth("side_plank", 0.0, 60.0, holds=(HoldTruth(5.0, 15.0, 2.5), HoldTruth(20.0, 30.0, 1.0)))
    rows = by_measure(hold_figures(set_holds("P", [truth], [held(1, 5.2, 14.9), held(2, 40.0, 44.0)])))
    assert rows[figures.HOLD_ERROR].value == pytest.approx((0.3 + 10.0) / 2.0)
    assert rows[figures.HOLD_ERROR].note.startswith("1 of 2 not found")
    assert rows["false holds"].value == 1.0
    assert rows["sag error, mean"].value == pytest.approx(0.5)


def rep(number: int, peak_s: float) -> RepCompleted:
    return RepCompleted(
        **FOUND,
        t0_ns=round((peak_s - 1.0) * NS_PER_S),
        t1_ns=round((peak_s + 1.0) * NS_PER_S),
        exercise="squat",
        channel=Channel.VERTICAL,
        number=number,
        t_peak_ns=round(peak_s * NS_PER_S),
        amplitude=0.4,
        tempo_s=2.0,
        valid=True,
    )


def judged(*faulty: FaultyRep) -> SetQuality:
    return SetQuality(
        **FOUND,
        t0_ns=0,
        t1_ns=0,
        exercise="squat",
        channel=Channel.VERTICAL,
        judged=3,
        watched=tuple(RepFault),
        faulty=faulty,
        usual=RepTarget(),
        left_deg=None,
        right_deg=None,
        asymmetry=None,
    )


def test_faults_are_matched_by_time_not_by_number_and_uncounted_repetitions_are_left_out() -> None:
    faults = (Fault.LEAN, None, None, Fault.LEAN)
    reps = tuple(
        RepTruth("squat", Channel.VERTICAL, at + 1, 3.0 * at, 3.0 * at + 1.5, 3.0 * at + 3.0, 0.4, fault)
        for at, fault in enumerate(faults)
    )
    lean = FaultSeen(fault=RepFault.LEAN, found=40.0, usual=25.0, unit=Unit.DEGREES)
    # The first one was not counted, so that the fourth is number 3.
    findings: list[Finding] = [rep(1, 4.5), rep(2, 7.5), rep(3, 10.5)]
    findings.append(judged(FaultyRep(number=2, faults=(lean,)), FaultyRep(number=3, faults=(lean,))))
    rows = by_measure(fault_figures(judged_reps("P", [SetTruth("squat", 0.0, 12.0, reps=reps)], findings)))
    assert (rows["lean seen as lean"].value, rows["lean seen as lean"].repetitions) == (100.0, 1)
    assert rows["repetitions without a fault seen as faulty"].value == 50.0
    assert rows["twist seen as twist"].value is None


def test_forms_are_held_against_the_first_correct_set_which_is_not_scored(tmp_path: Path) -> None:
    _, arrays = simulated_arrays("squat_lowback", "squat", reps=5)
    for name, form in (("correct_set1", "correct"), ("correct_set2", "correct"), ("lean_set1", "excessive_lean")):
        write(tmp_path, "squat_lowback", f"Q90_{name}", {"form": form}, **arrays)
    rows = by_measure(squat_form_figures(Folder(tmp_path), Progress()))
    correct, lean = rows["correct, but seen as faulty"], rows["excessive_lean seen as lean"]
    assert (correct.recordings, correct.repetitions, correct.value) == (1, 5, 0.0)
    # Nobody leaned here, whatever the file says.
    assert (lean.recordings, lean.value) == (1, 0.0)
    assert rows["butt_wink seen as pelvis_tucked"].value is None
