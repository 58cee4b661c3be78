"""What every runner of a worker shares."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from processing.domain.errors import LumbarError
from processing.worker.metrics import WorkerMetrics
from processing.worker.ports import AnalyzerFactory, StoreUnavailableError, WorkerStore
from processing.worker.settings import WorkerSettings

_log = structlog.get_logger("worker")
_T = TypeVar("_T")

_RETRY_S = (0.1, 5.0)


class BrokerUnavailableError(LumbarError):
    """The broker cannot be reached now."""


class ClaimLostError(LumbarError):
    """Another worker has claimed a shard that this one believed to hold."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Store, analyzers, broker, counters and settings. ``publish`` raises ``BrokerUnavailableError``."""

    store: WorkerStore
    analyzers: AnalyzerFactory
    publish: Callable[[str, bytes], Awaitable[None]]
    metrics: WorkerMetrics
    settings: WorkerSettings

    async def persist(self, operation: Callable[[], Awaitable[_T]]) -> _T:
        """Repeat a store operation through an outage. Meanwhile mailboxes fill, and what they refuse comes again."""
        pause_s, longest_s = _RETRY_S
        while True:
            try:
                return await operation()
            except StoreUnavailableError as error:
                self.metrics.store_retries.inc()
                _log.warning("store_unavailable", error=str(error), retry_s=pause_s)
            # S311: jitter needs no cryptography
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311
            pause_s = min(2 * pause_s, longest_s)
