"""From irregular, lossy samples of one sensor to blocks on the grid.

Holes up to 250 ms are bridged by straight lines (signals.md §6: 5 % loss in packets of 5 then costs 0.5° in
range of motion); longer ones are gaps, and the grid has no block there.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from operator import lt

import msgspec
import numpy as np

from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, GRID_NS, Floats, GridBlock, SampleBlock, start_of
from processing.dsp.resampling import Run, grid_number_from, on_grid

MAX_BRIDGE_NS = 250_000_000
"""Longest hole that is interpolated (signals.md §6)."""

LONG_HOLE_NS = 45_000_000
"""A stream of 25 Hz still tells what a trunk does (signals.md §6: 0.8° in range of motion, p95 3°); holes longer than
its period are loss, whatever the rate of the sensor."""

MAX_ACC_MPS2 = 400.0
MAX_GYR_RADPS = 100.0
"""More than any IMU of devices.md can measure (32 g, 4000 °/s): such a sample is broken, not fast."""

MAX_LEAP_NS = 24 * 3600 * 1_000_000_000
"""A sample further ahead than a day has a broken time stamp."""

MAX_CAUSES = 16


class TimelineState(msgspec.Struct):
    """State of a ``Timeline``.

    Attributes:
        times_ns: of the samples that the grid has not passed yet, and of the last one in any case.
        newest: values of that one, acceleration and rate.
    """

    start_ns: int
    known_ns: int
    present: bool
    fresh: bool
    times_ns: list[int] = []
    newest: list[float] = msgspec.field(default_factory=lambda: [0.0] * 6)
    runs: list[tuple[int, bytes]] = []
    causes: list[tuple[int, str]] = []
    broken: int = 0
    late: int = 0


class Timeline:
    """Samples of one sensor that the grid has not passed yet.

    ``known_ns`` is the watermark: up to there every sample has come or will never come. It moves only by what the
    gateway said of this sensor. A sensor is present while samples are to be waited for.
    """

    __slots__ = (
        "_broken",
        "_causes",
        "_fresh",
        "_known_ns",
        "_late",
        "_newest",
        "_passed",
        "_present",
        "_runs",
        "_times",
        "start_ns",
    )

    def __init__(self, start_ns: int, *, present: bool) -> None:
        self.start_ns = start_ns
        self._known_ns = start_ns
        self._present = present
        self._fresh = True
        self._passed = 0
        self._times: list[int] = []
        self._newest: Floats = np.zeros((2, 3))
        self._runs: list[Run] = []
        self._causes: list[tuple[int, str]] = []
        self._broken = 0
        self._late = 0

    @property
    def known_ns(self) -> int:
        """Watermark, UTC."""
        return self._known_ns

    @property
    def newest_ns(self) -> int | None:
        """Time of the last sample pushed, None before the first."""
        return self._times[-1] if self._times else None

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
        if not len(block):
            return
        times = block.t_ns.tolist()
        if not self._are_plain(block, times):
            block = self._forward(self._sound(block))
            times = block.t_ns.tolist()
            if not times:
                return
        self._lay(block, times)
        self._times += times
        self._fresh = False
        self._present = True
        self._known_ns = max(self._known_ns, times[-1])

    def _are_plain(self, block: SampleBlock, times: list[int]) -> bool:
        """Whether there surely is nothing to drop, by the two questions below for all samples at once.

        No number is larger than the root of the sum of all squares, and one call tells that of a short block.
        """
        return (
            self._last_ns < times[0]
            and times[-1] <= max(self._last_ns, self._known_ns) + MAX_LEAP_NS
            and all(map(lt, times, times[1:]))
            and bool(np.vdot(block.acc, block.acc) <= MAX_ACC_MPS2**2)
            and bool(np.vdot(block.gyr, block.gyr) <= MAX_GYR_RADPS**2)
        )

    def _sound(self, block: SampleBlock) -> SampleBlock:
        """The samples whose numbers and times are possible."""
        sound = block.t_ns <= max(self._last_ns, self._known_ns) + MAX_LEAP_NS
        # not "too large": what is no number is within no limit
        sound &= np.all(np.abs(block.acc) <= MAX_ACC_MPS2, axis=1) & np.all(np.abs(block.gyr) <= MAX_GYR_RADPS, axis=1)
        self._broken += len(block) - int(np.count_nonzero(sound))
        return block.where(sound)

    def _forward(self, block: SampleBlock) -> SampleBlock:
        """The samples that are later than all before them."""
        latest_ns = np.maximum.accumulate(np.concatenate(((self._last_ns,), block.t_ns)))
        forward = block.t_ns > latest_ns[:-1]
        self._late += len(block) - int(np.count_nonzero(forward))
        return block.where(forward)

    @property
    def _last_ns(self) -> int:
        """Time that the next samples must be later than."""
        return self._times[-1] if self._times else self._known_ns - MAX_LEAP_NS

    def _lay(self, block: SampleBlock, times: list[int]) -> None:
        """Lay samples on the grid, as far as it lies between two of them or between the last one and the first."""
        continued = not self._fresh
        values = np.empty((2, len(times) + continued, 3))
        values[0, continued:], values[1, continued:] = block.acc, block.gyr
        if continued:
            values[:, 0] = self._newest
            times = [self._last_ns, *times]
        self._newest = values[:, -1].copy()
        holes = [at for at, (left, right) in enumerate(pairwise(times), 1) if right - left > MAX_BRIDGE_NS]
        for begin, end in pairwise((0, *holes, len(times))):
            # The last sample of the push before is on the grid already, if it falls on it.
            first = times[begin] // GRID_NS + 1 if continued and begin == 0 else grid_number_from(times[begin])
            last = times[end - 1] // GRID_NS
            if first <= last:
                self._hold(Run(first, on_grid(times[begin:end], values[:, begin:end], first, last)))

    def _hold(self, run: Run) -> None:
        if self._runs and self._runs[-1].end == run.first:
            self._runs[-1].extend(run.values, self._passed)
        else:
            self._runs.append(run)

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
        at = bisect_left(self._times, start_of(block_index))
        return self._times[at] if at < len(self._times) else None

    def peek(self, block_index: int) -> GridBlock | None:
        """What ``take`` would give for a block that is decided; forgets nothing."""
        first = block_index * BLOCK_SAMPLES
        for run in self._runs:
            if run.first <= first and first + BLOCK_SAMPLES <= run.end:
                acc, gyr = run.values[:, first - run.first : first - run.first + BLOCK_SAMPLES]
                return GridBlock(block_index, acc, gyr)
        return None

    def take(self, block_index: int) -> GridBlock | None:
        """Block of the grid, None if any of its samples falls into a gap. Forgets what lies before its end."""
        block = self.peek(block_index)
        if block is not None:
            block.bridged = self._bridged(block_index)
        self._passed = (block_index + 1) * BLOCK_SAMPLES
        while self._runs and self._runs[0].end <= self._passed:
            del self._runs[0]
        del self._times[: max(bisect_left(self._times, (self._passed - 1) * GRID_NS) - 1, 0)]
        return block

    def _bridged(self, block_index: int) -> int:
        """How many samples of a block lie in long holes."""
        begin_ns, end_ns = start_of(block_index), start_of(block_index + 1)
        before = max(bisect_left(self._times, begin_ns) - 1, 0)
        bridged = 0
        for left_ns, right_ns in pairwise(self._times[before : bisect_left(self._times, end_ns - GRID_NS) + 1]):
            if right_ns - left_ns > LONG_HOLE_NS:
                first = max(left_ns // GRID_NS + 1, begin_ns // GRID_NS)
                bridged += max(min(grid_number_from(right_ns), end_ns // GRID_NS) - first, 0)
        return bridged

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
            times_ns=list(self._times),
            newest=self._newest.ravel().tolist(),
            runs=[run.packed(self._passed) for run in self._runs],
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
        timeline._times = list(state.times_ns)
        timeline._newest = np.array(state.newest).reshape(2, 3)
        timeline._runs = [Run.unpacked(first, values) for first, values in state.runs]
        timeline._causes = list(state.causes)
        timeline._broken = state.broken
        timeline._late = state.late
        return timeline
