"""Tilt of people's backs against optical tracking: trunk movements of the development recordings."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from processing.domain.samples import Placement
from processing.dsp.blocks import GRID_S
from service.cli.evaluation.folder import read_recording
from service.cli.evaluation.tilt import angle_between_deg, both_known, directions_at, frontal_deg, rms, sagittal_deg
from service.cli.evaluation.wheelchair import Sensor, good_sensors

NAMES = {Placement.PELVIS: "low_back", Placement.THORAX: "back"}


@pytest.fixture
def sensors(recordings: Path) -> dict[tuple[str, Placement], Sensor]:
    return sensors_of(recordings)


@cache
def sensors_of(folder: Path) -> dict[tuple[str, Placement], Sensor]:
    paths = sorted(folder.glob("wheelchair_trunk/*_trunkmovement_*.npz"))
    if not paths:
        pytest.skip("no wheelchair_trunk recordings")
    return {
        (path.stem, placement): sensor
        for path in paths
        for placement, sensor in good_sensors(read_recording(path)).items()
    }


def test_the_tilt_of_a_moving_back_is_right_to_two_degrees(sensors: dict[tuple[str, Placement], Sensor]) -> None:
    for placement, most_deg in ((Placement.PELVIS, 2.3), (Placement.THORAX, 1.3)):
        errors = [_tilt_rmse_deg(sensor) for (_, where), sensor in sensors.items() if where is placement]
        assert np.mean(errors) <= most_deg, (placement, errors)


def test_ranges_of_tilt_are_right_to_a_degree(recordings: Path, sensors: dict[tuple[str, Placement], Sensor]) -> None:
    with (recordings / "wheelchair_trunk" / "truth_trunkmovement.csv").open(newline="", encoding="utf-8") as table:
        truths = {(row["recording"], row["sensor"]): row for row in csv.DictReader(table)}
    for plane, tilt_deg, most_deg in (("sag", sagittal_deg, 1.1), ("fro", frontal_deg, 0.9)):
        errors = [
            abs(float(np.ptp(tilt_deg(sensor.found))) - float(row[f"{plane}_rom"]))
            for (name, placement), sensor in sensors.items()
            if (row := truths[name, NAMES[placement]])[f"{plane}_complete"] == "True"
        ]
        assert np.mean(errors) <= most_deg, (plane, errors)


def _tilt_rmse_deg(sensor: Sensor) -> float:
    found = directions_at(sensor.t_s, sensor.grid_s, sensor.found, 1.5 * GRID_S)
    known = both_known(found, sensor.truth)
    return rms(angle_between_deg(found[known], sensor.truth[known]))
