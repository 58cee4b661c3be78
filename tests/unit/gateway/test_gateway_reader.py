from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from bleak.exc import BleakError

from gateway.connection import Inbox, LinkLostError
from gateway.devices.lumbar_imu import LumbarImuDriver
from gateway.journal import open_journal
from gateway.metrics import Metrics
from gateway.wearable import Reader, Wearable
from processing.domain.ids import SensorId


class Link:
    """A client whose time characteristic does not answer: never, or with an error."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.asked = 0
        self.asked_again = asyncio.Event()

    async def write_gatt_char(self, *_: object, **__: object) -> None:
        self.asked += 1
        if self.asked == 2:
            self.asked_again.set()
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()


@pytest.mark.parametrize("error", [None, BleakError("GATT procedure timed out"), TimeoutError()])
async def test_a_time_echo_that_does_not_come_is_counted_asked_for_again_and_ends_no_stream(
    error: Exception | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.wearable._ECHO_S", 0.01)
    monkeypatch.setattr("gateway.wearable._ECHO_EVERY_S", 0.0)
    metrics, inbox, link = Metrics(), Inbox(), Link(error)
    client: Any = link
    async with open_journal(tmp_path / "log", metrics, max_bytes=10**6, flush_s=1.0, max_pending=10) as journal:
        reader = Reader(Wearable(SensorId("s")), LumbarImuDriver(), client, inbox, journal, metrics)

        async def end() -> None:
            while not link.asked_again.is_set():
                # Any notification makes the reader look at the time again.
                inbox.put("unknown", None, bytearray())  # type: ignore[arg-type]
                await asyncio.sleep(0.01)
            inbox.close("disconnected")

        async with asyncio.TaskGroup() as group:
            group.create_task(end())
            with pytest.raises(LinkLostError, match="disconnected"):
                await reader.run(60.0, 60.0)
    missed = metrics.registry.get_sample_value("lumbar_gateway_missed_echoes_total", {"sensor": "s"})
    assert missed == link.asked >= 2
