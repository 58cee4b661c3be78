"""Starts every part of lumbar on this machine, as processes, and keeps them alive."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from processing.domain.ids import GatewayId
from service.cli.demo.children import Child, children
from service.embedded.access import BrokerUser, gateway_user, service_user, worker_user
from service.embedded.broker import ChildBroker, EmbeddedBroker, MosquittoBroker
from service.embedded.postgres import EmbeddedPostgres
from service.embedded.process import free_port, require_free
from service.store.migrate import migrate

LOG = structlog.get_logger(__name__)
GATEWAY_ID = GatewayId("demo-gateway")
WATCH_INTERVAL_S = 0.2
BROKERS: Mapping[str, type[ChildBroker]] = {"nats": EmbeddedBroker, "mosquitto": MosquittoBroker}


@dataclass(frozen=True, slots=True)
class DemoSystem:
    """The running parts."""

    directory: Path
    postgres: EmbeddedPostgres
    broker: ChildBroker
    sim: Child
    gateway: Child
    worker: Child
    service: Child
    http_port: int

    def pids(self) -> dict[str, int | None]:
        """Process ids by part, None for one that is just being restarted."""
        found = {child.name: child.pid for child in (self.sim, self.gateway, self.worker, self.service)}
        return {**found, "postgres": self.postgres.pid, "broker": self.broker.pid}

    @property
    def gateway_log(self) -> Path:
        """Durable log of the gateway."""
        return self.directory / "gateway.sqlite"


@contextlib.asynccontextmanager
async def demo_system(
    directory: Path, sim_arguments: tuple[str, ...], http_port: int, broker: str
) -> AsyncIterator[DemoSystem]:
    """Everything but people: database, broker, simulator, gateway, worker, service. Each is restarted when it dies.

    ``directory`` exists; data and logs of all parts go there.

    Raises:
        EmbeddedServerError: database or broker cannot be started.
        ChildError: a process does not stay alive.
    """
    users = {
        "gateway": gateway_user(GATEWAY_ID, secrets.token_urlsafe(18)),
        "worker": worker_user(secrets.token_urlsafe(18)),
        "service": service_user(secrets.token_urlsafe(18)),
    }
    port = http_port or free_port()
    require_free("page (--port)", port)
    async with (
        EmbeddedPostgres(directory / "postgres") as postgres,
        BROKERS[broker](directory / "broker", None, tuple(users.values())) as running_broker,
    ):
        await migrate(postgres.dsn)
        system = _system(directory, postgres, running_broker, users, sim_arguments, port)
        async with asyncio.TaskGroup() as tasks:
            watchers = [
                tasks.create_task(_keep_alive("postgres", postgres), name="demo.watch[postgres]"),
                tasks.create_task(_keep_alive("broker", running_broker), name="demo.watch[broker]"),
            ]
            async with children(system.sim, system.gateway, system.worker, system.service):
                yield system
            for watcher in watchers:
                watcher.cancel()


def _system(
    directory: Path,
    postgres: EmbeddedPostgres,
    broker: ChildBroker,
    users: Mapping[str, BrokerUser],
    sim_arguments: tuple[str, ...],
    http_port: int,
) -> DemoSystem:
    transport = f"127.0.0.1:{free_port()}"

    def child(name: str, *arguments: str, **settings: str) -> Child:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LUMBAR_")}
        return Child(name, arguments, {**environment, **settings}, directory / f"{name}.log")

    return DemoSystem(
        directory=directory,
        postgres=postgres,
        broker=broker,
        sim=child("sim", "sim", "--transport", f"tcp-server:{transport}", *sim_arguments),
        gateway=child(
            "gateway",
            "gateway",
            LUMBAR_GATEWAY_ID=GATEWAY_ID,
            LUMBAR_MQTT_URL=broker.url(users["gateway"]),
            LUMBAR_GATEWAY_LOG=str(directory / "gateway.sqlite"),
            LUMBAR_BLE=f"tcp-client:{transport}",
        ),
        worker=child("worker", "worker", LUMBAR_MQTT_URL=broker.url(users["worker"]), LUMBAR_DATABASE_URL=postgres.dsn),
        service=child(
            "service",
            "serve",
            LUMBAR_MQTT_URL=broker.url(users["service"]),
            LUMBAR_DATABASE_URL=postgres.dsn,
            LUMBAR_HTTP_PORT=str(http_port),
        ),
        http_port=http_port,
    )


async def _keep_alive(name: str, server: EmbeddedPostgres | ChildBroker) -> None:
    """Start a server again whenever its process is gone."""
    while True:
        await asyncio.sleep(WATCH_INTERVAL_S)
        if server.pid is None:
            LOG.warning("server_died", server=name)
            await server.start()
