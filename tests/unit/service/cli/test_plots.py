"""The picture of an analysis says what was counted, what was not, and why."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from processing.domain.errors import RecordingError
from processing.domain.exercises import Channel
from processing.domain.findings import GapSeen, LiveFrame, RepCompleted, SetCompleted, StepBout
from processing.domain.found import Found
from processing.domain.rejections import RejectionReason, RepRejected
from processing.domain.rep_faults import FaultSeen, RepFault, Unit
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S
from service.cli.plots import analysis_picture, write_analysis
from service.cli.traces import Trace

FLEXION = Channel.FLEXION


def found(kind: type[Found], t0_s: float, t1_s: float, **fields: Any) -> Any:
    every = {"finding_id": "", "session_id": "", "ordinal": 0, "algorithm": "", "quality": 1.0}
    return kind(t0_ns=round(t0_s * NS_PER_S), t1_ns=round(t1_s * NS_PER_S), **every, **fields)


def a_rep(number: int, **fields: Any) -> Any:
    said = {"valid": True, "faults": (), **fields}
    return found(
        RepCompleted,
        2.0 * number,
        2.0 * number + 2.0,
        exercise="squat",
        set_number=1,
        channel=FLEXION,
        number=number,
        t_peak_ns=round((2.0 * number + 1.0) * NS_PER_S),
        amplitude=40.0,
        tempo_s=2.0,
        **said,
    )


FINDINGS = [
    a_rep(1),
    a_rep(2),
    a_rep(3, valid=False, faults=(FaultSeen(fault=RepFault.SHALLOW, found=20.0, usual=40.0, unit=Unit.DEGREES),)),
    found(
        RepRejected,
        8.0,
        9.0,
        exercise="squat",
        set_number=1,
        channel=FLEXION,
        t_peak_ns=9 * NS_PER_S,
        amplitude=9.0,
        reason=RejectionReason.OTHER_PLANE,
    ),
    found(GapSeen, 10.0, 12.0, placement=Placement.PELVIS, sensor_id="pelvis", cause="overdue"),
    found(StepBout, 13.0, 16.0, steps=6, cadence_per_min=110.0, brisk_s=0.0),
    found(SetCompleted, 0.0, 16.0, exercise="squat", set_number=1, reps={"flexion": 3}, valid_reps={"flexion": 2}),
]


def a_trace(hole_s: tuple[float, float] = (10.0, 12.0)) -> Trace:
    trace = Trace()
    for tick in range(320):
        t_s = tick / 20.0
        if hole_s[0] <= t_s < hole_s[1]:
            continue
        angle_deg = 20.0 - 20.0 * math.cos(math.pi * t_s)
        frame = LiveFrame(
            session_id="",
            t_ns=round(t_s * NS_PER_S),
            exercise="squat",
            set_number=1,
            reps={},
            lumbar=None,
            trunk=(angle_deg, 0.0, 0.0),
            calibrated=True,
            sensors={},
        )
        trace.frames.append(frame)
        trace.channels.append((frame.t_ns, {FLEXION: angle_deg}))
    return trace


def test_counted_faulty_and_rejected_movements_are_told_apart_with_their_reasons() -> None:
    _, channel, _ = analysis_picture(a_trace(), FINDINGS, "squats").axes
    assert channel.get_ylabel() == "flexion, °"
    labels = channel.get_legend_handles_labels()[1]
    assert labels == [
        "from its start to its end",
        "counted: 2",
        "counted, shallow: 1",
        "not counted, other plane: 1",
    ]
    marks = channel.lines[1:]
    assert [tuple(mark.get_xydata()[-1]) for mark in marks] == [(5.0, 40.0), (7.0, 40.0), (9.0, 40.0)]


def test_what_lasts_is_a_bar_with_a_word() -> None:
    *_, spans = analysis_picture(a_trace(), FINDINGS, "squats").axes
    assert [label.get_text() for label in spans.get_yticklabels()] == ["gap seen", "step bout"]
    assert [text.get_text() for text in spans.texts] == ["overdue", "6 steps, 110 a minute"]


def test_words_that_would_lie_on_each_other_are_left_out() -> None:
    bouts = [found(StepBout, at_s, at_s + 1.0, steps=6, cadence_per_min=110.0, brisk_s=0.0) for at_s in (0, 2, 90, 99)]
    *_, spans = analysis_picture(a_trace(), bouts, "walks").axes
    assert [text.get_position()[0] for text in spans.texts] == [0.0, 90.0, 99.0]


def test_curves_break_where_nothing_was_measured() -> None:
    trunk, *_ = analysis_picture(a_trace(), FINDINGS, "squats").axes
    unbroken, *_ = analysis_picture(a_trace((0.0, 0.0)), FINDINGS, "squats").axes
    assert sum(math.isnan(value) for value in trunk.lines[0].get_ydata()) == 1
    assert not any(math.isnan(value) for value in unbroken.lines[0].get_ydata())


def test_the_title_says_what_was_counted() -> None:
    picture = analysis_picture(a_trace(), FINDINGS, "a file")
    assert picture.get_suptitle() == "a file: squat, 3 counted (flexion)"


def test_an_analysis_without_angles_and_findings_is_a_picture_too(tmp_path: Path) -> None:
    write_analysis(Trace(), [], "nothing", tmp_path / "nothing.png")
    assert (tmp_path / "nothing.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["missing/picture.png", "picture.doc"])
def test_a_picture_that_cannot_be_written_is_an_error_with_its_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordingError, match="cannot be written"):
        write_analysis(Trace(), [], "nothing", tmp_path / name)
