"""The analyzer of a gateway's log: counting, cutting, gaps and waiting."""

from __future__ import annotations

import math

import numpy as np
import pytest

from processing.analyzer.log import LogAnalyzer
from processing.domain.commands import (
    EndSession,
    StartExercise,
)
from processing.domain.entries import (
    Control,
    Gap,
    GapReason,
    NumberedEntry,
    Samples,
    SensorEvent,
    SensorEventKind,
)
from processing.domain.findings import (
    GapSeen,
    PainReported,
    RepCompleted,
    RomMeasured,
    RomRefused,
    SetCompleted,
    SetStarted,
)
from processing.domain.found import RefusalReason
from processing.domain.ids import SessionId
from processing.domain.samples import Placement
from tests.unit.processing.analyzer.synthetic_logs import (
    GYR_SCALE,
    Events,
    bends,
    entries_of,
    feed,
    ns,
    of,
    opened,
    session_id,
    squat_log,
    squats,
    start,
    t_axis,
    two_sensor_log,
    us,
)


def test_a_set_of_squats_is_counted_with_its_times() -> None:
    findings = feed(LogAnalyzer(), squat_log())
    reps = of(RepCompleted, findings)
    assert [rep.number for rep in reps] == list(range(1, 9))
    assert of(SetCompleted, findings)[0].reps == {"vertical": 8}
    assert [rep.tempo_s for rep in reps[2:6]] == pytest.approx([2.5] * 4, abs=0.1)
    phases = [(rep.out_s, rep.hold_s, rep.back_s) for rep in reps[:-1]]
    assert [sum(one) for one in phases] == pytest.approx([rep.tempo_s for rep in reps[:-1]])
    # Like a sine: the speed is below 0.4 of its peak for 0.13 of the period at either end.
    assert phases[5] == pytest.approx((1.09, 0.33, 1.09), abs=0.05)
    # The log ends before the last one is seen to be over.
    assert (reps[-1].out_s, reps[-1].hold_s, reps[-1].back_s) == (None, None, None)
    assert all(rep.t0_ns < rep.t_peak_ns < rep.t1_ns for rep in reps)
    assert of(SetStarted, findings)[0].t0_ns == ns(4.0)
    assert of(PainReported, findings)[0].exercise == "squat"
    assert len({finding.finding_id for finding in findings}) == len(findings)


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_the_size_of_the_entries_makes_no_difference(size: int) -> None:
    assert feed(LogAnalyzer(), squat_log(size)) == feed(LogAnalyzer(), squat_log())


def test_a_state_taken_after_every_entry_makes_no_difference() -> None:
    analyzer, findings = LogAnalyzer(), []
    for offset, entry in enumerate(squat_log(), 1):
        analyzer = LogAnalyzer.from_state(analyzer.state())
        findings += analyzer.feed(NumberedEntry(offset, entry))
    assert findings == feed(LogAnalyzer(), squat_log())


def test_ranges_are_the_same_when_a_set_begins_before_the_bias_of_its_sensor_is_known() -> None:
    ranges = []
    for bias_dps in ((0, 0, 0), (5, -5, 5)):
        events = Events()
        counts = bends(t_axis(20))
        counts[:, 3:] += np.array([round(math.radians(one) / GYR_SCALE) for one in bias_dps], dtype="<i2")
        log = [
            opened(0, "s"),
            events(0.0, start(1, ("s", Placement.PELVIS))),
            events(0.0, StartExercise(session_id=session_id(1), exercise="standing_flexion_extension")),
            events(18.0, EndSession(session_id=session_id(1))),
            *entries_of(counts),
        ]
        ranges.append({one.direction: one.angle_deg for one in of(RomMeasured, feed(LogAnalyzer(), log))})
    assert ranges[0]["flexion"] == pytest.approx(math.degrees(0.8), abs=0.5)
    assert ranges[1] == pytest.approx(ranges[0], abs=0.05)


def test_the_state_of_a_running_session_is_small() -> None:
    analyzer = LogAnalyzer()
    feed(analyzer, squat_log()[:200])
    assert list(analyzer.sessions()) == [SessionId(session_id(1))]
    assert len(analyzer.state()) < 64_000


def test_the_session_leaves_when_the_samples_reach_its_end() -> None:
    analyzer = LogAnalyzer()
    entries = squat_log()
    feed(analyzer, entries[:240])
    assert analyzer.sessions()
    feed(analyzer, entries[240:])
    assert not analyzer.sessions()
    assert analyzer.unrouted()["s1"] > 300


def test_no_repetition_spans_a_gap() -> None:
    lost = Gap(stream=0, t0_ns=ns(12.0), t1_ns=ns(13.3), reason=GapReason.LINK, lost=130)
    log = squat_log()
    at = next(i for i, e in enumerate(log) if isinstance(e, Samples) and e.t0_us >= us(12.0))
    log = [*log[:at], lost, *(e for e in log[at:] if not isinstance(e, Samples) or e.t0_us >= us(13.3))]
    findings = feed(LogAnalyzer(), log)
    gaps = of(GapSeen, findings)
    assert [gap.cause for gap in gaps] == ["link"]
    assert gaps[0].t0_ns == pytest.approx(ns(12.0), abs=60_000_000)
    assert gaps[0].t1_ns == pytest.approx(ns(13.3), abs=60_000_000)
    assert not [rep for rep in of(RepCompleted, findings) if rep.t0_ns < ns(12.0) and rep.t1_ns > ns(13.3)]
    assert 6 <= of(SetCompleted, findings)[0].reps["vertical"] <= 8


def test_a_lost_batch_of_a_tenth_of_a_second_changes_no_count() -> None:
    findings = feed(LogAnalyzer(), squat_log(skip=[60, 95, 140, 180]))
    assert of(SetCompleted, findings)[0].reps == {"vertical": 8}
    assert not of(GapSeen, findings)


