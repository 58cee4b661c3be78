from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakError

from gateway.connection import BleBackend
from gateway.host_clock import HostClock
from gateway.journal import open_journal
from gateway.link import LinkTimings, Radio
from gateway.metrics import Metrics


class FailingScanner(BaseBleakScanner):
    """An adapter that goes away during the scan."""

    started = asyncio.Event

    def __init__(self, detection_callback: Any, service_uuids: Any, *_: Any, **__: Any) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        self.started.set()  # type: ignore[call-arg]

    async def stop(self) -> None:
        raise BleakError("adapter is gone")


async def test_a_radio_ends_when_it_is_told_to_although_the_adapter_fails_at_that_moment(tmp_path: Path) -> None:
    started = asyncio.Event()
    backend = BleBackend(type("Scanner", (FailingScanner,), {"started": started}), BaseBleakClient)
    async with open_journal(tmp_path / "log", Metrics(), max_bytes=10**6, flush_s=1.0, max_pending=10) as journal:
        radio = Radio(journal, Metrics(), HostClock(), (), backend, LinkTimings(survey_s=60.0, idle_every_s=0.0))
        running = asyncio.create_task(radio.run())
        await started.wait()
        running.cancel()
        await asyncio.wait([running], timeout=5.0)
        ended = running.done()
        while not running.done():
            await asyncio.sleep(0.2)
            running.cancel()
            await asyncio.wait([running], timeout=0.2)
    assert ended
