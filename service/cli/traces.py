"""Angles and orientations over time, as files for people to look at."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from processing.analyzer.session import SessionAnalyzer
from processing.domain.errors import RecordingError, SettingsError
from processing.domain.findings import Finding, LiveFrame, RepCompleted
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S

_ANGLES = ("flexion_deg", "right_bend_deg", "left_rotation_deg")


class Trace:
    """Live values of an analysis, one row per block of the grid (20 a second)."""

    def __init__(self) -> None:
        self.frames: list[LiveFrame] = []
        self._orientations: list[tuple[int, Placement, tuple[float, ...]]] = []

    def look(self, analyzer: SessionAnalyzer) -> None:
        """Take the newest values if there are new ones."""
        frame = analyzer.live()
        if frame is None or (self.frames and frame.t_ns == self.frames[-1].t_ns):
            return
        self.frames.append(frame)
        self._orientations += [(frame.t_ns, *item) for item in analyzer.orientations().items()]

    def write_angles(self, path: Path) -> None:
        """Write ``t_s`` and the angles of lumbar spine and trunk from the neutral pose; empty where unknown."""
        header = ("t_s", *(f"{what}_{angle}" for what in ("lumbar", "trunk") for angle in _ANGLES))
        rows = ((f"{frame.t_ns / NS_PER_S:.3f}", *_cells(frame.lumbar), *_cells(frame.trunk)) for frame in self.frames)
        _write(path, header, rows)

    def write_orientations(self, path: Path) -> None:
        """Write ``t_s``, sensor and its quaternion, sensor to earth (z up, heading arbitrary)."""
        rows = (
            (f"{t_ns / NS_PER_S:.3f}", placement.value, *(f"{part:.7f}" for part in quat))
            for t_ns, placement, quat in self._orientations
        )
        _write(path, ("t_s", "sensor", "w", "x", "y", "z"), rows)


def write_plot(trace: Trace, findings: Sequence[Finding], path: Path) -> None:
    """Write a picture of the trunk's angles with the turning points of the repetitions.

    Raises:
        SettingsError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an optional part
    except ImportError as error:
        raise SettingsError("--plot needs matplotlib: pip install 'lumbar[plot]'") from error
    figure = Figure(figsize=(11.0, 4.5), layout="constrained")
    axes = figure.subplots()
    shown = [frame for frame in trace.frames if frame.trunk is not None]
    t_s = [frame.t_ns / NS_PER_S for frame in shown]
    for index, name in enumerate(_ANGLES):
        axes.plot(t_s, [frame.trunk[index] for frame in shown if frame.trunk is not None], label=name)
    for finding in findings:
        if isinstance(finding, RepCompleted):
            axes.axvline(finding.t_peak_ns / NS_PER_S, color="0.6", linewidth=0.8)
    axes.set_xlabel("s")
    axes.set_ylabel("degrees from neutral")
    if shown:
        axes.legend(loc="upper right")
    figure.savefig(path, dpi=120)


def _cells(angles: tuple[float, float, float] | None) -> tuple[str, ...]:
    return ("",) * len(_ANGLES) if angles is None else tuple(f"{angle:.3f}" for angle in angles)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.writer(opened)
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as error:
        raise RecordingError(str(path), f"cannot be written: {error}") from error
