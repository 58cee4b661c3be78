"""Counting within a set: one group of channels per segment, and the vertical channel."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from processing.domain.exercises import Channel, CountedChannel, Swing
from processing.dsp.blocks import GRID_NS, NS_PER_S, Floats
from processing.dsp.lowpass import MOVEMENT_DELAY_NS, SectionsState, movement_lowpass
from processing.dsp.repetitions import Rep, Repetitions, RepetitionsState
from processing.dsp.turning_points import Point, TurningPoints, TurningPointsState
from processing.dsp.vertical import Vertical, VerticalState
from processing.dsp.vertical_bounds import VerticalBounds, VerticalBoundsState

AXES = (Channel.FLEXION, Channel.LATERAL_BEND, Channel.AXIAL_ROTATION)
"""Order of the angles in every array of angles."""

MIN_SHARE = 0.5
"""Where several planes are counted at once, a swing counts on the plane that has more than half of the squared
movement, so its axis lies within 45° of that plane's. Sums of absolute angles (signals.md §3.2 no. 6) separate the
planes less well: flexion of the trunk passes up to 40° on to rotation (trunk_seated)."""

REST_CLOSES_NS = 2 * NS_PER_S
"""Rest that closes a swing without a return (signals.md §3.4 no. 8)."""


class Counted(NamedTuple):
    """A repetition and the channel that it was counted on."""

    channel: Channel
    rep: Rep


def _undelayed(counted: Counted) -> Counted:
    """The same repetition at the time of the movement instead of that of the filtered channel."""
    rep = counted.rep
    return counted._replace(
        rep=rep._replace(
            t0_ns=rep.t0_ns - MOVEMENT_DELAY_NS,
            t_peak_ns=rep.t_peak_ns - MOVEMENT_DELAY_NS,
            t1_ns=rep.t1_ns - MOVEMENT_DELAY_NS,
        )
    )


class ChannelState(msgspec.Struct):
    """State of the counter of one channel."""

    turns: TurningPointsState
    reps: RepetitionsState
    count: int = 0


class ChannelCounter:
    """Turning points and repetitions of one channel."""

    def __init__(self, counted: CountedChannel, min_share: float, state: ChannelState | None = None) -> None:
        self.channel = counted.channel
        self._axis = AXES.index(counted.channel) if counted.channel in AXES else 0
        self._floor = counted.floor
        self._turns = TurningPoints(
            counted.floor,
            min_share,
            state.turns if state else None,
            rests_at_zero=counted.channel is not Channel.VERTICAL,
        )
        self._reps = Repetitions(counted.swing, state.reps if state else None)
        self.state = state or ChannelState(self._turns.state, self._reps.state)

    def step(self, point: Point, *, at_rest: bool = False, ignored: bool = False) -> list[Counted]:
        """Take a sample; an ignored turn (walking) moves the channel on but counts nothing."""
        turn = self._turns.step(point, at_rest=at_rest)
        rep = self._reps.turn(turn, point.t_ns) if turn is not None and not ignored else None
        rep = rep or self._reps.settle(point, self._turns.state.best)
        return self._count(rep)

    def has_moved(self, before: Point, now: Point) -> bool:
        """Whether the channel has moved by half its floor between two moments."""
        return abs(now.axes[self._axis] - before.axes[self._axis]) >= 0.5 * self._floor

    def rest(self, point: Point) -> list[Counted]:
        """The person has come to rest: the swing under way may count."""
        turn = self._turns.rest(point)
        return self._count(self._reps.turn(turn, point.t_ns) if turn is not None else None)

    def finish(self, now_ns: int) -> list[Counted]:
        """The set is over."""
        return self._count(self._reps.finish(now_ns))

    def reset(self) -> None:
        """Drop what is under way (after a gap)."""
        self._turns.reset()
        self._reps.reset()

    def _count(self, rep: Rep | None) -> list[Counted]:
        if rep is None:
            return []
        self.state.count += 1
        return [Counted(self.channel, rep)]


class AngleCountersState(msgspec.Struct):
    """State of ``AngleCounters``."""

    lowpass: list[SectionsState]
    channels: list[ChannelState]
    whole: list[float] | None = None
    last: Point | None = None
    still: Point | None = None
    closed: bool = False


class AngleCounters:
    """All angle channels that are taken from one segment (or joint)."""

    def __init__(self, counted: tuple[CountedChannel, ...], state: AngleCountersState | None = None) -> None:
        min_share = MIN_SHARE if len(counted) > 1 else 0.0
        self._lowpass = (
            [movement_lowpass(one) for one in state.lowpass] if state else [movement_lowpass() for _ in AXES]
        )
        kept: list[ChannelState] | list[None] = state.channels if state else [None] * len(counted)
        self.channels = [ChannelCounter(channel, min_share, one) for channel, one in zip(counted, kept, strict=True)]
        self.state = state or AngleCountersState(
            [one.state for one in self._lowpass], [one.state for one in self.channels]
        )

    def step(self, t0_ns: int, angles_deg: Floats, rest_ns: int) -> list[Counted]:
        """Take a block of angles, shape (5, 3), and how long the person has been at rest."""
        counted: list[Counted] = []
        for row, sample in enumerate(angles_deg.tolist()):
            whole = _continued(self.state.whole, sample)
            self.state.whole = whole
            axes = tuple(one.step(value) for one, value in zip(self._lowpass, whole, strict=True))
            t_ns = t0_ns + row * GRID_NS
            for counter in self.channels:
                self.state.last = Point(t_ns, axes[AXES.index(counter.channel)], axes)
                counted += counter.step(self.state.last, at_rest=rest_ns > 0)
        return [_undelayed(one) for one in counted + self._rest(rest_ns)]

    def _rest(self, rest_ns: int) -> list[Counted]:
        """Close what is under way after a rest, once; a slow movement of a counted channel is no rest."""
        state = self.state
        last, still = state.last, state.still
        if last is None:
            return []
        if still is None or rest_ns == 0 or any(one.has_moved(still, last) for one in self.channels):
            state.still, state.closed = last, False
        elif not state.closed and last.t_ns - still.t_ns >= REST_CLOSES_NS:
            state.closed = True
            return self._close()
        return []

    def _close(self) -> list[Counted]:
        last = self.state.last
        if last is None:
            return []
        counted: list[Counted] = []
        for counter in self.channels:
            counted += counter.rest(Point(last.t_ns, last.axes[AXES.index(counter.channel)], last.axes))
        return counted

    def finish(self, now_ns: int) -> list[Counted]:
        """The set is over."""
        counted = self._close()
        for counter in self.channels:
            counted += counter.finish(now_ns)
        return [_undelayed(one) for one in counted]

    def reset(self) -> None:
        """Drop what is under way (after a gap)."""
        for one in self._lowpass:
            one.reset()
        for counter in self.channels:
            counter.reset()
        self.state.whole = self.state.last = self.state.still = None


def _continued(before: list[float] | None, angles_deg: list[float]) -> list[float]:
    """Angles without the jump from 180 to -180 degrees, which a person who turns round would cause."""
    if before is None:
        return angles_deg
    return [now + 360.0 * round((was - now) / 360.0) for was, now in zip(before, angles_deg, strict=True)]


class VerticalCounterState(msgspec.Struct):
    """State of ``VerticalCounter``."""

    vertical: VerticalState
    lowpass: SectionsState
    speed_lowpass: SectionsState
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

    def step(self, t_ns: int, up_mps2: float, *, walking: bool) -> list[Counted]:
        """Take a sample of vertical acceleration."""
        height_m = self._lowpass.step(self._vertical.step(up_mps2))
        counted = self.counter.step(Point(t_ns, height_m), ignored=walking)
        speed_mps = self._speed_lowpass.step(self._vertical.speed_mps)
        return self._named(self._bounds.step(t_ns, speed_mps, counted[0].rep if counted else None))

    def finish(self, now_ns: int) -> list[Counted]:
        """The set is over."""
        return [*self._named(self._bounds.finish()), *map(_undelayed, self.counter.finish(now_ns))]

    def _named(self, reps: list[Rep]) -> list[Counted]:
        return [_undelayed(Counted(self.counter.channel, rep)) for rep in reps]

    def reset(self) -> list[Counted]:
        """Drop what is under way (after a gap); what is counted already is dated with what is there."""
        counted = self._named(self._bounds.finish())
        self._vertical.reset()
        self._lowpass.reset()
        self._speed_lowpass.reset()
        self._bounds.reset()
        self.counter.reset()
        return counted
