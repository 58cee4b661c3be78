"""The benchmark measures what it says."""

from __future__ import annotations

import io
import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from firmware_sim.instructions import Performing, PlannedRep
from processing.analyzer.log import LogAnalyzer
from processing.domain.entries import NumberedEntry
from processing.domain.findings import SetCompleted, StepBout
from processing.wire.log import decode_entry
from service.cli import bench_sessions
from service.cli.bench_core import BATCH_S, envelope_share, patient_log
from service.cli.bench_figures import Figure, Report, quantile, report_table, this_machine
from service.cli.bench_system import Sightings, Usage, true_ends_ns
from service.cli.demo.conductor import DoneSet


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_a_quantile_is_a_value_that_the_share_does_not_exceed(values: list[float], share: float) -> None:
    found = quantile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) <= share * len(values)


def test_there_is_no_quantile_of_nothing() -> None:
    assert quantile([], 0.5) is None


def test_the_median_of_an_even_number_is_the_lower_middle() -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0


def test_the_patient_of_the_benchmark_is_analysed_to_the_end() -> None:
    analyzer = LogAnalyzer()
    findings = [
        finding
        for offset, entry in enumerate(patient_log(), start=1)
        for finding in analyzer.feed(NumberedEntry(offset, entry))
    ]

    sets = [finding for finding in findings if isinstance(finding, SetCompleted)]
    assert [(done.exercise, sum(done.reps.values())) for done in sets[:2]] == [
        ("squat", 8),
        ("standing_flexion_extension", 5),
    ]
    assert any(isinstance(finding, StepBout) for finding in findings)
    assert analyzer.unrouted() == {}
    assert analyzer.refused() == {}


def test_sessions_in_the_middle_go_on_as_if_they_had_never_stopped() -> None:
    midway = bench_sessions.in_the_middle()
    coming = midway.entries(10.0)
    entries = patient_log(BATCH_S)[: midway.offset - 1 + len(coming)]
    whole = LogAnalyzer()
    expected = [
        (offset, finding)
        for offset, entry in enumerate(entries, start=1)
        for finding in whole.feed(NumberedEntry(offset, entry))
    ]
    (again,) = midway.analyzers(1)
    found = [
        (offset, finding)
        for offset, data in enumerate(coming, start=midway.offset)
        for finding in again.feed(NumberedEntry(offset, decode_entry(data)))
    ]
    assert found
    assert found == [one for one in expected if one[0] >= midway.offset]


def test_the_benchmark_of_the_core_measures_every_number_of_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_sessions, "SIZES", {1: 0.2, 3: 0.2})
    monkeypatch.setattr(bench_sessions, "CHECKPOINTS", 3)
    monkeypatch.setattr(bench_sessions, "IN_MEMORY", 20)
    found = {figure.name: figure.value for figure in bench_sessions.core_figures()}
    for sessions in (1, 3):
        ours, vqf = (
            found[f"patients per core, {sessions} at once"],
            found[f"the same if VQF were all, {sessions} at once"],
        )
        assert ours is not None
        assert vqf is not None
        assert 1.0 < ours < vqf


def test_the_envelope_is_what_the_formats_add() -> None:
    # array of three, log id, offset, array of entries; per entry two bytes of length and a head of 14
    assert envelope_share(2, 10) == pytest.approx((1 + 5 + 5 + 1 + 2 * 16) / (2 * 10 * 12))


def _done(session: str, *ends_ns: int) -> DoneSet:
    reps = tuple(
        PlannedRep(channel="vertical", number=n, start_ns=end_ns - 2, peak_ns=end_ns - 1, end_ns=end_ns, amplitude=0.4)
        for n, end_ns in enumerate(ends_ns, start=1)
    )
    truth = Performing(patient=0, exercise="squat", go_ns=0, end_ns=ends_ns[-1], reps=reps, rom=(), steps=0)
    return DoneSet("patient-1", session, truth)


def test_latency_runs_from_the_true_end_of_the_same_repetition() -> None:
    seconds = 1_000_000_000
    done = [_done("s", 10 * seconds, 20 * seconds), _done("other", 1), _done("s", 50 * seconds)]
    sightings = Sightings(
        seen_ns={
            ("s", 1, "vertical", 2): 21 * seconds,
            ("s", 2, "vertical", 1): 53 * seconds,
            ("s", 2, "vertical", 2): 60 * seconds,
        }
    )

    assert sightings.latencies_s(done) == [1.0, 3.0]
    assert len(true_ends_ns(done)) == 4


def test_use_is_summed_over_the_parts_and_a_missing_one_is_skipped() -> None:
    usage = Usage()
    usage.sample({"worker": os.getpid(), "broker": None})
    usage.watched_s = 2.0

    values = {figure.name: figure.value for figure in usage.figures()}
    worker_mb, all_mb = values["worker, peak resident"], values["all together, peak resident"]
    assert worker_mb is not None
    assert worker_mb > 5
    assert worker_mb == all_mb
    assert values["broker, peak resident"] == 0


def test_a_report_reads_back_and_prints() -> None:
    figures = (
        Figure(part="demo", name="first repetition", value=12.345, unit="s"),
        Figure(part="demo", name="nothing seen", value=None, unit="s"),
    )
    report = Report(measured_at="2026-01-01T00:00:00+00:00", machine=this_machine(), figures=figures)

    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
    console = Console(width=120, file=io.StringIO())
    console.print(report_table(report))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "12.3" in text
    assert "nothing seen" in text
