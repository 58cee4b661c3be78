"""A simulated patient and what the sensors on the body give out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from firmware_sim.imperfections import (
    COMMON_MOUNT,
    GRADES,
    Imperfections,
    draw_imperfections,
    quantised,
    upside_down,
)
from firmware_sim.mishaps import Fading, Slip, Stuck
from firmware_sim.motion.body import draw_body
from firmware_sim.motion.timeline import Timeline
from firmware_sim.source import SampleRun
from processing.domain.errors import SettingsError
from processing.domain.samples import Placement

_BOTH = (Placement.PELVIS, Placement.THORAX)
_OTHER = {Placement.PELVIS: Placement.THORAX, Placement.THORAX: Placement.PELVIS}


class SimulatedSource:
    """Samples of one sensor on a simulated patient; endless. Implements ``SampleSource``.

    Sample k is taken when the device clock has advanced by k periods. Only samples that lie in the past should be asked
    for while movements are still being appended to the timeline.
    """

    def __init__(
        self,
        timeline: Timeline,
        placement: Placement,
        imperfections: Imperfections,
        *,
        rate_hz: int = 100,
        acc_range_g: float = 8.0,
        gyr_range_dps: float = 1000.0,
    ) -> None:
        self._timeline = timeline
        self._placement = placement
        self._imperfections = imperfections
        self.period_us = round(1e6 / rate_hz)
        self.acc_range_g = acc_range_g
        self.gyr_range_dps = gyr_range_dps

    @property
    def duration_s(self) -> float | None:
        """None: the patient never ends."""
        return None

    def tick_us(self, t_s: float) -> int:
        """Device clock at true time ``t_s``, microseconds, not wrapped."""
        return self._imperfections.clock.tick_us(t_s)

    def runs(self, t0_s: float, t1_s: float) -> tuple[SampleRun, ...]:
        """Samples with ``t0_s <= t < t1_s``; lost samples end a run."""
        first, stop = self._first_from(max(0.0, t0_s)), self._first_from(max(0.0, t1_s))
        if stop <= first:
            return ()
        number = np.arange(first, stop, dtype=np.int64)
        t_s = self._time_s(number)
        readings = self._readings(first, t_s)
        for stuck in self._imperfections.stuck:
            repeated = self._first_from(stuck.at_s)
            held = stuck.holds(t_s)
            if held.any():
                readings[held] = self._readings(repeated, self._time_s(np.array([repeated], dtype=np.int64)))
        counts = quantised(readings, self.acc_range_g, self.gyr_range_dps)
        kept = np.flatnonzero(~self._imperfections.lost(first, t_s))
        offset_us = self._imperfections.clock.offset_us
        return tuple(
            SampleRun(float(t_s[run[0]]), offset_us + int(number[run[0]]) * self.period_us, counts[run])
            for run in np.split(kept, np.flatnonzero(np.diff(kept) != 1) + 1)
            if run.size
        )

    def _readings(self, first: int, t_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        ideal = self._timeline.imu(self._placement, t_s)
        return self._imperfections.measured(first, t_s, ideal.acc, ideal.gyr)

    def _time_s(self, number: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return self._imperfections.clock.time_s(number * self.period_us)

    def _first_from(self, t_s: float) -> int:
        """Number of the first sample at or after ``t_s``, exact for the very times that ``runs`` gives out."""
        guess = math.floor(t_s / float(self._time_s(np.array(1, dtype=np.int64))))
        near = np.arange(max(0, guess - 1), guess + 3, dtype=np.int64)
        return int(near[np.searchsorted(self._time_s(near), t_s, side="left")])


@dataclass(frozen=True, slots=True)
class Wearing:
    """How the sensors are worn and what becomes of it.

    Attributes:
        swapped: the sensor that should be on the pelvis is on the thorax and the reverse.
        upside_down: sensors, by the place they are meant for, that are the wrong way up.
        slips: turns on the skin, by the place the sensor is meant for.
        stuck: times in which a sensor repeats itself, likewise.
    """

    swapped: bool = False
    upside_down: frozenset[Placement] = frozenset()
    slips: Mapping[Placement, tuple[Slip, ...]] = field(default_factory=dict)
    stuck: Mapping[Placement, tuple[Stuck, ...]] = field(default_factory=dict)


AS_TOLD = Wearing()
"""Every sensor at its place, the right way up, and there it stays."""


@dataclass(frozen=True, slots=True)
class SimulatedPatient:
    """A person who moves as the timeline says, and the sensors worn."""

    timeline: Timeline
    sources: Mapping[Placement, SimulatedSource]


def draw_patient(
    rng: np.random.Generator,
    *,
    grade: str = "good",
    placements: tuple[Placement, ...] = _BOTH,
    mount: str = COMMON_MOUNT,
    rate_hz: int = 100,
    lost_fraction: float = 0.0,
    lost_together: int = 5,
    fading: Fading | None = None,
    acc_range_g: float = 8.0,
    gyr_range_dps: float = 1000.0,
    wearing: Wearing = AS_TOLD,
) -> SimulatedPatient:
    """A patient drawn from ``rng``: body, the way of moving, and one sensor per placement.

    Body and movement do not depend on which sensors are worn, nor on their grade. A small range saturates.

    Raises:
        SettingsError: no such grade, ``mount`` cannot be read, loss or range out of range.
    """
    if grade not in GRADES:
        raise SettingsError(f"sensor grade {grade!r}; known: {', '.join(GRADES)}")
    if not (acc_range_g > 0.0 and gyr_range_dps > 0.0):
        raise SettingsError(f"ranges of {acc_range_g} g and {gyr_range_dps} °/s; need more than 0")
    body_rng, movement_rng, *sensor_rngs = rng.spawn(2 + len(Placement))
    timeline = Timeline(draw_body(body_rng), movement_rng)
    sources = {
        placement: SimulatedSource(
            timeline,
            _OTHER[placement] if wearing.swapped else placement,
            draw_imperfections(
                GRADES[grade],
                sensor_rng,
                mount=upside_down(mount) if placement in wearing.upside_down else mount,
                lost_fraction=lost_fraction,
                lost_together=lost_together,
                slips=wearing.slips.get(placement, ()),
                fading=fading,
                stuck=wearing.stuck.get(placement, ()),
            ),
            rate_hz=rate_hz,
            acc_range_g=acc_range_g,
            gyr_range_dps=gyr_range_dps,
        )
        for placement, sensor_rng in zip(Placement, sensor_rngs, strict=True)
        if placement in placements
    }
    return SimulatedPatient(timeline, MappingProxyType(sources))
