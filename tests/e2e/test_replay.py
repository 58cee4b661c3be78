"""Recordings of real people through virtual radio, MQTT and database give what the analysis of the file gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from processing.domain.exercises import Channel
from processing.domain.findings import Finding, RepCompleted, RomMeasured, SetCompleted
from service.cli.analyze import AnalysisOptions, analyze
from service.cli.demo.run import play, running_demo
from tests.e2e.chain import assert_committed_equals_offline, options

FILES = (
    "squat_lowback/Q2_correct_set1.npz",
    "trunk_seated/T01_165354.npz",
    "wheelchair_trunk/W03_trunkmovement_hs.npz",
)
TOLERANCE_DEG = 0.5
TOLERANCE_M = 0.01


async def test_replayed_people_are_counted_and_measured_as_in_their_files(recordings: Path, tmp_path: Path) -> None:
    chosen = options(for_s=None, replay=tuple(recordings / name for name in FILES))
    async with running_demo(chosen, tmp_path) as demo:
        result = await play(demo, chosen)
        await assert_committed_equals_offline(demo, tmp_path / "export.log")

    for file in chosen.replay:
        offline = analyze(file, AnalysisOptions()).findings
        replayed = _same_person(offline, result.findings)
        assert _reps(replayed) == _reps(offline), file
        assert _angles_deg(replayed).keys() == _angles_deg(offline).keys(), file
        for name, angle_deg in _angles_deg(offline).items():
            assert abs(_angles_deg(replayed)[name] - angle_deg) <= TOLERANCE_DEG, (file, name)
        for name, height_m in _heights_m(offline).items():
            assert abs(_heights_m(replayed)[name] - height_m) <= TOLERANCE_M, (file, name)


def _same_person(offline: Sequence[Finding], committed: Sequence[Finding]) -> list[Finding]:
    """Committed findings of the session whose set agrees best with the file: sessions are named afresh each time."""
    sessions = sorted({finding.session_id for finding in committed})
    wanted = _angles_deg(offline)

    def distance(session_id: str) -> float:
        mine = [finding for finding in committed if finding.session_id == session_id]
        angles = _angles_deg(mine)
        return sum(abs(angles.get(name, 360.0) - angle) for name, angle in wanted.items()) + 360.0 * len(
            angles.keys() - wanted.keys()
        )

    best = min(sessions, key=distance)
    return [finding for finding in committed if finding.session_id == best]


def _reps(findings: Sequence[Finding]) -> list[dict[str, int]]:
    return [finding.reps for finding in findings if isinstance(finding, SetCompleted)]


def _angles_deg(findings: Sequence[Finding]) -> dict[str, float]:
    """Every angle that was found: ranges of motion and amplitudes of repetitions."""
    angles = {f.direction.value: f.angle_deg for f in findings if isinstance(f, RomMeasured)}
    for finding in findings:
        if isinstance(finding, RepCompleted) and finding.channel is not Channel.VERTICAL:
            angles[f"{finding.channel} {finding.number}"] = finding.amplitude
    return angles


def _heights_m(findings: Sequence[Finding]) -> dict[int, float]:
    return {
        finding.number: finding.amplitude
        for finding in findings
        if isinstance(finding, RepCompleted) and finding.channel is Channel.VERTICAL
    }
