"""The logs of the gateways as they came: what ``lumbar export log`` writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from processing.domain.ids import GatewayId
from processing.wire.log import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, encode_batch
from processing.worker.raw_block import unpack_entries
from service.store.pool import Pool

_LOGS = """
SELECT log_id, min(first_offset) AS first_offset, max(last_offset) AS last_offset FROM lumbar.raw_block
WHERE gateway_id = $1 GROUP BY log_id ORDER BY min(stored_at)
"""
_BLOCKS = """
SELECT first_offset, entries FROM lumbar.raw_block WHERE gateway_id = $1 AND log_id = $2 AND first_offset > $3
ORDER BY first_offset LIMIT 50
"""
_ENTRY_OVERHEAD_BYTES = 5
_ENVELOPE_BYTES = 32


@dataclass(frozen=True, slots=True)
class LogExtent:
    """What the store holds of one log."""

    log_id: int
    first_offset: int
    last_offset: int


async def logs_of(pool: Pool, gateway_id: GatewayId) -> Sequence[LogExtent]:
    """Logs of a gateway, oldest first; more than one if the gateway ever lost its own."""
    rows = await pool.fetch(_LOGS, gateway_id)
    return [LogExtent(row["log_id"], row["first_offset"], row["last_offset"]) for row in rows]


async def log_batches(pool: Pool, gateway_id: GatewayId, log_id: int) -> AsyncIterator[bytes]:
    """Encoded batches of a log in order, a few blocks in memory at a time.

    Raises:
        DecodeError: a stored block is damaged.
    """
    after = 0
    while rows := await pool.fetch(_BLOCKS, gateway_id, log_id, after):
        for row in rows:
            for batch in _batches(log_id, row["first_offset"], unpack_entries(row["entries"])):
                yield batch
            after = row["first_offset"]


def _batches(log_id: int, first_offset: int, entries: Sequence[bytes]) -> list[bytes]:
    """Cut a block into batches that the codec accepts."""
    batches: list[bytes] = []
    start, size_bytes = 0, _ENVELOPE_BYTES
    for index, entry in enumerate(entries):
        entry_bytes = len(entry) + _ENTRY_OVERHEAD_BYTES
        if index > start and (size_bytes + entry_bytes > MAX_BATCH_BYTES or index - start >= MAX_BATCH_ENTRIES):
            batches.append(encode_batch(log_id, first_offset + start, entries[start:index]))
            start, size_bytes = index, _ENVELOPE_BYTES
        size_bytes += entry_bytes
    batches.append(encode_batch(log_id, first_offset + start, entries[start:]))
    return batches
