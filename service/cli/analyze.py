"""``lumbar analyze``: the analyzer of the worker on recordings and exported logs, offline."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import numpy as np
import typer

from firmware_sim.recording import Track, load_recording
from processing.analyzer.inputs import Ordered
from processing.analyzer.log import LogAnalyzer
from processing.analyzer.recording import RecordedSession, analyze_recording
from processing.domain.commands import (
    Calibrate,
    CapturePosture,
    Command,
    EndSet,
    ReportPain,
    SensorPlacement,
    StartExercise,
    StartSession,
)
from processing.domain.errors import DecodeError, RecordingError, SettingsError
from processing.domain.exercises import exercise_of
from processing.domain.findings import Finding, kind_of
from processing.domain.ids import SensorId
from processing.domain.posture_types import SittingPose
from processing.domain.samples import MAX_SAMPLES_PER_ENTRY, Placement
from processing.dsp.blocks import NS_PER_S, SampleBlock
from processing.wire.log_file import MAGIC, read_log_file
from service.cli.recordings import known_plan, parse_mounts
from service.cli.traces import Trace

_CONTROL_COLUMNS = ("t_s", "command", "value")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a file shows."""

    file: str
    findings: list[Finding]
    refused: Mapping[str, int]
    unrouted: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """How to analyze a file.

    Attributes:
        exercise: exercise of the whole recording; None for what the file says.
        mounts: stated mounts; a sensor without one has what the file's set says, else it is calibrated.
        control: file with the commands of the session instead of one set over the whole recording.
        chunk: samples fed at once.
        session_id: session of the findings; None derives one from the file's name.
    """

    exercise: str | None = None
    mounts: Mapping[Placement, str] | None = None
    control: Path | None = None
    chunk: int = MAX_SAMPLES_PER_ENTRY
    session_id: str | None = None


def analyze(path: Path, options: AnalysisOptions, trace: Trace | None = None) -> Analysis:
    """Findings of a recording (CSV, ``.npz``) or of a gateway's exported log.

    Raises:
        RecordingError: the file is broken, with line and column where there are.
        DecodeError: the exported log is broken.
        SettingsError: something must be stated that neither the file nor the options say.
        UnknownExerciseError: no such exercise.
    """
    if _is_log(path):
        return _analyze_log(path)
    session = recorded_session(path, options)
    findings, dropped = analyze_recording(
        session, 1 if trace is not None else options.chunk, None if trace is None else trace.look
    )
    return Analysis(str(path), findings, dropped, {})


def _is_log(path: Path) -> bool:
    try:
        with path.open("rb") as opened:
            return opened.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise RecordingError(str(path), f"cannot be read: {error}") from error


def _analyze_log(path: Path) -> Analysis:
    analyzer = LogAnalyzer()
    unreadable: list[int] = []

    def pass_over(offset: int, _error: DecodeError) -> None:
        analyzer.pass_over(offset)
        unreadable.append(offset)

    entries = read_log_file(path.read_bytes(), pass_over)
    findings = [finding for entry in entries for finding in analyzer.feed(entry)]
    refused = dict(analyzer.refused()) | ({"unreadable_entries": len(unreadable)} if unreadable else {})
    return Analysis(str(path), findings, refused, analyzer.unrouted())


def recorded_session(path: Path, options: AnalysisOptions) -> RecordedSession:
    """Recording as a session: one set from its first to its last sample, or what the control file says.

    Second 0 of the recording is second 0 of 1970.

    Raises:
        RecordingError, SettingsError, UnknownExerciseError: see ``analyze``.
    """
    tracks = load_recording(path)
    plan = known_plan(path)
    session_id = options.session_id or str(uuid5(NAMESPACE_URL, path.name))
    mounts = {**(plan.mounts if plan is not None else {}), **(options.mounts or {})}
    start = StartSession(
        session_id=session_id,
        sensors=tuple(SensorPlacement(sensor_id=p.value, placement=p, mount=mounts.get(p)) for p in tracks),
    )
    blocks = tuple(_block(placement, track) for placement, track in tracks.items())
    if options.control is not None:
        return RecordedSession(start, blocks, _read_control(options.control, session_id))
    code = options.exercise or (plan.exercise if plan is not None else None)
    if code is None:
        raise SettingsError(f"{path} does not say its exercise; state it with --exercise or give a --control file")
    exercise_of(code)
    begin_ns = min(int(block.t_ns[0]) for block in blocks)
    order = Ordered(begin_ns, StartExercise(session_id=session_id, exercise=code))
    return RecordedSession(start, blocks, (order,))


def _block(placement: Placement, track: Track) -> SampleBlock:
    t_ns = np.round(track.t_s * NS_PER_S).astype(np.int64)
    return SampleBlock(SensorId(placement.value), t_ns, np.array(track.acc), np.array(track.gyr))


