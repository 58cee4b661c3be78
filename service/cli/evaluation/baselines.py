"""Simple offline counters, of the kind that published work starts from, to stand beside the analyzer's counts.

They see the whole recording at once, which the analyzer may not. Each has a small grid of settings in physical units;
the setting for a person is the one that counts the other people best, so that no person is judged with settings that
were chosen on them (the way in which signals.md §3.3 scored such counters).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, detrend, find_peaks, sosfiltfilt

from firmware_sim.recording import Track
from processing.dsp.blocks import Floats
from processing.dsp.mounting import rightward_of
from service.cli.evaluation.counting import Count
from service.cli.evaluation.left_out import left_out
from service.cli.evaluation.tilt import unit

RATE_HZ = 50.0
"""Rate that everything is brought to; exercises have nothing above some hertz."""

SHORTEST_S, LONGEST_S = 0.8, 8.0
"""Tempo that the autocorrelation looks for; the exercises take 1.5 to 6 s (signals.md §3.5)."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be counted.

    Attributes:
        channel: plane, where there is more than one.
        truth: the true count.
        acc: m/s², shape (n, 3), to the wearer's right, forward and up, at ``RATE_HZ``.
        gyr: rad/s, likewise.
    """

    person: str
    recording: str
    channel: str
    truth: int
    acc: Floats
    gyr: Floats


class Setting(NamedTuple):
    """One setting of a counter.

    Attributes:
        cutoff_hz: of the zero-phase low-pass in front.
        smallest: least prominence of a peak, in the unit of the series.
        apart_s: least time between peaks.
    """

    cutoff_hz: float
    smallest: float
    apart_s: float


@dataclass(frozen=True, slots=True)
class SimpleCounter:
    """A counter: a series, what counts its repetitions, and its settings, the middle one first."""

    name: str
    series: Callable[[Trial], Floats]
    count: Callable[[Floats, Setting], int]
    settings: Sequence[Setting]


def body_frame(track: Track, mount: str) -> tuple[Floats, Floats]:
    """Acceleration and rate of a sensor at even times along right, forward and up; lost samples are interpolated.

    Right is as the mount states it, up is the mean acceleration across it.
    """
    t_s = np.arange(float(track.t_s[0]), float(track.t_s[-1]), 1.0 / RATE_HZ)
    acc, gyr = (np.stack([np.interp(t_s, track.t_s, one) for one in part.T], axis=1) for part in (track.acc, track.gyr))
    right = rightward_of(mount)
    mean = acc.mean(axis=0)
    up = unit(mean - right * (mean @ right))
    axes = np.stack((right, np.cross(up, right), up), axis=1)
    return acc @ axes, gyr @ axes


def acceleration_magnitude(trial: Trial) -> Floats:
    """Length of the acceleration, m/s²."""
    length: Floats = np.linalg.norm(trial.acc, axis=1)
    return length


def tilt_deg(trial: Trial) -> Floats:
    """Forward tilt by the accelerometer alone, degrees; the low-pass comes with the setting."""
    return np.degrees(np.arctan2(-trial.acc[:, 1], trial.acc[:, 2]))


def plane_angle_deg(trial: Trial) -> Floats:
    """Angle in the trial's plane, degrees: tilt by the accelerometer, or rate about the spine added up, less a line."""
    if trial.channel == "axial_rotation":
        turned: Floats = detrend(np.degrees(np.cumsum(trial.gyr[:, 2]) / RATE_HZ))
        return turned
    if trial.channel == "lateral_bend":
        return np.degrees(np.arctan2(-trial.acc[:, 0], trial.acc[:, 2]))
    return tilt_deg(trial)


def principal_component(trial: Trial) -> Floats:
    """First principal component of the six readings, each in parts of its own spread."""
    readings = np.concatenate((trial.acc, trial.gyr), axis=1)
    readings = (readings - readings.mean(axis=0)) / np.maximum(readings.std(axis=0), 1e-9)
    component: Floats = readings @ np.linalg.svd(readings, full_matrices=False)[2][0]
    return component


def by_peaks(series: Floats, setting: Setting) -> int:
    """Peaks that stand out."""
    return len(peaks_of(series, setting))


