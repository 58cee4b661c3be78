"""Pictures of an analysis: what was measured over time, what was counted, and what was not and why.

Needs matplotlib, which is an optional part: import this module where a picture is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from processing.domain.errors import RecordingError
from processing.domain.exercises import Channel
from processing.domain.findings import (
    Finding,
    LiveFrame,
    RepCompleted,
    RomMeasured,
    SetCompleted,
    SetStarted,
    StepBout,
    kind_of,
)
from processing.domain.hold_findings import HoldCompleted
from processing.domain.rejections import RejectionReason, RepRejected
from processing.dsp.blocks import NS_PER_S
from service.cli.traces import Trace

DOTS_PER_INCH = 80

ANGLE_NAMES = ("flexion", "bend to the right", "rotation to the left")
COLOURS = ("#0072b2", "#e69f00", "#009e73")
"""Of the three planes; distinguishable with any colour vision (Okabe and Ito)."""

COUNTED, FAULTY, REJECTED = "#009e73", "#e69f00", "#d55e00"

WORD_SHARE = 0.06
"""Part of the width that the word beside a bar takes; a word that would lie on the one before is left out."""

GAP_S = 0.1
"""Twice the time between rows: curves break where nothing was measured."""

_AT_ONCE = (RepCompleted, RepRejected, SetStarted, SetCompleted, RomMeasured)
"""Findings that are drawn elsewhere or not at all; the others are bars over the time that they speak of."""


def write_analysis(trace: Trace, findings: Sequence[Finding], title: str, path: Path) -> None:
    """Write a picture of an analysis.

    Raises:
        RecordingError: it cannot be written.
    """
    save(analysis_picture(trace, findings, title), path)


def save(figure: Figure, path: Path) -> None:
    """Write a picture.

    Raises:
        RecordingError: it cannot be written.
    """
    try:
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None} if path.suffix == ".png" else None)
    except (OSError, ValueError) as error:
        raise RecordingError(str(path), f"cannot be written: {error}") from error


def analysis_picture(trace: Trace, findings: Sequence[Finding], title: str) -> Figure:
    """Angles, each counted channel with its repetitions, and bars for all that has a beginning and an end."""
    channels = _counted_channels(trace, findings)
    spans = _spans(findings)
    parts = [part for part in ("trunk", "lumbar") if any(getattr(frame, part) is not None for frame in trace.frames)]
    heights = [1.6] * len(parts) + [1.4] * len(channels) + ([0.3 + 0.28 * len(spans)] if spans else [])
    figure = Figure(figsize=(12.0, 1.0 + 1.4 * sum(heights or [1.0])), layout="constrained")
    rows = figure.subplots(max(1, len(heights)), 1, sharex=True, squeeze=False, height_ratios=heights or None)[:, 0]
    figure.suptitle(f"{title}: {_summary(findings)}", fontsize=12)
    for axes, part in zip(rows, parts, strict=False):
        _draw_angles(axes, trace.frames, part)
    for axes, channel in zip(rows[len(parts) :], channels, strict=False):
        draw_channel(axes, channel, trace, findings)
    if spans:
        _draw_spans(rows[-1], spans)
    rows[-1].set_xlabel("time, s")
    for axes in rows:
        axes.grid(alpha=0.3)
    return figure


def draw_channel(axes: Axes, channel: Channel, trace: Trace, findings: Sequence[Finding]) -> None:
    """A counted channel with its repetitions, those with faults and rejected movements, with reasons."""
    points = [(t_ns / NS_PER_S, values[channel]) for t_ns, values in trace.channels if channel in values]
    axes.plot(*_broken([t_s for t_s, _ in points], [value for _, value in points]), color="0.35", linewidth=1.2)
    for number, rep in enumerate(_reps(findings, channel)):
        shade, label = 0.08 + 0.08 * (number % 2), "from its start to its end" if number == 0 else None
        axes.axvspan(rep.t0_ns / NS_PER_S, rep.t1_ns / NS_PER_S, color=COUNTED, alpha=shade, lw=0, label=label)
    for (label, colour, marker), peaks_ns in _marks(findings, channel).items():
        peaks = [_at(points, t_ns / NS_PER_S) for t_ns in peaks_ns]
        axes.plot(*zip(*peaks, strict=True), marker, color=colour, label=f"{label}: {len(peaks)}", zorder=3)
    axes.set_ylabel("height, m" if channel is Channel.VERTICAL else f"{_words(channel.value)}, °")
    axes.margins(x=0.01, y=0.1)
    legend_above(axes)


def legend_above(axes: Axes) -> None:
    """A legend in one line above the curves, if there is anything to explain."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize=8, ncols=5, frameon=False, borderpad=0.1)


def _reps(findings: Iterable[Finding], channel: Channel) -> list[RepCompleted]:
    return [one for one in findings if isinstance(one, RepCompleted) and one.channel is channel]


