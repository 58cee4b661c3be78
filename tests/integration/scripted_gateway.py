"""A gateway for tests of the worker: sends a given log and loses or repeats messages as the script says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiomqtt

from processing.domain.ids import GatewayId
from processing.wire.log import encode_batch
from processing.wire.messages import Ack, GatewayState, decode_message, encode_message
from processing.wire.topics import GatewayTopic, gateway_topic
from service.embedded.access import BrokerUser
from service.embedded.broker import ChildBroker

_WINDOW = 100
"""Entries that a gateway sends beyond the committed one."""


class ScriptedGateway:
    """Go-back-N sender over MQTT whose faults are scripted.

    ``lose``: numbers of the messages (counted over its life) that never leave; ``repeat``: those that leave twice.
    """

    def __init__(
        self,
        broker: ChildBroker,
        user: BrokerUser,
        entries: Sequence[bytes],
        *,
        log_id: int = 7,
        batch: int = 5,
        lose: frozenset[int] = frozenset(),
        repeat: frozenset[int] = frozenset(),
        first_offset: int = 1,
    ) -> None:
        self.gateway_id = GatewayId(user.name)
        self.acks: list[Ack] = []
        self.committed = 0
        self.progress = asyncio.Event()
        self._broker = broker
        self._user = user
        self._entries = entries
        self._log_id = log_id
        self._batch = batch
        self._lose = lose
        self._repeat = repeat
        self._first_offset = first_offset
        self._sent = 0

    async def run(self) -> None:
        """Send until everything is committed; reconnects when the broker goes away."""
        while self.committed < len(self._entries):
            try:
                async with aiomqtt.Client(
                    "127.0.0.1",
                    self._broker.port,
                    username=self._user.name,
                    password=self._user.password,
                    will=aiomqtt.Will(self._topic(GatewayTopic.STATE), self._state(online=False), 1, retain=True),
                    timeout=3,
                ) as client:
                    await self._converse(client)
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    async def _converse(self, client: aiomqtt.Client) -> None:
        await client.subscribe(self._topic(GatewayTopic.ACK), qos=1)
        await client.publish(self._topic(GatewayTopic.STATE), self._state(online=True), qos=1, retain=True)
        cursor: int | None = None
        expect = 0
        while self.committed < len(self._entries):
            try:
                async with asyncio.timeout(0.3 if cursor is not None else None):
                    message = await anext(client.messages)
            except TimeoutError:
                cursor = self.committed + 1
            else:
                assert isinstance(message.payload, bytes)
                ack = decode_message(message.payload, Ack)
                if ack.log_id != self._log_id:
                    continue
                self.acks.append(ack)
                self.committed = max(self.committed, ack.committed)
                self.progress.set()
                again = ack.expect <= expect
                expect = ack.expect
                if len(client.messages):
                    # what is asked for by now stands in the last one
                    continue
                if cursor is None or again:
                    cursor = ack.expect
            if cursor is not None:
                cursor = await self._send_from(client, cursor)

    async def _send_from(self, client: aiomqtt.Client, cursor: int) -> int:
        while cursor <= min(len(self._entries), self.committed + _WINDOW):
            entries = self._entries[cursor - 1 : cursor - 1 + self._batch]
            payload = encode_batch(self._log_id, cursor, entries)
            for _ in range(0 if self._sent in self._lose else 2 if self._sent in self._repeat else 1):
                await client.publish(self._topic(GatewayTopic.LOG), payload)
            self._sent += 1
            cursor += len(entries)
            await asyncio.sleep(0.002)
        return cursor

    def _topic(self, topic: GatewayTopic) -> str:
        return gateway_topic(self.gateway_id, topic)

    def _state(self, *, online: bool) -> bytes:
        return encode_message(
            GatewayState(
                online=online,
                boot_id=1,
                log_id=self._log_id,
                first_offset=self._first_offset,
                next_offset=len(self._entries) + 1,
            )
        )


async def finish(*gateways: ScriptedGateway) -> None:
    """Let gateways send until everything they hold is committed."""
    async with asyncio.timeout(40), asyncio.TaskGroup() as tasks:
        for gateway in gateways:
            tasks.create_task(gateway.run())
