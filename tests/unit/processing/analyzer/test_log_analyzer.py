"""The analyzer of a gateway's log: routing, commands, gaps, waiting, and never an exception."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.analyzer.log import LogAnalyzer
from processing.domain.commands import (
    Calibrate,
    Command,
    EndSession,
    EndSet,
    ReportPain,
    SensorPlacement,
    StartExercise,
    StartSession,
)
from processing.domain.entries import (
    Control,
    Gap,
    GapReason,
    LogEntry,
    NumberedEntry,
    Samples,
    SensorEvent,
    SensorEventKind,
    StreamOpened,
)
from processing.domain.errors import StateError
from processing.domain.findings import (
    CalibrationRefused,
    Finding,
    GapSeen,
    PainReported,
    RefusalReason,
    RepCompleted,
    RomMeasured,
    RomRefused,
    SetCompleted,
    SetStarted,
)
from processing.domain.ids import EventId, SessionId
from processing.domain.samples import ClockQuality, Placement

T0_US = 1_760_000_000_000_000
ACC_SCALE = 9.80665 / 2048
GYR_SCALE = math.radians(1 / 32)
MOUNT = "up:+y,forward:+x"


def session_id(number: int) -> str:
    return str(UUID(int=number))


def us(t_s: float) -> int:
    return T0_US + round(t_s * 1e6)


def ns(t_s: float) -> int:
    return us(t_s) * 1000


def opened(stream: int, sensor: str, **changes: Any) -> StreamOpened:
    fields = {
        "stream": stream,
        "t_ns": ns(0),
        "sensor_id": sensor,
        "boot_id": 1,
        "period_ns": 10_000_000,
        "acc_scale": ACC_SCALE,
        "gyr_scale": GYR_SCALE,
        "clock": ClockQuality.DEVICE,
        "driver": "test/1",
    }
    return StreamOpened(**{**fields, **changes})


class Events:
    """Control entries with event ids of their own."""

    def __init__(self) -> None:
        self._number = 0

    def __call__(self, t_s: float, command: Command) -> Control:
        self._number += 1
        return Control(t_ns=ns(t_s), event_id=str(UUID(int=10_000 + self._number)), command=command)


def start(number: int, *sensors: tuple[str, Placement], mount: str | None = MOUNT) -> StartSession:
    worn = tuple(SensorPlacement(sensor_id=name, placement=place, mount=mount) for name, place in sensors)
    return StartSession(session_id=session_id(number), sensors=worn)


def squats(t_s: np.ndarray, period_s: float = 2.5, depth_m: float = 0.4, still_s: float = 4.0) -> np.ndarray:
    """Counts of an upright sensor (y up) that goes down and up again and again after a still start."""
    omega = 2.0 * math.pi / period_s
    up = np.where(t_s > still_s, -0.5 * depth_m * omega**2 * np.cos(omega * (t_s - still_s)), 0.0) + 9.80665
    counts = np.zeros((len(t_s), 6))
    counts[:, 1] = up / ACC_SCALE
    return counts.round().astype("<i2")


def bends(t_s: np.ndarray, still_s: float = 4.0, size_rad: float = 0.8) -> np.ndarray:
    """Counts of a sensor (y up, x forward) that bends forward every 4 s after a still start."""
    omega = 2.0 * math.pi / 4.0
    moving = t_s > still_s
    phase = omega * (t_s - still_s)
    angle = np.where(moving, 0.5 * size_rad * (1.0 - np.cos(phase)), 0.0)
    rate = np.where(moving, 0.5 * size_rad * omega * np.sin(phase), 0.0)
    counts = np.zeros((len(t_s), 6))
    counts[:, 0] = -np.sin(angle) * 9.80665 / ACC_SCALE
    counts[:, 1] = np.cos(angle) * 9.80665 / ACC_SCALE
    counts[:, 5] = -rate / GYR_SCALE
    return counts.round().astype("<i2")


def entries_of(
    counts: np.ndarray, stream: int = 0, size: int = 10, t0_s: float = 0.0, skip: Iterable[int] = ()
) -> list[Samples]:
    skipped = set(skip)
    return [
        Samples(
            stream=stream,
            tick=0,
            t0_us=us(t0_s + at / 100.0),
            t0_uncertainty_us=0,
            packed=counts[at : at + size].tobytes(),
        )
        for at in range(0, len(counts), size)
        if at // size not in skipped
    ]


def feed(analyzer: LogAnalyzer, entries: Iterable[LogEntry], first: int = 1) -> list[Finding]:
    return [f for offset, entry in enumerate(entries, first) for f in analyzer.feed(NumberedEntry(offset, entry))]


def of(kind: type, findings: list[Finding]) -> list[Any]:
    return [finding for finding in findings if isinstance(finding, kind)]


def t_axis(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * 100)) / 100.0


def squat_log(size: int = 10, skip: Iterable[int] = (), extra: Iterable[LogEntry] = ()) -> list[LogEntry]:
    events = Events()
    return [
        opened(0, "s1"),
        events(0.0, start(1, ("s1", Placement.PELVIS))),
        events(4.0, StartExercise(session_id=session_id(1), exercise="squat")),
        events(20.0, ReportPain(session_id=session_id(1), score=3)),
        events(24.0, EndSet(session_id=session_id(1))),
        events(25.0, EndSession(session_id=session_id(1))),
        *extra,
        *entries_of(squats(t_axis(30)), size=size, skip=skip),
    ]


def test_a_set_of_squats_is_counted_with_its_times() -> None:
    findings = feed(LogAnalyzer(), squat_log())
    reps = of(RepCompleted, findings)
    assert [rep.number for rep in reps] == list(range(1, 9))
    assert of(SetCompleted, findings)[0].reps == {"vertical": 8}
    assert [rep.tempo_s for rep in reps[2:6]] == pytest.approx([2.5] * 4, abs=0.1)
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


def two_sensor_log(*, calibrated: bool = True) -> list[LogEntry]:
    events = Events()
    mount = MOUNT if calibrated else None
    t = t_axis(25)
    parts = [entries_of(bends(t, size_rad=size), stream) for stream, size in ((0, 0.3), (1, 0.8))]
    return [
        opened(0, "low"),
        opened(1, "high"),
        events(0.0, start(1, ("low", Placement.PELVIS), ("high", Placement.THORAX), mount=mount)),
        events(3.8, StartExercise(session_id=session_id(1), exercise="standing_flexion_extension")),
        events(20.1, EndSession(session_id=session_id(1))),
        *(entry for pair in zip(*parts, strict=True) for entry in pair),
    ]


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