def _read_control(path: Path, session_id: str) -> tuple[Ordered, ...]:
    """Commands of a control file: CSV with the header ``t_s,command,value``."""
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            reader = csv.reader(lines, strict=True)
            if tuple(next(reader, ())) != _CONTROL_COLUMNS:
                raise RecordingError(str(path), f"expected the header {','.join(_CONTROL_COLUMNS)}", line=1)
            return tuple(_order(cells, session_id, str(path), reader.line_num) for cells in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(str(path), f"cannot be read: {error}") from error


def _order(cells: list[str], session_id: str, name: str, line: int) -> Ordered:
    if len(cells) != len(_CONTROL_COLUMNS):
        raise RecordingError(name, f"expected {len(_CONTROL_COLUMNS)} cells, found {len(cells)}", line=line)
    time, command, value = cells
    try:
        t_s = float(time)
    except ValueError:
        t_s = math.nan
    if not math.isfinite(t_s):
        raise RecordingError(name, f"{time!r} is no finite number", line=line, column="t_s")
    return Ordered(round(t_s * NS_PER_S), _command(command, value, session_id, name, line))


def _command(command: str, value: str, session_id: str, name: str, line: int) -> Command:
    match command:
        case "start_exercise":
            exercise_of(value)
            return StartExercise(session_id=session_id, exercise=value)
        case "end_set":
            return EndSet(session_id=session_id)
        case "calibrate":
            return Calibrate(session_id=session_id)
        case "report_pain" if value.isdecimal() and int(value) <= 10:
            return ReportPain(session_id=session_id, score=int(value))
        case "report_pain":
            raise RecordingError(name, f"{value!r} is no pain score from 0 to 10", line=line, column="value")
        case "capture_posture" if value in set(SittingPose):
            return CapturePosture(session_id=session_id, pose=SittingPose(value))
        case "capture_posture":
            raise RecordingError(name, f"{value!r} is neither upright nor slump", line=line, column="value")
        case _:
            known = "start_exercise, end_set, calibrate, report_pain, capture_posture"
            raise RecordingError(name, f"no command {command!r}; known: {known}", line=line, column="command")


def analyze_command(
    files: Annotated[list[Path], typer.Argument(help="Recordings (CSV, .npz) or logs exported from a gateway.")],
    exercise: Annotated[str | None, typer.Option(help="Exercise of the whole recording; else what it says.")] = None,
    mount: Annotated[list[str] | None, typer.Option(help="How a sensor sits: pelvis=up:+x,forward:-z.")] = None,
    control: Annotated[Path | None, typer.Option(help="CSV t_s,command,value with the session's commands.")] = None,
    chunk: Annotated[
        int, typer.Option(min=1, max=MAX_SAMPLES_PER_ENTRY, help="Samples fed at once; changes nothing.")
    ] = MAX_SAMPLES_PER_ENTRY,
    session: Annotated[str | None, typer.Option(help="Session id (UUID); else from the file's name.")] = None,
    angles: Annotated[Path | None, typer.Option(help="Write the angles of the set as CSV (one file only).")] = None,
    orientation: Annotated[Path | None, typer.Option(help="Write quaternions as CSV (one file only).")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Write a picture of what was counted and what was not (one file only).")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per file with all findings.")] = False,
) -> None:
    """Count and measure on recordings, offline, with the same analyzer as live."""
    options = AnalysisOptions(exercise, parse_mounts(mount or []), control, chunk, session)
    traced = angles is not None or orientation is not None or plot is not None
    if traced and (len(files) != 1 or _is_log(files[0])):
        raise SettingsError("--angles, --orientation and --plot need exactly one recording")
    for path in files:
        trace = Trace() if traced else None
        analysis = analyze(path, options, trace)
        if trace is not None:
            if angles is not None:
                trace.write_angles(angles)
            if orientation is not None:
                trace.write_orientations(orientation)
            if plot is not None:
                _write_picture(trace, analysis, plot)
        typer.echo(_json(analysis) if as_json else _text(analysis))


def _write_picture(trace: Trace, analysis: Analysis, path: Path) -> None:
    try:
        from service.cli.plots import write_analysis  # noqa: PLC0415 - an optional part
    except ImportError as error:
        raise SettingsError("--plot needs matplotlib: pip install 'lumbar[plot]'") from error
    write_analysis(trace, analysis.findings, Path(analysis.file).stem, path)


def _json(analysis: Analysis) -> str:
    return msgspec.json.encode(analysis).decode()


def _text(analysis: Analysis) -> str:
    lines = [analysis.file]
    for finding in analysis.findings:
        fields: dict[str, Any] = msgspec.to_builtins(finding)
        about = {key: value for key, value in fields.items() if key not in _EVERY_FINDING and value is not None}
        told = " ".join(
            f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in about.items()
        )
        lines.append(f"  {finding.t0_ns / NS_PER_S:10.2f} s  {kind_of(finding):20s} {told}")
    lines += [f"  {count} {reason.replace('_', ' ')} thrown away" for reason, count in analysis.refused.items()]
    lines += [f"  {count} samples of {name} belong to no session" for name, count in analysis.unrouted.items()]
    return "\n".join(lines)


_EVERY_FINDING = frozenset(
    {"type", "finding_id", "session_id", "ordinal", "t0_ns", "t1_ns", "algorithm", "quality", "t_peak_ns"}
)
