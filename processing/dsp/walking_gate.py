"""Whether a repetition was walking: its time against that of the walks, and of a walk that may just be beginning."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from processing.dsp.blocks import Floats, GridBlock
from processing.dsp.steps import MAX_STEP_NS, Bout, Steps, StepsState

NEAR_WALK_NS = MAX_STEP_NS
"""Before its first and after its last step a walk moves the trunk as well: shifting the weight and closing the feet
take about as long as a step (estimate)."""

MEMORY = 4
"""Walks that are remembered; a repetition that reaches further back than these has walks within it anyway."""


class Verdict(StrEnum):
    """What is known about a repetition."""

    WALKED = "walked"
    UNDECIDED = "undecided"
    """Steps may have begun; a second tells."""
    CLEAR = "clear"


class WalkingGateState(msgspec.Struct):
    """State of ``WalkingGate``: the steps, and the last walks that are over."""

    steps: StepsState
    walks_ns: list[tuple[int, int]] = []


class WalkingGate:
    """The steps of one sensor, and what they say about movements."""

    def __init__(self, state: WalkingGateState | None = None) -> None:
        self._steps = Steps(state.steps if state else None)
        self.state = state or WalkingGateState(self._steps.state)

    def step(self, block: GridBlock, quats: Floats) -> Bout | None:
        """Take the next block and its orientations, shape (5, 4); the bout that ended with it."""
        return self._remember(self._steps.take(block, quats))

    def reset(self) -> Bout | None:
        """Forget the signal (after a gap); the bout under way ends."""
        return self._remember(self._steps.reset())

    def finish(self) -> Bout | None:
        """End the bout under way."""
        return self._remember(self._steps.finish())

    def forget(self) -> None:
        """Forget the walks that are over (the clock is set anew)."""
        self.state.walks_ns = []

    def is_walking(self, t_ns: int) -> bool:
        """Tell whether the person is walking."""
        return self._steps.is_walking(t_ns)

    def verdict(self, t0_ns: int, t1_ns: int, near_ns: int, *, lifts: bool) -> Verdict:
        """Tell whether a movement was walking.

        Args:
            t0_ns: begin of the movement.
            t1_ns: its end.
            near_ns: time before the first step from which on it is part of the walk.
            lifts: whether the movement lifts the trunk by itself, so that one crest of its acceleration, or any
                that changes its height, is no step.
        """
        steps = self._steps.state
        walks = [*self.state.walks_ns, (steps.first_ns, steps.last_ns)] if steps.walking else self.state.walks_ns
        if any(t0_ns <= end_ns + NEAR_WALK_NS and begin_ns - near_ns <= t1_ns for begin_ns, end_ns in walks):
            return Verdict.WALKED
        begun = self._steps.keeps_level if lifts else steps.count > 0
        if begun and not steps.walking and steps.first_ns - near_ns <= t1_ns:
            return Verdict.UNDECIDED
        return Verdict.CLEAR

    def _remember(self, bout: Bout | None) -> Bout | None:
        if bout is not None:
            self.state.walks_ns = [*self.state.walks_ns, (bout.t0_ns, bout.t1_ns)][-MEMORY:]
        return bout
