"""Connections of the service to the MQTT broker that come back by themselves."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiomqtt
import structlog

from processing.wire.broker_address import BrokerAddress
from service.api import metrics

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def mqtt_client(address: BrokerAddress, purpose: str, queue: int) -> AsyncIterator[aiomqtt.Client]:
    """Connected client; ``queue`` bounds the messages waiting to be read (aiomqtt drops and logs what is more)."""
    async with aiomqtt.Client(
        address.host,
        port=address.port,
        username=address.username,
        password=address.password,
        identifier=f"lumbar-service-{purpose}-{random.getrandbits(48):012x}",
        clean_session=True,
        timeout=10,
        keepalive=15,
        max_queued_incoming_messages=queue,
        tls_context=ssl.create_default_context() if address.tls else None,
    ) as client:
        metrics.BROKER_CONNECTED.labels(purpose).set(1)
        try:
            yield client
        finally:
            metrics.BROKER_CONNECTED.labels(purpose).set(0)


async def stay_connected(purpose: str, work: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
    """Run ``work`` for ever; whenever the broker goes away, again after a growing pause with jitter.

    ``work`` gets a function that it calls once it is connected; that makes the next pause short again.
    """
    pause_s = FIRST_PAUSE_S

    def connected() -> None:
        nonlocal pause_s
        pause_s = FIRST_PAUSE_S
        _log.info("broker connected", client=purpose)

    while True:
        try:
            await work(connected)
        except* (aiomqtt.MqttError, OSError) as errors:
            metrics.BROKER_RECONNECTS.labels(purpose).inc()
            _log.warning("broker connection lost", client=purpose, error=_first(errors), retry_in_s=round(pause_s, 1))
        await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311 - jitter needs no secrecy
        pause_s = min(LONGEST_PAUSE_S, pause_s * 2)


def _first(errors: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
