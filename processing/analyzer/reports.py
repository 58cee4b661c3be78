"""Findings that only pass on what happened."""

from __future__ import annotations

from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor import Hole, SensorPath
from processing.domain.findings import GapSeen, PainReported


def report_hole(path: SensorPath, hole: Hole, ledger: Ledger) -> None:
    """State a gap of a sensor."""
    ledger.add(
        GapSeen,
        t0_ns=hole.t0_ns,
        t1_ns=hole.t1_ns,
        algorithm="grid/1",
        quality=1.0,
        placement=path.placement,
        sensor_id=path.worn.sensor_id,
        cause=hole.cause,
    )


def report_pain(t_ns: int, score: int, exercise: str | None, ledger: Ledger) -> None:
    """State the pain that the person reported, and during what."""
    ledger.add(PainReported, t0_ns=t_ns, t1_ns=t_ns, algorithm="command/1", quality=1.0, score=score, exercise=exercise)
