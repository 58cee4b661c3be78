"""The gateway's own time: steady while streams and sessions run, corrected between them."""

from __future__ import annotations

import time
from collections.abc import Callable

from processing.domain.commands import Command, EndSession, StartSession, sensors_of, session_of
from processing.domain.ids import SensorId, SessionId

MAX_ERROR_NS = 1_000_000_000
"""A machine's clock that differs by more was set. A difference below is worth no break in a time line: NTP sets a
clock when it is off by more than 0.128 s (RFC 5905, figure 27) and slews it else, which the steady clock follows."""

_LINGER_NS = 5_000_000_000
"""A session ends with its last samples, and those may come so long after the command: then the link is given up."""

_MAX_SESSIONS = 64
"""Open sessions of one gateway, as many as the analyzer takes."""


class HostClock:
    """UTC as the steady clock plus an offset, so that setting the machine's clock moves no stamp.

    Args:
        steady_ns: clock that nobody sets.
        wall_ns: UTC of the machine, which may jump.
    """

    def __init__(
        self, steady_ns: Callable[[], int] = time.monotonic_ns, wall_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.steady_ns = steady_ns
        self._wall_ns = wall_ns
        self.utc_offset_ns = wall_ns() - steady_ns()
        """UTC minus steady time."""

    def utc_ns(self) -> int:
        """UTC now as all stamps of this process count it."""
        return self.steady_ns() + self.utc_offset_ns

    def error_ns(self) -> int:
        """How far the machine's clock is ahead of ours; beyond ``MAX_ERROR_NS`` it was set."""
        return self._wall_ns() - self.utc_ns()

    def follow_machine(self, *, hold: bool) -> int:
        """Take over the machine's clock if it was set and nobody holds ours; gives by how much ours changed."""
        error_ns = self.error_ns()
        if hold or abs(error_ns) <= MAX_ERROR_NS:
            return 0
        self.utc_offset_ns += error_ns
        return error_ns


class OpenSessions:
    """Sessions that commands opened and did not end; whoever measures in one shall see no clock jump."""

    def __init__(self) -> None:
        self._sensors: dict[SessionId, frozenset[SensorId]] = {}
        self._ended_ns: int | None = None

    def active(self, now_ns: int) -> bool:
        """Whether a session is open or samples of one may still come; ``now_ns`` is of any steady clock."""
        lingers = self._ended_ns is not None and now_ns - self._ended_ns < _LINGER_NS
        return bool(self._sensors) or lingers

    def follow(self, command: Command, now_ns: int) -> None:
        """A command enters the log. A new session ends those that it takes a sensor from, as the analyzer does."""
        session_id = session_of(command)
        if isinstance(command, EndSession):
            if self._sensors.pop(session_id, None) is not None:
                self._ended_ns = now_ns
        elif isinstance(command, StartSession) and session_id not in self._sensors:
            taken = frozenset(sensors_of(command))
            self._sensors = {other: sensors for other, sensors in self._sensors.items() if not sensors & taken}
            if len(self._sensors) >= _MAX_SESSIONS:
                del self._sensors[next(iter(self._sensors))]
            self._sensors[session_id] = taken
