"""What lost packets, sensors that are not synchronous, and a biased gyroscope change on trunk_seated.

Each recording is analyzed as it is and disturbed, by the same analyzer; only the difference counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from processing.analyzer.recording import RecordedSession, analyze_recording
from processing.domain.findings import Finding, RomDirection, RomMeasured
from processing.domain.ids import SensorId
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S, SampleBlock
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.counting import reps_by_channel
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.seated_trunk import EXERCISE, PLANES

LOST_FRACTION = 0.05
PACKET = 5
OFFSET_NS = 20_000_000
BIAS_RADPS = np.radians(5.0)
REST_S = 3.1
"""The rest put before: 3 s, and two blocks because blocks are aligned to the grid and not to the recording."""

_SEED = 7
_LOSS, _OFFSET, _BIAS = "5 % loss", "20 ms offset", "a bias of 5 °/s"
_HOW = {
    _LOSS: "5 % of samples lost in packets of five, each sensor by itself",
    _OFFSET: "thorax sensor 20 ms late",
    _BIAS: "±5 °/s on each gyroscope axis, 3 s of rest put before the recording with and without it",
}
_GATED = {(_LOSS, "counts"), (_OFFSET, "rom"), (_BIAS, "rom")}
_PAIRS = (
    (RomDirection.FLEXION, RomDirection.EXTENSION),
    (RomDirection.RIGHT_BEND, RomDirection.LEFT_BEND),
    (RomDirection.RIGHT_ROTATION, RomDirection.LEFT_ROTATION),
)


class _Change(NamedTuple):
    """What a disturbance changed in one recording.

    Attributes:
        counts: planes whose count is another.
        rom_deg: change of each range of motion as it is reported, per direction, where both have one.
        swing_deg: the same of both directions of a plane together, which does not depend on the neutral pose.
    """

    person: str
    recording: str
    counts: int
    rom_deg: list[float]
    swing_deg: list[float]


class _Outcome(NamedTuple):
    counts: dict[str, int]
    rom_deg: dict[RomDirection, float]


def robustness_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """Changed counts and 95th percentile of changes of range, per disturbance."""
    changes: dict[str, list[_Change]] = {name: [] for name in _HOW}
    for disturbed in folder.each(figures.SEATED, _changes, progress):
        for name, change in disturbed.items():
            changes[name].append(change)
    shown = (_count_figure, _rom_figure, _swing_figure)
    return [figure(name, changes[name]) for name in _HOW for figure in shown]


def _changes(recording: Recording) -> dict[str, _Change]:
    session = recorded_session(recording.path, AnalysisOptions(exercise=EXERCISE))
    plain, rested = _outcome(session), _outcome(_after_rest(session))
    disturbed = {
        _LOSS: (plain, _outcome(_lossy(session, _SEED))),
        _OFFSET: (plain, _outcome(_late(session))),
        _BIAS: (rested, _outcome(_biased(_after_rest(session)))),
    }
    return {
        name: _Change(recording.person, recording.name, *_compared(before, after))
        for name, (before, after) in disturbed.items()
    }


def _outcome(session: RecordedSession) -> _Outcome:
    findings: Sequence[Finding] = analyze_recording(session)[0]
    roms = {finding.direction: finding.angle_deg for finding in findings if isinstance(finding, RomMeasured)}
    return _Outcome(reps_by_channel(findings), roms)


def _compared(before: _Outcome, after: _Outcome) -> tuple[int, list[float], list[float]]:
    counts = sum(before.counts.get(plane, 0) != after.counts.get(plane, 0) for plane in PLANES)
    changes = {side: after.rom_deg[side] - before.rom_deg[side] for side in before.rom_deg if side in after.rom_deg}
    swings = [abs(sum(changes[side] for side in pair)) for pair in _PAIRS if all(side in changes for side in pair)]
    return counts, [abs(change) for change in changes.values()], swings


def _lossy(session: RecordedSession, seed: int) -> RecordedSession:
    blocks = []
    for number, block in enumerate(session.blocks):
        packet = np.arange(len(block)) // PACKET
        kept = np.random.default_rng([seed, number]).random(packet[-1] + 1)[packet] >= LOST_FRACTION
        kept[[0, -1]] = True
        blocks.append(SampleBlock(block.sensor_id, block.t_ns[kept], block.acc[kept], block.gyr[kept]))
    return replace(session, blocks=tuple(blocks))


def _late(session: RecordedSession) -> RecordedSession:
    moved = SensorId(Placement.THORAX.value)
    return replace(
        session,
        blocks=tuple(
            replace(block, t_ns=block.t_ns + OFFSET_NS) if block.sensor_id == moved else block
            for block in session.blocks
        ),
    )


def _after_rest(session: RecordedSession) -> RecordedSession:
    """The session with a rest in the first pose before it; the set begins where it did."""
    blocks = []
    for block in session.blocks:
        period_ns = int(np.median(np.diff(block.t_ns)))
        back = np.arange(round(REST_S * NS_PER_S / period_ns), 0, -1, dtype=np.int64)
        blocks.append(
            SampleBlock(
                block.sensor_id,
                np.concatenate((block.t_ns[0] - back * period_ns, block.t_ns)),
                np.concatenate((np.repeat(block.acc[:1], len(back), axis=0), block.acc)),
                np.concatenate((np.zeros((len(back), 3)), block.gyr)),
            )
        )
    return replace(session, blocks=tuple(blocks))


def _biased(session: RecordedSession) -> RecordedSession:
    signs = np.array([[1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]])
    return replace(
        session,
        blocks=tuple(
            replace(block, gyr=block.gyr + BIAS_RADPS * signs[number % len(signs)])
            for number, block in enumerate(session.blocks)
        ),
    )


def _count_figure(name: str, changes: Sequence[_Change]) -> Figure:
    worst = max(changes, key=lambda change: change.counts, default=None)
    return Figure(
        set=figures.ROBUSTNESS,
        measure=f"counts changed by {name}",
        method=_HOW[name],
        unit="",
        value=float(sum(change.counts for change in changes)) if changes else None,
        people=len({change.person for change in changes}),
        recordings=len(changes),
        worst=worst.recording if worst is not None and worst.counts else None,
        note=f"of {len(changes) * len(PLANES)} counts",
        comparison=(name, "counts") not in _GATED,
    )


def _rom_figure(name: str, changes: Sequence[_Change]) -> Figure:
    return _range_figure(f"ROM change per direction, p95, by {name}", name, changes, [one.rom_deg for one in changes])


def _swing_figure(name: str, changes: Sequence[_Change]) -> Figure:
    return _range_figure(f"ROM change side to side, p95, by {name}", name, changes, [one.swing_deg for one in changes])


def _range_figure(measure: str, name: str, changes: Sequence[_Change], ranges: Sequence[Sequence[float]]) -> Figure:
    measured = [(change, own) for change, own in zip(changes, ranges, strict=True) if own]
    worst = max(measured, key=lambda one: max(one[1]), default=None)
    every = [value for _, own in measured for value in own]
    return Figure(
        set=figures.ROBUSTNESS,
        measure=measure,
        method=_HOW[name],
        unit="°",
        value=float(np.percentile(every, 95)) if every else None,
        people=len({change.person for change, _ in measured}),
        recordings=len(measured),
        worst=worst[0].recording if worst is not None else None,
        note=f"{len(every)} ranges, median {np.median(every):.2f}°" if every else "no recording has a range",
        comparison=(name, "rom") not in _GATED,
    )
