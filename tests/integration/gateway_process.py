"""A gateway with one fake wearable as a process of its own, configured by the environment, for tests that kill it."""

from __future__ import annotations

import asyncio

from gateway.app import run_gateway
from gateway.settings import GatewaySettings
from service.cli.stop import until_stopped
from tests.integration.gateway_fakes import FakeImu, fake_backend, running


async def main() -> None:
    imu = FakeImu(1)
    async with running(imu.run()):
        await until_stopped(run_gateway(GatewaySettings.load(), fake_backend(imu)))


if __name__ == "__main__":
    asyncio.run(main())
