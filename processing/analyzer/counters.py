"""Counting within a set: one group of channels per segment, and the vertical channel."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from processing.domain.exercises import Channel, CountedChannel, Swing
from processing.domain.rejections import RejectionReason
from processing.dsp.blocks import GRID_NS, NS_PER_S, Floats
from processing.dsp.excursion import REST_GAIN, is_neutral_rest
from processing.dsp.lowpass import MOVEMENT_DELAY_NS, SectionState, movement_lowpass
from processing.dsp.repetitions import Rep, Repetitions, RepetitionsState
from processing.dsp.turning_points import Point, Turn, TurningPoints, TurningPointsState

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


class Rejected(NamedTuple):
    """A movement of a channel that was not counted."""

    channel: Channel
    t0_ns: int
    t_peak_ns: int
    amplitude: float
    reason: RejectionReason


Outcome = Counted | Rejected


def undelayed(outcome: Outcome) -> Outcome:
    """The same at the time of the movement instead of that of the filtered channel."""
    if isinstance(outcome, Rejected):
        return outcome._replace(
            t0_ns=outcome.t0_ns - MOVEMENT_DELAY_NS, t_peak_ns=outcome.t_peak_ns - MOVEMENT_DELAY_NS
        )
    return outcome._replace(rep=outcome.rep.earlier(MOVEMENT_DELAY_NS))


class ChannelState(msgspec.Struct):
    """State of the counter of one channel."""

    turns: TurningPointsState
    reps: RepetitionsState
    count: int = 0


class ChannelCounter:
    """Turning points and repetitions of one channel."""

    __slots__ = ("_floor", "_min_share", "_reps", "_turns", "axis", "channel", "state")

    def __init__(self, counted: CountedChannel, min_share: float, state: ChannelState | None = None) -> None:
        self.channel = counted.channel
        self.axis = AXES.index(counted.channel) if counted.channel in AXES else 0
        self._floor = counted.floor
        self._min_share = min_share
        self._turns = TurningPoints(
            counted.floor,
            min_share,
            state.turns if state else None,
            rests_at_zero=counted.channel is not Channel.VERTICAL,
            from_zero=counted.swing is Swing.EITHER_SIDE,
        )
        self._reps = Repetitions(counted.swing, state.reps if state else None)
        self.state = state or ChannelState(self._turns.state, self._reps.state)

    def step(self, point: Point, *, at_rest: bool = False, walking: bool = False) -> list[Outcome]:
        """Take a sample; a turn while walking moves the channel on but counts nothing."""
        turn = self._turns.step(point, at_rest=at_rest)
        outcomes = [] if turn is None else self._take(turn, point.t_ns, walking=walking)
        return outcomes or self._count(self._reps.settle(point, self._turns.state.best))

    def _take(self, turn: Turn, now_ns: int, *, walking: bool = False) -> list[Outcome]:
        if turn.share < self._min_share:
            return [self._rejected(turn, RejectionReason.OTHER_PLANE)]
        if walking:
            return [self._rejected(turn, RejectionReason.WALKING)] if self._reps.opens(turn) else []
        return self._count(self._reps.turn(turn, now_ns))

    def _rejected(self, turn: Turn, reason: RejectionReason) -> Rejected:
        return Rejected(self.channel, turn.begin.t_ns, turn.point.t_ns, turn.amplitude, reason)

    def provisional(self, now_ns: int) -> int:
        """Repetitions counted, and the one whose way out seems to be over."""
        turn = self._turns.turning(now_ns)
        opens = turn is not None and turn.share >= self._min_share and self._reps.opening(turn)
        return self.state.count + (opens or self._reps.state.half is not None)

    def has_moved(self, before: Point, now: Point) -> bool:
        """Whether the channel has moved by half its floor between two moments."""
        return abs(now.axes[self.axis] - before.axes[self.axis]) >= 0.5 * self._floor

    def rest(self, point: Point) -> list[Outcome]:
        """The person has come to rest: the swing under way may count."""
        turn = self._turns.rest(point)
        if turn is not None:
            return self._take(turn, point.t_ns)
        # Where several planes are counted, a small movement of one is what it takes from another.
        small = self._turns.small(point) if self._min_share == 0.0 and self._reps.state.half is None else None
        known = small is not None and self._reps.opening(small)
        return [self._rejected(small, RejectionReason.TOO_SMALL)] if small is not None and known else []

    def finish(self, now_ns: int) -> list[Outcome]:
        """The set is over."""
        return self._count(self._reps.finish(now_ns))

    def reset(self, reason: RejectionReason) -> list[Outcome]:
        """Drop what is under way."""
        half = self._reps.state.half
        self._turns.reset()
        self._reps.reset()
        if half is None:
            return []
        return [Rejected(self.channel, half.begin.t_ns, half.peak.t_ns, half.amplitude, reason)]

    def _count(self, rep: Rep | None) -> list[Outcome]:
        if rep is None:
            return []
        self.state.count += 1
        return [Counted(self.channel, rep)]


class AngleCountersState(msgspec.Struct):
    """State of ``AngleCounters``."""

    lowpass: list[SectionState]
    channels: list[ChannelState]
    whole: list[float] | None = None
    drift_deg: float = 0.0
    reach_deg: float = 0.0
    last: Point | None = None
    still: Point | None = None
    closed: bool = False


class AngleCounters:
    """All angle channels that are taken from one segment (or joint).

    The axis that was vertical in the neutral pose drifts (signals.md §2.3), so its angles count from where it rests
    in neutral.
    """

    def __init__(
        self, counted: tuple[CountedChannel, ...], drifting: Channel, state: AngleCountersState | None = None
    ) -> None:
        self._drifting = AXES.index(drifting)
        min_share = MIN_SHARE if len(counted) > 1 else 0.0
        self._lowpass = (
            [movement_lowpass(one) for one in state.lowpass] if state else [movement_lowpass() for _ in AXES]
        )
        kept: list[ChannelState] | list[None] = state.channels if state else [None] * len(counted)
        self.channels = [ChannelCounter(channel, min_share, one) for channel, one in zip(counted, kept, strict=True)]
        self.state = state or AngleCountersState(
            [one.state for one in self._lowpass], [one.state for one in self.channels]
        )

    def step(self, t0_ns: int, angles_deg: Floats, rest_ns: int) -> list[Outcome]:
        """Take a block of angles, shape (5, 3), and how long the person has been at rest."""
        outcomes: list[Outcome] = []
        for row, sample in enumerate(angles_deg.tolist()):
            whole = _continued(self.state.whole, sample)
            self.state.whole = whole
            axes = self._from_neutral([one.step(value) for one, value in zip(self._lowpass, whole, strict=True)])
            t_ns = t0_ns + row * GRID_NS
            for counter in self.channels:
                self.state.last = Point(t_ns, axes[counter.axis], axes)
                outcomes += counter.step(self.state.last, at_rest=rest_ns > 0)
        self._follow_drift(rest_ns)
        return [undelayed(one) for one in outcomes + self._rest(rest_ns)]

    def newest(self) -> dict[Channel, float]:
        """Angle of each channel as it is counted, degrees: continued past 180 and filtered, so some 0.1 s late."""
        last = self.state.last
        return {} if last is None else {one.channel: last.axes[one.axis] for one in self.channels}

    def _from_neutral(self, angles_deg: list[float]) -> tuple[float, ...]:
        state = self.state
        angles_deg[self._drifting] -= state.drift_deg
        state.reach_deg = max(state.reach_deg, abs(angles_deg[self._drifting]))
        return tuple(angles_deg)

    def _follow_drift(self, rest_ns: int) -> None:
        state = self.state
        if rest_ns and state.last is not None:
            away_deg = list(state.last.axes)
            if is_neutral_rest(away_deg, self._drifting, state.reach_deg):
                state.drift_deg += REST_GAIN * away_deg[self._drifting]

    def _rest(self, rest_ns: int) -> list[Outcome]:
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

    def provisional(self) -> dict[Channel, int]:
        """Repetitions of each channel, with the one whose way out seems to be over."""
        last = self.state.last
        return {} if last is None else {one.channel: one.provisional(last.t_ns) for one in self.channels}

    def restart(self, reason: RejectionReason) -> list[Outcome]:
        """Drop what is under way: neutral is another pose from here on, and the heading starts from it."""
        self.state.drift_deg = self.state.reach_deg = 0.0
        return self.reset(reason)

    def _close(self) -> list[Outcome]:
        last = self.state.last
        if last is None:
            return []
        outcomes: list[Outcome] = []
        for counter in self.channels:
            outcomes += counter.rest(Point(last.t_ns, last.axes[counter.axis], last.axes))
        return outcomes

    def finish(self, now_ns: int) -> list[Outcome]:
        """The set is over."""
        outcomes = self._close()
        for counter in self.channels:
            outcomes += counter.finish(now_ns)
        return [undelayed(one) for one in outcomes]

    def reset(self, reason: RejectionReason = RejectionReason.GAP) -> list[Outcome]:
        """Drop what is under way."""
        for one in self._lowpass:
            one.reset()
        self.state.whole = self.state.last = self.state.still = None
        return [undelayed(one) for counter in self.channels for one in counter.reset(reason)]


def _continued(before: list[float] | None, angles_deg: list[float]) -> list[float]:
    """Angles without the jump from 180 to -180 degrees, which a person who turns round would cause."""
    if before is None:
        return angles_deg
    return [
        now if -180.0 <= was - now <= 180.0 else now + 360.0 * round((was - now) / 360.0)
        for was, now in zip(before, angles_deg, strict=True)
    ]
