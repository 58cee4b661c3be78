"""wheelchair_trunk: is the tilt of the back, of two sensors against each other, and its range right?

The targets speak of the tilt as it is: the figures of VQF beside them in issue 3 (2.5 and 1.9°) are what it has without
any alignment. The same after one constant rotation per recording and sensor, which takes out how the markers sit on
the sensor, stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from vqf import offlineVQF

from firmware_sim.recording import Track, load_recording
from processing.domain.errors import RecordingError
from processing.domain.samples import Placement
from processing.dsp.blocks import GRID_S, Floats
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.orientation_stage import oriented
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.tilt import (
    BASELINE,
    Mask,
    aligned,
    angle_between_deg,
    both_known,
    directions_at,
    frontal_deg,
    rms,
    sagittal_deg,
    seconds,
    up_by_accelerometer,
    up_of,
)
from service.cli.recordings import recording_plan

MIN_ALIGN_R2 = 0.95
MIN_VALID = 0.8
"""What makes the optical truth of a sensor good (README of the data)."""

MAX_TRUTH_STEP_S = 0.06
"""Two lost packets at 50 Hz; the truth is not interpolated over more."""

_SENSORS: Mapping[Placement, tuple[str, str, str]] = {
    # Prefix of the arrays, name in meta and in the table of truth, measure.
    Placement.PELVIS: ("", "low_back", figures.TILT_LOW_BACK),
    Placement.THORAX: ("back_", "back", figures.TILT_UPPER_BACK),
}
_PLANES = {"sag": (figures.ROM_SAGITTAL, sagittal_deg), "fro": (figures.ROM_FRONTAL, frontal_deg)}

_STAGE = "orientation stage as live (VQF 6D), mean of the recordings, no alignment"
_ALIGNED = "the same after one constant rotation per recording and sensor"
_CONSTANT = "the same less one constant angle per recording"
_OFFLINE = "VQF 6D offline, with its defaults: it sees the whole recording, so it is not to be had live"
_BASELINE = "baseline: accelerometer, causal 1 Hz low-pass"
_RANGE = "largest less smallest tilt of the whole recording, each sensor, mean of absolute errors"
_BASELINE_RANGE = f"{_BASELINE}; the same range"
_SHOWN = (
    *(
        (tilt, method)
        for tilt in (figures.TILT_LOW_BACK, figures.TILT_UPPER_BACK)
        for method in (_STAGE, _ALIGNED, _OFFLINE, _BASELINE)
    ),
    *((figures.TWO_SENSOR_SAGITTAL, method) for method in (_STAGE, _CONSTANT, _OFFLINE, _BASELINE)),
    *((measure, method) for measure, _ in _PLANES.values() for method in (_RANGE, _BASELINE_RANGE)),
)


class Scored(NamedTuple):
    """A value of one recording."""

    person: str
    recording: str
    value: float


class Sensor(NamedTuple):
    """Directions of up in a sensor's frame, shape (n, 3): true ones at its own times, found ones on the grid."""

    t_s: Floats
    truth: Floats
    grid_s: Floats
    found: Floats
    baseline: Floats
    offline: Floats


def wheelchair_figures(folder: Folder, progress: Progress) -> list[Figure]:
    """Tilt, two-sensor tilt and ranges of tilt of the recordings with good truth."""
    values: dict[tuple[str, str], list[Scored]] = {}
    truths = {
        (row["recording"], row["sensor"]): row for row in folder.table(figures.WHEELCHAIR, "truth_trunkmovement.csv")
    }
    for scored in folder.each(figures.WHEELCHAIR, partial(_of_recording, truths), progress):
        for key, one in scored:
            values.setdefault(key, []).append(one)
    return [_figure(measure, method, values.get((measure, method), [])) for measure, method in _SHOWN]


def _of_recording(
    truths: Mapping[tuple[str, str], Mapping[str, str]], recording: Recording
) -> list[tuple[tuple[str, str], Scored]]:
    """Measure, method and value of all that a recording tells."""
    return [(key, Scored(recording.person, recording.name, value)) for key, value in _values(recording, truths)]


def _values(
    recording: Recording, truths: Mapping[tuple[str, str], Mapping[str, str]]
) -> Iterator[tuple[tuple[str, str], float]]:
    sensors = good_sensors(recording)
    for placement, sensor in sensors.items():
        _, name, measure = _SENSORS[placement]
        for method, (found, truth) in _versions(sensor).items():
            yield (measure, method), rms(angle_between_deg(found, truth))
        row = truths.get((recording.name, name))
        if row is not None:
            yield from _ranges(sensor, row, recording)
    if len(sensors) == len(_SENSORS):
        yield from _between(sensors[Placement.PELVIS], sensors[Placement.THORAX])


def good_sensors(recording: Recording) -> dict[Placement, Sensor]:
    """Sensors of a recording whose truth is good.

    Raises:
        RecordingError: truth and samples do not fit each other.
    """
    tracks = load_recording(recording.path)
    mounts = recording_plan(recording.path).mounts
    return {
        placement: _sensor(recording, prefix, tracks[placement], mounts[placement])
        for placement, (prefix, name, _) in _SENSORS.items()
        if placement in tracks and _is_good(recording, name)
    }


