"""One shift: from being connected to broker and store until either is lost.

Claims follow the number of living workers; the log and state of every claimed shard are read from the broker and
handed to one runner per gateway. Losing broker or store ends the shift as a whole: every runner makes its last
checkpoint, and the next shift loads what is committed. There is no half-connected state to get wrong.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import aiomqtt
import structlog

from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.ids import SHARDS, GatewayId, shard_of
from processing.incoming import counting_queue
from processing.wire.log import MAX_BATCH_BYTES, decode_batch
from processing.wire.messages import GatewayState, decode_message
from processing.wire.topics import GatewayAddress, GatewayTopic, parse_gateway_topic, shard_filter
from processing.worker.metrics import WorkerMetrics
from processing.worker.ports import AnalyzerFactory, ClaimBoard, WorkerStore
from processing.worker.runner import GatewayRunner
from processing.worker.settings import WorkerSettings
from processing.worker.tools import BrokerUnavailableError, Tools

_log = structlog.get_logger("worker")

_KEEPALIVE_S = 5
_TIMEOUT_S = 3.0
_INCOMING_MESSAGES = 2_000
_READ_TOPICS = (GatewayTopic.LOG, GatewayTopic.STATE)


@asynccontextmanager
async def open_shift(
    settings: WorkerSettings, store: WorkerStore, analyzers: AnalyzerFactory, metrics: WorkerMetrics
) -> AsyncIterator[Shift]:
    """Connect to store and broker for the length of the block.

    Raises:
        StoreUnavailableError: no connection for the claims.
        BrokerUnavailableError: no connection to the broker.
    """
    async with store.claims(settings.worker_id) as board:
        try:
            async with _client(settings, metrics) as client:
                tools = Tools(store, analyzers, _publisher(client), metrics, settings)
                yield Shift(tools, board, client)
        except aiomqtt.MqttError as error:
            raise BrokerUnavailableError(str(error)) from error


class Shift:
    """Claims, intake and runners while broker and store are connected."""

    def __init__(self, tools: Tools, board: ClaimBoard, client: aiomqtt.Client) -> None:
        self._tools = tools
        self._settings = tools.settings
        self._metrics = tools.metrics
        self._board = board
        self._client = client
        self._over = False
        self._epochs: dict[int, int] = {}
        self._runners: dict[GatewayId, tuple[GatewayRunner, asyncio.Task[None]]] = {}
        # each worker looks for free shards from another place, so that they seldom reach for the same one
        self._first_shard = zlib.crc32(tools.settings.worker_id.encode()) % SHARDS

    async def run(self) -> None:
        """Work until cancelled or until something is lost.

        Raises:
            BaseExceptionGroup: of ``BrokerUnavailableError``, ``StoreUnavailableError`` or ``ClaimLostError``.
        """
        self._metrics.shifts.inc()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_claims(), name="worker.claims")
                # in the block, not as a task: Python 3.11 leaves this task marked as being cancelled when a child
                # fails after the block has ended, and nobody could tell that from SIGTERM
                try:
                    await self._read(tasks)
                finally:
                    self._over = True
                    for runner, _ in self._runners.values():
                        runner.stop()
        finally:
            self._metrics.shards.set(0)
            self._metrics.gateways.set(0)

    async def _keep_claims(self) -> None:
        while not self._over:
            share = -(-SHARDS // await self._board.workers())
            if len(self._epochs) > share:
                await self._release(list(self._epochs)[share:])
            elif len(self._epochs) < share:
                await self._claim(share - len(self._epochs))
            self._metrics.shards.set(len(self._epochs))
            await asyncio.sleep(self._settings.claim_interval_s)

    async def _claim(self, wanted: int) -> None:
        claimed: list[int] = []
        for step in range(SHARDS):
            shard = (self._first_shard + step) % SHARDS
            if len(claimed) == wanted:
                break
            if shard in self._epochs:
                continue
            epoch = await self._board.claim(shard)
            if epoch is not None:
                self._epochs[shard] = epoch
                claimed.append(shard)
        if claimed:
            _log.info("shards_claimed", worker=self._settings.worker_id, shards=len(claimed))
            filters = [(shard_filter(shard, topic), 0) for shard in claimed for topic in _READ_TOPICS]
            await self._subscribe(filters)

    async def _subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        """QoS 0: what is lost is only a hole, and nats-server allows few QoS 1 subscriptions of one client."""
        try:
            granted = await self._client.subscribe(list(filters))
        except aiomqtt.MqttError as error:
            raise BrokerUnavailableError(str(error)) from error
        refused = [name for (name, _), code in zip(filters, granted, strict=True) if _is_failure(code)]
        if refused:
            raise BrokerUnavailableError(f"the broker does not let this user read {refused[0]}; see its permissions")

    async def _release(self, shards: Sequence[int]) -> None:
        """Finish the work on these shards before another worker may have them."""
        try:
            await self._client.unsubscribe([shard_filter(shard, topic) for shard in shards for topic in _READ_TOPICS])
        except aiomqtt.MqttError as error:
            raise BrokerUnavailableError(str(error)) from error
        for shard in shards:
            del self._epochs[shard]
        leaving = [gateway_id for gateway_id in self._runners if shard_of(gateway_id) in shards]
        stopped = [self._runners.pop(gateway_id) for gateway_id in leaving]
        for runner, task in stopped:
            runner.stop()
            task.cancel()
        if stopped:
            await asyncio.wait([task for _, task in stopped])
        for shard in shards:
            await self._board.release(shard)
        self._metrics.gateways.set(len(self._runners))
        _log.info("shards_released", worker=self._settings.worker_id, shards=len(shards))

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        try:
            async for message in self._client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                self._take(str(message.topic), payload, tasks)
        except aiomqtt.MqttError as error:
            raise BrokerUnavailableError(str(error)) from error

    def _take(self, topic: str, payload: bytes, tasks: asyncio.TaskGroup) -> None:
        """Hand a message to its gateway's runner; what cannot be read is counted, logged and forgotten."""
        try:
            address = parse_gateway_topic(topic)
            if address.topic is GatewayTopic.LOG:
                batch = decode_batch(payload)
                runner = self._runner(address, tasks)
                if runner is not None and not runner.mailbox.put_batch(batch):
                    self._metrics.messages_dropped.labels("gateway").inc()
            elif address.topic is GatewayTopic.STATE and payload:
                state = decode_message(payload, GatewayState)
                runner = self._runner(address, tasks)
                if runner is not None:
                    runner.mailbox.put_state(state)
        except DecodeError as error:
            self._metrics.messages_refused.labels(error.reason).inc()
            _log.warning(
                "message_refused",
                topic=topic[:120],
                reason=error.reason,
                detail=error.detail[:200],
                size_bytes=len(payload),
                limit_bytes=MAX_BATCH_BYTES if error.reason is DecodeReason.TOO_LARGE else None,
            )

    def _runner(self, address: GatewayAddress, tasks: asyncio.TaskGroup) -> GatewayRunner | None:
        """Runner of a gateway, started at its first message; None for a shard that was just given back."""
        gateway_id = address.gateway_id
        known = self._runners.get(gateway_id)
        if known is not None:
            return known[0]
        epoch = self._epochs.get(shard_of(gateway_id))
        if epoch is None:
            return None
        runner = GatewayRunner(gateway_id, epoch, self._tools)
        task = tasks.create_task(runner.run(), name=f"worker.gateway[{gateway_id}]")
        self._runners[gateway_id] = (runner, task)
        self._metrics.gateways.set(len(self._runners))
        return runner


def _publisher(client: aiomqtt.Client) -> Callable[[str, bytes], Awaitable[None]]:
    async def publish(topic: str, payload: bytes) -> None:
        try:
            await client.publish(topic, payload, qos=0)
        except aiomqtt.MqttError as error:
            raise BrokerUnavailableError(str(error)) from error

    return publish


def _client(settings: WorkerSettings, metrics: WorkerMetrics) -> aiomqtt.Client:
    broker = settings.broker
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        # a new name each time: the broker may still be busy forgetting the session before
        identifier=f"worker-{settings.worker_id}-{secrets.token_hex(3)}",
        clean_session=True,
        timeout=_TIMEOUT_S,
        keepalive=_KEEPALIVE_S,
        max_queued_incoming_messages=_INCOMING_MESSAGES,
        queue_type=counting_queue(metrics.messages_dropped.labels("incoming")),
        tls_context=ssl.create_default_context() if broker.tls else None,
    )


def _is_failure(code: object) -> bool:
    """Whether a SUBACK code refuses the subscription (MQTT 3.1.1: 0x80)."""
    value = getattr(code, "value", code)
    return isinstance(value, int) and value >= 0x80
