"""The rows of `broad` and `wheelchair_trunk`, on movements known by formula."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firmware_sim.recording import Track, load_recording
from processing.analyzer.recording import analyze_recording
from processing.analyzer.session import SessionAnalyzer
from processing.domain.samples import Placement
from processing.dsp.rotation import multiply
from service.cli.analyze import AnalysisOptions, recorded_session
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder
from service.cli.evaluation.orientation_stage import oriented, same_bits
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.rigid_body import rigid_body_figures
from service.cli.evaluation.tilt import (
    aligned,
    angle_between_deg,
    directions_at,
    frontal_deg,
    sagittal_deg,
    unit,
    up_of,
)
from service.cli.evaluation.wheelchair import wheelchair_figures
from service.cli.recordings import recording_plan
from tests.unit.service.cli.evaluation_folders import tilting, write

GOOD = {"align_r2": 0.99, "ref_valid_frac": 0.95}
BAD = {"align_r2": 0.90, "ref_valid_frac": 0.95}
SWINGS_DEG = {"": 40.0, "back_": 60.0}


def write_broad(folder: Path, name: str, wrong_by_deg: float = 0.0) -> Path:
    t_s = np.arange(0.0, 16.0, 0.0035)
    acc, gyr, quats = tilting(t_s, 50.0)
    half = np.radians(wrong_by_deg) / 2.0
    quats = multiply(quats, np.array([np.cos(half), 0.0, np.sin(half), 0.0]))
    moving = t_s > 4.0
    quats[~moving] = np.nan
    return write(folder, "broad", name, {}, t=t_s, acc=acc, gyr=gyr, ref_quat=quats, movement=moving)


def write_wheelchair(folder: Path, name: str, low_back: dict, back: dict) -> Path:
    t_s = np.arange(0.0, 16.0, 0.02)
    arrays = {}
    for prefix, swing_deg in SWINGS_DEG.items():
        acc, gyr, quats = tilting(t_s, swing_deg)
        arrays |= {f"{prefix}t": t_s, f"{prefix}acc": acc, f"{prefix}gyr": gyr, f"{prefix}ref_quat": quats}
        arrays[f"{prefix}ref_valid"] = np.ones(t_s.size, np.bool_)
    meta = {"test": "trunkmovement", "ref": {"low_back": low_back, "back": back}}
    return write(folder, "wheelchair_trunk", name, meta, **arrays)


def first_of(rows: list[Figure], measure: str) -> Figure:
    return next(row for row in rows if row.measure == measure)


def test_the_stage_gives_the_quaternions_of_the_analyzer(tmp_path: Path) -> None:
    path = write_wheelchair(tmp_path, "W90_trunkmovement_hs", GOOD, GOOD)
    seen: dict[int, tuple[float, ...]] = {}

    def look(analyzer: SessionAnalyzer) -> None:
        live = analyzer.live()
        if live is not None:
            seen[live.t_ns - 10_000_000] = analyzer.orientations()[Placement.THORAX]

    analyze_recording(recorded_session(path, AnalysisOptions()), 1, look)
    track = load_recording(path)[Placement.THORAX]
    run = oriented(track, recording_plan(path).mounts[Placement.THORAX])
    staged = dict(zip(run.t_ns.tolist(), map(tuple, run.quats.tolist()), strict=True))
    both = seen.keys() & staged.keys()
    # The analyzer's clock may stand at the end of a last block that is not complete.
    assert len(both) >= max(200, len(seen) - 1)
    assert {t_ns: staged[t_ns] for t_ns in both} == {t_ns: seen[t_ns] for t_ns in both}


def test_restarts_change_no_bit_of_the_orientation() -> None:
    t_s = np.sort(np.random.default_rng(1).uniform(0.0, 12.0, 900))
    acc, gyr, _ = tilting(t_s, 70.0)
    track = Track(t_s, acc, gyr + 0.02)
    once = oriented(track)
    assert same_bits(once, oriented(track, restart_at=(0.1, 0.37, 0.9)))
    assert not same_bits(once, oriented(Track(t_s, acc, gyr + 0.021)))


def test_broad_scores_only_where_the_sensor_moved(tmp_path: Path) -> None:
    write_broad(tmp_path, "01_easy")
    write_broad(tmp_path, "02_truth_turned", wrong_by_deg=5.0)
    rows = rigid_body_figures(Folder(tmp_path), Progress())
    worst = first_of(rows, figures.INCLINATION_MAX)
    assert worst.worst == "02_truth_turned"
    assert worst.value == pytest.approx(5.0, abs=0.5)
    assert first_of(rows, figures.INCLINATION_MEAN).value == pytest.approx(2.5, abs=0.5)
    restored = first_of(rows, figures.RESTORED)
    assert (restored.value, restored.recordings) == (0.0, 2)


def test_a_recording_without_truth_is_left_out_with_its_reason(tmp_path: Path) -> None:
    write_broad(tmp_path, "01_easy")
    t_s = np.arange(0.0, 5.0, 0.01)
    acc, gyr, _ = tilting(t_s, 30.0)
    write(tmp_path, "broad", "02_no_truth", {}, t=t_s, acc=acc, gyr=gyr)
    (tmp_path / "broad" / "03_broken.npz").write_bytes(b"not an archive")
    folder = Folder(tmp_path)
    assert first_of(rigid_body_figures(folder, Progress()), figures.INCLINATION_MEAN).recordings == 1
    assert "ref_quat" in folder.broken["broad/02_no_truth.npz"]
    assert "broad/03_broken.npz" in folder.broken


def test_wheelchair_takes_good_truth_only_and_knows_the_ranges(tmp_path: Path) -> None:
    write_wheelchair(tmp_path, "W90_trunkmovement_hs", GOOD, GOOD)
    write_wheelchair(tmp_path, "W91_trunkmovement_hs", GOOD, BAD)
    lines = ["recording,sensor,sag_rom,sag_complete,fro_rom,fro_complete"]
    lines += ["W90_trunkmovement_hs,low_back,40.0,True,0.0,False", "W90_trunkmovement_hs,back,63.0,True,0.0,False"]
    (tmp_path / "wheelchair_trunk" / "truth_trunkmovement.csv").write_text("\n".join(lines) + "\n")
    rows = wheelchair_figures(Folder(tmp_path), Progress())
    low_back, upper_back = first_of(rows, figures.TILT_LOW_BACK), first_of(rows, figures.TILT_UPPER_BACK)
    assert (low_back.recordings, low_back.people) == (2, 2)
    assert (upper_back.recordings, upper_back.people) == (1, 1)
    assert low_back.value is not None
    assert low_back.value < 0.5
    two = first_of(rows, figures.TWO_SENSOR_SAGITTAL)
    assert two.recordings == 1
    assert two.value is not None
    assert two.value < 0.5
    assert first_of(rows, figures.ROM_SAGITTAL).value == pytest.approx(1.5, abs=0.3)
    assert first_of(rows, figures.ROM_FRONTAL).value is None


def test_one_constant_rotation_is_taken_out_by_alignment_and_nothing_else_is() -> None:
    rng = np.random.default_rng(2)
    truth = unit(rng.normal(size=(300, 3)))
    turn = up_of(np.array([[0.9, 0.2, -0.3, 0.1]]) / np.linalg.norm([0.9, 0.2, -0.3, 0.1]))
    axis = unit(np.cross(turn, [[1.0, 0.0, 0.0]]))[0]
    skewed = (
        truth * np.cos(0.3) + np.cross(axis, truth) * np.sin(0.3) + np.outer(truth @ axis, axis) * (1 - np.cos(0.3))
    )
    assert angle_between_deg(skewed, truth).max() > 10.0
    assert angle_between_deg(aligned(skewed, truth), truth).max() < 1e-6
    noisy = unit(skewed + rng.normal(0.0, 0.05, skewed.shape))
    assert angle_between_deg(aligned(noisy, truth), truth).mean() > 1.0


def test_tilt_is_forward_about_y_and_sideward_about_z() -> None:
    up = unit(np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]))
    assert sagittal_deg(up).tolist() == pytest.approx([45.0, 0.0])
    assert frontal_deg(up).tolist() == pytest.approx([0.0, 45.0])


def test_directions_are_unknown_across_holes_and_outside() -> None:
    known_s = np.array([0.0, 0.1, 0.2, 0.5, 0.6])
    known = np.tile([0.0, 0.0, 1.0], (5, 1))
    known[1] = np.nan
    found = directions_at(np.array([-0.1, 0.05, 0.35, 0.55, 0.7]), known_s, known, 0.2)
    assert np.isfinite(found[:, 0]).tolist() == [False, True, False, True, False]
