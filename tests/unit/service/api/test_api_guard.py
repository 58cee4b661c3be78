from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from service.api.guard import COOKIE, MAX_BODY_BYTES
from service.app import create_app
from tests.web.service_twin import World

TOKEN = "a-long-random-token"
HTML = {"accept": "text/html"}


@pytest.fixture
async def locked() -> AsyncIterator[httpx.AsyncClient]:
    world = World(token=TOKEN)
    await world.connect()
    transport = httpx.ASGITransport(app=create_app(world.deps))
    async with httpx.AsyncClient(transport=transport, base_url="http://lumbar.lan") as opened:
        yield opened


@pytest.mark.parametrize("path", ["/", "/api/v1/subjects", "/api/v1/live", "/metrics", "/subjects/anna-7/live"])
async def test_with_a_token_nothing_opens_without_it(locked: httpx.AsyncClient, path: str) -> None:
    assert (await locked.get(path)).status_code == 401
    assert (await locked.get(path, headers={"authorization": "Bearer wrong"})).status_code == 401
    assert (await locked.get(path, headers={"cookie": f"{COOKIE}={TOKEN}"})).status_code == 401


async def test_the_bearer_token_opens_the_api(locked: httpx.AsyncClient) -> None:
    refused = await locked.get("/api/v1/subjects")
    assert refused.headers["www-authenticate"] == "Bearer"
    answer = await locked.get("/api/v1/subjects", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


async def test_the_token_in_the_address_becomes_a_cookie_once(locked: httpx.AsyncClient) -> None:
    assert (await locked.get("/?token=wrong", headers=HTML)).status_code == 401
    answer = await locked.get(f"/?token={TOKEN}", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert (await locked.get("/subjects/anna-7/live", headers=HTML)).status_code == 200


async def test_people_get_a_page_to_log_in(locked: httpx.AsyncClient) -> None:
    answer = await locked.get("/subjects/anna-7/live", headers=HTML)
    assert answer.status_code == 401
    assert '<input id="token" name="token" type="password"' in answer.text


async def test_health_and_style_sheets_need_no_login(locked: httpx.AsyncClient) -> None:
    assert (await locked.get("/healthz")).status_code == 200
    assert (await locked.get("/static/lumbar.css")).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1"])
async def test_without_a_token_only_this_machine_is_answered(client: httpx.AsyncClient, host: str) -> None:
    answer = await client.get("/api/v1/subjects", headers={"host": host})
    assert answer.status_code == 421
    for name in ("localhost:8000", "127.0.0.1:1", "[::1]:8000"):
        assert (await client.get("/api/v1/subjects", headers={"host": name})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
    ],
)
async def test_other_sites_cannot_command(client: httpx.AsyncClient, world: World, headers: dict[str, str]) -> None:
    answer = await client.post("/subjects/anna-7/session", content="key=1", headers=headers)
    assert answer.status_code == 403
    assert not world.store.sessions


async def test_our_own_pages_can_command(client: httpx.AsyncClient) -> None:
    form = {"content-type": "application/x-www-form-urlencoded", "origin": "http://127.0.0.1:8000"}
    assert (await client.post("/subjects/anna-7/session", content="key=1", headers=form)).status_code == 202


async def test_a_large_body_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/pairings", content=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 4096

    assert (await client.post("/api/v1/pairings", content=endless())).status_code == 413
    assert (await client.post("/api/v1/pairings", content=b"x" * MAX_BODY_BYTES)).status_code == 422


async def test_every_answer_forbids_foreign_scripts_and_caching(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/v1/subjects", "/nothing"):
        answer = await client.get(path, headers=HTML)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
