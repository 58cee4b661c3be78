"""Crests of the vertical acceleration in the band of steps: the moments at which a foot pushes the trunk up."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

import msgspec

from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.lowpass import SectionState, step_bandpass

FLOOR_MPS2 = 0.4
"""Smallest swing from a trough to a crest: twice what a person shows who stands or sits, breathing (walking_lowback).
The steps of a turn, at the edge of a bout and of slow people are as weak as this: slowing a walk down to two thirds of
its speed by calculation makes them half as large."""

FOLLOW = 0.3
"""Smallest swing as a fraction of the usual one: the second bump within a step is smaller, a step of a turn is not
(estimate)."""

MEMORY = 4
"""Swings that the median is taken over: two strides, so a limp does not raise it."""

FORGET_NS = 2 * NS_PER_S
"""Silence after which the usual swing is forgotten: the next walk may be another one."""


class Crest(NamedTuple):
    """A crest, and by how much the band-passed acceleration rose to it from the trough before, m/s²."""

    t_ns: int
    swing: float


class CrestsState(msgspec.Struct):
    """State of ``Crests``.

    ``least`` is the hysteresis; ``best`` is the furthest value since the last turn, ``before`` and ``after`` its
    neighbours; ``turned`` is the value of the last turn.
    """

    sections: SectionState
    rising: bool = True
    turned: float = 0.0
    best: float = 0.0
    best_ns: int = 0
    before: float = 0.0
    after: float | None = None
    last: float = 0.0
    swings: list[float] = []
    least: float = FLOOR_MPS2
    crest_ns: int = 0


class Crests:
    """Turning points with hysteresis, of which the upper ones are reported; the hysteresis follows the person."""

    def __init__(self, state: CrestsState | None = None) -> None:
        self._sections = step_bandpass(state.sections if state else None)
        self.state = state or CrestsState(self._sections.state)

    def step(self, t_ns: int, up_mps2: float) -> Crest | None:
        """Take the mean vertical acceleration of a block and the time of its middle; a crest that became certain."""
        state = self.state
        value = self._sections.step(up_mps2)
        crest = None
        if state.swings and t_ns - state.crest_ns > FORGET_NS:
            state.swings, state.least = [], FLOOR_MPS2
        if (value > state.best) is state.rising and value != state.best:
            state.best, state.best_ns, state.before, state.after = value, t_ns, state.last, None
        else:
            state.after = value if state.after is None else state.after
            if abs(state.best - value) >= state.least:
                crest = self._turn(t_ns, value)
        state.last = value
        return crest

    def reset(self) -> None:
        """Forget the signal (after a gap)."""
        self._sections.reset()
        state = self.state
        state.rising, state.swings, state.least = True, [], FLOOR_MPS2
        state.turned = state.best = state.last = 0.0

    def _turn(self, t_ns: int, value: float) -> Crest | None:
        state = self.state
        crest = None
        swing = state.best - state.turned
        if state.rising and swing >= FLOOR_MPS2:
            crest = Crest(state.best_ns + round(_shift(state) * BLOCK_NS), swing)
            state.swings = [*state.swings, swing][-MEMORY:]
            state.least = max(FLOOR_MPS2, FOLLOW * median(state.swings))
            state.crest_ns = t_ns
        state.rising, state.turned = not state.rising, state.best
        state.best, state.best_ns, state.before, state.after = value, t_ns, state.last, None
        return crest


def _shift(state: CrestsState) -> float:
    """Top of the parabola through the crest and its neighbours, in blocks from the highest value."""
    after = state.last if state.after is None else state.after
    curve = state.before - 2.0 * state.best + after
    return 0.5 * (state.before - after) / curve if curve < 0.0 else 0.0
