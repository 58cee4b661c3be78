"""What peaks on the acceleration's magnitude make of the steps of walking_lowback."""

from __future__ import annotations

import msgspec
import numpy as np

from firmware_sim.recording import load_recording
from processing.domain.samples import Placement
from processing.dsp.blocks import Floats
from service.cli.evaluation import figures
from service.cli.evaluation.baselines import RATE_HZ, grid, peaks_of
from service.cli.evaluation.figures import Figure
from service.cli.evaluation.folder import Folder, Recording
from service.cli.evaluation.left_out import left_out
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.walking import REFERENCES, Walk, step_figure, walk_against

NAME = "peaks on acceleration magnitude"

SETTINGS = grid((2.0, 3.0, 5.0), (0.3, 0.6, 1.0, 1.5), (0.25, 0.35, 0.45))
"""Low-pass in hertz, prominence in m/s², time between steps in seconds; people walk with 1.4 to 2.5 steps a second."""


def step_baselines(folder: Folder, progress: Progress) -> list[Figure]:
    """F1 of steps against the first reference, with the setting that suits the other people best."""
    everything = [walks for walks in folder.each(figures.WALKING, _walks, progress) if walks]
    people = [walks[0].person for walks in everything]
    scores: Floats = np.array([[walk.f1 for walk in walks] for walks in everything], dtype=np.float64)
    chosen = left_out(people, scores.reshape(len(everything), -1).T)
    how = "the one best for the other people" if len(chosen) > 1 else "the middle one (nobody else to choose on)"
    method = f"baseline: {NAME}, offline, against {REFERENCES[0]}; of {len(SETTINGS)} settings {how}"
    figure = step_figure(method, [walks[chosen[person]] for walks, person in zip(everything, people, strict=True)])
    return [msgspec.structs.replace(figure, baseline=NAME)]


def _walks(recording: Recording) -> list[Walk]:
    """The steps found with each setting; none if the recording does not have the reference."""
    if f"ref_{REFERENCES[0]}_bouts" not in recording.arrays:
        return []
    track = load_recording(recording.path)[Placement.PELVIS]
    t_s = np.arange(float(track.t_s[0]), float(track.t_s[-1]), 1.0 / RATE_HZ)
    magnitude: Floats = np.interp(t_s, track.t_s, np.linalg.norm(track.acc, axis=1))
    return [walk_against(recording, t_s[peaks_of(magnitude, setting)], REFERENCES[0]) for setting in SETTINGS]
