"""How many patients with two sensors one core can analyze."""

from __future__ import annotations

import time

from processing.analyzer.recording import RecordedSession, analyze_recording
from processing.domain.exercises import exercise_of
from processing.domain.samples import MAX_SAMPLES_PER_ENTRY
from processing.dsp.blocks import NS_PER_S
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.simulated import simulated_session

LIVE_CHUNK = 10
"""Samples of 0.1 s: ten entries a second from each sensor."""

RUNS = 3

_EXERCISES = ("squat", "standing_flexion_extension", "cat_cow", "bridge")


def core_speed_figures(progress: Progress) -> list[Figure]:
    """Seconds of two-sensor data analyzed per second of processor time, best of some runs."""
    session = simulated_session(0, [exercise_of(code) for code in _EXERCISES]).session
    shown = (
        (MAX_SAMPLES_PER_ENTRY, f"catching up, {MAX_SAMPLES_PER_ENTRY} samples at once", False),
        (LIVE_CHUNK, "live, ten entries a second from each sensor", True),
    )
    return [_figure(session, chunk, how, progress, comparison=comparison) for chunk, how, comparison in shown]


def _figure(session: RecordedSession, chunk: int, how: str, progress: Progress, *, comparison: bool) -> Figure:
    length_s = (session.end_ns - session.begin_ns) / NS_PER_S
    fastest_s = min(_spent_s(session, chunk) for _ in progress.through(range(RUNS), RUNS))
    return Figure(
        set=figures.SPEED,
        measure=figures.PATIENTS,
        method=f"analyzer on simulated samples at 100 Hz, processor time, best of {RUNS}; {how}",
        unit="",
        value=length_s / fastest_s,
        people=1,
        recordings=1,
        note=f"{length_s:.0f} s of {', '.join(_EXERCISES)}; decoding of the log not included",
        comparison=comparison,
    )


def _spent_s(session: RecordedSession, chunk: int) -> float:
    before_s = time.process_time()
    analyze_recording(session, chunk)
    return time.process_time() - before_s
