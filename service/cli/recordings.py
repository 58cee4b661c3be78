"""What a recording shows: its exercise and how its sensors sit."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from processing.domain.errors import RecordingError, SettingsError
from processing.domain.exercises import exercise_of
from processing.domain.samples import Placement
from processing.dsp.mounting import rightward_of


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """Exercise of a recording, and how its sensors are mounted."""

    exercise: str
    mounts: Mapping[Placement, str]


_BACK_X_DOWN_Z_IN = "up:-x,forward:+z"
_BACK_X_DOWN_Z_OUT = "up:-x,forward:-z"
_BACK_X_UP_Z_IN = "up:+x,forward:+z"
_BACK_X_UP_Z_OUT = "up:+x,forward:-z"

_PLANS: Mapping[str, tuple[str, str]] = {
    # Set of the data folder: exercise and mount of all its back sensors, read off gravity standing and bent forward.
    "squat_lowback": ("squat", _BACK_X_DOWN_Z_IN),
    "trunk_seated": ("seated_rom", _BACK_X_DOWN_Z_OUT),
    "wheelchair_trunk": ("seated_rom", _BACK_X_UP_Z_OUT),
    "walking_lowback": ("walking", _BACK_X_UP_Z_IN),
    "sit_to_stand_bench": ("sit_to_stand", _BACK_X_DOWN_Z_IN),
}


def recording_plan(
    path: Path, exercise: str | None = None, mounts: Mapping[Placement, str] | None = None
) -> RecordingPlan:
    """Plan of a recording: what is stated here, else what its set in the data folder says.

    Raises:
        RecordingError: the file cannot be read, or the exercise is neither stated nor known.
        UnknownExerciseError: the catalogue has no such exercise.
    """
    plan = known_plan(path)
    code = exercise or (plan.exercise if plan is not None else None)
    if code is None:
        raise RecordingError(str(path), "does not say its exercise: state it with --exercise")
    exercise_of(code)
    return RecordingPlan(code, {**(plan.mounts if plan is not None else {}), **(mounts or {})})


def known_plan(path: Path) -> RecordingPlan | None:
    """Plan of a recording, None if the file does not say which set it belongs to (a CSV never does).

    Raises:
        RecordingError: the file cannot be read.
    """
    if path.suffix != ".npz":
        return None
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            meta = json.loads(str(arrays["meta"])) if "meta" in arrays.files else {}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RecordingError(str(path), f"no recording in .npz form: {error}") from error
    known = _PLANS.get(str(meta.get("set"))) if isinstance(meta, dict) else None
    if known is None:
        return None
    exercise, mount = known
    return RecordingPlan(exercise, dict.fromkeys(Placement, mount))


def parse_mounts(texts: Sequence[str]) -> dict[Placement, str]:
    """Mounts as stated on the command line: ``pelvis=up:+x,forward:-z``.

    Raises:
        SettingsError: no such sensor, or not of that form.
        MountError: the part after the equals sign is no mount.
    """
    mounts: dict[Placement, str] = {}
    for text in texts:
        name, equals, mount = text.partition("=")
        if not equals or name not in tuple(Placement):
            raise SettingsError(f"--mount {text!r}: write pelvis=up:+x,forward:-z or thorax=...")
        rightward_of(mount)
        mounts[Placement(name)] = mount
    return mounts
