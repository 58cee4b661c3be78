"""A folder of recordings laid out as the project's data folder: one folder per set, one ``.npz`` per recording."""

from __future__ import annotations

import csv
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from processing.domain.errors import LumbarError, RecordingError
from processing.dsp.blocks import Floats
from service.cli.evaluation.progress import Progress

R = TypeVar("R")

_PERSON_PARTS = {"walking_lowback": 2}
"""Parts of a file's name that name the person, where it is not just the first."""

_WITHOUT_PEOPLE = frozenset({"broad"})


@dataclass(frozen=True, slots=True)
class Recording:
    """One file of a set.

    Attributes:
        meta: what the file says about itself.
        arrays: its arrays by name.
    """

    path: Path
    person: str
    meta: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]

    @property
    def name(self) -> str:
        """Name of the recording."""
        return self.path.stem

    def floats(self, name: str) -> Floats:
        """An array as floats.

        Raises:
            RecordingError: the recording has no such array, or it holds no numbers.
        """
        if name not in self.arrays:
            raise RecordingError(str(self.path), "array is missing", column=name)
        try:
            return np.asarray(self.arrays[name], dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise RecordingError(str(self.path), f"array holds no numbers: {error}", column=name) from error


@dataclass(slots=True)
class Folder:
    """The folder, and what in it could not be used.

    Attributes:
        broken: recordings that were left out, with the reason.
    """

    root: Path
    broken: dict[str, str] = field(default_factory=dict)

    def has(self, set_name: str) -> bool:
        """Tell whether the folder has recordings of a set."""
        return next((self.root / set_name).glob("*.npz"), None) is not None

    def paths(self, set_name: str) -> list[Path]:
        """Files of a set, by name."""
        return sorted((self.root / set_name).glob("*.npz"))

    def recordings(self, set_name: str) -> Iterator[Recording]:
        """Recordings of a set that can be read; the others are noted as broken."""
        for path in self.paths(set_name):
            try:
                yield read_recording(path)
            except RecordingError as error:
                self.leave_out(path, error)

    def each(self, set_name: str, ask: Callable[[Recording], R], progress: Progress) -> Iterator[R]:
        """What a function finds in each recording of a set, by name; those that cannot be used are noted as broken."""
        paths = self.paths(set_name)
        for path, answer in zip(paths, progress.each(partial(_answer, ask), paths), strict=True):
            if isinstance(answer, _Unusable):
                self._note(path, answer.reason)
            else:
                yield answer

    def leave_out(self, path: Path, error: LumbarError) -> None:
        """Note that a recording could not be used."""
        self._note(path, str(error))

    def _note(self, path: Path, reason: str) -> None:
        self.broken[f"{path.parent.name}/{path.name}"] = reason

    def table(self, set_name: str, name: str) -> list[dict[str, str]]:
        """Rows of a CSV file of a set, none if there is no such file.

        Raises:
            RecordingError: the file cannot be read.
        """
        path = self.root / set_name / name
        if not path.exists():
            return []
        try:
            with path.open(newline="", encoding="utf-8") as opened:
                return list(csv.DictReader(opened, strict=True))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise RecordingError(str(path), f"cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class _Unusable:
    """Why a recording could not be used, as text: errors do not pass between processes."""

    reason: str


def _answer(ask: Callable[[Recording], R], path: Path) -> R | _Unusable:
    try:
        return ask(read_recording(path))
    except LumbarError as error:
        return _Unusable(str(error))


def read_recording(path: Path) -> Recording:
    """A recording with everything in it.

    Raises:
        RecordingError: the file is broken.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        meta = json.loads(str(arrays.pop("meta", "{}")))
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RecordingError(str(path), f"no recording in .npz form: {error}") from error
    if not isinstance(meta, dict):
        raise RecordingError(str(path), "meta is no JSON object")
    return Recording(path, person_of(path), meta, arrays)


def person_of(path: Path) -> str:
    """Name of the person that a recording is of, as its file name says; empty if it is of nobody."""
    if path.parent.name in _WITHOUT_PEOPLE:
        return ""
    return "_".join(path.stem.split("_")[: _PERSON_PARTS.get(path.parent.name, 1)])
