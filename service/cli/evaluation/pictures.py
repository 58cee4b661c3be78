"""Pictures of the worst recording of each set."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from processing.domain.errors import LumbarError, SettingsError
from service.cli.evaluation.drawings import DRAWINGS
from service.cli.evaluation.figures import Result, Row
from service.cli.evaluation.folder import Folder, read_recording
from service.cli.plots import DOTS_PER_INCH

COLOURS = 128
"""Of a picture's palette: lines on white need no more, and half of the bytes."""


def draw_pictures(folder: Folder, rows: Sequence[Row], directory: Path) -> dict[str, Path]:
    """Draw the worst recording of each set that was measured; files by set.

    Raises:
        SettingsError: a file cannot be written.
    """
    files: dict[str, Path] = {}
    for set_name, draw in DRAWINGS.items():
        own = [row for row in rows if row.set == set_name]
        if not any(row.value is not None for row in own):
            continue
        path = _worst(own, folder.paths(set_name))
        try:
            _save_small(draw(read_recording(path)), directory / f"{set_name}.png")
        except LumbarError as error:
            folder.leave_out(path, error)
            continue
        except OSError as error:
            raise SettingsError(f"{directory}: {error}") from error
        files[set_name] = directory / f"{set_name}.png"
    return files


def _worst(rows: Sequence[Row], paths: Sequence[Path]) -> Path:
    """Recording that the judged rows call the worst; rows that miss their target come first."""
    by_name = {path.stem: path for path in paths}
    judged = sorted((row for row in rows if row.target is not None), key=lambda row: row.result is not Result.FAIL)
    named = (by_name.get(row.worst.split()[0]) for row in judged if row.worst)
    return next((path for path in named if path is not None), paths[0])


def _save_small(figure: Figure, path: Path) -> None:
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DOTS_PER_INCH, format="png", metadata={"Software": None})
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(COLOURS).save(path, optimize=True)
