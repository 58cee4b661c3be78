"""Connections of the service to the MQTT broker that come back by themselves."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import aiomqtt
import structlog

from processing.incoming import counting_queue
from processing.wire.broker_address import BrokerAddress
from service.api import metrics

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
_STOP_S = 1.0

_Incoming = counting_queue(metrics.LIVE_REFUSED.labels("queue_full"))

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def mqtt_client(address: BrokerAddress, purpose: str, queue: int) -> AsyncIterator[aiomqtt.Client]:
    """Connected client; ``queue`` bounds the messages waiting to be read. What does not fit is dropped and counted."""
    async with aiomqtt.Client(
        address.host,
        port=address.port,
        username=address.username,
        password=address.password,
        identifier=f"lumbar-service-{purpose}-{random.getrandbits(48):012x}",
        clean_session=True,
        timeout=10,
        keepalive=15,
        queue_type=_Incoming,
        max_queued_incoming_messages=queue,
        tls_context=ssl.create_default_context() if address.tls else None,
    ) as client:
        metrics.BROKER_CONNECTED.labels(purpose).set(1)
        try:
            yield client
        finally:
            metrics.BROKER_CONNECTED.labels(purpose).set(0)


async def stay_connected(purpose: str, work: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
    """Run ``work`` until cancelled; whenever the broker goes away, again after a growing pause with jitter.

    ``work`` gets a function that it calls once it is connected; that makes the next pause short again.

    Raises:
        Exception: what ``work`` raised, unless it means that the broker is away.
    """
    pause_s = FIRST_PAUSE_S

    def connected() -> None:
        nonlocal pause_s
        pause_s = FIRST_PAUSE_S
        _log.info("broker connected", client=purpose)

    while True:
        error = await _outcome(work(connected), purpose)
        if error is not None:
            leaves = tuple(_leaves(error))
            if not all(isinstance(leaf, (aiomqtt.MqttError, OSError)) for leaf in leaves):
                raise error
            metrics.BROKER_RECONNECTS.labels(purpose).inc()
            _log.warning("broker connection lost", client=purpose, error=repr(leaves[0]), retry_in_s=round(pause_s, 1))
        await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311 - jitter needs no secrecy
        pause_s = min(LONGEST_PAUSE_S, pause_s * 2)


async def _outcome(work: Awaitable[None], purpose: str) -> BaseException | None:
    """Do the work to its end; the error that ended it.

    In a task of its own: a task group that fails swallows a cancellation that comes at the same moment, and the service
    would connect anew instead of stopping.
    """

    async def run() -> None:
        await work

    task = asyncio.get_running_loop().create_task(run(), name=f"service.{purpose}.conversation")
    try:
        await asyncio.wait([task])
    finally:
        while not task.done():
            # again and again: before Python 3.12 asyncio.wait_for, which aiomqtt uses, may lose a cancellation
            task.cancel()
            await asyncio.wait([task], timeout=_STOP_S)
        error = None if task.cancelled() else task.exception()
    return error


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
