"""A recording of a real person, played as if wearables sent it.

Files: the CSV of lumbar (``t_s,sensor,acc_x,...``) and the ``.npz`` of the project's data folder.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from firmware_sim.imperfections import DeviceClock, quantised
from firmware_sim.source import SampleRun
from processing.domain.errors import RecordingError
from processing.domain.samples import GRAVITY_MPS2, Placement

Floats = npt.NDArray[np.float64]

_COLUMNS = ("t_s", "sensor", "acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z")
_NUMBERS = tuple(column for column in _COLUMNS if column != "sensor")
_THORAX_PREFIX = {"trunk_seated": "lower_back_", "wheelchair_trunk": "back_", "sit_to_stand_bench": "trunk_"}
_ACC_RANGES_G = (2.0, 4.0, 8.0, 16.0)
_GYR_RANGES_DPS = (250.0, 500.0, 1000.0, 2000.0)
_HOLE_PERIODS = 1.5
_DEPARTURE_PERIODS = 0.25
"""A run ends when its samples would lie further than this from where even spacing puts them."""


@dataclass(frozen=True, slots=True)
class Track:
    """One sensor of a recording: times in seconds, shape (n,), increasing; m/s2 and rad/s, shape (n, 3)."""

    t_s: Floats
    acc: Floats
    gyr: Floats


class RecordedSource:
    """Samples of one recorded sensor. Implements ``SampleSource``.

    The recording's second ``zero_s`` falls on second ``start_s`` of the source; before that the wearable is on but
    takes no samples, so that a gateway has time to connect. Ranges are the smallest usual ones that hold the data.
    """

    def __init__(
        self, track: Track, *, zero_s: float = 0.0, start_s: float = 0.0, clock: DeviceClock | None = None
    ) -> None:
        self._t_s = track.t_s - zero_s + start_s
        self._clock = clock or DeviceClock()
        period_s = _period_s(track.t_s)
        self.period_us = round(period_s * 1e6)
        self.acc_range_g = _range(_ACC_RANGES_G, float(np.max(np.abs(track.acc))) / GRAVITY_MPS2)
        self.gyr_range_dps = _range(_GYR_RANGES_DPS, math.degrees(float(np.max(np.abs(track.gyr)))))
        readings = np.concatenate([track.acc, track.gyr], axis=1)
        self._counts = quantised(readings, self.acc_range_g, self.gyr_range_dps)
        self._starts = _run_starts(self._t_s, self.period_us * 1e-6)

    @property
    def duration_s(self) -> float | None:
        """Seconds of true time until one period after the last sample."""
        return float(self._t_s[-1]) + self.period_us * 1e-6

    def tick_us(self, t_s: float) -> int:
        """Device clock at true time ``t_s``, microseconds, not wrapped."""
        return self._clock.tick_us(t_s)

    def runs(self, t0_s: float, t1_s: float) -> tuple[SampleRun, ...]:
        """Samples with ``t0_s <= t < t1_s``; a hole of the recording ends a run."""
        first, stop = np.searchsorted(self._t_s, (t0_s, t1_s), side="left")
        if stop <= first:
            return ()
        cuts = self._starts[(self._starts > first) & (self._starts < stop)]
        edges = [int(first), *map(int, cuts), int(stop)]
        return tuple(
            SampleRun(float(self._t_s[i]), self.tick_us(float(self._t_s[i])), self._counts[i:j])
            for i, j in itertools.pairwise(edges)
        )


def recorded_sources(tracks: Mapping[Placement, Track], *, start_s: float = 0.0) -> dict[Placement, RecordedSource]:
    """One source per recorded sensor, all on the recording's common time; its first sample falls on ``start_s``."""
    zero_s = min(float(track.t_s[0]) for track in tracks.values())
    return {placement: RecordedSource(track, zero_s=zero_s, start_s=start_s) for placement, track in tracks.items()}


