"""The radio: finds, connects and reads the wearables that the configuration names.

One task scans and connects, strictly one wearable at a time and never scanning while it connects: a controller
that does both loses packets of the links that stream (devices.md §2.2). Each connection then has its own task.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from gateway.connection import LINK_ERRORS, BleBackend, Inbox, LinkLostError, connected, start_stream
from gateway.devices.driver import Driver, StreamInfo
from gateway.devices.registry import Recognised, advertised_services, recognise
from gateway.health import sensor_health
from gateway.host_clock import HostClock, OpenSessions
from gateway.journal import Journal
from gateway.marks import StreamMark, left_open
from gateway.metrics import Metrics
from gateway.wearable import Reader, Wearable
from processing.domain.commands import Command
from processing.domain.entries import MAX_STREAMS
from processing.domain.ids import SensorId
from processing.wire.messages import GatewayConfig, SensorsReport

_log = structlog.get_logger("gateway.link")

_REPORTED_SENSORS = 250
_WATCH_CLOCK_S = 1.0


@dataclass(frozen=True, slots=True)
class LinkTimings:
    """Patience of the radio, in seconds.

    Attributes:
        silent_s: no sample for so long: tell whoever waits for them.
        lost_s: no sample for so long: disconnect and try again.
        scan_s: length of one scan for a missing sensor.
        rest_s: pause between two such scans while other sensors stream; scanning costs them packets.
        survey_s: length of a scan for sensors that nobody asked for, so that they can be paired.
        survey_every_s: pause between two surveys while sensors stream.
        idle_every_s: pause between two surveys while none does.
        retry_s: first and longest pause after a failed connection (bleak-retry-connector's).
    """

    silent_s: float = 1.5
    lost_s: float = 5.0
    scan_s: float = 5.0
    rest_s: float = 2.0
    survey_s: float = 3.0
    survey_every_s: float = 60.0
    idle_every_s: float = 5.0
    retry_s: tuple[float, float] = (0.1, 4.0)


@dataclass(frozen=True, slots=True)
class _Sighting:
    device: BLEDevice
    who: Recognised


class Radio:
    """All links of one gateway.

    Args:
        journal: where the entries go.
        metrics: counters.
        clock: stamps what the radio says; corrected here when the machine's clock was set.
        drivers: known kinds of wearables.
        backend: classes for bleak, None for the platform's own.
        timings: patience.
    """

    def __init__(
        self,
        journal: Journal,
        metrics: Metrics,
        clock: HostClock,
        drivers: Sequence[Driver],
        backend: BleBackend | None,
        timings: LinkTimings | None = None,
    ) -> None:
        self._journal = journal
        self._metrics = metrics
        self._clock = clock
        self._sessions = OpenSessions()
        self._drivers = tuple(drivers)
        self._backend = backend
        self._timings = timings or LinkTimings()
        self._wearables: dict[SensorId, Wearable] = {}
        for mark in journal.marks:
            self._wearable(SensorId(mark.sensor_id), mark)
        self._sightings: dict[SensorId, _Sighting] = {}
        self._slots: dict[int, SensorId] = {}
        self._wake = asyncio.Event()
        self.changed = asyncio.Event()

    def apply(self, config: GatewayConfig) -> None:
        """Read these sensors from now on; connections of others end."""
        wanted = {SensorId(sensor.sensor_id): sensor for sensor in config.sensors}
        for sensor_id in wanted:
            self._wearable(sensor_id)
        for wearable in self._wearables.values():
            setting = wanted.get(wearable.sensor_id)
            if wearable.inbox is not None and setting != wearable.setting:
                wearable.inbox.close("configuration changed")
            wearable.setting = setting
        self._wake.set()
        self.changed.set()

    def reopen(self) -> None:
        """Say in the log again what the running streams are."""
        for wearable in self._wearables.values():
            for entry in wearable.stream.opening():
                self._journal.put(entry)

    def report(self, now_ns: int) -> SensorsReport:
        """Health of the sensors that are wanted or seen."""
        shown = [w for w in self._wearables.values() if w.setting is not None or w.rssi_dbm is not None]
        shown.sort(key=lambda wearable: (wearable.setting is None, wearable.sensor_id))
        sensors = tuple(
            sensor_health(
                wearable.stream,
                wearable.meter.update(self._clock.steady_ns(), wearable.stream.totals),
                sensor_id=wearable.sensor_id,
                paired=wearable.setting is not None,
                battery_percent=wearable.battery_percent,
                rssi_dbm=wearable.rssi_dbm,
            )
            for wearable in shown[:_REPORTED_SENSORS]
        )
        return SensorsReport(t_ns=now_ns, sensors=sensors)

    def follow(self, command: Command) -> None:
        """A command enters the log: while a session is open the clock is not corrected."""
        self._sessions.follow(command, self._clock.steady_ns())

    async def run(self) -> None:
        """Keep all wanted sensors connected until cancelled."""
        for event in left_open(self._journal.marks):
            self._journal.put(event)
        failures = 0
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_clock(), name="gateway.link.clock")
            while True:
                try:
                    await self._look_around()
                    failures = 0
                except LINK_ERRORS as error:
                    if _being_cancelled():
                        # The adapter failed while the scan was ended: that must not keep us.
                        raise asyncio.CancelledError from error
                    failures += 1
                    self._metrics.link_errors.labels(type(error).__name__).inc()
                    _log.warning("cannot scan", error=str(error), failures=failures)
                    await asyncio.sleep(self._pause_s(failures))
                    continue
                wearable = next((w for w in self._due() if w.sensor_id in self._sightings), None)
                if wearable is not None:
                    sighting = self._sightings.pop(wearable.sensor_id)
                    settled = asyncio.Event()
                    group.create_task(
                        self._read(wearable, sighting, settled), name=f"gateway.link[{wearable.sensor_id}]"
                    )
                    await settled.wait()

    async def _look_around(self) -> None:
        """Scan until a missing sensor is seen; with none missing wait, and now and then survey."""
        self._wake.clear()
        if any(True for _ in self._due()):
            await self._scan(self._timings.scan_s)
            if self._slots and not self._wake.is_set():
                await self._sleep(self._timings.rest_s)
            return
        waits = [w.next_try_s for w in self._wearables.values() if w.missing]
        if waits:
            await self._sleep(max(0.0, min(waits) - _steady_s()))
            return
        await self._sleep(self._timings.survey_every_s if self._slots else self._timings.idle_every_s)
        if not self._wake.is_set():
            await self._scan(self._timings.survey_s)

    async def _sleep(self, seconds: float) -> None:
        """Sleep until something changes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _scan(self, seconds: float) -> None:
        self._sightings.clear()
        scanner = BleakScanner(
            self._on_advertisement,
            service_uuids=list(advertised_services(self._drivers)),
            backend=None if self._backend is None else self._backend.scanner,
        )
        async with scanner:
            await self._sleep(seconds)

    def _on_advertisement(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        who = recognise(advertisement.local_name, advertisement.service_uuids, self._drivers)
        if who is None or (who.sensor_id not in self._wearables and len(self._wearables) >= 2 * _REPORTED_SENSORS):
            return
        new = who.sensor_id not in self._wearables
        wearable = self._wearable(who.sensor_id)
        new = new or wearable.rssi_dbm is None
        wearable.rssi_dbm = advertisement.rssi
        self._sightings[who.sensor_id] = _Sighting(device, who)
        if wearable.missing and wearable.next_try_s <= _steady_s():
            self._wake.set()
        if new:
            self.changed.set()

    async def _read(self, wearable: Wearable, sighting: _Sighting, settled: asyncio.Event) -> None:
        """Connect, start and read one wearable until the link ends; the one place where a link's failures end up."""
        setting = wearable.setting
        wearable.inbox = inbox = Inbox()
        slot = next(slot for slot in range(MAX_STREAMS) if slot not in self._slots)
        self._slots[slot] = wearable.sensor_id
        driver = sighting.who.driver
        try:
            if setting is None:
                raise LinkLostError("no longer wanted")
            async with connected(sighting.device, driver, inbox, self._backend) as client:
                info = await start_stream(client, driver, setting.rate_hz, inbox)
                self._start(wearable, slot, info)
                settled.set()
                self.changed.set()
                reader = Reader(wearable, driver, client, inbox, self._journal, self._metrics)
                await reader.run(self._timings.silent_s, self._timings.lost_s)
        except LINK_ERRORS as error:
            wearable.failures += 1
            self._metrics.link_errors.labels(type(error).__name__).inc()
            _log.warning("link ended", sensor=wearable.sensor_id, error=str(error) or type(error).__name__)
        finally:
            for entry in wearable.stream.close():
                self._journal.put(entry)
            self._metrics.dropped_notifications.labels(wearable.sensor_id).inc(inbox.dropped)
            wearable.inbox = None
            wearable.next_try_s = _steady_s() + self._pause_s(wearable.failures)
            del self._slots[slot]
            settled.set()
            self.changed.set()
            self._wake.set()

    def _start(self, wearable: Wearable, slot: int, info: StreamInfo) -> None:
        wearable.battery_percent = info.battery_percent
        wearable.meter.restart()
        self._follow_machine_clock()
        for entry in wearable.stream.open(slot, info, self._clock.utc_ns()):
            self._journal.put(entry)
        self._metrics.connections.labels(wearable.sensor_id).inc()
        _log.info("streaming", sensor=wearable.sensor_id, slot=slot, firmware=info.firmware)

    async def _watch_clock(self) -> None:
        while True:
            self._follow_machine_clock()
            await asyncio.sleep(_WATCH_CLOCK_S)

    def _follow_machine_clock(self) -> None:
        """Correct our clock if the machine's was set, unless a stream runs in an open session: its time goes on."""
        streaming = any(wearable.stream.info is not None for wearable in self._wearables.values())
        changed_ns = self._clock.follow_machine(hold=streaming and self._sessions.active(self._clock.steady_ns()))
        self._metrics.clock_error.set(self._clock.error_ns() / 1e9)
        if not changed_ns:
            return
        self._metrics.clock_corrections.inc()
        _log.warning("the machine's clock was set", by_s=changed_ns / 1e9)
        for wearable in self._wearables.values():
            for entry in wearable.stream.step(self._clock.utc_offset_ns):
                self._journal.put(entry)

    def _due(self) -> Iterator[Wearable]:
        now_s = _steady_s()
        return (w for w in self._wearables.values() if w.missing and w.next_try_s <= now_s)

    def _wearable(self, sensor_id: SensorId, mark: StreamMark | None = None) -> Wearable:
        return self._wearables.setdefault(sensor_id, Wearable(sensor_id, mark, self._clock.utc_offset_ns))

    def _pause_s(self, failures: int) -> float:
        shortest_s, longest_s = self._timings.retry_s
        # S311: jitter needs no cryptography.
        return min(longest_s, shortest_s * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _steady_s() -> float:
    return asyncio.get_running_loop().time()
