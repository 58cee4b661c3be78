"""A connection to the MQTT broker: bounds, timeouts, will."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiomqtt

from gateway.metrics import Metrics
from processing.incoming import counting_queue
from processing.wire.broker_address import BrokerAddress

_KEEPALIVE_S = 5
_TIMEOUT_S = 3.0
"""Of every exchange with the broker; also how long a shutdown waits for it."""
_INCOMING_MESSAGES = 1_000


@asynccontextmanager
async def broker_connection(
    address: BrokerAddress, name: str, will: aiomqtt.Will, metrics: Metrics
) -> AsyncIterator[aiomqtt.Client]:
    """Be connected while the block runs, with a clean session.

    Args:
        address: where, and as whom.
        name: client id; a second connection under it takes the place of the first.
        will: what the broker shall say when the connection breaks.
        metrics: counts messages that did not fit the queue.

    Raises:
        MqttError: no connection, or it broke.
    """
    client = aiomqtt.Client(
        address.host,
        address.port,
        username=address.username,
        password=address.password,
        identifier=name,
        will=will,
        clean_session=True,
        timeout=_TIMEOUT_S,
        keepalive=_KEEPALIVE_S,
        queue_type=counting_queue(metrics.refused_messages.labels("queue_full")),
        max_queued_incoming_messages=_INCOMING_MESSAGES,
        tls_context=ssl.create_default_context() if address.tls else None,
    )
    stack = AsyncExitStack()
    await stack.enter_async_context(client)
    try:
        yield client
    finally:
        # A disconnect that fails must not take the place of a cancellation or of the first error.
        with suppress(aiomqtt.MqttError):
            await stack.aclose()


def broker_errors(error: BaseException | None) -> list[str]:
    """What the broker or the way to it did; anything else that ended a connection is raised again."""
    if error is None or isinstance(error, aiomqtt.MqttError):
        return [] if error is None else [str(error)]
    if isinstance(error, BaseExceptionGroup):
        broker, other = error.split(aiomqtt.MqttError)
        if other is None and broker is not None:
            return [str(each) for each in broker.exceptions]
    raise error
