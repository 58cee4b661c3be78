"""Angles, counted channels and orientations over time."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from processing.analyzer.session import SessionAnalyzer
from processing.domain.errors import RecordingError
from processing.domain.exercises import Channel
from processing.domain.findings import LiveFrame
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S

_ANGLES = ("flexion_deg", "right_bend_deg", "left_rotation_deg")


class Trace:
    """Live values of an analysis, one row per block of the grid (20 a second)."""

    def __init__(self) -> None:
        self.frames: list[LiveFrame] = []
        self.channels: list[tuple[int, dict[Channel, float]]] = []
        self._orientations: list[tuple[int, Placement, tuple[float, ...]]] = []

    def look(self, analyzer: SessionAnalyzer) -> None:
        """Take the newest values if there are new ones."""
        frame = analyzer.live()
        if frame is None or (self.frames and frame.t_ns == self.frames[-1].t_ns):
            return
        self.frames.append(frame)
        self.channels.append((frame.t_ns, analyzer.channels()))
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
