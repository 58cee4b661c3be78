"""Samples as the gateway stores them: packed integers with a scale, in the sensor's own frame."""

from __future__ import annotations

from enum import StrEnum

GRAVITY_MPS2 = 9.80665
"""Standard gravity (CGPM 1901), the conversion from g of every driver."""

BYTES_PER_SAMPLE = 12
"""Six little-endian int16: acc x, y, z, then gyr x, y, z."""

MAX_SAMPLES_PER_ENTRY = 1000
"""Bound of one entry; at 100 Hz ten seconds."""


class Placement(StrEnum):
    """Where on the body a sensor sits."""

    PELVIS = "pelvis"
    """Over the sacrum, S1/S2 (the S1 sensor of the field notes)."""
    THORAX = "thorax"
    """Over T12/L1 or higher."""


class ClockQuality(StrEnum):
    """What the time stamps of a stream rest on."""

    DEVICE = "device"
    """The device stamps its samples; the gateway maps its ticks to UTC."""
    VIRTUAL = "virtual"
    """The device has no clock: samples are counted, losses are invisible."""
