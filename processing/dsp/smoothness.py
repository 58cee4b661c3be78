"""How smooth a movement is: the spectral arc length of its speed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

CUT_HZ = 10.0
FAINT = 0.05
PADDING = 4
"""Highest frequency, smallest share of the largest amplitude, and powers of two of zero padding, as the authors use
them (from memory, to be checked)."""


def spectral_arc_length(speeds: Sequence[float], period_s: float) -> float | None:
    """SPARC of a speed profile: negative, without unit, the closer to 0 the smoother; None if nothing moved.

    Balasubramanian et al. 2015 (J NeuroEng Rehabil 12:112): the length of the curve of the normalized amplitude
    spectrum over the normalized frequency. It depends neither on the size nor on the duration of the movement; one
    reach of minimum jerk has about -1.4.

    Args:
        speeds: speed along the movement, any unit, evenly sampled.
        period_s: time between two of them.
    """
    if len(speeds) < 2 or max(speeds) <= 0.0:
        return None
    size = 2 ** (math.ceil(math.log2(len(speeds))) + PADDING)
    amplitude = np.abs(np.fft.rfft(speeds, size))
    amplitude /= amplitude.max()
    step_hz = 1.0 / (size * period_s)
    selected = amplitude[: int(CUT_HZ / step_hz) + 1]
    last = int(np.flatnonzero(selected >= FAINT)[-1])
    if last == 0:
        return None
    rises = np.diff(selected[: last + 1])
    return -float(np.hypot(1.0 / last, rises).sum())
