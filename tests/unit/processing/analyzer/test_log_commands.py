"""Commands, losses of the log, states, and any sequence of entries."""

from __future__ import annotations

import math
from uuid import UUID

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.analyzer.log import LogAnalyzer
from processing.domain.commands import (
    Calibrate,
    CapturePosture,
    EndSession,
    EndSet,
    ReportPain,
    StartExercise,
)
from processing.domain.entries import (
    Control,
    Gap,
    GapReason,
    LogEntry,
    Samples,
    SensorEvent,
    SensorEventKind,
)
from processing.domain.errors import StateError
from processing.domain.findings import (
    CalibrationRefused,
    GapSeen,
)
from processing.domain.found import RefusalReason
from processing.domain.ids import EventId
from processing.domain.posture_types import SittingPose
from processing.domain.samples import Placement
from tests.unit.processing.analyzer.synthetic_logs import (
    ACC_SCALE,
    MOUNT,
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
    us,
)


def test_after_lost_entries_no_sample_is_attributed_by_what_a_slot_stood_for_before() -> None:
    analyzer = LogAnalyzer()
    samples = entries_of(squats(t_axis(30)))
    feed(analyzer, [opened(0, "s1"), Events()(0.0, start(1, ("s1", Placement.PELVIS))), *samples[:100]])
    feed(analyzer, samples[150:200], 153)
    assert analyzer.unrouted() == {"slot-0": 500}
    findings = feed(analyzer, [opened(0, "s1"), *samples[200:]], 203)
    (lost,) = of(GapSeen, findings)
    assert lost.cause == "log_lost"
    assert (lost.t0_ns, lost.t1_ns) == (pytest.approx(ns(10), abs=1e8), pytest.approx(ns(20), abs=1e8))


def test_nobody_waits_for_a_sensor_whose_stream_was_lost_with_the_log() -> None:
    analyzer = LogAnalyzer()
    log = squat_log()
    feed(analyzer, log[:140])
    assert analyzer.sessions()
    feed(analyzer, [Gap(stream=7, t0_ns=0, t1_ns=0, reason=GapReason.GATEWAY)], 200)
    assert not analyzer.sessions()


def test_an_entry_that_cannot_be_read_is_no_loss() -> None:
    analyzer = LogAnalyzer()
    log = squat_log()
    findings = feed(analyzer, log[:100])
    analyzer.pass_over(101)
    assert findings + feed(analyzer, log[100:], 102) == feed(LogAnalyzer(), log)


def test_an_unreadable_entry_does_not_hide_the_loss_before_it() -> None:
    analyzer = LogAnalyzer()
    log = squat_log()
    feed(analyzer, log[:100])
    analyzer.pass_over(105)
    feed(analyzer, log[105:106], 106)
    assert analyzer.unrouted() == {"slot-0": 10}


def test_commands_without_effect_are_counted() -> None:
    events = Events()
    analyzer = LogAnalyzer()
    twice = events(0.0, start(1, ("a", Placement.PELVIS)))
    feed(
        analyzer,
        [
            twice,
            twice,
            events(0.0, start(1, ("a", Placement.PELVIS))),
            events(0.0, start(2, ("b", Placement.PELVIS), ("c", Placement.PELVIS))),
            events(0.0, start(3, ("d", Placement.PELVIS), mount="sideways")),
            events(0.0, StartExercise(session_id=session_id(1), exercise="no_such_thing")),
            events(0.0, EndSet(session_id=session_id(9))),
            Gap(stream=5, t0_ns=0, t1_ns=1, reason=GapReason.LINK),
        ],
    )
    assert analyzer.refused() == {
        "duplicate_event": 1,
        "session_already_open": 1,
        "SessionRefusedError": 1,
        "MountError": 1,
        "unknown_exercise": 1,
        "unknown_session": 1,
        "unknown_stream": 1,
    }


def test_a_command_that_could_not_be_followed_is_known_although_it_comes_twice() -> None:
    events = Events()
    analyzer = LogAnalyzer()
    good = [events(0.0, start(1, ("a", Placement.PELVIS))), events(0.0, EndSession(session_id=session_id(9)))]
    bad = [
        events(0.0, start(1, ("a", Placement.PELVIS))),
        events(0.0, start(3, ("d", Placement.PELVIS), mount="sideways")),
        events(0.0, StartExercise(session_id=session_id(1), exercise="no_such_thing")),
        events(0.0, EndSet(session_id=session_id(9))),
    ]
    feed(analyzer, [*good, *bad, *good, *bad])
    analyzer = LogAnalyzer.from_state(analyzer.state())
    assert [analyzer.followed(EventId(control.event_id)) for control in (*good, *bad)] == [True] * 2 + [False] * 4


def test_commands_that_wait_without_end_are_refused_at_last() -> None:
    events = Events()
    analyzer = LogAnalyzer()
    pains = [events(9.0, ReportPain(session_id=session_id(1), score=1)) for _ in range(65)]
    feed(analyzer, [opened(0, "a"), events(0.0, start(1, ("a", Placement.PELVIS))), *pains])
    assert analyzer.followed(EventId(pains[-2].event_id))
    assert not analyzer.followed(EventId(pains[-1].event_id))


