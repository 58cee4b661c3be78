"""A real browser against the real app: HTTP by uvicorn, store and live feed from the twin."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from service.app import create_app, listen, serve
from tests.web.service_twin import World

ARGUMENTS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Site:
    """The app at an address, and what the browser complained about."""

    address: str
    world: World
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    async def context(self, width: int, height: int, **options: object) -> BrowserContext:
        context = await self.browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
        context.set_default_timeout(8_000)
        return context

    async def open(self, path: str, width: int = 360, height: int = 780, **options: object) -> Page:
        page = await (await self.context(width, height, **options)).new_page()
        page.on("console", self._complain)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(self.address + path)
        return page

    def _complain(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    world = World(clock=time.time_ns)  # type: ignore[arg-type]  # the page shows ages, so its world runs on real time
    await world.connect()
    async with (
        serve(create_app(world.deps), listen("127.0.0.1", 0), world.board.hub) as address,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            yield Site(address, world, browser)
        finally:
            await browser.close()
