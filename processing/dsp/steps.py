"""Steps from the vertical acceleration of the trunk, and whether the person is walking."""

from __future__ import annotations

import math
from functools import reduce
from statistics import median
from typing import NamedTuple

import msgspec

from processing.domain.samples import GRAVITY_MPS2
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, GRID_NS, NS_PER_S, Floats, GridBlock
from processing.dsp.crests import Crests, CrestsState
from processing.dsp.trunk_axes import up_of

CLEAR_STEP_MPS2 = 1.0
"""Swing of the band-passed vertical acceleration that is a clear step; brisk walking shows 4-10 m/s² from trough to
crest (signals.md §3.5), a slow or impaired person a quarter of that (estimate)."""

MIN_STEP_NS = 250_000_000
"""A crest that comes sooner after a step is the same step: 240 steps/min is running."""

MAX_STEP_NS = 1_200_000_000
"""Longest time from step to step, 50 steps/min. Walking in water takes 0.9 s a step (signals.md §3.5, estimate)."""

GATE_STEPS = 4
"""Steps in a row that make it walking, two strides; fewer are a shift of weight (a walking bout has at least two
strides: Kluge et al. 2021, from memory, to be checked)."""

CLEAR_STEPS = 3
"""How many of these must be clear."""

LEVEL_M = 0.12
"""Within this the height keeps while walking, leaky integral of ``LEAK_S``; a squat or rising from a chair swings the
trunk by more. Over four steps walking showed at most 0.11 m (1 person, straightening up meanwhile), runs of crests in
squats at least 0.13 m (3 people, 375 squats)."""

STEADY_LEAN = 2.0 * math.sin(math.radians(25.0) / 2.0)
"""Within 25° the trunk keeps its direction while walking, as the length of the way of its up vector: straight ahead
3-15° in four steps (2 people), carrying things about a kitchen up to 30°, fast bends on a chair 35-110° (8 people)."""

LEAK_S = 0.5
"""Time constant of both integrators of the height: a step is shorter, stairs climb slowly enough to be forgotten."""

BOUT_PAUSE_NS = 2 * NS_PER_S
"""Silence that ends a bout."""

CERTAIN_NS = NS_PER_S // 2
"""A crest of the slowest steps becomes certain this much later, half a step."""

GATE_PAUSE_NS = MAX_STEP_NS + CERTAIN_NS
"""Silence after which the person is no longer taken to walk."""

BRISK_STEP_NS = 600_000_000
"""100 steps/min, moderate intensity (Tudor-Locke, from memory, to be checked)."""

PACE_STEPS = 8
"""Step times whose median is the pace: turns and single odd steps do not interrupt brisk walking (estimate)."""

STEP_DELAY_NS = 80_000_000
"""From a foot contact to the crest: the trunk is pushed up about 55 ms after it (walking_lowback, 1 person), and the
band-pass is 25 ms late at 1.8 Hz. Matching steps allows 500 ms, so the figure decides nothing."""

_PERIOD_S = BLOCK_NS / NS_PER_S
_KEEP = math.exp(-_PERIOD_S / LEAK_S)
_FORGET = -math.expm1(-_PERIOD_S / 10.0)


class Bout(NamedTuple):
    """Continuous walking, from its first to its last step; ``brisk_s`` of it at 100 steps/min and more."""

    t0_ns: int
    t1_ns: int
    steps: int
    brisk_s: float

    @property
    def cadence_per_min(self) -> float:
        """Steps per minute."""
        return 60.0 * (self.steps - 1) * NS_PER_S / (self.t1_ns - self.t0_ns)


Trunk = tuple[float, float, float, float]
"""Height in metres and the earth's up vector in the sensor's axes."""


class StepsState(msgspec.Struct):
    """State of ``Steps``.

    ``ranges`` are the lowest and highest height and parts of the up vector around each of the last steps, ``low`` and
    ``high`` those since the last one. ``clear`` marks which of the last steps were clear; ``walking`` is set once the
    run of steps is walking.
    """

    crests: CrestsState
    level_mps2: float = GRAVITY_MPS2
    speed_mps: float = 0.0
    height_m: float = 0.0
    now: Trunk = (0.0, 0.0, 0.0, 0.0)
    low: Trunk = (0.0, 0.0, 0.0, 0.0)
    high: Trunk = (0.0, 0.0, 0.0, 0.0)
    ranges: list[tuple[Trunk, Trunk]] = []
    clear: list[bool] = []
    step_times_ns: list[int] = []
    first_ns: int = 0
    last_ns: int = 0
    count: int = 0
    brisk_ns: int = 0
    walking: bool = False


