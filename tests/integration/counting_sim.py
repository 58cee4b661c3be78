"""A source whose samples count, and a process that serves wearables made of it. Not a test."""

from __future__ import annotations

import asyncio
import math
import sys

import numpy as np

from firmware_sim.peripherals.lumbar_imu import LumbarImuPeripheral
from firmware_sim.process import serve_wearables
from firmware_sim.source import SampleRun, SampleSource

PERIOD_US = 10_000


class CountingSource:
    """Sample k is k six times (modulo 2**15), taken at k periods of a perfect clock."""

    period_us = PERIOD_US
    acc_range_g = 16.0
    gyr_range_dps = 2000.0

    def runs(self, t0_s: float, t1_s: float) -> tuple[SampleRun, ...]:
        """Samples with ``t0_s <= t < t1_s``."""
        first, end = (math.ceil(t_s * 1e6 / PERIOD_US) for t_s in (t0_s, t1_s))
        if end <= first:
            return ()
        counts = np.repeat(np.arange(first, end) % 2**15, 6).reshape(-1, 6).astype(np.int16)
        return (SampleRun(first * PERIOD_US * 1e-6, first * PERIOD_US, counts),)

    def tick_us(self, t_s: float) -> int:
        """A clock without error."""
        return round(t_s * 1e6)

    @property
    def duration_s(self) -> float | None:
        """Endless."""
        return None


_: SampleSource = CountingSource()


async def _main(port: int, serials: list[int]) -> None:
    wearables = [LumbarImuPeripheral(serial, CountingSource()) for serial in serials]
    await serve_wearables(
        wearables,
        f"tcp-server:127.0.0.1:{port}",
        on_listening=lambda bound_port: print(bound_port, flush=True),  # noqa: T201  # the test reads it
    )


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), [int(text, 16) for text in sys.argv[2:]]))
