"""What a sensor may not be trusted with, as findings."""

from __future__ import annotations

from enum import StrEnum

from processing.domain.found import Found
from processing.domain.samples import Placement


class FaultKind(StrEnum):
    """What is wrong with a sensor or with the way it is worn."""

    LOSSY = "lossy"
    """So many samples are lost that what lies between them can only be guessed."""
    SATURATED = "saturated"
    """The movement was beyond the range of the sensor."""
    STUCK = "stuck"
    """The sensor repeats itself instead of measuring."""
    BIASED = "biased"
    """The gyroscope's bias is unknown or too large to be taken out."""
    UPSIDE_DOWN = "upside_down"
    """Gravity says that the sensor hangs the other way up than stated."""
    ASKEW = "askew"
    """Gravity, or the bends, say that the sensor sits otherwise than stated."""
    SWAPPED = "swapped"
    """The sensor of the thorax is on the pelvis and the reverse."""
    SLIPPED = "slipped"
    """The sensor has turned on the skin."""


class SensorFault(Found, frozen=True, kw_only=True, tag="sensor_fault"):
    """A sensor is not to be trusted in ``t0_ns`` to ``t1_ns`` (an axis: from there on), and why.

    ``quality`` is how certain that is. Values that would rest on it are refused or carry a lower quality.
    """

    placement: Placement
    sensor_id: str
    fault: FaultKind
    detail: str
