"""Counting of the vertical channel within a set."""

from __future__ import annotations

import msgspec

from processing.analyzer.counters import ChannelCounter, ChannelState, Counted, Outcome, Rejected, undelayed
from processing.domain.exercises import Channel, CountedChannel, Swing
from processing.domain.rejections import RejectionReason
from processing.dsp.lowpass import SectionState, movement_lowpass
from processing.dsp.repetitions import Rep
from processing.dsp.turning_points import Point
from processing.dsp.vertical import Vertical, VerticalState
from processing.dsp.vertical_bounds import VerticalBounds, VerticalBoundsState


class VerticalCounterState(msgspec.Struct):
    """State of ``VerticalCounter``."""

    vertical: VerticalState
    lowpass: SectionState
    speed_lowpass: SectionState
    bounds: VerticalBoundsState
    channel: ChannelState


class VerticalCounter:
    """The vertical channel of one sensor. Its leaky integral is no pose, so rest closes nothing.

    Displacement counts, speed dates.
    """

    def __init__(self, counted: CountedChannel, level_mps2: float, state: VerticalCounterState | None = None) -> None:
        self._vertical = Vertical(state.vertical if state else VerticalState(gravity=level_mps2))
        self._lowpass = movement_lowpass(state.lowpass if state else None)
        self._speed_lowpass = movement_lowpass(state.speed_lowpass if state else None)
        self._bounds = VerticalBounds(1 if counted.swing is Swing.UP_DOWN else -1, state.bounds if state else None)
        self.counter = ChannelCounter(counted, 0.0, state.channel if state else None)
        self.state = state or VerticalCounterState(
            self._vertical.state,
            self._lowpass.state,
            self._speed_lowpass.state,
            self._bounds.state,
            self.counter.state,
        )
        self._height_m: float | None = None
        self._now_ns: int | None = None

    def newest(self) -> dict[Channel, float]:
        """Height as it is counted, metres above a slow mean; not part of the state, so empty until the next sample."""
        return {} if self._height_m is None else {self.counter.channel: self._height_m}

    def step(self, t_ns: int, up_mps2: float, *, walking: bool) -> list[Outcome]:
        """Take a sample of vertical acceleration."""
        self._now_ns = t_ns
        height_m = self._height_m = self._lowpass.step(self._vertical.step(up_mps2))
        outcomes = self.counter.step(Point(t_ns, height_m), walking=walking)
        speed_mps = self._speed_lowpass.step(self._vertical.speed_mps)
        counted, rejected = None, []
        if outcomes:  # seldom
            counted = next((one.rep for one in outcomes if isinstance(one, Counted)), None)
            rejected = [undelayed(one) for one in outcomes if isinstance(one, Rejected)]
        return rejected + self._named(self._bounds.step(t_ns, speed_mps, counted))

    def finish(self, now_ns: int) -> list[Outcome]:
        """The set is over."""
        return [*self._named(self._bounds.finish()), *map(undelayed, self.counter.finish(now_ns))]

    def provisional(self) -> dict[Channel, int]:
        """The same as of ``AngleCounters``; like ``newest`` empty until the next sample."""
        return {} if self._now_ns is None else {self.counter.channel: self.counter.provisional(self._now_ns)}

    def _named(self, reps: list[Rep]) -> list[Outcome]:
        return [undelayed(Counted(self.counter.channel, rep)) for rep in reps]

    def reset(self) -> list[Outcome]:
        """Drop what is under way (after a gap); what is counted already is dated with what is there."""
        counted = self._named(self._bounds.finish())
        self._vertical.reset()
        self._lowpass.reset()
        self._speed_lowpass.reset()
        self._bounds.reset()
        return counted + [undelayed(one) for one in self.counter.reset(RejectionReason.GAP)]
