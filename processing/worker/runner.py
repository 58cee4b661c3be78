"""One gateway at work: takes its messages in order, feeds the analyzer, stores, checkpoints, acknowledges."""

from __future__ import annotations

import asyncio

import structlog

from processing.domain.errors import DecodeError
from processing.domain.ids import GatewayId, SessionId
from processing.wire.log import LogBatch
from processing.wire.messages import Ack, GatewayState, LiveFinding, encode_message
from processing.wire.topics import GatewayTopic, gateway_topic, live_topic
from processing.worker.intake import DropReason, Verdict, judge
from processing.worker.ledger import SessionLedger
from processing.worker.mailbox import Mailbox
from processing.worker.partition import Partition, increase
from processing.worker.ports import Checkpoint, CommitOutcome, LogName, OwnedFinding, StoreUnavailableError
from processing.worker.recovery import Stumbles, load_partition
from processing.worker.tools import BrokerUnavailableError, ClaimLostError, Tools

_log = structlog.get_logger("worker")

_ENTRIES_PER_TURN = 16
"""Entries fed before other gateways get their turn."""
_LAST_CHECKPOINT_S = 2.0
_LONGEST_REPEAT_S = 30.0
_FIRST_PAUSE_S = 0.1
_COMPLAIN_S = 30.0
"""Shortest time between two log lines about the same steady trouble of a gateway."""