def _is_good(recording: Recording, name: str) -> bool:
    try:
        about = recording.meta["ref"][name]
        return float(about["align_r2"]) > MIN_ALIGN_R2 and float(about["ref_valid_frac"]) > MIN_VALID
    except (KeyError, TypeError, ValueError):
        return False


def _sensor(recording: Recording, prefix: str, track: Track, mount: str) -> Sensor:
    truth = up_of(recording.floats(f"{prefix}ref_quat"))
    valid = recording.floats(f"{prefix}ref_valid") > 0.0
    if truth.shape != track.acc.shape or valid.shape != track.t_s.shape:
        raise RecordingError(str(recording.path), "truth and samples have different lengths")
    truth[~valid] = np.nan
    run = oriented(track, mount)
    if not len(run.t_ns):
        raise RecordingError(str(recording.path), "too short")
    offline = offlineVQF(run.gyr, run.acc, None, GRID_S)["quat6D"]
    return Sensor(
        track.t_s, truth, seconds(run.t_ns), up_of(run.quats), up_by_accelerometer(run.acc), up_of(np.asarray(offline))
    )


def _versions(sensor: Sensor) -> dict[str, tuple[Floats, Floats]]:
    """Directions found and true, by method, where both are known."""
    found, offline, baseline = (
        directions_at(sensor.t_s, sensor.grid_s, ups, 1.5 * GRID_S)
        for ups in (sensor.found, sensor.offline, sensor.baseline)
    )
    known = both_known(found, sensor.truth)
    if not known.any():
        return {}
    found, truth = found[known], sensor.truth[known]
    return {
        _STAGE: (found, truth),
        _ALIGNED: (aligned(found, truth), truth),
        _OFFLINE: (offline[known], truth),
        _BASELINE: (baseline[known], truth),
    }


def _ranges(sensor: Sensor, row: Mapping[str, str], recording: Recording) -> Iterator[tuple[tuple[str, str], float]]:
    for plane, (measure, tilt_deg) in _PLANES.items():
        try:
            complete, true_deg = row[f"{plane}_complete"] == "True", float(row[f"{plane}_rom"])
        except (KeyError, ValueError) as error:
            raise RecordingError(str(recording.path), f"its truth has no {plane}_rom: {error}") from error
        if complete:
            for method, up in ((_RANGE, sensor.found), (_BASELINE_RANGE, sensor.baseline)):
                yield (measure, method), abs(float(np.ptp(tilt_deg(up))) - true_deg)


def _between(lower: Sensor, upper: Sensor) -> Iterator[tuple[tuple[str, str], float]]:
    """Sagittal tilt of the upper sensor less that of the lower one, against the same from the truth."""
    t_s = lower.grid_s
    truths = [directions_at(t_s, one.t_s, one.truth, MAX_TRUTH_STEP_S) for one in (lower, upper)]
    found = [directions_at(t_s, one.grid_s, one.found, 1.5 * GRID_S) for one in (lower, upper)]
    offline = [directions_at(t_s, one.grid_s, one.offline, 1.5 * GRID_S) for one in (lower, upper)]
    baseline = [directions_at(t_s, one.grid_s, one.baseline, 1.5 * GRID_S) for one in (lower, upper)]
    known = both_known(*truths) & both_known(*found)
    if not known.any():
        return
    true_deg = _difference_deg(truths, known)
    error_deg = _difference_deg(found, known) - true_deg
    yield (figures.TWO_SENSOR_SAGITTAL, _STAGE), rms(_wrapped(error_deg))
    yield (figures.TWO_SENSOR_SAGITTAL, _CONSTANT), rms(_wrapped(error_deg - np.median(error_deg)))
    yield (figures.TWO_SENSOR_SAGITTAL, _OFFLINE), rms(_wrapped(_difference_deg(offline, known) - true_deg))
    yield (figures.TWO_SENSOR_SAGITTAL, _BASELINE), rms(_wrapped(_difference_deg(baseline, known) - true_deg))


def _difference_deg(ups: Sequence[Floats], known: Mask) -> Floats:
    difference: Floats = sagittal_deg(ups[1][known]) - sagittal_deg(ups[0][known])
    return difference


def _wrapped(angles_deg: Floats) -> Floats:
    wrapped: Floats = (angles_deg + 180.0) % 360.0 - 180.0
    return wrapped


def _figure(measure: str, method: str, scored: Sequence[Scored]) -> Figure:
    by_person: dict[str, list[float]] = {}
    for one in scored:
        by_person.setdefault(one.person, []).append(one.value)
    return Figure(
        set=figures.WHEELCHAIR,
        measure=measure,
        method=method,
        unit="°",
        value=float(np.mean([one.value for one in scored])) if scored else None,
        people=len(by_person),
        recordings=len({one.recording for one in scored}),
        per_person={person: float(np.mean(values)) for person, values in sorted(by_person.items())},
        worst=max(scored, key=lambda one: one.value).recording if scored else None,
        note=f"median {np.median([one.value for one in scored]):.2f}°" if scored else "no recording with good truth",
        comparison=method not in (_STAGE, _RANGE),
        baseline=BASELINE if method in (_BASELINE, _BASELINE_RANGE) else None,
    )