def load_recording(path: Path) -> Mapping[Placement, Track]:
    """Sensors of a recording file, at least one.

    Raises:
        RecordingError: the file cannot be read or is broken; for a CSV with line and column.
    """
    try:
        if path.suffix == ".npz":
            return _parse_npz(path)
        with path.open(newline="", encoding="utf-8") as lines:
            return parse_csv(lines, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(str(path), f"cannot be read: {error}") from error


def parse_csv(lines: Iterable[str], name: str) -> Mapping[Placement, Track]:
    """Sensors of a recording in CSV text; rows of one sensor are in time order, lost samples are missing.

    Raises:
        RecordingError: with line (the header is line 1) and column where there is one.
    """
    reader = csv.reader(lines, strict=True)
    rows: dict[Placement, list[tuple[float, ...]]] = {}
    try:
        header = tuple(next(reader, ()))
        if header != _COLUMNS:
            raise RecordingError(name, f"expected the header {','.join(_COLUMNS)}", line=1)
        for cells in reader:
            placement, numbers = _row(cells, name, reader.line_num)
            earlier = rows.setdefault(placement, [])
            if earlier and numbers[0] <= earlier[-1][0]:
                problem = f"{numbers[0]} is not after {earlier[-1][0]}, the time of the sample before"
                raise RecordingError(name, problem, line=reader.line_num, column="t_s")
            earlier.append(numbers)
    except csv.Error as error:
        raise RecordingError(name, f"no CSV: {error}", line=reader.line_num) from error
    tables = {placement: np.array(numbers) for placement, numbers in rows.items()}
    return _checked({p: Track(table[:, 0], table[:, 1:4], table[:, 4:7]) for p, table in tables.items()}, name)


def _row(cells: list[str], name: str, line: int) -> tuple[Placement, tuple[float, ...]]:
    if len(cells) != len(_COLUMNS):
        raise RecordingError(name, f"expected {len(_COLUMNS)} cells, found {len(cells)}", line=line)
    row = dict(zip(_COLUMNS, cells, strict=True))
    if row["sensor"] not in tuple(Placement):
        known = ", ".join(Placement)
        raise RecordingError(name, f"no sensor {row['sensor']!r}; known: {known}", line=line, column="sensor")
    return Placement(row["sensor"]), tuple(_number(row[column], name, line, column) for column in _NUMBERS)


def _number(text: str, name: str, line: int, column: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise RecordingError(name, f"{text!r} is no finite number", line=line, column=column)
    return number


def _parse_npz(path: Path) -> Mapping[Placement, Track]:
    name = str(path)
    try:
        # Opened here: NumPy leaves the file open when it is no archive.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        meta = json.loads(str(arrays.get("meta", "{}")))
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RecordingError(name, f"no recording in .npz form: {error}") from error
    prefixes = {Placement.PELVIS: ""}
    thorax = _THORAX_PREFIX.get(str(meta.get("set", ""))) if isinstance(meta, dict) else None
    if thorax is not None and f"{thorax}acc" in arrays:
        prefixes[Placement.THORAX] = thorax
    return _checked({placement: _track(arrays, prefix, name) for placement, prefix in prefixes.items()}, name)


def _track(arrays: Mapping[str, npt.NDArray[np.generic]], prefix: str, name: str) -> Track:
    time = f"{prefix}t" if f"{prefix}t" in arrays else "t"
    keys = (time, f"{prefix}acc", f"{prefix}gyr")
    values = []
    for key in keys:
        if key not in arrays:
            raise RecordingError(name, "array is missing", column=key)
        try:
            values.append(np.asarray(arrays[key], dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise RecordingError(name, f"array holds no numbers: {error}", column=key) from error
    t_s, acc, gyr = values
    if t_s.ndim != 1 or acc.shape != (t_s.size, 3) or gyr.shape != (t_s.size, 3):
        raise RecordingError(name, f"shapes {t_s.shape}, {acc.shape}, {gyr.shape} do not belong together", column=time)
    return Track(t_s, acc, gyr)


def _checked(tracks: dict[Placement, Track], name: str) -> Mapping[Placement, Track]:
    if not tracks:
        raise RecordingError(name, "no samples")
    for placement, track in tracks.items():
        if track.t_s.size < 2:
            raise RecordingError(name, f"{placement} has fewer than two samples")
        if not all(np.all(np.isfinite(part)) for part in (track.t_s, track.acc, track.gyr)):
            raise RecordingError(name, f"{placement} has values that are no finite numbers")
        backwards = np.flatnonzero(np.diff(track.t_s) <= 0.0)
        if backwards.size:
            raise RecordingError(name, f"{placement}: time does not increase after sample {backwards[0]}", column="t")
    return MappingProxyType(tracks)


def _period_s(t_s: Floats) -> float:
    """Mean time between samples that follow each other without a hole."""
    steps = np.diff(t_s)
    return float(np.mean(steps[steps < _HOLE_PERIODS * np.median(steps)]))


def _run_starts(t_s: Floats, period_s: float) -> npt.NDArray[np.int64]:
    """Indices at which a run begins: where even spacing would be too far off.

    That includes every hole: after a step of more than 1.5 periods a sample that followed one at most 0.25 early
    is more than 0.25 late.
    """
    starts = [0]
    for index in range(1, t_s.size):
        even = t_s[starts[-1]] + (index - starts[-1]) * period_s
        if abs(t_s[index] - even) > _DEPARTURE_PERIODS * period_s:
            starts.append(index)
    return np.array(starts, dtype=np.int64)


def _range(ranges: tuple[float, ...], largest: float) -> float:
    """Smallest range that holds the largest value, or the largest range there is."""
    return next((size for size in ranges if largest < size), ranges[-1])
