"""The queue of messages from the broker that every process reads: bounded by aiomqtt, counted here."""

from __future__ import annotations

import asyncio

import aiomqtt
from prometheus_client import Counter


def counting_queue(refused: Counter) -> type[asyncio.Queue[aiomqtt.Message]]:
    """Queue class for aiomqtt, which drops what does not fit and counts nothing; ``refused`` counts it."""

    class CountingQueue(asyncio.Queue[aiomqtt.Message]):
        def put_nowait(self, item: aiomqtt.Message) -> None:
            try:
                super().put_nowait(item)
            except asyncio.QueueFull:
                refused.inc()
                raise

    return CountingQueue
