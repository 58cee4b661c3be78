"""How a recording of each set is drawn: what was found against what is true.

Needs matplotlib, which is an optional part: import this module where a picture is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firmware_sim.recording import load_recording
from processing.domain.exercises import Channel
from processing.domain.findings import Finding, RepCompleted
from processing.domain.samples import Placement
from processing.dsp.blocks import GRID_S, Floats
from processing.dsp.rotation import upward
from processing.dsp.slouch import ENTER_SHARE, FLOOR_DEG, USUAL_SLUMP_DEG
from service.cli.analyze import AnalysisOptions, analyze
from service.cli.evaluation import figures
from service.cli.evaluation.folder import Recording
from service.cli.evaluation.orientation_stage import oriented
from service.cli.evaluation.seated_trunk import EXERCISE, EXTREMES, plane_counts
from service.cli.evaluation.sit_to_stand import true_count
from service.cli.evaluation.sitting import angles_from_upright_deg
from service.cli.evaluation.tilt import (
    angle_between_deg,
    both_known,
    directions_at,
    frontal_deg,
    rms,
    sagittal_deg,
    seconds,
    up_of,
)
from service.cli.evaluation.walking import REFERENCES, TOLERANCE_S, matched, step_times_s
from service.cli.evaluation.wheelchair import good_sensors
from service.cli.plots import draw_channel, legend_above
from service.cli.recordings import recording_plan
from service.cli.traces import Trace

TRUE, FOUND = "#d55e00", "#0072b2"

NEAR_S = 4.0
"""Seconds before and after the largest error of fast movements; more of them would be one blot."""

SHOWN_BOUTS = 3
"""Bouts of walking that are drawn: those with most steps missed or invented."""


def draw_wheelchair(recording: Recording) -> Figure:
    """Tilt of the low back in both planes, as tracked and as found."""
    sensor = good_sensors(recording)[Placement.PELVIS]
    found = directions_at(sensor.t_s, sensor.grid_s, sensor.found, 1.5 * GRID_S)
    known = both_known(found, sensor.truth)
    error_deg = angle_between_deg(found[known], sensor.truth[known])
    figure, rows = _figure(3, f"{recording.name}, low back: tilt RMSE {rms(error_deg):.2f}°")
    for axes, name, tilt_deg in zip(rows, ("sagittal", "frontal"), (sagittal_deg, frontal_deg), strict=False):
        truth = tilt_deg(sensor.truth)
        axes.plot(sensor.t_s, np.where(known, truth, np.nan), color=TRUE, linewidth=1.6, label="optical tracking")
        axes.plot(sensor.t_s, tilt_deg(found), color=FOUND, linewidth=1.0, label="found by lumbar")
        axes.set_ylabel(f"{name} tilt, °")
    _draw_error(rows[2], sensor.t_s[known], error_deg)
    legend_above(rows[0])
    return figure


def draw_rigid_body(recording: Recording) -> Figure:
    """Direction of up in the sensor's frame, as tracked and as found, where the sensor moved."""
    track = load_recording(recording.path)[Placement.PELVIS]
    truth = up_of(recording.floats("ref_quat"))
    truth[recording.floats("movement") <= 0.0] = np.nan
    run = oriented(track)
    found = directions_at(track.t_s, seconds(run.t_ns), up_of(run.quats), 1.5 * GRID_S)
    known = both_known(found, truth)
    error_deg = angle_between_deg(found[known], truth[known])
    figure, rows = _figure(
        2, f"{recording.name}: inclination RMSE {rms(error_deg):.2f}° where it moves", together=False
    )
    middle_s = float(track.t_s[known][np.argmax(error_deg)])
    near = np.abs(track.t_s - middle_s) < NEAR_S
    for up, colour, width, label in ((truth, TRUE, 2.4, "optical tracking"), (found, FOUND, 1.0, "found by lumbar")):
        inclination_deg = np.degrees(np.arccos(np.clip(up[near, 2], -1.0, 1.0)))
        rows[0].plot(track.t_s[near], inclination_deg, color=colour, linewidth=width, label=label)
    rows[0].set_ylabel("z axis against up, °\n(at the largest error)", fontsize=8)
    _draw_error(rows[1], track.t_s[known], error_deg)
    legend_above(rows[0])
    return figure


