"""broad: is the inclination of a hand-moved sensor right, and does a restart change it?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from vqf import VQF

from firmware_sim.recording import Track, load_recording
from processing.domain.errors import RecordingError
from processing.domain.samples import Placement
from processing.dsp.blocks import GRID_S, Floats
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.orientation_stage import oriented, same_bits
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.tilt import (
    BASELINE,
    angle_between_deg,
    both_known,
    directions_at,
    rms,
    seconds,
    up_by_accelerometer,
    up_of,
)

RESTARTS = (0.21, 0.5, 0.83)
"""Where in a recording the state is saved and restored; anywhere would do."""

_LIVE = "orientation stage as live: resampled to 100 Hz, VQF 6D"
_NATIVE = "VQF 6D with its defaults at the native rate, for comparison"
_BASELINE = "baseline: accelerometer, causal 1 Hz low-pass"
_METHODS = (_LIVE, _NATIVE, _BASELINE)


def rigid_body_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """Inclination RMSE where ``movement`` is true, and recordings that a restart changes."""
    errors: dict[str, dict[str, float]] = {method: {} for method in _METHODS}
    changed: list[str] = []
    for name, found, same in folder.each(figures.BROAD, _errors, progress):
        for method, value in found.items():
            errors[method][name] = value
        if not same:
            changed.append(name)
    rows = [figure for method, values in errors.items() for figure in _of_method(method, values)]
    count = len(errors[_LIVE])
    restarted = Figure(
        set=figures.BROAD,
        measure=figures.RESTORED,
        method=f"state to bytes and back at {len(RESTARTS)} places, all bits of all quaternions compared",
        unit="",
        value=float(len(changed)) if count else None,
        people=0,
        recordings=count,
        worst=changed[0] if changed else None,
    )
    return [*rows[:2], restarted, *rows[2:]]


def _errors(recording: Recording) -> tuple[str, Mapping[str, float], bool]:
    """Name, RMSE by method in degrees, and whether restarts changed nothing."""
    track = load_recording(recording.path)[Placement.PELVIS]
    truth = up_of(recording.floats("ref_quat"))
    moving = recording.floats("movement") > 0.0
    if truth.shape != track.acc.shape or moving.shape != track.t_s.shape:
        raise RecordingError(str(recording.path), "truth and samples have different lengths")
    truth[~moving] = np.nan
    once = oriented(track)
    t_s = seconds(once.t_ns)
    found = {
        _LIVE: directions_at(track.t_s, t_s, up_of(once.quats), 1.5 * GRID_S),
        _NATIVE: up_of(_native(track)),
        _BASELINE: directions_at(track.t_s, t_s, up_by_accelerometer(once.acc), 1.5 * GRID_S),
    }
    known = both_known(found[_LIVE], truth)
    if not known.any():
        raise RecordingError(str(recording.path), "no true orientation where the sensor moved")
    again = oriented(track, restart_at=RESTARTS)
    errors = {method: rms(angle_between_deg(up[known], truth[known])) for method, up in found.items()}
    return recording.name, errors, same_bits(once, again)


def _native(track: Track) -> Floats:
    period_s = float(np.median(np.diff(track.t_s)))
    quats: Floats = np.asarray(
        VQF(period_s).updateBatch(np.ascontiguousarray(track.gyr), np.ascontiguousarray(track.acc))["quat6D"]
    )
    return quats


def _of_method(method: str, values: Mapping[str, float]) -> list[Figure]:
    worst = max(values, key=lambda name: values[name], default=None)
    shown = [(figures.INCLINATION_MEAN, float(np.mean(list(values.values()))) if values else None)]
    if method != _NATIVE:
        shown.append((figures.INCLINATION_MAX, values[worst] if worst else None))
    return [
        Figure(
            set=figures.BROAD,
            measure=measure,
            method=method,
            unit="°",
            value=value,
            people=0,
            recordings=len(values),
            worst=worst,
            comparison=method == _NATIVE,
            baseline=BASELINE if method == _BASELINE else None,
        )
        for measure, value in shown
    ]
