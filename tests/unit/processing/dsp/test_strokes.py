"""Speed and smoothness of strokes, and the noise of a range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.dsp.rom_noise import half_width_deg
from processing.dsp.smoothness import spectral_arc_length
from processing.dsp.strokes import PERIOD_S, Strokes


def reach(size_deg: float, seconds: float) -> list[float]:
    """A movement of minimum jerk (Flash & Hogan 1985), one angle per block."""
    s = np.arange(0.0, seconds + 1e-9, PERIOD_S) / seconds
    angles: list[float] = (size_deg * (10 * s**3 - 15 * s**4 + 6 * s**5)).tolist()
    return angles


def strokes_of(angles: list[float], neutral_deg: float = 0.0) -> Strokes:
    strokes = Strokes()
    for angle in angles:
        strokes.take(angle, neutral_deg)
    strokes.finish(neutral_deg)
    return strokes


def test_the_peak_speed_of_a_smooth_bend_is_the_true_one() -> None:
    bend = [0.0] * 20 + reach(60.0, 2.0) + [60.0] * 20
    assert strokes_of(bend).peak_dps(1) == pytest.approx(1.875 * 60.0 / 2.0, rel=0.02)


def test_coming_back_to_neutral_is_no_movement_out_to_the_other_side() -> None:
    there_and_back = [0.0] * 10 + reach(50.0, 1.5) + [50.0 - one for one in reach(51.0, 1.0)] + [-1.0] * 10
    strokes = strokes_of(there_and_back)
    assert strokes.peak_dps(1) == pytest.approx(1.875 * 50.0 / 1.5, rel=0.03)
    assert strokes.peak_dps(0) is None


def test_swinging_from_side_to_side_is_told_for_both_sides() -> None:
    swing = reach(20.0, 1.0) + [20.0 - one for one in reach(45.0, 2.0)] + [-25.0 + one for one in reach(45.0, 1.0)]
    strokes = strokes_of(swing)
    assert strokes.peak_dps(0) == pytest.approx(1.875 * 45.0 / 2.0, rel=0.05)
    assert strokes.peak_dps(1) == pytest.approx(1.875 * 45.0, rel=0.05)


def test_a_long_stand_between_two_bends_changes_neither() -> None:
    bend = reach(40.0, 1.6) + [40.0 - one for one in reach(40.0, 1.6)]
    short, long = (strokes_of(bend + [0.0] * count + bend) for count in (10, 1000))
    assert long.peak_dps(1) == pytest.approx(short.peak_dps(1) or 0.0, rel=0.01)
    assert long.state.counts == short.state.counts == [0, 2]


def test_a_movement_in_three_jerks_is_less_smooth_than_one_in_one_go() -> None:
    once = strokes_of([0.0] * 5 + reach(60.0, 3.0) + [60.0] * 5)
    jerks = [20.0 * at + one for at in range(3) for one in reach(20.0, 1.0)]
    jerky = strokes_of([0.0] * 5 + jerks + [60.0] * 5)
    assert (jerky.mean_smoothness(1) or 0.0) < (once.mean_smoothness(1) or 0.0) - 0.3


@given(st.floats(0.1, 100.0), st.integers(1, 8))
def test_smoothness_depends_neither_on_size_nor_on_duration(size: float, seconds: int) -> None:
    speeds = np.diff(reach(size, float(seconds))).tolist()
    assert spectral_arc_length(speeds, PERIOD_S) == pytest.approx(-1.41, abs=0.04)


def test_what_does_not_move_has_no_smoothness() -> None:
    assert spectral_arc_length([0.0] * 50, PERIOD_S) is None
    assert strokes_of([0.1, -0.1] * 100).mean_smoothness(1) is None


@given(st.floats(0.0, 60.0), st.floats(0.0, 0.2), st.floats(0.0, 90.0))
def test_nothing_that_is_worse_makes_a_band_narrower(drifting_s: float, lost: float, aside_deg: float) -> None:
    plain = half_width_deg(sensors=1, found_axis=True, aside_deg=0.0)
    worse = half_width_deg(sensors=2, found_axis=False, aside_deg=aside_deg, drifting_s=drifting_s, lost_share=lost)
    assert plain == pytest.approx(3.06, abs=0.01)
    assert worse > plain
