"""One wearable: what the gateway knows about it over all its connections, and the task that reads it during one."""

from __future__ import annotations

import asyncio
import time

import structlog
from bleak import BleakClient
from bleak.exc import BleakError

from gateway.connection import Inbox, LinkLostError, Notification, perform
from gateway.devices.driver import BatteryLevel, DeviceEvent, Driver, Read, SampleBatch, TimeEcho
from gateway.health import RateMeter
from gateway.journal import Journal
from gateway.marks import StreamMark
from gateway.metrics import Metrics
from gateway.stream import SensorStream
from processing.domain.errors import DecodeError
from processing.domain.ids import SensorId
from processing.wire.messages import SensorSetting

_log = structlog.get_logger("gateway.wearable")

_ECHO_EVERY_S = 10.0
_ECHO_S = 2.0


class Wearable:
    """State of one sensor that outlives its connections."""

    def __init__(self, sensor_id: SensorId, mark: StreamMark | None = None, utc_offset_ns: int = 0) -> None:
        self.sensor_id = sensor_id
        self.stream = SensorStream(sensor_id, mark, utc_offset_ns)
        self.meter = RateMeter()
        self.setting: SensorSetting | None = None
        """How to read it, None if nobody wants it."""
        self.inbox: Inbox | None = None
        """Open as long as a task reads the sensor."""
        self.rssi_dbm: int | None = None
        self.battery_percent: int | None = None
        self.failures = 0
        """Connections that failed since the last sample."""
        self.next_try_s = 0.0

    @property
    def missing(self) -> bool:
        """Whether it is wanted and nobody reads it."""
        return self.setting is not None and self.inbox is None


class Reader:
    """Turns the notifications of one connection into entries."""

    def __init__(
        self, wearable: Wearable, driver: Driver, client: BleakClient, inbox: Inbox, journal: Journal, metrics: Metrics
    ) -> None:
        self._wearable = wearable
        self._driver = driver
        self._client = client
        self._inbox = inbox
        self._journal = journal
        self._metrics = metrics
        self._refused = 0

    async def run(self, silent_s: float, lost_s: float) -> None:
        """Read until the link ends; after ``silent_s`` without a sample say so, after ``lost_s`` give up.

        Raises:
            LinkLostError: the link ended or was given up.
            BleakError, OSError: it failed.
        """
        silent = False
        last_s = _steady_s()
        echo_due_s = last_s
        while True:
            if _steady_s() >= echo_due_s:
                await self._try_to_ask_time()
                echo_due_s = _steady_s() + _ECHO_EVERY_S
            try:
                async with asyncio.timeout_at(last_s + (lost_s if silent else silent_s)):
                    notification = await self._inbox.get()
            except TimeoutError:
                if silent:
                    raise LinkLostError(f"no sample for {lost_s:g} s") from None
                silent = True
                for entry in self._wearable.stream.silent():
                    self._journal.put(entry)
                _log.warning("sensor is silent", sensor=self._wearable.sensor_id)
                continue
            if self._take(notification):
                silent, last_s = False, _steady_s()
                self._wearable.failures = 0

    async def _try_to_ask_time(self) -> None:
        """Measure the clock; a device that is too busy to answer now may stream well, the watchdog judges that."""
        try:
            await self._ask_time()
        except (BleakError, TimeoutError) as error:
            self._metrics.missed_echoes.labels(self._wearable.sensor_id).inc()
            _log.info("no time echo", sensor=self._wearable.sensor_id, error=str(error) or type(error).__name__)

    async def _ask_time(self) -> None:
        """Measure the device's clock both ways, if its driver can."""
        sent_ns = time.monotonic_ns()
        arrival_ns = 0
        async with asyncio.timeout(_ECHO_S):
            for step in self._driver.ask_time(sent_ns):
                answer = await perform(self._client, step, self._inbox)
                # The tick was read before the first answer came; what follows only fetches it.
                arrival_ns = arrival_ns or time.monotonic_ns()
                if isinstance(step, Read):
                    self._decode(Notification(step.characteristic, answer, arrival_ns, after_loss=False))

    def _take(self, notification: Notification) -> bool:
        """Take a notification; True if it had samples."""
        if notification.after_loss:
            self._wearable.stream.lost_in_gateway()
        return self._decode(notification)

    def _decode(self, notification: Notification) -> bool:
        try:
            events = self._driver.decode(notification.characteristic, notification.data)
            for event in events:
                self._on_event(event, notification.arrival_ns)
        except DecodeError as error:
            self._metrics.refused_notifications.labels(self._wearable.sensor_id).inc()
            self._refused += 1
            # The 1st, 2nd, 4th, 8th …: a device that sends nothing else must not fill the disk with its errors.
            if self._refused & (self._refused - 1) == 0:
                _log.warning(
                    "notification refused", sensor=self._wearable.sensor_id, error=str(error), refused=self._refused
                )
            return False
        return any(isinstance(event, SampleBatch) for event in events)

    def _on_event(self, event: DeviceEvent, arrival_ns: int) -> None:
        match event:
            case SampleBatch():
                self._on_samples(event, arrival_ns)
            case BatteryLevel():
                self._wearable.battery_percent = event.percent
            case TimeEcho():
                self._wearable.stream.echo(event, arrival_ns)

    def _on_samples(self, batch: SampleBatch, arrival_ns: int) -> None:
        stream, sensor_id = self._wearable.stream, self._wearable.sensor_id
        before = stream.totals
        for entry in stream.accept(batch, arrival_ns):
            self._journal.put(entry)
        after = stream.totals
        self._metrics.samples.labels(sensor_id).inc(after.received - before.received)
        self._metrics.lost_samples.labels(sensor_id).inc(after.lost - before.lost)
        self._metrics.duplicates.labels(sensor_id).inc(after.duplicates - before.duplicates)
        self._metrics.clock_steps.labels(sensor_id).inc(after.clock_steps - before.clock_steps)


def _steady_s() -> float:
    return asyncio.get_running_loop().time()
