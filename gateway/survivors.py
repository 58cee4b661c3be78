"""What outlives entries that leave the log before the receiver took them. Pure."""

from __future__ import annotations

from processing.domain.entries import MAX_STREAMS, Control, SensorEvent, SensorEventKind, StreamOpened
from processing.domain.errors import DecodeError
from processing.wire.log import decode_entry

_MAX_COMMANDS = 1_000
"""Newest commands that survive; a room full of people issues fewer in a day."""


class Survivors:
    """Looks at leaving entries in order and keeps those that the entries after them depend on.

    The openings of streams that are still open: without them nobody can tell whose the later samples are. And
    commands, which nobody repeats once they were taken into the log.

    Args:
        commands: whether commands survive; not if the receiver is known to have them.
    """

    def __init__(self, *, commands: bool) -> None:
        self._commands = commands
        self._kept: dict[int, bytes] = {}
        self._seen = 0
        self._opening: dict[int, int] = {}
        self._command_places: dict[int, None] = {}
        self.size_bytes = 0

    @property
    def entries(self) -> list[bytes]:
        """Encoded entries that survive, in their order."""
        return list(self._kept.values())

    def see(self, data: bytes) -> None:
        """The next entry leaves."""
        self._seen += 1
        if not data or data[0] < MAX_STREAMS:
            return
        try:
            entry = decode_entry(data)
        except DecodeError:
            # Damaged on disk or of another version: it helps nobody.
            return
        if isinstance(entry, StreamOpened):
            self._release(self._opening.pop(entry.stream, None))
            self._opening[entry.stream] = self._keep(data)
        elif isinstance(entry, SensorEvent) and entry.event is SensorEventKind.DISCONNECTED:
            self._release(self._opening.pop(entry.stream, None))
        elif isinstance(entry, Control) and self._commands:
            self._command_places[self._keep(data)] = None
            if len(self._command_places) > _MAX_COMMANDS:
                oldest = next(iter(self._command_places))
                del self._command_places[oldest]
                self._release(oldest)

    def _keep(self, data: bytes) -> int:
        self._kept[self._seen] = data
        self.size_bytes += len(data)
        return self._seen

    def _release(self, place: int | None) -> None:
        if place is not None:
            self.size_bytes -= len(self._kept.pop(place))