def test_the_memory_of_commands_stays_small() -> None:
    events = Events()
    analyzer = LogAnalyzer()
    feed(analyzer, [events(0.0, EndSet(session_id=session_id(9))) for _ in range(2000)])
    assert len(analyzer.state()) < 2_000


def test_a_state_of_another_version_or_a_damaged_one_is_refused() -> None:
    analyzer = LogAnalyzer()
    feed(analyzer, squat_log()[:40])
    state = analyzer.state()
    for broken in (b"", state[:-1], b"\x92\x63" + state[2:], msgspec.msgpack.encode({"streams": []})):
        with pytest.raises(StateError):
            LogAnalyzer.from_state(broken)


def test_samples_of_nobody_are_counted_per_sensor() -> None:
    analyzer = LogAnalyzer()
    samples = entries_of(squats(t_axis(1)), stream=3)
    feed(analyzer, samples)
    feed(analyzer, [opened(3, "lost"), *samples])
    assert analyzer.unrouted() == {"slot-3": 100, "lost": 100}
    again = LogAnalyzer.from_state(analyzer.state())
    assert again.unrouted() == analyzer.unrouted()


def test_calibration_that_was_asked_for_is_refused_while_the_person_moves() -> None:
    events = Events()
    findings = feed(
        LogAnalyzer(),
        [
            opened(0, "s1"),
            events(0.0, start(1, ("s1", Placement.PELVIS))),
            events(5.0, Calibrate(session_id=session_id(1))),
            *entries_of(bends(t_axis(50)), size=100),
        ],
    )
    assert [refused.reason for refused in of(CalibrationRefused, findings)] == [RefusalReason.MOVING]


_times = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.7, 9.0, 400.0, 1e6])
_names = st.sampled_from(["a", "b", "c"])
_numbers = st.integers(1, 3)


def _samples(stream: int, t_s: float, count: int, value: int) -> Samples:
    packed = np.full((count, 6), value, "<i2").tobytes()
    return Samples(stream=stream, tick=0, t0_us=us(t_s), t0_uncertainty_us=0, packed=packed)


_commands = st.one_of(
    st.builds(
        lambda n, a, b, m: start(n, (a, Placement.PELVIS), *(((b, Placement.THORAX),) if a != b else ()), mount=m),
        _numbers,
        _names,
        _names,
        st.sampled_from([None, MOUNT, "nonsense"]),
    ),
    st.builds(
        lambda n, code: StartExercise(session_id=session_id(n), exercise=code),
        _numbers,
        st.sampled_from(["squat", "seated_rom", "cat_cow", "walking", "nothing"]),
    ),
    st.builds(
        lambda n, kind: kind(session_id=session_id(n)), _numbers, st.sampled_from([Calibrate, EndSet, EndSession])
    ),
    st.builds(lambda n: ReportPain(session_id=session_id(n), score=4), _numbers),
    st.builds(
        lambda n, pose: CapturePosture(session_id=session_id(n), pose=pose), _numbers, st.sampled_from(SittingPose)
    ),
)
_entries = st.one_of(
    st.builds(opened, st.integers(0, 3), _names, acc_scale=st.sampled_from([ACC_SCALE, 1e300, math.inf])),
    st.builds(_samples, st.integers(0, 3), _times, st.integers(1, 200), st.integers(-32768, 32767)),
    st.builds(
        lambda s, a, b: Gap(stream=s, t0_ns=ns(a), t1_ns=ns(b), reason=GapReason.DEVICE),
        st.integers(0, 3),
        _times,
        _times,
    ),
    st.builds(
        lambda s, t, kind: SensorEvent(stream=s, t_ns=ns(t), event=kind),
        st.integers(0, 3),
        _times,
        st.sampled_from(list(SensorEventKind)),
    ),
    st.builds(
        lambda t, command, event: Control(t_ns=ns(t), event_id=str(UUID(int=event)), command=command),
        _times,
        _commands,
        st.integers(0, 2**40),
    ),
    st.builds(
        lambda s: Samples(stream=s, tick=0, t0_us=2**55 - 1, t0_uncertainty_us=0, packed=bytes(12)), st.integers(0, 3)
    ),
    st.builds(lambda s: Gap(stream=s, t0_ns=0, t1_ns=2**62 - 1, reason=GapReason.LINK), st.integers(0, 3)),
)


@settings(max_examples=80)
@given(st.lists(_entries, max_size=40), st.integers(0, 40))
def test_no_sequence_of_entries_raises_and_a_restart_anywhere_changes_nothing(log: list[LogEntry], cut: int) -> None:
    whole, broken = LogAnalyzer(), LogAnalyzer()
    findings = feed(whole, log)
    again = feed(broken, log[:cut])
    broken = LogAnalyzer.from_state(broken.state())
    again += feed(broken, log[cut:], len(log[:cut]) + 1)
    assert again == findings
    assert broken.state() == whole.state()
    assert broken.refused() == whole.refused()