class GatewayRunner:
    """Everything about one gateway, in one task (``run``); messages come in through ``mailbox``.

    Cancelled, it makes one last checkpoint, if the store answers in time.
    """

    def __init__(self, gateway_id: GatewayId, epoch: int, tools: Tools) -> None:
        self.gateway_id = gateway_id
        self.mailbox = Mailbox(tools.settings.max_waiting_batches)
        self._epoch = epoch
        self._tools = tools
        self._settings = tools.settings
        self._metrics = tools.metrics
        self._ledger = SessionLedger(gateway_id, tools.store, tools.metrics)
        self._log = _log.bind(gateway=gateway_id)
        self._stumbles = Stumbles()
        self._stopping = False
        self._state: GatewayState | None = None
        self._partition: Partition | None = None
        self._dirty_since_s: float | None = None
        self._acked_s = 0.0
        self._repeat_s = tools.settings.repeat_ack_s
        self._live_s = 0.0
        self._complained_s: dict[str, float] = {}
        self._seen: dict[str, dict[str, int]] = {}

    def stop(self) -> None:
        """Say that the next cancellation is meant, even if it gets lost.

        Before Python 3.12 ``asyncio.wait_for``, which aiomqtt uses, drops a cancellation that comes together with the
        answer it waits for.
        """
        self._stopping = True
        self.mailbox.wake()

    async def run(self) -> None:
        """Work until cancelled or stopped.

        Raises:
            BrokerUnavailableError: acknowledgements cannot be sent.
            ClaimLostError: the shard belongs to somebody else by now.
        """
        pause_s = _FIRST_PAUSE_S
        while not self._stopping:
            try:
                await self._turn()
                pause_s = _FIRST_PAUSE_S
            except (asyncio.CancelledError, BrokerUnavailableError):
                await self._last_checkpoint()
                raise
            except ClaimLostError:
                raise
            except Exception:  # noqa: BLE001 - whatever one gateway's data does, the others go on
                # the analyzer may be half through an entry: only the last checkpoint can be trusted
                self._metrics.partition_failures.inc()
                self._log.exception(
                    "partition_failed", expect=None if self._partition is None else self._partition.expect
                )
                self._partition = None
                if self._state is not None:
                    # a gateway says only once where its log is, and then waits to be told what to send
                    self.mailbox.put_back(self._state)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_REPEAT_S)
        await self._last_checkpoint()

    async def _turn(self) -> None:
        """Wait for a message or for something that is due, and deal with it."""
        message = await self.mailbox.get(self._patience_s())
        if isinstance(message, GatewayState):
            await self._take_state(message)
        elif isinstance(message, LogBatch):
            await self._take_batch(message)
        now_s = _now_s()
        if self._checkpoint_due_s() <= now_s:
            await self._checkpoint()
        if self._repeat_due_s() <= now_s:
            self._repeat_s = min(2 * self._repeat_s, _LONGEST_REPEAT_S)
            await self._acknowledge()

    def _patience_s(self) -> float | None:
        due_s = min(self._checkpoint_due_s(), self._repeat_due_s())
        return None if due_s == float("inf") else max(0.0, due_s - _now_s())

    def _checkpoint_due_s(self) -> float:
        partition = self._partition
        if partition is None or self._dirty_since_s is None:
            return float("inf")
        if partition.uncommitted_bytes >= self._settings.checkpoint_bytes:
            return self._dirty_since_s
        settings = self._settings
        return self._dirty_since_s + (
            min(settings.command_checkpoint_s, settings.checkpoint_interval_s)
            if partition.holds_control
            else settings.checkpoint_interval_s
        )

    def _repeat_due_s(self) -> float:
        online = self._state is not None and self._state.online
        return self._acked_s + self._repeat_s if online and self._partition is not None else float("inf")

    async def _take_state(self, state: GatewayState) -> None:
        """A birth says where the log begins and ends, and is answered; a last will closes the books."""
        self._state = state
        if not state.online:
            await self._checkpoint()
            self._partition = None
            return
        partition = await self._partition_of(state.log_id)
        lost = partition.jump(state.first_offset)
        if lost:
            self._metrics.entries_lost.inc(lost)
            self._log.error("entries_lost", lost=lost, first_offset=state.first_offset)
            self._touch()
        if state.next_offset < partition.expect:
            self._log.warning("log_behind", next_offset=state.next_offset, expect=partition.expect)
        await self._acknowledge()

    async def _take_batch(self, batch: LogBatch) -> None:
        if self._state is not None and self._state.online and self._state.log_id != batch.log_id:
            self._metrics.batches.labels(Verdict.OTHER_LOG).inc()
            return
        partition = await self._partition_of(batch.log_id)
        verdict, skip = judge(partition.log.log_id, partition.expect, batch)
        self._metrics.batches.labels(verdict).inc()
        if verdict is Verdict.TAKE:
            self._repeat_s = self._settings.repeat_ack_s
            await self._feed(partition, batch.entries[skip:])
        elif _now_s() - self._acked_s >= self._settings.hole_ack_s:
            await self._acknowledge()

    async def _partition_of(self, log_id: int) -> Partition:
        """Partition of a log, loaded if it is not the one in memory; loading is announced with an acknowledgement."""
        if self._partition is not None and self._partition.log.log_id == log_id:
            return self._partition
        await self._checkpoint()
        self._partition = partition = await load_partition(LogName(self.gateway_id, log_id), self._tools)
        self._dirty_since_s = None
        self._seen = {"unrouted": dict(partition.analyzer.unrouted()), "refused": dict(partition.analyzer.refused())}
        self._log.info("partition_loaded", log_id=log_id, committed=partition.committed, epoch=self._epoch)
        await self._acknowledge()
        return partition

    async def _feed(self, partition: Partition, entries: tuple[bytes, ...]) -> None:
        self._touch()
        for index, data in enumerate(entries, start=1):
            self._feed_entry(partition, data)
            if index % _ENTRIES_PER_TURN == 0:
                await asyncio.sleep(0)
        self._metrics.entries.inc(len(entries))
        await self._store_findings(partition)
        await self._show(partition)

    def _feed_entry(self, partition: Partition, data: bytes) -> None:
        offset = partition.expect
        if self._stumbles.is_hopeless(partition.log, offset):
            partition.pass_over(data)
            self._metrics.entries_refused.labels("analyzer_failed").inc()
            self._log.error("entry_passed_over", offset=offset)
            return
        try:
            partition.feed(data)
        except DecodeError as error:
            self._metrics.entries_refused.labels(error.reason).inc()
            self._log.warning("entry_refused", offset=offset, reason=error.reason, detail=error.detail)
        except Exception:
            self._stumbles.note(partition.log, offset)
            raise

    async def _store_findings(self, partition: Partition) -> None:
        """Provisional copies for the screens first, then the store; both carry the same ids."""
        if not partition.findings:
            return
        owned = await self._tools.persist(lambda: self._owned(partition))
        for each in owned:
            await self._tools.publish(live_topic(each.subject_id), encode_message(LiveFinding(finding=each.finding)))
        await self._tools.persist(lambda: self._tools.store.add_findings(owned))
        self._metrics.findings.inc(len(owned))
        partition.stored += owned
        partition.findings.clear()

    async def _owned(self, partition: Partition) -> tuple[OwnedFinding, ...]:
        return await self._ledger.owned(partition.findings, partition.opened, partition.analyzer.sessions().keys())

    async def _show(self, partition: Partition) -> None:
        """Live frames, as often as a screen needs them."""
        now_s = _now_s()
        if now_s - self._live_s < self._settings.live_interval_s or not partition.opened:
            return
        self._live_s = now_s
        frames = partition.analyzer.live()
        session_ids = tuple(SessionId(frame.session_id) for frame in frames)
        owners = await self._tools.persist(lambda: self._ledger.owners(session_ids, partition.opened))
        for session_id, frame in zip(session_ids, frames, strict=True):
            owner = owners[session_id]
            if not isinstance(owner, DropReason):
                await self._tools.publish(live_topic(owner), encode_message(frame))

    async def _checkpoint(self) -> None:
        partition = self._partition
        if partition is None or not partition.dirty:
            return
        await self._store_findings(partition)
        checkpoint = partition.checkpoint(self._epoch, ())
        with self._metrics.checkpoint_s.time():
            outcome = await self._tools.persist(lambda: self._tools.store.commit(checkpoint))
        await self._conclude(partition, checkpoint, outcome)

    async def _conclude(self, partition: Partition, checkpoint: Checkpoint, outcome: CommitOutcome) -> None:
        self._metrics.checkpoints.labels(outcome).inc()
        self._dirty_since_s = None
        if outcome is CommitOutcome.DONE:
            partition.advance(checkpoint)
            self._tell_troubles(partition)
            await self._acknowledge()
            return
        self._log.warning("checkpoint_refused", outcome=outcome, start=checkpoint.start, committed=checkpoint.committed)
        self._partition = None
        if outcome is CommitOutcome.FENCED:
            raise ClaimLostError(f"gateway {self.gateway_id}: epoch {self._epoch} is over")
        await self._partition_of(partition.log.log_id)

    async def _last_checkpoint(self) -> None:
        """On the way out: what is done need not be done again by the next worker. No acknowledgement, no retry."""
        partition, self._partition = self._partition, None
        if partition is None or not partition.dirty:
            return
        try:
            async with asyncio.timeout(_LAST_CHECKPOINT_S):
                owned = await self._owned(partition)
                outcome = await self._tools.store.commit(partition.checkpoint(self._epoch, owned))
            self._metrics.checkpoints.labels(outcome).inc()
        except (StoreUnavailableError, TimeoutError) as error:
            self._log.warning("last_checkpoint_failed", error=repr(error))

    async def _acknowledge(self) -> None:
        partition = self._partition
        if partition is None:
            return
        self._acked_s = _now_s()
        ack = Ack(
            log_id=partition.log.log_id, committed=partition.committed, expect=partition.expect, epoch=self._epoch
        )
        await self._tools.publish(gateway_topic(self.gateway_id, GatewayTopic.ACK), encode_message(ack))

    def _tell_troubles(self, partition: Partition) -> None:
        """Count what the analyzer had to leave aside, and log it now and then."""
        analyzer, metrics = partition.analyzer, self._metrics
        for name, counts, counter in (
            ("unrouted", analyzer.unrouted(), metrics.samples_unrouted),
            ("refused", analyzer.refused(), metrics.commands_refused),
        ):
            grown = increase(self._seen.get(name, {}), counts)
            self._seen[name] = dict(counts)
            counter.inc(sum(grown.values()))
            if grown and _now_s() - self._complained_s.get(name, -_COMPLAIN_S) >= _COMPLAIN_S:
                self._complained_s[name] = _now_s()
                self._log.warning(f"analyzer_{name}", counts=grown)

    def _touch(self) -> None:
        if self._dirty_since_s is None:
            self._dirty_since_s = _now_s()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
