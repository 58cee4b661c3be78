"""From samples to the data messages of one stream and their bounded queue. Nothing here waits."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from firmware_sim.source import SampleRun, SampleSource
from gateway.devices.imu_profile import NO_FLAGS, SEQUENCE_MODULUS, TICK_MODULUS, DataFlag, DataMessage

_LOWEST, _HIGHEST = -32768, 32767
_AFTER_SAMPLE = 0.1
"""A batch is full this share of a period after its last sample was due."""


@dataclass(slots=True)
class WearableCounters:
    """What a wearable did since it was made.

    Attributes:
        made: batches numbered.
        sent: batches handed to the radio.
        overrun: batches dropped, oldest first, because the transmit queue was full.
        spoiled: batches numbered and thrown away on purpose (``lost_batches``).
        boots: times it was switched on.
        identified: times a central asked it to show itself.
    """

    made: int = 0
    sent: int = 0
    overrun: int = 0
    spoiled: int = 0
    boots: int = 0
    identified: int = 0


@dataclass(frozen=True, slots=True)
class FirmwareSettings:
    """What does not change at a boot; see ``LumbarImuPeripheral``."""

    serial: int
    batch_size: int
    queue_batches: int
    lost_batches: float


class BatchMaker:
    """Cuts one stream into numbered batches that hold no hole.

    Args:
        size: samples per batch.
        period_us: sample period on the device clock.
        boot_tick_us: device clock of the source when the device booted.
    """

    def __init__(self, *, size: int, period_us: int, boot_tick_us: int) -> None:
        self._size = size
        self._period_us = period_us
        self._boot_tick_us = boot_tick_us
        self._sequence = 0
        self._tick_us = 0
        self._pending: npt.NDArray[np.int16] = np.empty((0, 6), dtype=np.int16)

    def feed(self, run: SampleRun) -> list[DataMessage]:
        """Batches that are complete now; a hole before the run completes the one before."""
        messages = []
        expected_us = self._tick_us + len(self._pending) * self._period_us
        if len(self._pending) and abs(run.tick_us - expected_us) > self._period_us // 2:
            messages += self.flush()
        if not len(self._pending):
            self._tick_us = run.tick_us
        self._pending = np.concatenate((self._pending, run.counts))
        while len(self._pending) >= self._size:
            messages.append(self._take(self._size))
        return messages

    @property
    def lacking(self) -> int:
        """Samples until the batch under way is full."""
        return self._size - len(self._pending)

    def flush(self) -> list[DataMessage]:
        """What is left, as one short batch."""
        return [self._take(len(self._pending))] if len(self._pending) else []

    def _take(self, count: int) -> DataMessage:
        counts = self._pending[:count]
        clipped = counts.min() == _LOWEST or counts.max() == _HIGHEST
        message = DataMessage(
            sequence=self._sequence,
            tick=(self._tick_us - self._boot_tick_us) % TICK_MODULUS,
            period_ns=self._period_us * 1000,
            packed=counts.astype("<i2").tobytes(),
            flags=DataFlag.CLIPPED if clipped else NO_FLAGS,
        )
        self._pending = self._pending[count:]
        self._tick_us += count * self._period_us
        self._sequence = (self._sequence + 1) % SEQUENCE_MODULUS
        return message


class Stream:
    """A started stream: samples when their time has come, and the batches that wait for the radio.

    Args:
        source: where the samples come from.
        settings: bound of the queue and share of batches that get a number but are never sent.
        counters: counts what happens to the batches.
        rng: draws the lost batches.
        batch_size: samples per batch.
        boot_tick_us: device clock of the source when the device booted.
        now_s: second of the source at which the stream starts; earlier samples are not sent.
    """

    def __init__(
        self,
        source: SampleSource,
        settings: FirmwareSettings,
        counters: WearableCounters,
        rng: np.random.Generator,
        *,
        batch_size: int,
        boot_tick_us: int,
        now_s: float,
    ) -> None:
        self.batch_s = batch_size * source.period_us * 1e-6
        self._source = source
        self._settings = settings
        self._counters = counters
        self._rng = rng
        self._batches = BatchMaker(size=batch_size, period_us=source.period_us, boot_tick_us=boot_tick_us)
        self._sampled_until_s = now_s
        self._last_run_s = now_s
        self.due_s = now_s
        """Second of the source at which the batch under way will be full."""
        self._queue: deque[DataMessage] = deque()
        self._overrun = False

    def sample(self, now_s: float, *, subscribed: bool) -> None:
        """Take the samples up to now; without a subscriber their batches are numbered and forgotten."""
        runs = self._source.runs(self._sampled_until_s, now_s)
        self._sampled_until_s = now_s
        self.due_s = now_s + self.batch_s
        messages = [message for run in runs for message in self._batches.feed(run)]
        if runs:
            self._last_run_s = now_s
            period_s = self._source.period_us * 1e-6
            last_s = runs[-1].t_s + (len(runs[-1].counts) - 1) * period_s
            self.due_s = last_s + (self._batches.lacking + _AFTER_SAMPLE) * period_s
        elif now_s - self._last_run_s > self.batch_s:
            messages += self._batches.flush()
        for message in messages:
            self._counters.made += 1
            if self._rng.random() < self._settings.lost_batches:
                self._counters.spoiled += 1
            elif subscribed:
                self._enqueue(message)

    def take(self) -> DataMessage | None:
        """Oldest batch that waits, marked if others before it were dropped."""
        if not self._queue:
            return None
        message = self._queue.popleft()
        self._counters.sent += 1
        if self._overrun:
            self._overrun = False
            return replace(message, flags=message.flags | DataFlag.OVERRUN)
        return message

    def _enqueue(self, message: DataMessage) -> None:
        if len(self._queue) >= self._settings.queue_batches:
            self._queue.popleft()
            self._overrun = True
            self._counters.overrun += 1
        self._queue.append(message)
