"""A wearable that speaks the open lumbar IMU profile (docs/imu-profile.md), made of software."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

import numpy as np

from firmware_sim.controller import RadioController
from firmware_sim.peripherals.batches import FirmwareSettings, WearableCounters
from firmware_sim.peripherals.firmware import Firmware
from firmware_sim.radio import Radio
from firmware_sim.source import SampleSource
from gateway.devices.imu_profile import local_name
from processing.domain.ids import SensorId

DEFAULT_BATCH_SIZE = 5
"""100 Hz in 20 notifications a second: 50 ms of delay for a fifth of the air time."""
_HOUR_S = 3600.0


class LumbarImuPeripheral:
    """One wearable: samples of a source, in real time, over the open lumbar IMU profile.

    Args:
        serial: 24 bit; gives the name, which is the sensor id.
        source: where its samples come from.
        batch_size: samples per notification if the central does not ask for another number.
        queue_batches: bound of the transmit queue; when it is full the oldest batch is dropped and counted.
        lost_batches: share of batches that get a number but are never sent.
        battery_percent: charge when it is first switched on.
        battery_hours: time from full to empty.
        rssi_dbm: mean strength that others hear it with.
        seed: makes the lost batches repeatable.
        draw_boot_id: a new number at each boot.
    """

    def __init__(
        self,
        serial: int,
        source: SampleSource,
        *,
        batch_size: int = DEFAULT_BATCH_SIZE,
        queue_batches: int = 40,
        lost_batches: float = 0.0,
        battery_percent: float = 100.0,
        battery_hours: float = 24.0,
        rssi_dbm: float = -60.0,
        seed: int = 0,
        draw_boot_id: Callable[[], int] = lambda: secrets.randbits(32),
    ) -> None:
        self.sensor_id = SensorId(local_name(serial))
        self.counters = WearableCounters()
        self._settings = FirmwareSettings(
            serial=serial, batch_size=batch_size, queue_batches=queue_batches, lost_batches=lost_batches
        )
        self._source = source
        self._battery_percent = battery_percent
        self._battery_hours = battery_hours
        self._rssi_dbm = rssi_dbm
        self._rng = np.random.default_rng([seed, serial])
        self._draw_boot_id = draw_boot_id
        self._in_range = True
        self._restart = asyncio.Event()
        self._epoch_s = 0.0
        self._firmware: Firmware | None = None

    @property
    def is_streaming(self) -> bool:
        """Whether a central has started the stream."""
        return self._firmware is not None and self._firmware.is_streaming

    async def run(self, radio: Radio, epoch_s: float | None = None) -> None:
        """Be switched on until cancelled.

        Args:
            radio: the air it is on.
            epoch_s: second 0 of the source on the event loop's clock, now if None.
        """
        self._epoch_s = asyncio.get_running_loop().time() if epoch_s is None else epoch_s
        boot_tick_us = 0
        while True:
            self._restart.clear()
            controller = RadioController(self.sensor_id, radio, rssi_dbm=self._rssi_dbm)
            controller.in_range = self._in_range
            self.counters.boots += 1
            self._firmware = Firmware(
                self._settings,
                self._source,
                controller,
                boot_id=self._draw_boot_id(),
                boot_tick_us=boot_tick_us,
                now_s=self.now_s,
                battery_percent=self._charge_percent,
                rng=self._rng,
                counters=self.counters,
            )
            try:
                async with asyncio.TaskGroup() as group:
                    running = group.create_task(self._firmware.run(), name=f"wearable {self.sensor_id}")
                    await self._restart.wait()
                    running.cancel()
            finally:
                self._firmware = None
                controller.detach()
            boot_tick_us = self._source.tick_us(self.now_s())

    def vanish(self) -> None:
        """Go out of radio range; whoever is connected notices after the supervision timeout."""
        self._in_range = False
        self._apply_range()

    def reappear(self) -> None:
        """Come back into radio range."""
        self._in_range = True
        self._apply_range()

    def reboot(self) -> None:
        """Restart without a word: a new boot id, the clock at 0, connections left to their supervision timeout."""
        self._restart.set()

    async def hang_up(self) -> None:
        """Disconnect the central, if there is one."""
        if self._firmware is not None:
            await self._firmware.hang_up()

    def now_s(self) -> float:
        """Seconds since the source's start."""
        return asyncio.get_running_loop().time() - self._epoch_s

    def _charge_percent(self) -> int:
        """State of charge: falls evenly from switching on."""
        used_percent = 100.0 * max(self.now_s(), 0.0) / (self._battery_hours * _HOUR_S)
        return int(np.clip(round(self._battery_percent - used_percent), 0, 100))

    def _apply_range(self) -> None:
        if self._firmware is not None:
            self._firmware.controller.in_range = self._in_range
