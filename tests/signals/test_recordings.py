"""Counts on recordings of real people, and indifference to how a recording is cut.

The floors below are what these stages reach on the development recordings, not a claim about people never seen: that is
`lumbar evaluate` on the sealed half.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from processing.analyzer.recording import RecordedSession, analyze_recording
from processing.analyzer.session import SessionAnalyzer
from processing.domain.findings import Finding, RepCompleted, RomMeasured, SetCompleted, StepBout
from processing.dsp.blocks import SampleBlock
from service.cli.analyze import AnalysisOptions, analyze, recorded_session

SHORT = (
    "squat_lowback/Q2_partial_squat_set2.npz",
    "trunk_seated/T01_165552.npz",
    "wheelchair_trunk/W05_trunkmovement_hs.npz",
)
"""One short recording of each set that the demo replays; the wheelchair one has lost packets."""


def session_of(folder: Path, name: str) -> RecordedSession:
    path = folder / name
    if not path.exists():
        pytest.skip(f"no recording {name}")
    return recorded_session(path, AnalysisOptions())


@cache
def findings_of(path: Path) -> tuple[Finding, ...]:
    return tuple(analyze(path, AnalysisOptions()).findings)


def counts_of(path: Path) -> dict[str, int]:
    (done,) = (finding for finding in findings_of(path) if isinstance(finding, SetCompleted))
    return done.reps


def fed_in_pieces(session: RecordedSession, chunk: int, restarts: int) -> list[Finding]:
    """Findings with the analyzer replaced by one from its state ``restarts`` times."""
    analyzer = session.analyzer()
    findings: list[Finding] = []
    inputs = list(session.inputs(chunk))
    stops = {len(inputs) * (k + 1) // (restarts + 1) for k in range(restarts)}
    for at, given in enumerate(inputs):
        if at in stops:
            analyzer = SessionAnalyzer.from_state(analyzer.state())
        findings += analyzer.feed(given)
    return findings


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("chunk", [1, 7, 50, 100_000])
def test_chunks_and_restarts_change_nothing(recordings: Path, name: str, chunk: int) -> None:
    session = session_of(recordings, name)
    whole, _ = analyze_recording(session, 100_000)
    # one of these people turns round with the chair after the second, which is no repetition
    assert len([finding for finding in whole if isinstance(finding, RepCompleted)]) >= 2
    assert fed_in_pieces(session, chunk, restarts=3) == whole


def test_every_squat_of_the_development_recordings_is_counted(recordings: Path) -> None:
    wrong = {}
    paths = sorted(recordings.glob("squat_lowback/*.npz"))
    if not paths:
        pytest.skip("no squat_lowback recordings")
    for path in paths:
        with np.load(path) as arrays:
            truth = int(arrays["rep_count"])
        if counts_of(path) != {"vertical": truth}:
            wrong[path.name] = (counts_of(path), truth)
    assert wrong == {}


def test_squats_begin_and_end_where_people_set_the_marks(recordings: Path) -> None:
    off_s: list[tuple[float, float]] = []
    for path in sorted(recordings.glob("squat_lowback/*.npz")):
        with np.load(path) as arrays:
            t_s, begins, ends = arrays["t"], arrays["rep_start_idx"], arrays["rep_end_idx"]
        reps = [finding for finding in findings_of(path) if isinstance(finding, RepCompleted)]
        for rep, begin, end in zip(reps, t_s[begins], t_s[ends], strict=True):
            off_s.append((rep.t0_ns / 1e9 - begin, rep.t1_ns / 1e9 - end))
    if not off_s:
        pytest.skip("no squat_lowback recordings")
    # 97 % of 375 starts and 95 % of the ends lie within 0.3 s; most others are the first start and last end of a set.
    close = np.abs(off_s) <= 0.3
    assert (close.mean(axis=0) >= (0.95, 0.94)).all()
    assert np.abs(np.median(off_s, axis=0)).max() < 0.1


def test_a_squat_is_counted_within_seven_tenths_of_a_second(recordings: Path) -> None:
    late_s: list[float] = []
    for path in sorted(recordings.glob("squat_lowback/*_set1.npz")):
        with np.load(path) as arrays:
            ends = arrays["t"][arrays["rep_end_idx"]]
        session = session_of(recordings, str(path.relative_to(recordings)))
        analyzer = session.analyzer()
        newest_s, found = 0.0, []
        for given in session.inputs(chunk=5):
            newest_s = float(given.t_ns[-1]) / 1e9 if isinstance(given, SampleBlock) else newest_s
            found += [newest_s for finding in analyzer.feed(given) if isinstance(finding, RepCompleted)]
        late_s += [at - end for at, end in zip(found, ends, strict=True)]
    if not late_s:
        pytest.skip("no squat_lowback recordings")
    assert np.median(late_s) <= 0.7


def test_seated_trunk_movements_are_counted_in_each_plane(recordings: Path) -> None:
    differences = []
    for path in sorted(recordings.glob("trunk_seated/*.npz")):
        with np.load(path) as arrays:
            truth = arrays["rep_count"]
        counts = counts_of(path)
        found = [counts["flexion"], counts["lateral_bend"], counts["axial_rotation"]]
        differences += [abs(one - other) for one, other in zip(found, truth, strict=True) if np.isfinite(other)]
    if not differences:
        pytest.skip("no trunk_seated recordings")
    exact = sum(difference == 0 for difference in differences)
    # 62 of 63 without set boundaries, on stated mounts; signals.md §3.3 reached 96 % with a fitted axis.
    assert exact / len(differences) >= 0.97
    assert max(differences) <= 1


def test_walking_gives_steps_and_no_squat(recordings: Path) -> None:
    paths = sorted(recordings.glob("walking_lowback/*_Test5_*.npz"))
    if not paths:
        pytest.skip("no walking_lowback recordings")
    for path in paths:
        with np.load(path) as arrays:
            contacts = len(arrays["ref_stereophoto_initial_contact_t"])
        steps = sum(finding.steps for finding in findings_of(path) if isinstance(finding, StepBout))
        # The reference bouts leave out the first shift of weight and the step that closes the feet.
        assert steps == pytest.approx(contacts, abs=2)
        done = [f for f in analyze(path, AnalysisOptions(exercise="squat")).findings if isinstance(f, SetCompleted)]
        assert done[0].reps == {"vertical": 0}


@pytest.mark.parametrize(
    "asked", ["squat", "sit_to_stand", "standing_flexion_extension", "standing_side_bend", "seated_rom", "bridge"]
)
def test_rising_walking_and_handling_things_are_no_repetitions(recordings: Path, asked: str) -> None:
    paths = sorted(recordings.glob("walking_lowback/*_Test11_*.npz"))
    if not paths:
        pytest.skip("no walking_lowback recordings")
    for path in paths:
        findings = analyze(path, AnalysisOptions(exercise=asked)).findings
        assert not [finding for finding in findings if isinstance(finding, RepCompleted)]


@pytest.mark.parametrize("name", ["squat_lowback/Q2_mixed25", "squat_lowback/Q3_mixed25", "trunk_seated/T02_122428"])
def test_exercises_are_no_walking(recordings: Path, name: str) -> None:
    path = recordings / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"no recording {name}")
    findings = analyze(path, AnalysisOptions(exercise="walking")).findings
    assert not [finding for finding in findings if isinstance(finding, StepBout)]


def test_two_trunk_bends_of_a_sit_to_stand_are_one_repetition(recordings: Path) -> None:
    path = recordings / "sit_to_stand_bench" / "B01_5sts.npz"
    if not path.exists():
        pytest.skip("no sit_to_stand_bench recordings")
    assert counts_of(path) == {"vertical": 5}


def with_lost_packets(session: RecordedSession) -> RecordedSession:
    """The recording without 5 % of its samples, lost in packets of five."""
    lossy = []
    for number, block in enumerate(session.blocks):
        packet = np.arange(len(block)) // 5
        kept = np.random.default_rng(number).random(packet[-1] + 1)[packet] >= 0.05
        lossy.append(SampleBlock(block.sensor_id, block.t_ns[kept], block.acc[kept], block.gyr[kept]))
    return RecordedSession(session.start, tuple(lossy), session.orders)


@pytest.mark.parametrize(
    "name",
    [
        "squat_lowback/Q3_correct_set1.npz",
        "squat_lowback/Q5_mixed25.npz",
        # Not T01: the sensor there sits 17° off the stated mount, planes mix, and its counts change by one or two.
        "trunk_seated/T02_122428.npz",
        "trunk_seated/T04_134952.npz",
    ],
)
def test_five_percent_of_lost_packets_change_no_count(recordings: Path, name: str) -> None:
    session = session_of(recordings, name)
    whole, _ = analyze_recording(session)
    lossy, _ = analyze_recording(with_lost_packets(session))
    (before,) = [finding.reps for finding in whole if isinstance(finding, SetCompleted)]
    (after,) = [finding.reps for finding in lossy if isinstance(finding, SetCompleted)]
    assert after == before


def test_ranges_hardly_depend_on_where_a_recording_lies_on_the_grid(recordings: Path) -> None:
    session = session_of(recordings, "trunk_seated/T01_165354.npz")
    ranges = []
    for shift_ms in (0, 5, 20, 40):
        blocks = tuple(replace(block, t_ns=block.t_ns + shift_ms * 1_000_000) for block in session.blocks)
        findings, _ = analyze_recording(replace(session, blocks=blocks))
        ranges.append([finding.angle_deg for finding in findings if isinstance(finding, RomMeasured)])

    # one sensor almost rests in this set while the other moves: what it then reads is no bias
    assert len(ranges[0]) == 6
    assert np.ptp(np.array(ranges), axis=0).max() < 0.5
