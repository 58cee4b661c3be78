"""Server-sent events: one stream per open screen."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from http import HTTPStatus

import msgspec
from starlette.responses import StreamingResponse

from service.api import metrics
from service.api.hub import Hub, ServerEvent, Subscription
from service.api.problems import ProblemError

HEARTBEAT_S = 15.0
RETRY_MS = (2_500, 4_500)
"""Screens come back after a time drawn from this, so that a restart is not followed by a stampede."""

RESYNC = b"id\nevent: resync\ndata: {}\n\n"
"""Makes the browser forget the id it saw last: it then comes back for a snapshot."""


def open_stream(
    hub: Hub, channel: str, last_event_id: str | None, snapshot: Callable[[], Sequence[tuple[str, msgspec.Struct]]]
) -> StreamingResponse:
    """Response that follows a channel: what the reader missed if it is still there, else a snapshot, then news.

    ``snapshot`` gives the events (name, payload) that bring a new reader up to date; it is asked in the same step in
    which the reader is added, so nothing falls between.

    Raises:
        ProblemError: too many streams are open.
    """
    subscription = hub.subscribe(channel, _seen(last_event_id))
    if subscription is None:
        metrics.STREAMS_REFUSED.inc()
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "too_many_streams",
            "Too many screens follow this service.",
            "Close screens that nobody looks at, then reload.",
        )
    first = subscription.backlog
    if first is None:
        first = tuple(ServerEvent(hub.last_id, name, msgspec.json.encode(payload)) for name, payload in snapshot())
    retry_ms = random.randint(*RETRY_MS)  # noqa: S311 - jitter needs no secrecy
    return StreamingResponse(
        events(subscription, first, retry_ms),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def events(
    subscription: Subscription, first: Sequence[ServerEvent], retry_ms: int, heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[bytes]:
    """Bytes of a stream; ends after ``RESYNC`` when the reader was too slow or the service stops."""
    with subscription:
        yield b"retry: %d\n\n" % retry_ms + b"".join(event.encode() for event in first)
        while True:
            try:
                async with asyncio.timeout(heartbeat_s):
                    event = await subscription.next()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if event is None:
                yield RESYNC
                return
            yield event.encode()


def _seen(last_event_id: str | None) -> int | None:
    if last_event_id is None or not last_event_id.isascii() or not last_event_id.isdigit():
        return None
    return int(last_event_id[:20])
