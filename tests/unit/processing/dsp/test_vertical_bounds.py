"""Where repetitions of the vertical channel begin and end, on movements whose bounds are known."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from processing.analyzer.counters import Counted
from processing.analyzer.vertical_counter import VerticalCounter
from processing.domain.exercises import Channel, CountedChannel, Swing
from processing.domain.samples import GRAVITY_MPS2, Placement
from processing.dsp.blocks import GRID_NS, GRID_S
from processing.dsp.vertical import Vertical, speed_lead_ns
from processing.dsp.vertical_bounds import STROKE_SPEED


def strokes(
    move_s: float, pause_s: float, sign: int, reps: int = 5, rest_s: float = 3.0, hold_s: float = 0.0
) -> tuple[list[float], list]:
    """Vertical acceleration of movements out and back by 0.4 m at smooth speed, and begin and end of each."""
    height = [np.zeros(round(rest_s / GRID_S))]
    marks = []
    for _ in range(reps):
        begin_s = sum(map(len, height)) * GRID_S
        way = 0.2 * sign * (1.0 - np.cos(2.0 * np.pi * np.arange(round(move_s / GRID_S)) * GRID_S / move_s))
        hold = np.full(round(hold_s / GRID_S), 0.4 * sign)
        out, back = np.array_split(way, 2)
        height += [out, hold, back, np.zeros(round(pause_s / GRID_S))]
        marks.append((begin_s, begin_s + move_s + hold_s))
    height.append(np.zeros(round(rest_s / GRID_S)))
    whole = np.concatenate(height)
    acc = np.gradient(np.gradient(whole, GRID_S), GRID_S) + GRAVITY_MPS2
    return acc.tolist(), marks


def counted_in(acc: list[float], swing: Swing) -> list[Counted]:
    channel = CountedChannel(channel=Channel.VERTICAL, segment=Placement.PELVIS, fallback=None, swing=swing, floor=0.05)
    counter = VerticalCounter(channel, GRAVITY_MPS2)
    found = [one for at, up in enumerate(acc) for one in counter.step(at * GRID_NS, up, walking=False)]
    return found + counter.finish(len(acc) * GRID_NS)


@pytest.mark.parametrize(("swing", "sign"), [(Swing.DOWN_UP, -1), (Swing.UP_DOWN, 1)])
@pytest.mark.parametrize("move_s", [1.8, 2.5, 3.5])
@pytest.mark.parametrize("pause_s", [0.0, 0.4, 1.0])
def test_a_repetition_shares_the_pauses_around_it(swing: Swing, sign: int, move_s: float, pause_s: float) -> None:
    acc, marks = strokes(move_s, pause_s, sign)
    found = counted_in(acc, swing)
    assert len(found) == len(marks)
    # The first start and the last end have no pause to share.
    for one, (begin_s, end_s) in list(zip(found, marks, strict=True))[1:-1]:
        assert one.rep.t0_ns / 1e9 == pytest.approx(begin_s - 0.5 * pause_s, abs=0.15)
        assert one.rep.t_peak_ns / 1e9 == pytest.approx(0.5 * (begin_s + end_s), abs=0.15)
        # A repetition is reported at once, so a long pause after it is cut off.
        assert end_s - 0.1 <= one.rep.t1_ns / 1e9 <= end_s + 0.5 * pause_s + 0.25
    assert found[0].rep.t0_ns / 1e9 == pytest.approx(marks[0][0], abs=0.4)
    assert found[-1].rep.t1_ns / 1e9 == pytest.approx(marks[-1][1], abs=0.6)


def test_a_long_rest_belongs_to_no_repetition() -> None:
    acc, marks = strokes(2.5, 6.0, -1)
    for one, (begin_s, end_s) in zip(counted_in(acc, Swing.DOWN_UP), marks, strict=True):
        assert one.rep.t0_ns / 1e9 == pytest.approx(begin_s, abs=0.5)
        assert one.rep.t1_ns / 1e9 == pytest.approx(end_s, abs=0.5)


@pytest.mark.parametrize(("swing", "sign"), [(Swing.DOWN_UP, -1), (Swing.UP_DOWN, 1)])
@pytest.mark.parametrize("hold_s", [0.0, 0.5, 1.0, 2.0])
def test_time_at_the_far_end_is_that_between_the_strokes(swing: Swing, sign: int, hold_s: float) -> None:
    acc, marks = strokes(2.4, 0.6, sign, hold_s=hold_s)
    turns_s = 2.4 / math.pi * math.asin(STROKE_SPEED)
    for one, (begin_s, _) in zip(counted_in(acc, swing), marks, strict=True):
        far_end = one.rep.far_end
        assert far_end is not None
        assert far_end.held_ns / 1e9 == pytest.approx(hold_s + turns_s, abs=0.2)
        assert far_end.reached_ns / 1e9 == pytest.approx(begin_s + 1.2 - 0.5 * turns_s, abs=0.2)


def test_repetitions_do_not_overlap() -> None:
    acc, _ = strokes(2.0, 0.3, -1, reps=8)
    reps = [one.rep for one in counted_in(acc, Swing.DOWN_UP)]
    assert all(rep.t0_ns < rep.t_peak_ns < rep.t1_ns for rep in reps)
    assert all(one.t1_ns <= other.t0_ns for one, other in pairwise(reps))


@pytest.mark.parametrize("period_s", [2.0, 3.5, 5.0])
def test_the_vertical_speed_leads_the_movement_by_what_is_said(period_s: float) -> None:
    vertical, omega = Vertical(), 2.0 * math.pi / period_s
    times_s = np.arange(round(60.0 / GRID_S)) * GRID_S
    speeds = []
    for t_s in times_s.tolist():
        vertical.step(GRAVITY_MPS2 + omega * math.cos(omega * t_s))
        speeds.append(vertical.speed_mps)
    late = times_s > 30.0
    phase = np.angle(np.sum(np.array(speeds)[late] * np.exp(-1j * omega * times_s[late])) * 1j)
    assert phase / omega == pytest.approx(speed_lead_ns(round(period_s * 1e9)) / 1e9, abs=0.012)
