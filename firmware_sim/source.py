"""What a virtual wearable samples from: a simulated patient or a recording.

The radio side (BLE peripheral) knows only `SampleSource`. It asks for the samples of a stretch of
true time, packs them with the device clock they carry and sends them when their true time comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class SampleRun:
    """Consecutive, evenly spaced samples: one sampling period apart, no hole inside.

    `t_s` is the true (host) time of the first sample in seconds since the source's start, `tick_us`
    the device clock at that sample in microseconds, not yet wrapped. `counts` has shape (n, 6):
    acceleration x, y, z then angular rate x, y, z in the sensor frame, raw counts (n >= 1).
    """

    t_s: float
    tick_us: int
    counts: npt.NDArray[np.int16]


class SampleSource(Protocol):
    """Raw samples of one wearable, drawn by true time.

    Units: one acceleration count is `acc_range_g * 9.80665 / 32768` m/s2, one angular rate count
    is `radians(gyr_range_dps) / 32768` rad/s. `period_us` is the period on the device clock.
    """

    period_us: int
    acc_range_g: float
    gyr_range_dps: float

    def runs(self, t0_s: float, t1_s: float) -> tuple[SampleRun, ...]:
        """Samples with `t0_s <= t < t1_s`, in time order; a hole or a lost sample ends a run."""
        ...

    def tick_us(self, t_s: float) -> int:
        """Device clock at true time `t_s`, microseconds, not yet wrapped."""
        ...

    @property
    def duration_s(self) -> float | None:
        """Length of the source in seconds of true time; None for an endless one."""
        ...
