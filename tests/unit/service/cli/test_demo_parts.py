from __future__ import annotations

from pathlib import Path

import pytest

from firmware_sim.instructions import Performing, PlannedRep, PlannedRom
from processing.domain.errors import LumbarError, RecordingError, SettingsError
from processing.domain.findings import Finding, RomDirection, RomMeasured, RomSegment, SetCompleted
from processing.domain.samples import Placement
from service.cli.demo.conductor import DoneSet
from service.cli.demo.place import default_directory, demo_place
from service.cli.demo.report import compare, summary_line
from service.cli.demo.run import DemoOptions, demo_command
from service.cli.recordings import recording_plan

SESSION = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"
REP = PlannedRep(channel="flexion", number=1, start_ns=0, peak_ns=1, end_ns=2, amplitude=60.0)
ROM = PlannedRom(segment="lumbar", direction="flexion", angle_deg=50.0)


def done(reps: int) -> DoneSet:
    truth = Performing(
        patient=0,
        exercise="standing_flexion_extension",
        go_ns=0,
        end_ns=9,
        reps=(REP,) * reps,
        rom=(ROM,),
        steps=0,
    )
    return DoneSet("patient-1", SESSION, truth)


def committed(reps: int, angle_deg: float) -> list[Finding]:
    every = {"finding_id": "x", "session_id": SESSION, "ordinal": 0, "t0_ns": 0, "t1_ns": 9, "algorithm": "a/1"}
    return [
        SetCompleted(
            **every,
            quality=1.0,
            exercise="standing_flexion_extension",
            set_number=1,
            reps={"flexion": reps},
            valid_reps={"flexion": reps},
        ),
        RomMeasured(
            **every,
            quality=1.0,
            exercise="standing_flexion_extension",
            set_number=1,
            segment=RomSegment.LUMBAR,
            direction=RomDirection.FLEXION,
            angle_deg=angle_deg,
            method="m",
            calibration_id=None,
        ),
    ]


def test_a_count_that_differs_from_the_truth_does_not_agree() -> None:
    (right,), (wrong,) = compare([done(3)], committed(3, 50.0)), compare([done(3)], committed(4, 50.0))

    assert right.counts_agree
    assert not wrong.counts_agree


def test_the_largest_error_of_a_range_of_motion_is_told() -> None:
    (row,) = compare([done(3)], committed(3, 51.5))

    assert row.rom_error_deg == pytest.approx(1.5)


def test_a_set_that_was_not_committed_does_not_agree_and_stands_in_the_summary() -> None:
    (row,) = compare([done(3)], [])

    assert not row.counts_agree
    assert b'"counted_reps":null' in summary_line([row])
    assert b'"counts_agree":false' in summary_line([row])


def test_fresh_removes_what_demos_left_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "cluster").touch()
    (tmp_path / "gateway.sqlite-wal").touch()
    (tmp_path / "thesis.txt").touch()

    with demo_place(tmp_path, fresh=True):
        left = {path.name for path in tmp_path.iterdir()}

    assert left == {".lock", "thesis.txt"}


def test_a_directory_serves_one_demo_at_a_time(tmp_path: Path) -> None:
    with (
        demo_place(tmp_path, fresh=False),
        pytest.raises(LumbarError, match="in use"),
        demo_place(tmp_path, fresh=True),
    ):
        pass


def test_the_data_folder_follows_the_xdg_convention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert default_directory() == tmp_path / "lumbar" / "demo"


def test_a_recording_that_does_not_say_its_exercise_needs_it_stated(tmp_path: Path) -> None:
    recording = tmp_path / "somebody.csv"
    mounts = {Placement.PELVIS: "up:+x,forward:-z"}

    assert recording_plan(recording, "squat", mounts).mounts == mounts
    with pytest.raises(RecordingError, match="--exercise"):
        recording_plan(recording)


def test_a_replay_cannot_be_cut_short(tmp_path: Path) -> None:
    options = DemoOptions(
        patients=1,
        seed=1,
        for_s=5.0,
        replay=(tmp_path / "a.csv",),
        directory=tmp_path,
        port=0,
        broker="nats",
        headless=True,
        as_json=False,
    )
    with pytest.raises(SettingsError, match="--for"):
        demo_command(options)