def draw_squats(recording: Recording) -> Figure:
    """The vertical channel with found repetitions, above the windows set by hand."""
    t_s = recording.floats("t")
    marks = np.stack([recording.floats(f"rep_{side}_idx").astype(int) for side in ("start", "end")], axis=1)
    windows_s = t_s[np.minimum(marks, t_s.size - 1)]
    return _draw_counted(recording, "squat", windows_s, "set by hand", int(recording.floats("rep_count")))


def draw_sit_to_stands(recording: Recording) -> Figure:
    """The vertical channel with found repetitions, above the times off the seat by its load cell."""
    stood_s = np.stack([recording.floats(f"seat_{side}_t") for side in ("off", "on")], axis=1)
    return _draw_counted(recording, "sit_to_stand", stood_s, "off the seat (load cell)", true_count(recording) or 0)


def draw_seated_trunk(recording: Recording) -> Figure:
    """Each plane's angle with what was counted, above the times of the true extremes where these are stated."""
    trace, findings = _analyzed(recording, EXERCISE)
    channels = [Channel(plane) for plane in EXTREMES]
    truth = {count.channel: count.truth for count in plane_counts(recording, {})}
    told = [f"{_count(findings, one)} {_words(one)} (true {truth.get(one.value, 'unknown')})" for one in channels]
    figure, rows = _figure(len(channels), f"{recording.name}: {', '.join(told)}")
    for axes, channel in zip(rows, channels, strict=True):
        draw_channel(axes, channel, trace, findings)
        names = [f"t_{EXTREMES[channel.value]}_{side}" for side in ("pos", "neg")]
        stated = [recording.floats(name) for name in names if name in recording.arrays]
        extremes_s = np.concatenate(stated) if stated else np.empty(0)
        at_foot = axes.get_xaxis_transform()
        label = "true extremes" if stated else None
        axes.plot(extremes_s, 0.06 + 0.0 * extremes_s, "^", color=TRUE, ms=5, transform=at_foot, label=label)
        legend_above(axes)
    return figure


def draw_walking(recording: Recording) -> Figure:
    """Vertical acceleration with found steps and true contacts, in the bouts with most errors."""
    steps_s = step_times_s(recording)
    contacts_s = np.sort(recording.floats(f"ref_{REFERENCES[0]}_initial_contact_t"))
    bouts_s = recording.floats(f"ref_{REFERENCES[0]}_bouts").reshape(-1, 2)
    track = load_recording(recording.path)[Placement.PELVIS]
    run = oriented(track, recording_plan(recording.path).mounts[Placement.PELVIS])
    t_s, up_mps2 = seconds(run.t_ns), upward(run.quats, run.acc)
    shown = sorted(sorted(bouts_s.tolist(), key=lambda bout: -_errors(steps_s, contacts_s, bout))[:SHOWN_BOUTS])
    figure, rows = _figure(len(shown), f"{recording.name}: steps in the bouts with most errors", together=False)
    for axes, (begin_s, end_s) in zip(rows, shown, strict=True):
        near = slice(*np.searchsorted(t_s, (begin_s - 2.0, end_s + 2.0)))
        axes.plot(t_s[near], up_mps2[near], color="0.6", linewidth=0.8)
        least, most = np.percentile(up_mps2[near], (0.2, 99.8))
        axes.set_ylim(least - 2.0, most + 2.0)
        axes.axvspan(begin_s, end_s, color="0.9", zorder=0, label="reference bout")
        for times_s, level, colour, label in (
            (steps_s, 0.9, FOUND, "found by lumbar"),
            (contacts_s, 0.1, TRUE, f"true contacts ({REFERENCES[0]})"),
        ):
            own = times_s[(times_s >= begin_s - 2.0) & (times_s <= end_s + 2.0)]
            axes.plot(own, np.full(own.size, level), "|", ms=12, color=colour, transform=axes.get_xaxis_transform())
            axes.plot([], [], "|", ms=12, color=colour, label=f"{label}: {own.size}")
        axes.set_ylabel("upward\nacceleration, m/s²", fontsize=8)
        legend_above(axes)
    return figure


