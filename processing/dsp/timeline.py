"""From irregular, lossy samples of one sensor to blocks on the grid.

Holes up to 250 ms are bridged by straight lines (signals.md §6: 5 % loss in packets of 5 then costs 0.5° in
range of motion); longer ones are gaps, and the grid has no block there.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from processing.dsp.blocks import (
    BLOCK_NS,
    BLOCK_SAMPLES,
    GRID_NS,
    Floats,
    GridBlock,
    Nanoseconds,
    SampleBlock,
    start_of,
)

MAX_BRIDGE_NS = 250_000_000
"""Longest hole that is interpolated (signals.md §6)."""

MAX_ACC_MPS2 = 400.0
MAX_GYR_RADPS = 100.0
"""More than any IMU of devices.md can measure (32 g, 4000 °/s): such a sample is broken, not fast."""

MAX_LEAP_NS = 24 * 3600 * 1_000_000_000
"""A sample further ahead than a day has a broken time stamp."""

MAX_CAUSES = 16

_OFFSETS = np.arange(BLOCK_SAMPLES, dtype=np.int64) * GRID_NS


class TimelineState(msgspec.Struct):
    """State of a ``Timeline``; arrays as little-endian bytes."""

    start_ns: int
    known_ns: int
    present: bool
    fresh: bool
    t_ns: bytes = b""
    values: bytes = b""
    joined: bytes = b""
    causes: list[tuple[int, str]] = []
    broken: int = 0
    late: int = 0


class Timeline:
    """Samples of one sensor that the grid has not passed yet.

    ``known_ns`` is the watermark: up to there every sample has come or will never come. It moves only by what the
    gateway said of this sensor. A sensor is present while samples are to be waited for.
    """

    def __init__(self, start_ns: int, *, present: bool) -> None:
        self.start_ns = start_ns
        self._known_ns = start_ns
        self._present = present
        self._fresh = True
        self._t = np.empty(0, np.int64)
        self._x = np.empty((0, 6))
        self._joined = np.empty(0, np.bool_)
        self._causes: list[tuple[int, str]] = []
        self._broken = 0
        self._late = 0

    @property
    def known_ns(self) -> int:
        """Watermark, UTC."""
        return self._known_ns

    @property
    def newest_ns(self) -> int | None:
        """Time of the last sample taken, None before the first."""
        return int(self._t[-1]) if len(self._t) else None

    @property
    def present(self) -> bool:
        """Whether samples are expected."""
        return self._present

    @property
    def broken(self) -> int:
        """Samples thrown away because a number or time in them is impossible."""
        return self._broken

    @property
    def late(self) -> int:
        """Samples thrown away because the same or a later time was already there."""
        return self._late

    def push(self, block: SampleBlock) -> None:
        """Take samples; impossible ones and ones that do not move forward in time are counted and dropped."""
        values = np.concatenate((block.acc, block.gyr), axis=1)
        with np.errstate(invalid="ignore"):
            sound = np.all(np.abs(values[:, :3]) <= MAX_ACC_MPS2, axis=1)
            sound &= np.all(np.abs(values[:, 3:]) <= MAX_GYR_RADPS, axis=1)
        last_ns = int(self._t[-1]) if len(self._t) else self._known_ns - MAX_LEAP_NS
        sound &= block.t_ns <= max(last_ns, self._known_ns) + MAX_LEAP_NS
        t_ns = block.t_ns[sound]
        self._broken += len(block) - len(t_ns)
        if not len(t_ns):
            return
        before = np.maximum.accumulate(np.concatenate((np.array([last_ns]), t_ns)))[:-1]
        forward = t_ns > before
        self._late += int(len(t_ns) - np.count_nonzero(forward))
        t_ns = t_ns[forward]
        if not len(t_ns):
            return
        joined = np.ones(len(t_ns), np.bool_)
        joined[0] = not self._fresh
        self._t = np.concatenate((self._t, t_ns))
        self._x = np.concatenate((self._x, values[sound][forward]))
        self._joined = np.concatenate((self._joined, joined))
        self._fresh = False
        self._present = True
        self._known_ns = max(self._known_ns, int(t_ns[-1]))

    def lose(self, until_ns: int, cause: str) -> None:
        """Take note that no samples will come up to a time; short losses still wait for their bridge."""
        last_ns = self.newest_ns
        if last_ns is None or until_ns - last_ns > MAX_BRIDGE_NS:
            self._fresh = True
            self._known_ns = max(self._known_ns, min(until_ns, self._known_ns + MAX_LEAP_NS))
        self._remember(until_ns, cause)

    def jump(self, t_ns: int, cause: str) -> None:
        """The samples from ``t_ns`` on, which follow at once, do not continue those before."""
        self._fresh = True
        self._known_ns = max(self._known_ns, min(t_ns, self._known_ns + MAX_LEAP_NS))
        self._remember(t_ns, cause)

    def leave(self, t_ns: int, cause: str) -> None:
        """The sensor is gone from ``t_ns`` until its next samples; nobody waits for it."""
        self._fresh = True
        self._present = False
        self._known_ns = max(self._known_ns, min(t_ns, self._known_ns + MAX_LEAP_NS))
        self._remember(t_ns, cause)

    def rebased(self, t_ns: int, cause: str, *, present: bool) -> Timeline:
        """Timeline that goes on at ``t_ns`` on a clock that was set anew, earlier or later; only the counters go on."""
        timeline = Timeline(t_ns, present=present)
        timeline._broken, timeline._late = self._broken, self._late
        timeline._remember(t_ns, cause)
        return timeline

    def is_decided(self, block_index: int) -> bool:
        """Tell whether everything about a block is known."""
        return not self._present or self._known_ns >= start_of(block_index) + BLOCK_NS - GRID_NS

    def next_sample_ns(self, block_index: int) -> int | None:
        """Time of the first sample at or after the begin of a block, None if none has come."""
        at = int(np.searchsorted(self._t, start_of(block_index)))
        return int(self._t[at]) if at < len(self._t) else None

    def peek(self, block_index: int) -> GridBlock | None:
        """What ``take`` would give for a block that is decided; forgets nothing."""
        grid = start_of(block_index) + _OFFSETS
        return self._interpolate(block_index, grid, np.searchsorted(self._t, grid))

    def take(self, block_index: int) -> GridBlock | None:
        """Block of the grid, None if any of its samples falls into a gap. Forgets what lies before it."""
        grid = start_of(block_index) + _OFFSETS
        right = np.searchsorted(self._t, grid)
        block = self._interpolate(block_index, grid, right)
        keep = max(int(right[-1]) - 1, 0)
        if keep:
            self._t, self._x, self._joined = self._t[keep:], self._x[keep:], self._joined[keep:]
        return block

    def _interpolate(self, block_index: int, grid: Nanoseconds, right: NDArray[np.intp]) -> GridBlock | None:
        if int(right[-1]) >= len(self._t):
            return None
        t_right = self._t[right]
        left = np.maximum(right - 1, 0)
        t_left = self._t[left]
        exact = t_right == grid
        bridged = (right > 0) & self._joined[right] & (t_right - t_left <= MAX_BRIDGE_NS)
        if not bool(np.all(exact | bridged)):
            return None
        span = np.maximum(t_right - t_left, 1)
        share = np.where(exact, 1.0, (grid - t_left) / span)[:, None]
        values: Floats = self._x[left] * (1.0 - share) + self._x[right] * share
        return GridBlock(block_index, np.ascontiguousarray(values[:, :3]), np.ascontiguousarray(values[:, 3:]))

    def cause_before(self, t_ns: int) -> str:
        """What the gateway said about the gap that ends at a time; forgets it."""
        told = [cause for at, cause in self._causes if at <= t_ns]
        self._causes = [(at, cause) for at, cause in self._causes if at > t_ns]
        return told[-1] if told else "missing"

    def _remember(self, t_ns: int, cause: str) -> None:
        self._causes = [*self._causes, (t_ns, cause)][-MAX_CAUSES:]

    def state(self) -> TimelineState:
        """State as a value."""
        return TimelineState(
            start_ns=self.start_ns,
            known_ns=self._known_ns,
            present=self._present,
            fresh=self._fresh,
            t_ns=self._t.tobytes(),
            values=self._x.tobytes(),
            joined=self._joined.tobytes(),
            causes=list(self._causes),
            broken=self._broken,
            late=self._late,
        )

    @classmethod
    def from_state(cls, state: TimelineState) -> Timeline:
        """Timeline that goes on where ``state`` was taken."""
        timeline = cls(state.start_ns, present=state.present)
        timeline._known_ns = state.known_ns
        timeline._fresh = state.fresh
        timeline._t = np.frombuffer(state.t_ns, np.int64)
        timeline._x = np.frombuffer(state.values, np.float64).reshape(-1, 6)
        timeline._joined = np.frombuffer(state.joined, np.bool_)
        timeline._causes = list(state.causes)
        timeline._broken = state.broken
        timeline._late = state.late
        return timeline
