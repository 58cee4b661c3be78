"""Real servers for the tests: PostgreSQL once per test process with a fresh database per test, brokers per test."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest

from processing.domain.ids import GatewayId
from service.embedded.access import BrokerUser, gateway_user, service_user, worker_user
from service.embedded.broker import ChildBroker, EmbeddedBroker, MosquittoBroker, find_mosquitto
from service.embedded.postgres import EmbeddedPostgres
from service.store.migrate import migrate
from service.store.pool import Pool, open_pool

T = TypeVar("T")

GATEWAYS = (GatewayId("gw1"), GatewayId("gw2"))
WORKER = worker_user("worker-password")
SERVICE = service_user("service-password")
USERS: dict[str, BrokerUser] = {
    "worker": WORKER,
    "service": SERVICE,
    **{name: gateway_user(name, f"{name}-password") for name in GATEWAYS},
}


def _aside(operation: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine to its end in a thread of its own: session fixtures outlive the event loop of any test."""

    async def run() -> T:
        return await operation()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """A PostgreSQL server: the one of ``LUMBAR_TEST_DSN`` (its user may create databases), else an embedded one."""
    given = os.environ.get("LUMBAR_TEST_DSN")
    if given:
        yield given
        return
    # pytest's own temporary folders are private to root, and PostgreSQL runs as somebody else then
    directory = Path(tempfile.mkdtemp(prefix="lumbar-test-"))
    directory.chmod(0o755)
    server = EmbeddedPostgres(directory, settings={"fsync": "off", "max_connections": "100"})
    _aside(server.__aenter__)
    try:
        yield server.dsn
    finally:
        _aside(lambda: server.__aexit__(None, None, None))
        shutil.rmtree(directory)


def _database(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template_database(server_dsn: str) -> Iterator[str]:
    """Name of a migrated database that the tests copy."""
    name = f"lumbar_template_{uuid.uuid4().hex[:12]}"
    _aside(lambda: _execute(server_dsn, f"CREATE DATABASE {name}"))
    _aside(lambda: migrate(_database(server_dsn, name)))
    yield name
    _aside(lambda: _execute(server_dsn, f"DROP DATABASE {name}"))


@pytest.fixture
async def empty_dsn(server_dsn: str) -> AsyncIterator[str]:
    """Address of a database with nothing in it."""
    async for dsn in _fresh(server_dsn, "template0"):
        yield dsn


@pytest.fixture
async def dsn(server_dsn: str, template_database: str) -> AsyncIterator[str]:
    """Address of a migrated database of this test's own."""
    async for fresh in _fresh(server_dsn, template_database):
        yield fresh


async def _fresh(server_dsn: str, template: str) -> AsyncIterator[str]:
    name = f"lumbar_test_{uuid.uuid4().hex[:12]}"
    await _execute(server_dsn, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _database(server_dsn, name)
    await _execute(server_dsn, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    """Pool of connections to this test's database."""
    async with open_pool(dsn) as opened:
        yield opened


@pytest.fixture
def broker_users() -> dict[str, BrokerUser]:
    """Users that both brokers know: worker, service, gw1, gw2."""
    return USERS


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[ChildBroker]:
    """nats-server of this test's own."""
    async with EmbeddedBroker(tmp_path / "nats", None, tuple(USERS.values())) as broker:
        yield broker


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[ChildBroker]:
    """Mosquitto of this test's own."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    async with MosquittoBroker(tmp_path / "mosquitto", None, tuple(USERS.values())) as broker:
        yield broker


@pytest.fixture(params=["nats", "mosquitto"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ChildBroker]:
    """Each broker in turn."""
    if request.param == "mosquitto" and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    kind = EmbeddedBroker if request.param == "nats" else MosquittoBroker
    async with kind(tmp_path / request.param, None, tuple(USERS.values())) as running:
        yield running
