from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.cli.evaluation.folder import Folder
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.sitting import sitting_figures


def _clips(leans_deg: Sequence[float]) -> dict[str, NDArray[np.float64]]:
    """Clips of 2 s of a still sensor that leans, 1 g on its -y axis."""
    leans = np.radians(np.array(leans_deg))[:, None]
    up = np.stack((np.zeros_like(leans), -np.cos(leans), np.sin(leans)), axis=-1)
    return {"acc": 9.81 * np.repeat(up, 200, axis=1), "gyr": np.zeros((len(leans), 200, 3))}


def write(folder: Path, **arrays: NDArray[Any]) -> None:
    (folder / "sitting_posture_clips").mkdir()
    np.savez(folder / "sitting_posture_clips" / "clips.npz", **arrays)


def test_sitting_is_judged_against_the_upright_pose_of_other_clips(tmp_path: Path) -> None:
    labels = np.array(["Bad"] * 5 + ["Upright"] * 5 + ["Stand_Up"])
    clips = _clips([20.0, 12.0, 20.0, 20.0, 3.0, 0.0, 0.5, -0.5, 0.0, 0.0, 50.0])
    write(tmp_path, label=labels, name=labels, fs=np.array(100.0), **clips)
    rows = sitting_figures(Folder(tmp_path), Progress())
    assert [row.comparison for row in rows] == [False, True, True, True]
    assert rows[0].value == pytest.approx(0.9)
    assert rows[0].note.startswith("4 of 5 bad and 5 of 5 upright")


def test_sitting_clips_without_labels_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, **_clips([0.0]))
    folder = Folder(tmp_path)
    assert [row.value for row in sitting_figures(folder, Progress())] == [None] * 4
    assert "array is missing" in folder.broken["sitting_posture_clips/clips.npz"]
