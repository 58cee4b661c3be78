"""`lumbar analyze`: recordings as CSV, control files, exported logs, and files that are broken."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from processing.analyzer.log import LogAnalyzer
from processing.domain.commands import EndSession, SensorPlacement, StartExercise, StartSession
from processing.domain.entries import Control, LogEntry, NumberedEntry, Samples, StreamOpened
from processing.domain.errors import DecodeError, LumbarError, RecordingError, SettingsError
from processing.domain.exercises import Channel
from processing.domain.samples import ClockQuality, Placement
from processing.wire.log import encode_batch, encode_entry
from processing.wire.log_file import MAGIC, log_file_part
from service.cli.analyze import AnalysisOptions, analyze, analyze_command
from service.cli.recordings import parse_mounts
from service.cli.traces import Trace

HEADER = "t_s,sensor,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z"
MOUNT = "pelvis=up:+y,forward:+x"


def squat_heights(t_s: np.ndarray) -> np.ndarray:
    omega = 2.0 * math.pi / 2.5
    return np.where(t_s > 4.0, -0.2 * omega**2 * np.cos(omega * (t_s - 4.0)), 0.0) + 9.80665


@pytest.fixture
def squats(tmp_path: Path) -> Path:
    t_s = np.arange(2400) / 100.0
    rows = [f"{t:.2f},pelvis,0,{up:.4f},0,0,0,0" for t, up in zip(t_s, squat_heights(t_s), strict=True)]
    path = tmp_path / "squats.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def lumbar(*arguments: str | Path) -> Result:
    app = Typer()
    app.command()(analyze_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def result_of(*arguments: str | Path) -> dict[str, Any]:
    result = lumbar(*arguments, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def reps_of(answer: dict[str, Any]) -> dict[str, int]:
    return next(finding["reps"] for finding in answer["findings"] if finding["type"] == "set_completed")


def failure(*arguments: str | Path) -> LumbarError:
    error = lumbar(*arguments).exception
    assert isinstance(error, LumbarError)
    return error


def test_a_csv_with_a_stated_exercise_and_mount_is_counted(squats: Path) -> None:
    answer = result_of(squats, "--exercise", "squat", "--mount", MOUNT)
    assert reps_of(answer) == {"vertical": 8}
    assert {finding["session_id"] for finding in answer["findings"]} == {str(uuid5(NAMESPACE_URL, "squats.csv"))}
    methods = [finding["method"] for finding in answer["findings"] if finding["type"] == "calibration_done"]
    assert methods == ["mount"]
    assert result_of(squats, "--exercise", "squat", "--mount", MOUNT, "--chunk", "7") == answer


def test_a_control_file_says_when_sets_begin_and_end(squats: Path, tmp_path: Path) -> None:
    control = tmp_path / "control.csv"
    control.write_text("t_s,command,value\n3.5,start_exercise,squat\n11.9,end_set,\n12.5,report_pain,4\n")
    answer = result_of(squats, "--control", control)
    assert reps_of(answer) == {"vertical": 3}
    assert [f["score"] for f in answer["findings"] if f["type"] == "pain_reported"] == [4]


def test_readable_output_names_the_file_and_the_findings(squats: Path) -> None:
    result = lumbar(squats, "--exercise", "squat")
    assert result.exit_code == 0
    assert str(squats) in result.output
    assert "set_completed" in result.output


def test_angles_and_orientations_are_written_twenty_times_a_second(squats: Path, tmp_path: Path) -> None:
    angles, orientations = tmp_path / "angles.csv", tmp_path / "orientations.csv"
    result_of(squats, "--exercise", "squat", "--mount", MOUNT, "--angles", angles, "--orientation", orientations)
    rows = np.genfromtxt(angles, delimiter=",", names=True)
    assert np.diff(rows["t_s"]) == pytest.approx(0.05)
    assert np.nanmax(np.abs(rows["trunk_flexion_deg"])) < 0.5
    assert np.isnan(rows["lumbar_flexion_deg"]).all()
    assert len(orientations.read_text().splitlines()) > 400


def test_a_picture_shows_the_counted_channel_of_the_whole_recording(squats: Path, tmp_path: Path) -> None:
    trace = Trace()
    analyze(squats, AnalysisOptions("squat", parse_mounts([MOUNT])), trace)
    heights_m = np.array([values[Channel.VERTICAL] for _, values in trace.channels if values])
    assert len(heights_m) > 400
    assert np.ptp(heights_m) == pytest.approx(0.4, abs=0.15)
    picture = tmp_path / "squats.png"
    result_of(squats, "--exercise", "squat", "--mount", MOUNT, "--plot", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("t_s,sensor,acc\n", 1, None),
        (f"{HEADER}\n0,pelvis,0,9,0,0,0,0\n0.01,pelvis,0,x,0,0,0,0\n", 3, "acc_y"),
        (f"{HEADER}\n0,pelvis,0,9,0,0,0,0\n0.01,knee,0,9,0,0,0,0\n", 3, "sensor"),
        (f"{HEADER}\n0,pelvis,0,9,0,0,0,0\n0.01,pelvis,0,9,0\n", 3, None),
        (f"{HEADER}\n0,pelvis,0,9,0,0,0,0\n0.01,pelvis,0,nan,0,0,0,0\n", 3, "acc_y"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, text: str, line: int, column: str | None) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text)
    error = failure(path, "--exercise", "squat")
    assert isinstance(error, RecordingError)
    assert (error.line, error.column) == (line, column)
    assert str(path) in str(error)


@pytest.mark.parametrize(
    ("row", "column"),
    [("x,end_set,", "t_s"), ("1,dance,", "command"), ("1,report_pain,eleven", "value"), ("1,end_set", None)],
)
def test_a_broken_control_file_is_named(squats: Path, tmp_path: Path, row: str, column: str | None) -> None:
    control = tmp_path / "control.csv"
    control.write_text(f"t_s,command,value\n{row}\n")
    error = failure(squats, "--control", control)
    assert isinstance(error, RecordingError)
    assert (error.line, error.column) == (2, column)


def test_what_the_file_does_not_say_must_be_stated(squats: Path, tmp_path: Path) -> None:
    assert isinstance(failure(squats), SettingsError)
    assert "no exercise 'dancing'" in str(failure(squats, "--exercise", "dancing"))
    assert isinstance(failure(tmp_path / "absent.csv", "--exercise", "squat"), RecordingError)


@pytest.mark.parametrize("text", ["pelvis", "knee=up:+x,forward:-z", "pelvis=up:+x"])
def test_a_mount_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(LumbarError):
        parse_mounts([text])


def log_entries() -> list[LogEntry]:
    t0_us, session = 1_760_000_000_000_000, str(uuid5(NAMESPACE_URL, "log"))
    scale = 9.80665 / 2048

    def control(number: int, t_s: float, command: Any) -> Control:
        event_id = str(uuid5(NAMESPACE_URL, str(number)))
        return Control(t_ns=(t0_us + round(t_s * 1e6)) * 1000, event_id=event_id, command=command)

    counts = np.zeros((2400, 6), "<i2")
    counts[:, 1] = (squat_heights(np.arange(2400) / 100.0) / scale).round()
    worn = (SensorPlacement(sensor_id="s1", placement=Placement.PELVIS),)
    opened = StreamOpened(
        stream=0,
        t_ns=t0_us * 1000,
        sensor_id="s1",
        boot_id=1,
        period_ns=10_000_000,
        acc_scale=scale,
        gyr_scale=0.001,
        clock=ClockQuality.DEVICE,
        driver="test/1",
    )
    samples = [
        Samples(stream=0, tick=0, t0_us=t0_us + at * 10_000, t0_uncertainty_us=0, packed=counts[at : at + 20].tobytes())
        for at in range(0, 2400, 20)
    ]
    return [
        opened,
        control(1, 0.0, StartSession(session_id=session, sensors=worn)),
        control(2, 3.5, StartExercise(session_id=session, exercise="squat")),
        control(3, 23.0, EndSession(session_id=session)),
        *samples,
    ]


def test_an_exported_log_gives_the_findings_of_the_worker(tmp_path: Path) -> None:
    entries = [encode_entry(entry) for entry in log_entries()]
    batches = [encode_batch(7, 1 + at, entries[at : at + 10]) for at in range(0, len(entries), 10)]
    path = tmp_path / "gateway.log"
    path.write_bytes(MAGIC + b"".join(map(log_file_part, batches)))
    analyzer = LogAnalyzer()
    expected = [
        finding
        for offset, entry in enumerate(log_entries(), 1)
        for finding in analyzer.feed(NumberedEntry(offset, entry))
    ]
    answer = result_of(path)
    assert answer["findings"] == json.loads(msgspec.json.encode(expected))
    assert reps_of(answer) == {"vertical": 7}
    path.write_bytes(path.read_bytes()[:-3])
    assert isinstance(failure(path), DecodeError)
    assert isinstance(failure(path, "--angles", tmp_path / "angles.csv"), SettingsError)
