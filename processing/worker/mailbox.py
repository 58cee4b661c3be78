"""What has come for one gateway and was not yet looked at."""

from __future__ import annotations

import asyncio
from collections import deque

from processing.wire.log import LogBatch
from processing.wire.messages import GatewayState


class Mailbox:
    """The latest state, and batches in order up to a bound.

    A full mailbox refuses the newest batch, so that what is inside stays contiguous; the refused ones become a hole
    and the gateway sends them again.
    """

    def __init__(self, max_batches: int) -> None:
        self._max_batches = max_batches
        self._batches: deque[LogBatch] = deque()
        self._state: GatewayState | None = None
        self._something = asyncio.Event()

    def put_state(self, state: GatewayState) -> None:
        """Leave a state; an older one that nobody looked at is obsolete."""
        self._state = state
        self._something.set()

    def put_back(self, state: GatewayState) -> None:
        """Leave a state once more that could not be dealt with; a newer one goes before it."""
        if self._state is None:
            self.put_state(state)

    def put_batch(self, batch: LogBatch) -> bool:
        """Leave a batch; False if there is no room."""
        if len(self._batches) >= self._max_batches:
            return False
        self._batches.append(batch)
        self._something.set()
        return True

    def wake(self) -> None:
        """Let whoever waits look up."""
        self._something.set()

    async def get(self, timeout_s: float | None) -> GatewayState | LogBatch | None:
        """Next message, states first; None when nothing came in time or after ``wake``."""
        if not self._something.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._something.wait()
            except TimeoutError:
                return None
        message: GatewayState | LogBatch | None = None
        if self._state is not None:
            message, self._state = self._state, None
        elif self._batches:
            message = self._batches.popleft()
        if self._state is None and not self._batches:
            self._something.clear()
        return message
