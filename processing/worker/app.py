"""The worker process: shift after shift until it is told to stop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import structlog

from processing.analyzer.log import LogAnalyzer
from processing.metrics_server import served_metrics
from processing.worker.metrics import WorkerMetrics
from processing.worker.ports import AnalyzerFactory, StoreUnavailableError, WorkerStore
from processing.worker.settings import WorkerSettings
from processing.worker.shift import open_shift
from processing.worker.tools import BrokerUnavailableError, ClaimLostError

_log = structlog.get_logger("worker")

_PAUSE_S = (0.1, 5.0)
_LONG_SHIFT_S = 10.0
"""After a shift of this length the next trouble is a new one and the pauses start short again."""

_STOP_S = 3.0
"""Time that a shift needs to end: last checkpoints, then farewell to the broker."""

_EXPECTED = {
    BrokerUnavailableError: "broker",
    StoreUnavailableError: "store",
    ClaimLostError: "claim",
}


async def run_worker(
    settings: WorkerSettings,
    store: WorkerStore,
    *,
    analyzers: AnalyzerFactory = LogAnalyzer,
    metrics: WorkerMetrics | None = None,
) -> None:
    """Work until cancelled. Cancelling is graceful: every gateway gets a last checkpoint (at most 2 s).

    Broker and store may come and go; whatever happens in a shift, the next one starts from what is committed.

    Raises:
        SettingsError: the metrics cannot be served where the settings say.
    """
    metrics = metrics or WorkerMetrics()
    shortest_s, longest_s = _PAUSE_S
    pause_s = shortest_s
    loop = asyncio.get_running_loop()
    with served_metrics(metrics.registry, settings.metrics_host, settings.metrics_port):
        while True:
            began_s = loop.time()
            error = await _one_shift(settings, store, analyzers, metrics)
            if error is not None:
                # a worker that stays down helps nobody: whatever it was, it is counted and logged
                _report(error, metrics)
            if loop.time() - began_s > _LONG_SHIFT_S:
                pause_s = shortest_s
            # S311: jitter needs no cryptography
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311
            pause_s = min(2 * pause_s, longest_s)


async def _one_shift(
    settings: WorkerSettings, store: WorkerStore, analyzers: AnalyzerFactory, metrics: WorkerMetrics
) -> BaseException | None:
    """Work one shift to its end; the error that ended it.

    In a task of its own: before Python 3.13 a task group that fails leaves its task marked as cancelled, and an error
    during the last checkpoints would swallow a cancellation from outside.
    """

    async def work() -> None:
        async with open_shift(settings, store, analyzers, metrics) as shift:
            await shift.run()

    task = asyncio.get_running_loop().create_task(work(), name="worker.shift")
    try:
        await asyncio.wait([task])
    finally:
        while not task.done():
            # again and again: before Python 3.12 a cancellation can get lost on its way (see GatewayRunner.stop)
            task.cancel()
            await asyncio.wait([task], timeout=_STOP_S)
        error = None if task.cancelled() else task.exception()
    return error


def _report(error: BaseException, metrics: WorkerMetrics) -> None:
    for leaf in _leaves(error):
        reason = next((name for kind, name in _EXPECTED.items() if isinstance(leaf, kind)), None)
        metrics.outages.labels(reason or "unexpected").inc()
        if reason is None:
            _log.error("shift_failed", exc_info=leaf)
        else:
            _log.warning("shift_ended", lost=reason, error=str(leaf))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
