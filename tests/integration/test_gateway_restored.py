"""A gateway whose disk was restored from an older copy."""

from __future__ import annotations

import asyncio
import struct

from gateway.app import run_gateway
from processing.domain.entries import Samples, StreamOpened
from tests.integration.gateway_fakes import FakeImu, fake_backend, running
from tests.integration.test_gateway_chain import FAST, Site, site, without_hole

__all__ = ["site"]


async def test_a_log_restored_from_an_older_copy_reuses_no_offset(site: Site) -> None:
    imu, worker = FakeImu(1), site.worker()
    await site.configure(imu)
    settings = site.settings()
    copy = settings.gateway_log.with_suffix(".copy")
    async with running(imu.run()):
        async with running(worker.run()):
            for rows in (100, 150):
                if settings.gateway_log.exists():
                    copy.write_bytes(settings.gateway_log.read_bytes())
                async with running(run_gateway(settings, fake_backend(imu), timings=FAST)):
                    await worker.until(lambda rows=rows: len(worker.indices(1)) >= rows)  # type: ignore[misc]
        settings.gateway_log.write_bytes(copy.read_bytes())
        known = worker.expect
        async with running(run_gateway(settings, fake_backend(imu), timings=FAST)):
            # Nobody answers until the copy has grown past what the worker has: its offsets look as if they went on.
            await asyncio.sleep(2.0)
            async with running(worker.run()):
                await worker.until(lambda: sum(isinstance(entry, StreamOpened) for entry in worker.log()) == 3)
                count = len(worker.indices(1))
                await worker.until(lambda: len(worker.indices(1)) >= count + 50)
    after = [worker.entries[offset] for offset in range(known, worker.expect)]
    opened = next(place for place, entry in enumerate(after) if isinstance(entry, StreamOpened))
    rows = (
        row for entry in after[opened:] if isinstance(entry, Samples) for row in struct.iter_unpack("<6h", entry.packed)
    )
    assert without_hole([row[1] * 2**15 + row[0] for row in rows])
