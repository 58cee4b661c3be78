"""A sensor of a session with all that is known of it."""

from __future__ import annotations

from typing import NamedTuple

from processing.analyzer.calibration import Calibrator
from processing.analyzer.sensor import SensorPath
from processing.analyzer.sensor_watch import SensorWatch


class WornSensor(NamedTuple):
    """Samples, calibration and trust of one sensor."""

    path: SensorPath
    calibrator: Calibrator
    watch: SensorWatch
