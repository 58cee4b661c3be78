"""Fan-out of live events to many slow or fast readers, with bounds everywhere.

Each channel keeps its last events in a ring, so that a reader who comes back with the id it saw last gets what
it missed. Each reader has a bounded queue; one that overflows is evicted and must fetch a snapshot again, so a
slow phone costs a fixed amount of memory and nobody else waits for it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from service.api import metrics

RING_EVENTS = 1_000
QUEUE_EVENTS = 64


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a channel.

    Attributes:
        superseded: only the newest of its kind matters, so a late reader does not get the old ones.
    """

    event_id: int
    name: str
    data: bytes
    superseded: bool = False

    def encode(self) -> bytes:
        """The event in the format of ``text/event-stream``; ``data`` must be one line (JSON is)."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.event_id, self.name.encode(), self.data)


class Subscription:
    """One reader of one channel; use as a context manager, so that it ends with its request."""

    def __init__(self, hub: Hub, channel: str, backlog: tuple[ServerEvent, ...] | None) -> None:
        self._hub = hub
        self._channel = channel
        self._queue: deque[ServerEvent] = deque()
        self._wake = asyncio.Event()
        self.ended = False
        self.backlog = backlog
        """Events missed since the id that the reader knew; None if it needs a snapshot."""

    def __enter__(self) -> Self:
        metrics.STREAMS_OPEN.inc()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        metrics.STREAMS_OPEN.dec()
        self._hub.forget(self._channel, self)

    def offer(self, event: ServerEvent) -> bool:
        """Queue an event; False, and the end of this reader, if its queue is full."""
        if len(self._queue) >= QUEUE_EVENTS:
            self.end()
            return False
        self._queue.append(event)
        self._wake.set()
        return True

    def end(self) -> None:
        """Drop what is queued; ``next`` returns None from now on."""
        self.ended = True
        self._queue.clear()
        self._wake.set()

    async def next(self) -> ServerEvent | None:
        """Next event, None when this reader was evicted or the service stops."""
        while not self._queue:
            if self.ended:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._queue.popleft()


class _Channel:
    def __init__(self, floor_id: int) -> None:
        self.ring: OrderedDict[int, ServerEvent] = OrderedDict()
        self.newest_superseded: dict[str, int] = {}
        self.floor_id = floor_id
        """Nothing after this id has left the ring but what was superseded."""
        self.readers: set[Subscription] = set()

    def push(self, event: ServerEvent) -> None:
        """Keep an event; of those that supersede each other only the newest."""
        if event.superseded:
            self.ring.pop(self.newest_superseded.get(event.name, event.event_id), None)
            self.newest_superseded[event.name] = event.event_id
        if len(self.ring) == RING_EVENTS:
            self.floor_id, _ = self.ring.popitem(last=False)
        self.ring[event.event_id] = event


class Hub:
    """All channels.

    Args:
        first_id: ids start above this. Milliseconds since 1970 at the start of the process make ids grow across
            restarts too: an id of the process before is then seen as too old, not mistaken for one of ours.
        max_readers: streams served at the same time, over all channels.
    """

    def __init__(self, first_id: int, max_readers: int = 256) -> None:
        self._last_id = first_id
        self._max_readers = max_readers
        self._channels: dict[str, _Channel] = {}
        self._readers = 0
        self._closed = False

    @property
    def last_id(self) -> int:
        """Id of the newest event of all channels."""
        return self._last_id

    def publish(self, channel: str, name: str, data: bytes, *, superseded: bool = False) -> None:
        """Send an event to all readers of a channel and keep it for those who come back."""
        self._last_id += 1
        event = ServerEvent(self._last_id, name, data, superseded)
        place = self._channel(channel)
        place.push(event)
        for reader in tuple(place.readers):
            if not reader.offer(event):
                metrics.STREAMS_EVICTED.inc()
                self.forget(channel, reader)

    def subscribe(self, channel: str, last_seen_id: int | None) -> Subscription | None:
        """New reader, None if too many read already or the service stops."""
        if self._closed or self._readers >= self._max_readers:
            return None
        place = self._channel(channel)
        reader = Subscription(self, channel, self._missed(place, last_seen_id))
        place.readers.add(reader)
        self._readers += 1
        return reader

    def forget(self, channel: str, reader: Subscription) -> None:
        """Stop sending to a reader; harmless when it is gone already."""
        readers = self._channel(channel).readers
        if reader in readers:
            readers.discard(reader)
            self._readers -= 1

    def close(self) -> None:
        """End all readers, for good."""
        self._closed = True
        for place in self._channels.values():
            for reader in place.readers:
                reader.end()

    def _channel(self, name: str) -> _Channel:
        if name not in self._channels:
            self._channels[name] = _Channel(self._last_id)
        return self._channels[name]

    def _missed(self, place: _Channel, last_seen_id: int | None) -> tuple[ServerEvent, ...] | None:
        if last_seen_id is None or not place.floor_id <= last_seen_id <= self._last_id:
            return None
        missed = tuple(event for event in place.ring.values() if event.event_id > last_seen_id)
        return missed if len(missed) <= QUEUE_EVENTS else None
