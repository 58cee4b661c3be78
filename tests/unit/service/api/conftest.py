"""The app without a network: HTTP by ASGI, store and live feed from the twin of the browser tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from service.app import create_app
from tests.web.service_twin import World

BASE = "http://127.0.0.1:8000"


@pytest.fixture
async def world() -> World:
    """Anna and Ben, everything connected, no login asked for."""
    world = World()
    await world.connect()
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(world.deps), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as opened:
        yield opened