def _marks(findings: Sequence[Finding], channel: Channel) -> Mapping[tuple[str, str, str], list[int]]:
    """Times of turning points by label, colour and marker: what was counted, with which faults, what was not, why."""
    marks: dict[tuple[str, str, str], list[int]] = {}
    for rep in _reps(findings, channel):
        fault = ", ".join(_words(one.fault.value) for one in rep.faults)
        mark = ("counted", COUNTED, "o") if rep.valid else (f"counted, {fault or 'not valid'}", FAULTY, "s")
        marks.setdefault(mark, []).append(rep.t_peak_ns)
    markers = dict(zip(RejectionReason, "x+1*dv^<>", strict=False))
    for one in findings:
        if isinstance(one, RepRejected) and one.channel is channel:
            mark = (f"not counted, {_words(one.reason.value)}", REJECTED, markers[one.reason])
            marks.setdefault(mark, []).append(one.t_peak_ns)
    return marks


def _draw_angles(axes: Axes, frames: Sequence[LiveFrame], part: str) -> None:
    shown = [(frame.t_ns / NS_PER_S, getattr(frame, part)) for frame in frames if getattr(frame, part) is not None]
    for index, (name, colour) in enumerate(zip(ANGLE_NAMES, COLOURS, strict=True)):
        curve = _broken([t_s for t_s, _ in shown], [angles[index] for _, angles in shown])
        axes.plot(*curve, color=colour, label=name, linewidth=1.2)
    what = "lumbar spine" if part == "lumbar" else "trunk"
    axes.set_ylabel(f"{what},\n° from neutral")
    axes.margins(x=0.01)
    legend_above(axes)


def _counted_channels(trace: Trace, findings: Sequence[Finding]) -> list[Channel]:
    counted = {one.channel for one in findings if isinstance(one, RepCompleted | RepRejected)}
    return [one for one in Channel if one in counted or any(one in values for _, values in trace.channels)]


def _spans(findings: Sequence[Finding]) -> Mapping[str, list[Finding]]:
    spans: dict[str, list[Finding]] = {}
    for finding in findings:
        if not isinstance(finding, _AT_ONCE):
            spans.setdefault(kind_of(finding), []).append(finding)
    return spans


def _draw_spans(axes: Axes, spans: Mapping[str, Sequence[Finding]]) -> None:
    everything = [one for findings in spans.values() for one in findings]
    begin_s = min(one.t0_ns for one in everything) / NS_PER_S
    end_s = max(one.t1_ns for one in everything) / NS_PER_S
    for row, findings in enumerate(spans.values()):
        bars = [(one.t0_ns / NS_PER_S, max((one.t1_ns - one.t0_ns) / NS_PER_S, GAP_S)) for one in findings]
        axes.broken_barh(bars, (row - 0.35, 0.7), color=COLOURS[row % len(COLOURS)], alpha=0.6)
        free_s = begin_s
        for one, (at_s, _) in zip(findings, bars, strict=True):
            if at_s >= free_s:
                axes.text(at_s, row, _told(one), fontsize=7, va="center")
                free_s = at_s + WORD_SHARE * (end_s - begin_s)
    axes.set_yticks(range(len(spans)), [_words(kind) for kind in spans], fontsize=8)
    axes.set_ylim(len(spans) - 0.4, -0.6)


def _told(finding: Finding) -> str:
    """What a bar says beside itself: how many steps, how long, or what it was or came from, where it says so."""
    if isinstance(finding, StepBout):
        return f"{finding.steps} steps, {finding.cadence_per_min:.0f} a minute"
    if isinstance(finding, HoldCompleted):
        return f"{finding.seconds:.1f} s" if finding.whole else f"{finding.seconds:.1f} s or longer"
    for name in ("reason", "cause", "fault", "posture"):
        said = getattr(finding, name, None)
        if said is not None:
            return _words(str(said))
    return ""


def _summary(findings: Iterable[Finding]) -> str:
    sets = [one for one in findings if isinstance(one, SetCompleted)]
    told = [
        ", ".join((_words(one.exercise), *(f"{count} counted ({_words(name)})" for name, count in one.reps.items())))
        for one in sets
    ]
    return "; ".join(told) if told else "no set"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _at(points: Sequence[tuple[float, float]], t_s: float) -> tuple[float, float]:
    """The curve's point nearest to a time; 0 where there is no curve."""
    return (t_s, min(points, key=lambda point: abs(point[0] - t_s))[1] if points else 0.0)


def _broken(t_s: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """The curve with a break wherever rows are missing."""
    shown_s, shown = list(t_s[:1]), list(values[:1])
    for (before_s, now_s), value in zip(pairwise(t_s), values[1:], strict=True):
        if now_s - before_s > GAP_S:
            shown_s.append(float("nan"))
            shown.append(float("nan"))
        shown_s.append(now_s)
        shown.append(value)
    return shown_s, shown
