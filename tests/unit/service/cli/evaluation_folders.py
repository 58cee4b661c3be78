"""Tiny folders laid out as the project's data, of movements known by formula or from the simulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from firmware_sim.imperfections import count_scale
from firmware_sim.motion.truth import SetTruth
from firmware_sim.patient import draw_patient
from processing.domain.samples import GRAVITY_MPS2, Placement

REST_S = 4.0
RATE_HZ = 100
MOUNTS = {
    "squat_lowback": "up:-x,forward:+z",
    "trunk_seated": "up:-x,forward:-z",
    "sit_to_stand_bench": "up:-x,forward:+z",
    "walking_lowback": "up:+x,forward:+z",
}
THORAX_PREFIX = {"trunk_seated": "lower_back_", "sit_to_stand_bench": "trunk_"}


def write(folder: Path, set_name: str, name: str, meta: dict[str, Any], **arrays: Any) -> Path:
    path = folder / set_name / f"{name}.npz"
    path.parent.mkdir(exist_ok=True, parents=True)
    np.savez(path, meta=json.dumps({"set": set_name, **meta}), **arrays)
    return path


def tilting(t_s: np.ndarray, swing_deg: float, seconds: float = 3.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Readings and true quaternions of a sensor (x up, z back) that leans forward and comes back, over and over."""
    phase = np.maximum(t_s - REST_S, 0.0) * 2.0 * np.pi / seconds
    angle = np.radians(swing_deg) * (1.0 - np.cos(phase)) / 2.0
    rate = np.radians(swing_deg) * np.sin(phase) * (np.pi / seconds)
    up = np.stack((np.cos(angle), 0.0 * angle, np.sin(angle)), axis=1)
    gyr = np.stack((0.0 * rate, rate, 0.0 * rate), axis=1)
    half = (angle - np.pi / 2.0) / 2.0
    quats = np.stack((np.cos(half), 0.0 * half, np.sin(half), 0.0 * half), axis=1)
    return up * GRAVITY_MPS2, gyr, quats


def simulated_arrays(
    set_name: str, exercise: str, *, reps: int = 4, duration_s: float = 15.0, seed: int = 3
) -> tuple[SetTruth, dict[str, Any]]:
    """A person's set as arrays named as in a set of the data, with sensors worn as there."""
    prefixes = {Placement.PELVIS: ""}
    if set_name in THORAX_PREFIX:
        prefixes[Placement.THORAX] = THORAX_PREFIX[set_name]
    patient = draw_patient(
        np.random.default_rng(seed), mount=MOUNTS[set_name], placements=tuple(prefixes), grade="ideal"
    )
    begin_s = patient.timeline.settle(exercise)
    truth = patient.timeline.append(exercise, reps=reps, duration_s=duration_s, not_before_s=begin_s + 4.0)
    arrays: dict[str, Any] = {}
    for placement, prefix in prefixes.items():
        source = patient.sources[placement]
        runs = source.runs(begin_s, truth.end_s + 1.0)
        readings = np.concatenate([run.counts for run in runs]) * count_scale(source.acc_range_g, source.gyr_range_dps)
        t_s = np.concatenate([run.t_s + np.arange(len(run.counts)) / RATE_HZ for run in runs])
        arrays[f"{prefix}t"] = t_s
        arrays[f"{prefix}acc"], arrays[f"{prefix}gyr"] = readings[:, :3], readings[:, 3:]
    return truth, arrays