def draw_sitting(recording: Recording) -> Figure:
    """How far from upright the clips of upright and of bad sitting end, and from where on that is slouching."""
    angles_deg = angles_from_upright_deg(recording)
    limit_deg = max(FLOOR_DEG, ENTER_SHARE * USUAL_SLUMP_DEG)
    right = [(angle > limit_deg) is bad for bad, own in angles_deg.items() for angle in own]
    figure, (axes,) = _figure(1, f"{recording.name}: {sum(right)} of {len(right)} clips end on their side of the limit")
    figure.set_figheight(3.2)
    bins = [float(edge) for edge in range(int(max((*angles_deg[False], *angles_deg[True], 10.0))) + 2)]
    for bad, colour, label in ((False, FOUND, "called upright"), (True, TRUE, "called bad")):
        axes.hist(angles_deg[bad], bins, color=colour, alpha=0.6, label=f"{label}: {len(angles_deg[bad])}")
    axes.axvline(limit_deg, color="0.2", linestyle="--", label=f"slouching from {limit_deg:g}°, no slump captured")
    axes.set_xlabel("angle of the upper back at the end of a clip from the upright pose, °")
    axes.set_ylabel("clips")
    legend_above(axes)
    return figure


DRAWINGS: Mapping[str, Callable[[Recording], Figure]] = {
    figures.BROAD: draw_rigid_body,
    figures.WHEELCHAIR: draw_wheelchair,
    figures.SQUATS: draw_squats,
    figures.SEATED: draw_seated_trunk,
    figures.SIT_TO_STAND: draw_sit_to_stands,
    figures.WALKING: draw_walking,
    figures.SITTING: draw_sitting,
}


def _figure(rows: int, title: str, *, together: bool = True) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(10.0, 0.8 + 1.6 * rows), layout="constrained")
    axes = list(figure.subplots(rows, 1, sharex=together, squeeze=False)[:, 0])
    figure.suptitle(title, fontsize=11)
    axes[-1].set_xlabel("time, s")
    for one in axes:
        one.grid(alpha=0.3)
        one.margins(x=0.01)
    return figure, axes


def _analyzed(recording: Recording, exercise: str) -> tuple[Trace, Sequence[Finding]]:
    trace = Trace()
    return trace, analyze(recording.path, AnalysisOptions(exercise=exercise), trace).findings


def _draw_counted(recording: Recording, exercise: str, windows_s: Floats, by: str, truth: int) -> Figure:
    trace, findings = _analyzed(recording, exercise)
    found = _count(findings, Channel.VERTICAL)
    figure, (axes,) = _figure(1, f"{recording.name}: {found} {_words(exercise)}s counted, {truth} true")
    figure.set_figheight(3.2)
    draw_channel(axes, Channel.VERTICAL, trace, findings)
    for number, (begin_s, end_s) in enumerate(windows_s):
        label = f"{by}: {len(windows_s)}" if number == 0 else None
        axes.axvspan(begin_s, end_s, 0.0, 0.06, color=TRUE, alpha=0.5 + 0.4 * (number % 2), lw=0, label=label)
    legend_above(axes)
    return figure


def _draw_error(axes: Axes, t_s: Floats, error_deg: Floats) -> None:
    axes.plot(t_s, error_deg, ".", color="0.35", markersize=1.0)
    axes.set_ylabel("error, °")
    axes.set_ylim(bottom=0.0)


def _errors(steps_s: Floats, contacts_s: Floats, bout_s: Sequence[float]) -> int:
    near = [
        times_s[(times_s >= bout_s[0] - TOLERANCE_S) & (times_s <= bout_s[1] + TOLERANCE_S)]
        for times_s in (steps_s, contacts_s)
    ]
    return near[0].size + near[1].size - 2 * matched(near[0], near[1], TOLERANCE_S)


def _count(findings: Sequence[Finding], channel: Channel) -> int:
    return sum(isinstance(one, RepCompleted) and one.channel is channel for one in findings)


def _words(name: str) -> str:
    return name.replace("_", " ").replace("sit to stand", "sit-to-stand")
