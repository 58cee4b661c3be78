"""The gateway with real bleak on the virtual radio: Bumble wearables instead of scripted ones."""

from __future__ import annotations

import asyncio
import struct

from firmware_sim.backend import open_virtual_ble
from firmware_sim.peripherals.lumbar_imu import LumbarImuPeripheral
from firmware_sim.radio import Radio
from gateway.app import run_gateway
from gateway.connection import BleBackend
from processing.domain.entries import Gap, GapReason, LogEntry, Samples, StreamOpened
from processing.domain.samples import Placement
from processing.wire.messages import GatewayConfig, SensorSetting
from processing.wire.topics import GatewayTopic
from tests.integration.counting_sim import CountingSource
from tests.integration.gateway_fakes import running
from tests.integration.test_gateway_chain import FAST, Site, site

__all__ = ["site"]

PERIOD_NS = 10_000_000


def times_ns(log: list[LogEntry]) -> dict[str, dict[int, int]]:
    """Per sensor the UTC of each sample by its number; fails if one came twice."""
    names: dict[int, str] = {}
    out: dict[str, dict[int, int]] = {}
    for entry in log:
        if isinstance(entry, StreamOpened):
            names[entry.stream] = entry.sensor_id
        elif isinstance(entry, Samples):
            times = out.setdefault(names[entry.stream], {})
            for place in range(entry.count):
                number = struct.unpack_from("<h", entry.packed, 12 * place)[0]
                assert number not in times
                times[number] = entry.t0_ns + place * PERIOD_NS
    return out


async def test_two_wearables_on_the_virtual_radio_arrive_whole_and_on_one_time_line(site: Site) -> None:
    imus = [LumbarImuPeripheral(serial, CountingSource()) for serial in (1, 2)]
    sensors = tuple(SensorSetting(sensor_id=imu.sensor_id, placement=Placement.PELVIS) for imu in imus)
    await site.publish(GatewayTopic.CONFIG, GatewayConfig(version=1, sensors=sensors), retain=True)
    radio, worker = Radio(), site.worker()
    epoch_s = asyncio.get_running_loop().time()

    def streams() -> dict[str, dict[int, int]]:
        return times_ns(worker.log())

    async with open_virtual_ble(radio, supervision_timeout_s=0.8) as ble:
        backend = BleBackend(ble.scanner, ble.client)
        gateway = run_gateway(site.settings(), backend, timings=FAST)
        async with running(*(imu.run(radio, epoch_s) for imu in imus), worker.run(), gateway):
            await worker.until(lambda: len(streams()) == 2 and min(map(len, streams().values())) >= 200)
            imus[0].vanish()
            await asyncio.sleep(1.5)
            imus[0].reappear()
            seen = len(streams()[imus[0].sensor_id])
            await worker.until(lambda: len(streams()[imus[0].sensor_id]) >= seen + 100)
    first, second = (streams()[imu.sensor_id] for imu in imus)
    (gap,) = (entry for entry in worker.log() if isinstance(entry, Gap))
    missing = max(first) + 1 - min(first) - len(first)
    assert (gap.reason, gap.lost) == (GapReason.LINK, missing)
    assert len(second) == max(second) + 1 - min(second)
    apart_ms = [(first[number] - second[number]) / 1e6 for number in first.keys() & second.keys()]
    # Two processes' worth of work in one event loop: each stall delays both wearables, but not always alike.
    assert sum(x * x for x in apart_ms) / len(apart_ms) <= 4.0**2
