"""Pictures of the worst recording of each set, from recordings laid out as in the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure as Drawn
from PIL import Image

from service.cli.evaluation import figures, pictures
from service.cli.evaluation.drawings import (
    draw_seated_trunk,
    draw_sit_to_stands,
    draw_sitting,
    draw_squats,
    draw_walking,
)
from service.cli.evaluation.figures import Figure, Row, judged
from service.cli.evaluation.folder import Folder, Recording, read_recording
from service.cli.evaluation.pictures import draw_pictures
from tests.unit.service.cli.evaluation_folders import simulated_arrays, write


def sit_to_stands(folder: Path, name: str) -> Path:
    truth, arrays = simulated_arrays("sit_to_stand_bench", "sit_to_stand", reps=2)
    seat = {
        f"seat_{side}_t": np.array([getattr(rep, at) for rep in truth.reps])
        for side, at in (("off", "start_s"), ("on", "end_s"))
    }
    return write(folder, "sit_to_stand_bench", name, {"rep_count": 2}, **arrays, **seat)


def a_row(worst: str | None, value: float | None = 50.0) -> Row:
    figure = Figure(
        set=figures.SIT_TO_STAND,
        measure=figures.EXACT,
        method="",
        unit="%",
        value=value,
        people=1,
        recordings=2,
        worst=worst,
    )
    return judged([figure])[0]


@pytest.mark.parametrize(("worst", "drawn"), [("B91_sts (3 for 2)", "B91_sts"), (None, "B90_sts")])
def test_the_worst_recording_is_drawn_small_and_any_if_none_is_worst(
    tmp_path: Path, worst: str | None, drawn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("B90_sts", "B91_sts"):
        sit_to_stands(tmp_path, name)
    seen: list[str] = []

    def draw(recording: Recording) -> Drawn:
        seen.append(recording.name)
        return draw_sit_to_stands(recording)

    monkeypatch.setitem(pictures.DRAWINGS, figures.SIT_TO_STAND, draw)
    files = draw_pictures(Folder(tmp_path), [a_row(worst)], tmp_path / "pictures")
    assert seen == [drawn]
    path = files[figures.SIT_TO_STAND]
    assert path.stat().st_size < 80_000
    with Image.open(path) as image:
        assert image.width >= 600


def test_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    assert draw_pictures(Folder(tmp_path), [a_row(None, None)], tmp_path) == {}


def test_a_recording_that_cannot_be_drawn_is_noted(tmp_path: Path) -> None:
    write(tmp_path, "sit_to_stand_bench", "B90_sts", {"rep_count": 2}, t=[0.0])
    folder = Folder(tmp_path)
    assert draw_pictures(folder, [a_row("B90_sts")], tmp_path) == {}
    assert list(folder.broken) == ["sit_to_stand_bench/B90_sts.npz"]


def test_titles_say_what_was_found_and_what_is_true(tmp_path: Path) -> None:
    picture = draw_sit_to_stands(read_recording(sit_to_stands(tmp_path, "B90_sts")))
    assert picture.get_suptitle() == "B90_sts: 2 sit-to-stands counted, 2 true"


def test_squats_stand_above_the_windows_set_by_hand(tmp_path: Path) -> None:
    truth, arrays = simulated_arrays("squat_lowback", "squat", reps=2)
    ends = {
        f"rep_{side}_idx": np.searchsorted(arrays["t"], [getattr(rep, f"{side}_s") for rep in truth.reps])
        for side in ("start", "end")
    }
    path = write(tmp_path, "squat_lowback", "Q90_1", {}, rep_count=np.int64(2), **ends, **arrays)
    labels = draw_squats(read_recording(path)).axes[0].get_legend_handles_labels()[1]
    assert "set by hand: 2" in labels
    assert "counted: 2" in labels


def test_every_plane_has_its_own_curve_and_true_extremes_where_they_are_stated(tmp_path: Path) -> None:
    _, arrays = simulated_arrays("trunk_seated", "seated_rom", reps=1)
    extremes = {"t_sagittal_pos": np.array([6.0]), "t_sagittal_neg": np.array([7.0])}
    path = write(tmp_path, "trunk_seated", "T90_1", {}, rep_count=np.array([1.0, 1.0, np.nan]), **arrays, **extremes)
    picture = draw_seated_trunk(read_recording(path))
    assert [axes.get_ylabel() for axes in picture.axes] == ["flexion, °", "lateral bend, °", "axial rotation, °"]
    shown = [
        line.get_xdata().tolist() for axes in picture.axes for line in axes.lines if line.get_label() == "true extremes"
    ]
    assert shown == [[6.0, 7.0]]
    assert "(true unknown)" in picture.get_suptitle()


def test_steps_are_drawn_beside_the_true_contacts(tmp_path: Path) -> None:
    truth, arrays = simulated_arrays("walking_lowback", "walking")
    contacts = np.array(truth.step_times_s)
    arrays["ref_indip_initial_contact_t"] = contacts
    arrays["ref_indip_bouts"] = np.array([[contacts[0], contacts[-1]]])
    path = write(tmp_path, "walking_lowback", "M_HA090_1", {}, **arrays)
    labels = draw_walking(read_recording(path)).axes[0].get_legend_handles_labels()[1]
    assert f"true contacts (indip): {contacts.size}" in labels


def test_clips_of_sitting_are_counted_by_how_far_they_end_from_upright(tmp_path: Path) -> None:
    def up(angle_deg: float) -> np.ndarray:
        angle = np.radians(angle_deg)
        return np.tile(9.81 * np.array([np.cos(angle), 0.0, np.sin(angle)]), (200, 1))

    acc = np.stack([up(0.0), up(0.5), up(0.0), up(20.0)])
    path, labels = tmp_path / "clips.npz", np.array(["Upright"] * 3 + ["Bad"])
    np.savez(path, acc=acc, gyr=np.zeros_like(acc), fs=100.0, name=np.array(list("abcd")), label=labels)
    picture = draw_sitting(read_recording(path))
    assert picture.get_suptitle() == "clips: 4 of 4 clips end on their side of the limit"
