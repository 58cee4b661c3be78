"""Steps from the vertical acceleration of the trunk, and whether the person is walking."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from processing.dsp.blocks import NS_PER_S
from processing.dsp.lowpass import SectionsState, step_bandpass
from processing.dsp.turning_points import Point, TurningPoints, TurningPointsState

STEP_FLOOR_MPS2 = 1.0
"""Smallest swing of the band-passed vertical acceleration that is a step; walking shows ±2-5 m/s² (signals.md §3.5)."""

MIN_STEP_NS = 250_000_000
MAX_STEP_NS = 900_000_000
"""Time between steps that is walking: 67 to 240 steps/min."""

MIN_BRISK_NS = 400_000_000
MAX_BRISK_NS = 700_000_000
"""Time between steps of brisk walking, 86 to 150 per min. The two vertical swings of a squat pass the band too, but
irregularly and mostly slower (0.8 s, squat_lowback); slower walking moves the trunk too little to be counted."""

GATE_STEPS = 4
"""Steps in a row that make it walking; fewer are a shift of weight."""

BOUT_PAUSE_NS = 2 * NS_PER_S
"""Silence that ends a bout."""

GATE_PAUSE_NS = NS_PER_S
"""Silence that opens the gate again."""

STEP_DELAY_NS = 180_000_000
"""Delay of the band-pass in the middle of its band (group delay at 1.8 Hz)."""


class Bout(NamedTuple):
    """Continuous walking, from its first to its last step."""

    t0_ns: int
    t1_ns: int
    steps: int

    @property
    def cadence_per_min(self) -> float:
        """Steps per minute."""
        return 60.0 * (self.steps - 1) * NS_PER_S / (self.t1_ns - self.t0_ns)


class StepsState(msgspec.Struct):
    """State of ``Steps``."""

    sections: SectionsState
    turns: TurningPointsState
    first_ns: int = 0
    last_ns: int = 0
    count: int = 0
    brisk: int = 0


class Steps:
    """Step after step; a bout when it is over."""

    def __init__(self, state: StepsState | None = None) -> None:
        sections = step_bandpass(state.sections if state else None)
        self._sections = sections
        self._turns = TurningPoints(STEP_FLOOR_MPS2, 0.0, state.turns if state else None)
        self.state = state or StepsState(sections.state, self._turns.state)

    def step(self, t_ns: int, up_mps2: float) -> Bout | None:
        """Take the next sample of vertical acceleration; the bout that ended, if one did."""
        ended = self.finish() if self.state.count and t_ns - self.state.last_ns > BOUT_PAUSE_NS else None
        turn = self._turns.step(Point(t_ns, self._sections.step(up_mps2)))
        if turn is not None and turn.side > 0:
            ended = self._take(turn.point.t_ns) or ended
        return ended

    def is_walking(self, t_ns: int) -> bool:
        """Tell whether the last steps were brisk walking and the last one is fresh."""
        return self.state.brisk >= GATE_STEPS and t_ns - self.state.last_ns <= GATE_PAUSE_NS

    def finish(self) -> Bout | None:
        """End the bout under way."""
        state = self.state
        bout = Bout(state.first_ns - STEP_DELAY_NS, state.last_ns - STEP_DELAY_NS, state.count)
        walked = state.count >= GATE_STEPS
        state.count = state.brisk = 0
        return bout if walked else None

    def reset(self) -> Bout | None:
        """Forget the signal (after a gap); the bout under way ends."""
        self._sections.reset()
        self._turns.reset()
        return self.finish()

    def _take(self, t_ns: int) -> Bout | None:
        state = self.state
        since_ns = t_ns - state.last_ns
        if state.count and since_ns < MIN_STEP_NS:
            return None
        ended = None
        if state.count and since_ns > MAX_STEP_NS:
            ended = self.finish()
        if not state.count:
            state.first_ns = t_ns
        state.last_ns = t_ns
        state.count += 1
        state.brisk = state.brisk + 1 if MIN_BRISK_NS <= since_ns <= MAX_BRISK_NS else 1
        return ended
