"""The wearables that lumbar knows, and which of them an advertisement belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.devices.driver import Driver
from gateway.devices.lumbar_imu import LumbarImuDriver
from processing.domain.ids import SensorId

DRIVERS: tuple[Driver, ...] = (LumbarImuDriver(),)
"""All drivers; the first that recognises an advertisement gets the device."""


class Recognised(NamedTuple):
    """A wearable that advertises, and the driver that speaks its language."""

    sensor_id: SensorId
    driver: Driver


def advertised_services(drivers: Sequence[Driver] = DRIVERS) -> tuple[str, ...]:
    """UUIDs to scan for."""
    return tuple(driver.advertised_service for driver in drivers)


def recognise(
    local_name: str | None, service_uuids: Sequence[str], drivers: Sequence[Driver] = DRIVERS
) -> Recognised | None:
    """Wearable behind an advertisement, None if no driver knows it or it does not yet say who it is."""
    for driver in drivers:
        sensor_id = driver.sensor_id(local_name, service_uuids)
        if sensor_id is not None:
            return Recognised(sensor_id, driver)
    return None