class Steps:
    """Step after step, twenty samples a second; a bout when it is over.

    A crest of the band-passed vertical acceleration is a step of a run. A run is walking once its last four steps are
    clear enough and the trunk has kept its height and its lean meanwhile; then its first steps count as well.
    """

    def __init__(self, state: StepsState | None = None) -> None:
        self._crests = Crests(state.crests if state else None)
        self.state = state or StepsState(self._crests.state)

    def take(self, block: GridBlock, quats: Floats) -> Bout | None:
        """Take the next block and its orientations, shape (5, 4); the bout that ended with it, if one did."""
        up_axis = up_of(quats[BLOCK_SAMPLES // 2].tolist())
        x, y, z = up_axis
        _, _, _, acc_x, acc_y, acc_z = block.means
        up_mps2 = x * acc_x + y * acc_y + z * acc_z
        return self.step(block.t0_ns + (BLOCK_NS - GRID_NS) // 2, up_mps2, up_axis)

    def step(self, t_ns: int, up_mps2: float, up_axis: tuple[float, float, float]) -> Bout | None:
        """Take the next block as three figures.

        Args:
            t_ns: middle of the block.
            up_mps2: mean vertical acceleration, gravity included.
            up_axis: the earth's up vector in the sensor's axes.
        """
        state = self.state
        ended = None
        if state.count and t_ns - state.last_ns > self._pause_ns + CERTAIN_NS:
            ended = self.finish()
        self._follow_trunk(up_mps2, up_axis)
        crest = self._crests.step(t_ns, up_mps2)
        if crest is not None:
            ended = self._take(crest.t_ns, crest.swing) or ended
        return ended

    def is_walking(self, t_ns: int) -> bool:
        """Tell whether the person is walking: the run of steps is walking and the last one is fresh."""
        return self.state.walking and t_ns - self.state.last_ns <= GATE_PAUSE_NS

    @property
    def keeps_level(self) -> bool:
        """Whether there are two steps and more, and the last two did not change the height of the trunk."""
        ranges = self.state.ranges[-2:]
        return len(ranges) > 1 and all(high[0] - low[0] <= LEVEL_M for low, high in ranges)

    def finish(self) -> Bout | None:
        """End the run under way; a bout if it was walking."""
        state = self.state
        bout = Bout(
            state.first_ns - STEP_DELAY_NS, state.last_ns - STEP_DELAY_NS, state.count, state.brisk_ns / NS_PER_S
        )
        walked = state.walking
        state.count = state.brisk_ns = 0
        state.walking = False
        state.ranges, state.clear, state.step_times_ns = [], [], []
        return bout if walked else None

    def reset(self) -> Bout | None:
        """Forget the signal (after a gap); the bout under way ends."""
        self._crests.reset()
        self.state.speed_mps = self.state.height_m = 0.0
        return self.finish()

    @property
    def _pause_ns(self) -> int:
        return BOUT_PAUSE_NS if self.state.walking else MAX_STEP_NS

    def _follow_trunk(self, up_mps2: float, up_axis: tuple[float, float, float]) -> None:
        state = self.state
        motion = up_mps2 - state.level_mps2
        state.level_mps2 += _FORGET * motion
        state.speed_mps = _KEEP * state.speed_mps + motion * _PERIOD_S
        state.height_m = _KEEP * state.height_m + state.speed_mps * _PERIOD_S
        state.now = now = (state.height_m, *up_axis)
        if not state.count:
            state.low = state.high = now
        else:
            state.low, state.high = _lower(state.low, now), _higher(state.high, now)

    def _take(self, t_ns: int, swing_mps2: float) -> Bout | None:
        state = self.state
        since_ns = t_ns - state.last_ns
        if state.count and since_ns < MIN_STEP_NS:
            return None
        over = since_ns > self._pause_ns or state.high[0] - state.low[0] > LEVEL_M
        ended = self.finish() if state.count and over else None
        if not state.count:
            state.first_ns = t_ns
        else:
            self._keep_pace(since_ns)
        state.last_ns = t_ns
        state.count += 1
        state.clear = [*state.clear, swing_mps2 >= CLEAR_STEP_MPS2][-GATE_STEPS:]
        state.ranges = [*state.ranges, (state.low, state.high)][-GATE_STEPS:]
        state.low = state.high = state.now
        state.walking = state.walking or self._walks()
        return ended

    def _keep_pace(self, since_ns: int) -> None:
        state = self.state
        state.step_times_ns = [*state.step_times_ns, since_ns][-PACE_STEPS:]
        if median(state.step_times_ns) <= BRISK_STEP_NS:
            state.brisk_ns += since_ns

    def _walks(self) -> bool:
        state = self.state
        if state.count < GATE_STEPS or sum(state.clear) < CLEAR_STEPS:
            return False
        low, high = reduce(_lower, (one for one, _ in state.ranges)), reduce(_higher, (one for _, one in state.ranges))
        lean = math.dist(high[1:], low[1:])
        return high[0] - low[0] <= LEVEL_M and lean <= STEADY_LEAN


def _lower(one: Trunk, other: Trunk) -> Trunk:
    return min(one[0], other[0]), min(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _higher(one: Trunk, other: Trunk) -> Trunk:
    return max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
