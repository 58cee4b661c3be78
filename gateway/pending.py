"""Entries that wait for the next group commit: merges what belongs together, bounds what piles up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from processing.domain.entries import Gap, GapReason, LogEntry, Samples, StreamOpened
from processing.domain.errors import LumbarError
from processing.domain.samples import MAX_SAMPLES_PER_ENTRY

MERGE_TOLERANCE_US = 1_000
"""Largest disagreement between the time of a notification and the even spacing of the entry it joins.

At 100°/s, fast for a lumbar spine, 1 ms is 0.1°; the clock slews by less than that between two commits.
"""


class BacklogError(LumbarError):
    """More entries wait for the disk than memory may hold, and none of them may be dropped."""


@dataclass(slots=True)
class _Lost:
    """Samples of a stream that were dropped here: a gap as soon as the stream goes on."""

    t0_ns: int
    t1_ns: int
    count: int


class PendingEntries:
    """Bounded, merging queue in front of the log; keeps the order of entries within each stream.

    Consecutive samples of a stream become one entry, so that an entry costs its head once per commit
    and not once per notification. When ``max_entries`` wait, further samples are dropped and counted, and
    a ``Gap`` takes their place; other entries are few and are kept up to twice the bound.

    Args:
        max_entries: bound of the queue.
        periods_ns: sample period of streams that are already open.
    """

    def __init__(self, max_entries: int, periods_ns: Mapping[int, int] | None = None) -> None:
        self._max_entries = max_entries
        self._periods_ns = dict(periods_ns or {})
        self._entries: list[LogEntry] = []
        self._tail: dict[int, int] = {}
        """Per stream the place of its last entry here if that entry can grow."""
        self._lost: dict[int, _Lost] = {}
        self.dropped_samples = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: LogEntry) -> None:
        """Queue an entry.

        Raises:
            BacklogError: twice the bound is reached by entries that must not be dropped.
        """
        if isinstance(entry, Samples):
            self._put_samples(entry)
            return
        if len(self._entries) >= 2 * self._max_entries:
            raise BacklogError(f"{len(self._entries)} entries wait for the disk")
        if isinstance(entry, StreamOpened):
            self._periods_ns[entry.stream] = entry.period_ns
            self._lost.pop(entry.stream, None)
        stream = getattr(entry, "stream", None)
        if stream is not None:
            self._tail.pop(stream, None)
        self._entries.append(entry)

    def take(self) -> list[LogEntry]:
        """Remove and return everything that waits."""
        entries, self._entries = self._entries, []
        self._tail.clear()
        return entries

    def give_back(self, entries: list[LogEntry]) -> None:
        """Put entries that could not be written in front again."""
        self._entries = entries + self._entries
        self._tail = {stream: place + len(entries) for stream, place in self._tail.items()}

    def _put_samples(self, new: Samples) -> None:
        period_ns = self._periods_ns.get(new.stream)
        place = self._tail.get(new.stream)
        if place is not None and period_ns is not None:
            last = self._entries[place]
            if isinstance(last, Samples) and _continues(last, new, period_ns):
                self._entries[place] = msgspec.structs.replace(last, packed=last.packed + new.packed)
                return
        if len(self._entries) >= self._max_entries:
            self._drop(new, period_ns or 0)
            return
        lost = self._lost.pop(new.stream, None)
        if lost is not None:
            gap = Gap(
                stream=new.stream,
                t0_ns=lost.t0_ns,
                t1_ns=max(lost.t1_ns, new.t0_ns),
                reason=GapReason.GATEWAY,
                lost=lost.count,
            )
            self._entries.append(gap)
        self._tail[new.stream] = len(self._entries)
        self._entries.append(new)

    def _drop(self, samples: Samples, period_ns: int) -> None:
        self.dropped_samples += samples.count
        self._tail.pop(samples.stream, None)
        end_ns = samples.t0_ns + samples.count * period_ns
        lost = self._lost.setdefault(samples.stream, _Lost(samples.t0_ns, end_ns, 0))
        lost.t1_ns = end_ns
        lost.count += samples.count


def _continues(last: Samples, new: Samples, period_ns: int) -> bool:
    """Tell whether ``new`` follows ``last`` without a hole and on the same time line."""
    if last.count + new.count > MAX_SAMPLES_PER_ENTRY:
        return False
    expected_us = last.t0_us + last.count * period_ns // 1000
    expected_tick = (last.tick + last.count * period_ns // 1000) % 2**32
    apart_us = (new.tick - expected_tick + 2**31) % 2**32 - 2**31
    return max(abs(new.t0_us - expected_us), abs(apart_us)) <= MERGE_TOLERANCE_US