def test_a_gap_and_broken_samples_together_poison_nothing() -> None:
    log = squat_log()
    # From 10 s on the scale is infinite for a second: every number of those samples is NaN or infinite.
    at = next(i for i, e in enumerate(log) if isinstance(e, Samples) and e.t0_us >= us(10.0))
    log = [*log[:at], opened(0, "s1", acc_scale=math.inf), *log[at : at + 10], opened(0, "s1"), *log[at + 10 :]]
    analyzer = LogAnalyzer()
    findings = feed(analyzer, log)
    assert analyzer.refused()["broken_samples"] == 100
    assert of(GapSeen, findings)
    assert of(SetCompleted, findings)[0].reps["vertical"] >= 7
    assert all(math.isfinite(rep.amplitude) for rep in of(RepCompleted, findings))


def test_two_sensors_give_the_lumbar_range_of_motion() -> None:
    findings = feed(LogAnalyzer(), two_sensor_log())
    measured = {rom.direction: rom for rom in of(RomMeasured, findings)}
    assert measured["flexion"].angle_deg == pytest.approx(math.degrees(0.5), abs=0.5)
    assert measured["extension"].angle_deg < 0.5
    assert measured["flexion"].segment == "lumbar"
    assert of(SetCompleted, findings)[0].reps == {"flexion": 4}


def test_without_a_flexion_axis_the_range_of_motion_is_refused() -> None:
    findings = feed(LogAnalyzer(), two_sensor_log(calibrated=False))
    assert not of(RomMeasured, findings)
    assert [refused.reason for refused in of(RomRefused, findings)] == [RefusalReason.NO_AXIS]


def test_live_frames_show_count_and_angles() -> None:
    analyzer = LogAnalyzer()
    assert analyzer.live() == []
    feed(analyzer, [e for e in two_sensor_log() if not isinstance(e, Samples) or e.t0_us < us(10.0)])
    (frame,) = analyzer.live()
    assert frame.exercise == "standing_flexion_extension"
    assert frame.reps == {"flexion": 1}
    assert frame.sensors == {"pelvis": True, "thorax": True}
    assert frame.lumbar is not None
    assert frame.trunk is not None
    assert frame.trunk[0] > frame.lumbar[0] > 0.0


def test_nobody_waits_for_a_sensor_that_said_goodbye() -> None:
    log = two_sensor_log()
    gone = SensorEvent(stream=0, t_ns=ns(8.0), event=SensorEventKind.DISCONNECTED)
    at = next(i for i, e in enumerate(log) if isinstance(e, Samples) and e.t0_us >= us(8.0))
    log = [*log[:at], gone, *(e for e in log[at:] if isinstance(e, Samples) and e.stream == 1)]
    analyzer = LogAnalyzer()
    findings = feed(analyzer, log)
    assert of(SetCompleted, findings)[0].reps == {"flexion": 4}
    assert [gap.cause for gap in of(GapSeen, findings)] == ["disconnected"]


def test_a_sensor_that_only_falls_silent_is_waited_for_but_not_for_ever() -> None:
    events = Events()
    analyzer = LogAnalyzer()
    feed(
        analyzer,
        [
            opened(0, "low"),
            opened(1, "high"),
            events(0.0, start(1, ("low", Placement.PELVIS), ("high", Placement.THORAX))),
        ],
    )
    feed(analyzer, [*entries_of(bends(t_axis(5)), 0), *entries_of(bends(t_axis(100)), 1, size=100)])
    (frame,) = analyzer.live()
    assert frame.t_ns <= ns(5.05)
    feed(analyzer, entries_of(bends(t_axis(30)), 1, size=100, t0_s=100.0))
    (frame,) = analyzer.live()
    assert frame.t_ns > ns(129.0)
    assert frame.sensors == {"pelvis": False, "thorax": True}


def test_a_command_waits_until_the_samples_have_reached_its_time() -> None:
    log = squat_log()
    controls = [entry for entry in log if isinstance(entry, Control)]
    analyzer = LogAnalyzer()
    assert feed(analyzer, [log[0], *controls]) == []
    (frame,) = [*analyzer.live()] or [None]
    assert frame is None


def test_without_sensors_commands_hold_at_once() -> None:
    events = Events()
    analyzer = LogAnalyzer()
    findings = feed(
        analyzer,
        [
            events(0.0, start(1, ("s1", Placement.PELVIS))),
            events(1.0, StartExercise(session_id=session_id(1), exercise="squat")),
            events(9.0, EndSession(session_id=session_id(1))),
        ],
    )
    assert [(type(f), f.t0_ns) for f in findings if isinstance(f, SetStarted)] == [(SetStarted, ns(1.0))]
    assert of(SetCompleted, findings)[0].reps == {"vertical": 0}
    assert [gap.t1_ns for gap in of(GapSeen, findings)] == [ns(9.0)]
    assert not analyzer.sessions()


def test_a_newer_session_takes_the_sensor_and_ends_the_older() -> None:
    events = Events()
    analyzer = LogAnalyzer()
    log = [
        opened(0, "s1"),
        events(0.0, start(1, ("s1", Placement.PELVIS))),
        events(0.0, StartExercise(session_id=session_id(1), exercise="squat")),
        *entries_of(squats(t_axis(20))),
        events(20.0, start(2, ("s1", Placement.PELVIS))),
    ]
    findings = feed(analyzer, log)
    assert list(analyzer.sessions()) == [SessionId(session_id(2))]
    assert of(SetCompleted, findings)[0].session_id == session_id(1)
    assert of(SetCompleted, findings)[0].reps == {"vertical": 6}
