"""Simulated mishaps through the whole analyzer: they are told, and no wrong number comes out."""

from __future__ import annotations

import pytest

from processing.analyzer.recording import RecordedSession, analyze_recording
from processing.analyzer.session import SessionAnalyzer
from processing.domain.findings import Finding, RomMeasured, RomRefused
from processing.domain.sensor_findings import FaultKind, SensorFault
from service.cli.evaluation.fault_scenarios import SCENARIOS, SOUND
from service.cli.evaluation.sensor_faults import WRONG_DEG, outcome
from service.cli.evaluation.simulated import SEED, session_of


def session(scenario: str, person: int) -> RecordedSession:
    chosen = SCENARIOS[scenario]
    patient, truths, _ = chosen.person((SEED, person))
    return session_of(patient, truths, begin_s=chosen.begin_s(truths), mount=chosen.mount)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_mishap_is_told_and_gives_no_wrong_number(scenario: str) -> None:
    found = outcome((scenario, 0))
    assert found.faults <= SCENARIOS[scenario].kinds
    assert (found.late_s is None) == (scenario == SOUND)
    assert (found.wrong, found.miscounts) == (0, 0), f"off by more than {WRONG_DEG}°"


def in_pieces(recorded: RecordedSession, chunk: int, restart_every: int) -> list[Finding]:
    analyzer = recorded.analyzer()
    findings: list[Finding] = []
    for at, given in enumerate(recorded.inputs(chunk)):
        if at % restart_every == restart_every - 1:
            analyzer = SessionAnalyzer.from_state(analyzer.state())
        findings += analyzer.feed(given)
    return findings


@pytest.mark.parametrize("scenario", ["slip in the skin", "stuck", "swapped", "upside down", "loss of 40 %"])
def test_what_is_told_does_not_depend_on_chunks_or_restarts(scenario: str) -> None:
    recorded = session(scenario, 1)
    whole, _ = analyze_recording(recorded)
    assert any(isinstance(finding, SensorFault) for finding in whole)
    assert in_pieces(recorded, 137, 20) == whole


def test_after_an_upside_down_sensor_was_calibrated_by_bends_ranges_are_measured_again() -> None:
    findings, _ = analyze_recording(session("upside down", 2))
    told = [finding.fault for finding in findings if isinstance(finding, SensorFault)]
    assert told == [FaultKind.UPSIDE_DOWN, FaultKind.ASKEW]
    assert [finding for finding in findings if isinstance(finding, RomMeasured)]


def test_swapped_sensors_measure_no_range_and_say_why() -> None:
    findings, _ = analyze_recording(session("swapped", 3))
    assert not [finding for finding in findings if isinstance(finding, RomMeasured)]
    refused = [finding for finding in findings if isinstance(finding, RomRefused)]
    assert len(refused) == 3
    assert all("swapped" in finding.detail for finding in refused)
