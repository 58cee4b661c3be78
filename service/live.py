"""The follower: takes what workers and gateways say on MQTT and keeps the board up to date."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import aiomqtt
import structlog

from processing.domain.errors import DecodeError, DecodeReason
from processing.wire.broker_address import BrokerAddress
from processing.wire.messages import GatewayState, SensorsReport, decode_live, decode_message
from processing.wire.topics import (
    GatewayTopic,
    every_gateway_filter,
    live_filter,
    parse_gateway_topic,
    parse_live_topic,
)
from service.api import metrics
from service.api.board import Ignored, LiveBoard
from service.broker import mqtt_client, stay_connected

QUEUE_MESSAGES = 2_000
REFRESH_S = 1.0
"""How often the rows of the list are looked at again, because silence is news too."""

_log = structlog.get_logger(__name__)


def take_message(board: LiveBoard, topic: str, payload: bytes, now_ns: int) -> Ignored | None:
    """Put one MQTT message on the board.

    Raises:
        DecodeError: the topic or the payload is not what it should be; the board is unchanged.
    """
    if topic.startswith(live_filter().removesuffix("+")):
        return board.live(parse_live_topic(topic), decode_live(payload), now_ns)
    address = parse_gateway_topic(topic)
    match address.topic:
        case GatewayTopic.STATE:
            return board.gateway_state(address.gateway_id, decode_message(payload, GatewayState), now_ns)
        case GatewayTopic.SENSORS:
            return board.gateway_sensors(address.gateway_id, decode_message(payload, SensorsReport), now_ns)
        case _:
            raise DecodeError(DecodeReason.UNKNOWN_TOPIC, "topic", f"{topic[:120]!r} is not for the service")


class LiveFollower:
    """Follows the live topics and the state of all gateways."""

    def __init__(self, board: LiveBoard, address: BrokerAddress, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._board = board
        self._address = address
        self._now_ns = now_ns

    async def run(self) -> None:
        """Follow for ever; survives the broker going away."""
        async with asyncio.TaskGroup() as group:
            group.create_task(stay_connected("live", self._connected), name="service.live.follow")
            group.create_task(self._watch_silence(), name="service.live.silence")

    def take(self, topic: str, payload: bytes) -> None:
        """Take one message; what cannot be used is counted and logged."""
        try:
            ignored = take_message(self._board, topic, payload, self._now_ns())
        except DecodeError as error:
            metrics.LIVE_REFUSED.labels(error.reason.value).inc()
            _log.warning("message refused", topic=topic[:120], error=str(error))
            return
        if ignored is not None:
            metrics.LIVE_REFUSED.labels(ignored.reason).inc()
            return
        metrics.LIVE_MESSAGES.labels(topic.split("/")[2] if "/live/" in topic else topic.rpartition("/")[2]).inc()

    async def _connected(self, connected: Callable[[], None]) -> None:
        async with mqtt_client(self._address, "live", QUEUE_MESSAGES) as client:
            connected()
            try:
                await self._follow(client)
            finally:
                self._board.set_following(following=False, now_ns=self._now_ns())

    async def _follow(self, client: aiomqtt.Client) -> None:
        for state in (GatewayTopic.STATE, GatewayTopic.SENSORS):
            await client.subscribe(every_gateway_filter(state), qos=1)
        await client.subscribe(live_filter(), qos=0)
        self._board.set_following(following=True, now_ns=self._now_ns())
        async for message in client.messages:
            payload = message.payload
            self.take(str(message.topic), payload if isinstance(payload, bytes) else b"")

    async def _watch_silence(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            self._board.refresh_overviews(self._now_ns())
