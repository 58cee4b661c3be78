"""How many patients with two sensors one core can analyze."""

from __future__ import annotations

from service.cli.bench_core import BATCH_S
from service.cli.bench_sessions import whole_patient
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.progress import Progress

CATCHING_UP_S = 1.0
"""Entries of a gateway that was away."""

RUNS = 3


def core_speed_figures(progress: Progress) -> list[Figure]:
    """Seconds of two-sensor data decoded and analyzed per second of processor time, best of some runs."""
    shown = (
        (BATCH_S, "live, ten entries a second from each sensor", False),
        (CATCHING_UP_S, "catching up, entries of a second", True),
    )
    return [_figure(entry_s, how, comparison=comparison) for entry_s, how, comparison in progress.through(shown, 2)]


def _figure(entry_s: float, how: str, *, comparison: bool) -> Figure:
    length_s, spent_s = whole_patient(entry_s, RUNS)
    return Figure(
        set=figures.SPEED,
        measure=figures.PATIENTS,
        method=f"decoder and analyzer on simulated samples at 100 Hz, processor time, best of {RUNS}; {how}",
        unit="",
        value=length_s / spent_s,
        people=1,
        recordings=1,
        note=f"{length_s:.0f} s: calibration, squats, bends forward and back, walking",
        comparison=comparison,
    )