def peaks_of(series: Floats, setting: Setting) -> npt.NDArray[np.int_]:
    """Indices of the peaks that stand out, no two closer than the setting allows."""
    smooth = _smooth(series, setting.cutoff_hz)
    return find_peaks(smooth, prominence=setting.smallest, distance=max(1.0, setting.apart_s * RATE_HZ))[0]


def by_autocorrelation(series: Floats, setting: Setting) -> int:
    """Peaks no closer than three quarters of the period that the autocorrelation shows, and not far lower than most.

    After RecoFit (Morris et al. 2014): three quarters of the period, and half of the 40th percentile of the peaks'
    heights are its rules from memory, to be checked. The sign of a principal component means nothing: the side with
    the sharper peaks is counted.
    """
    smooth = _smooth(series, setting.cutoff_hz)
    smooth = smooth - np.median(smooth)
    if abs(smooth.min()) > smooth.max():
        smooth = -smooth
    period = _period(smooth)
    apart = max(1.0, setting.apart_s * RATE_HZ, 0.75 * period)
    heights = find_peaks(smooth, height=0.0, distance=apart)[1]["peak_heights"]
    if not heights.size:
        return 0
    return int(np.sum(heights >= max(setting.smallest, 0.5 * float(np.percentile(heights, 40)))))


def _smooth(series: Floats, cutoff_hz: float) -> Floats:
    smooth: Floats = sosfiltfilt(butter(2, cutoff_hz, fs=RATE_HZ, output="sos"), series)
    return smooth


def _period(smooth: Floats) -> int:
    """Samples between repetitions: the largest peak of the autocorrelation within the tempo looked for."""
    size = len(smooth)
    spectrum = np.abs(np.fft.rfft(smooth, 2 * size)) ** 2
    likeness = np.fft.irfft(spectrum)[:size]
    first, stop = round(SHORTEST_S * RATE_HZ), min(round(LONGEST_S * RATE_HZ), size)
    if stop <= first:
        return 0
    return first + int(np.argmax(likeness[first:stop]))


def grid(cutoffs: Sequence[float], smallest: Sequence[float], apart_s: Sequence[float]) -> Sequence[Setting]:
    """Every combination, the one of the middles first."""
    every = [Setting(*one) for one in itertools.product(cutoffs, smallest, apart_s)]
    middle = Setting(*(values[len(values) // 2] for values in (cutoffs, smallest, apart_s)))
    return [middle, *(one for one in every if one != middle)]


_APART_S = (0.8, 1.2, 1.8)
_DEGREES = (5.0, 10.0, 15.0, 20.0)

ACCELERATION_PEAKS = SimpleCounter(
    "peaks on acceleration magnitude",
    acceleration_magnitude,
    by_peaks,
    grid((0.5, 0.8, 1.2, 2.0), (0.15, 0.3, 0.6, 1.0, 1.5), _APART_S),
)
TILT_PEAKS = SimpleCounter(
    "peaks on tilt by the accelerometer", tilt_deg, by_peaks, grid((0.5, 0.8, 1.2), _DEGREES, _APART_S)
)
PLANE_PEAKS = SimpleCounter(
    "peaks on each plane's angle (accelerometer; gyroscope about the spine)",
    plane_angle_deg,
    by_peaks,
    grid((0.5, 0.8, 1.2), _DEGREES, _APART_S),
)
AUTOCORRELATION = SimpleCounter(
    "principal component and autocorrelation (RecoFit-like)",
    principal_component,
    by_autocorrelation,
    grid((0.5, 0.8, 1.2), (0.3, 0.6, 1.0), _APART_S),
)


def counts_by(counter: SimpleCounter, trials: Sequence[Trial]) -> list[Count]:
    """Counts of every trial with the setting that counts the other people best."""
    series = [counter.series(trial) for trial in trials]
    found = [[counter.count(one, setting) for one in series] for setting in counter.settings]
    people = [trial.person for trial in trials]
    off = np.abs(np.array(found, dtype=np.float64).reshape(len(found), -1) - [trial.truth for trial in trials])
    chosen = left_out(people, -1.0 * (off > 0.0) - off / 1000.0)
    return [
        Count(trial.person, trial.recording, trial.channel, found[chosen[trial.person]][number], trial.truth)
        for number, trial in enumerate(trials)
    ]
