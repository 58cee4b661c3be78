"""Bouts of steps, or of pedalling, as findings."""

from __future__ import annotations

from processing.analyzer.ledger import Ledger
from processing.domain.exercises import Exercise
from processing.domain.findings import StepBout
from processing.domain.rhythm_findings import CyclingBout
from processing.dsp.steps import Bout

STEPPING = "steps/2"
PEDALLING = "half_turns/1"

PEDALLING_QUALITY = 0.5
"""Checked on simulated people only; no source for a sensor on the back was found (signals.md §3.5)."""

HALF_TURNS = 2
"""Each leg pushes the pelvis up once in a turn of the crank, so a turn feels like two steps (signals.md §3.5)."""


def report_bout(bout: Bout | None, exercise: Exercise, ledger: Ledger) -> None:
    """State a bout that ended within a set, if it is what the exercise is about."""
    if bout is None:
        return
    if exercise.steps:
        ledger.add(
            StepBout,
            t0_ns=bout.t0_ns,
            t1_ns=bout.t1_ns,
            algorithm=STEPPING,
            quality=1.0,
            steps=bout.steps,
            cadence_per_min=bout.cadence_per_min,
            brisk_s=bout.brisk_s,
        )
    elif exercise.pedals:
        ledger.add(
            CyclingBout,
            t0_ns=bout.t0_ns,
            t1_ns=bout.t1_ns,
            algorithm=PEDALLING,
            quality=PEDALLING_QUALITY,
            cadence_per_min=bout.cadence_per_min / HALF_TURNS,
        )
