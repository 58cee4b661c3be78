"""One sensor of a session: from its samples to its orientation, gap by gap."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from processing.analyzer.inputs import Left, Lost
from processing.domain.commands import SensorPlacement
from processing.domain.entries import SensorEventKind
from processing.domain.samples import Placement
from processing.dsp.blocks import BLOCK_NS, NS_PER_S, Floats, GridBlock, SampleBlock, first_block_from, start_of
from processing.dsp.orientation import PRIMING_BLOCKS, Orientation, OrientationState
from processing.dsp.stillness import Rest, RestState, Stillness, StillnessState, StillPose
from processing.dsp.timeline import MAX_LEAP_NS, Timeline, TimelineState

MAX_ARRIVAL_NS = 2 * NS_PER_S
"""A sensor may take this long after the start of a session to send its first samples without it being a gap."""

MAX_OVERLAP_NS = 2 * NS_PER_S
"""A clock set back by less costs the samples of that time; by more, and everything begins anew at the earlier time."""

MAX_FORWARD_NS = 60 * NS_PER_S
"""A clock set forward by less leaves a gap; by more, and everything begins anew at the later time, because the sensors
learn of it one after the other and must not take each other for overdue."""


class Hole(NamedTuple):
    """A gap that has ended."""

    t0_ns: int
    t1_ns: int
    cause: str


class Frame(NamedTuple):
    """What a sensor says in one block of the grid.

    Attributes:
        quats: orientation, shape (5, 4).
        hole: the gap that this block ends.
        resumed: whether this block does not continue the one before it.
        righted: whether a still pose set the inclination anew since the block before.
    """

    block: GridBlock
    quats: Floats
    hole: Hole | None
    resumed: bool
    righted: bool


class SensorPathState(msgspec.Struct):
    """State of a ``SensorPath``."""

    worn: SensorPlacement
    timeline: TimelineState
    orientation: OrientationState
    stillness: StillnessState
    rest: RestState
    begin_ns: int
    last_block: int | None = None
    last_quat: tuple[float, ...] | None = None
    righted: bool = False
    upcoming: TimelineState | None = None


class SensorPath:
    """Timeline, orientation and stillness of a sensor.

    ``upcoming`` holds what has come since the sensor's clock was set anew, until the session follows.
    """

    __slots__ = (
        "_begin_ns",
        "_last_block",
        "_last_quat",
        "_righted",
        "orientation",
        "rest",
        "stillness",
        "timeline",
        "upcoming",
        "worn",
    )

    def __init__(self, worn: SensorPlacement, begin_ns: int, *, present: bool) -> None:
        self.worn = worn
        self.timeline = Timeline(begin_ns, present=present)
        self.upcoming: Timeline | None = None
        self.orientation = Orientation()
        self.stillness = Stillness()
        self.rest = Rest()
        self._begin_ns = begin_ns
        self._last_block: int | None = None
        self._last_quat: Floats | None = None
        self._righted = False

    @property
    def placement(self) -> Placement:
        """Where on the body it sits."""
        return self.worn.placement

    @property
    def last_quat(self) -> Floats | None:
        """Newest orientation, shape (4,), None before the first block."""
        return self._last_quat

    def hear(self, given: SampleBlock | Lost | Left) -> None:
        """Take what came from the sensor or was said about it."""
        base_ns = self.steps_to(given)
        if base_ns is not None:
            self.timeline.leave(self.timeline.known_ns, SensorEventKind.CLOCK_STEPPED)
            self.upcoming = self.timeline.rebased(base_ns, SensorEventKind.CLOCK_STEPPED, present=True)
        timeline = self.timeline if self.upcoming is None else self.upcoming
        match given:
            case SampleBlock():
                timeline.push(given)
            case Lost():
                timeline.lose(given.t1_ns, given.cause)
            case Left(cause=SensorEventKind.CLOCK_STEPPED):
                timeline.jump(given.t_ns, given.cause)
            case Left():
                timeline.leave(given.t_ns, given.cause)

    def steps_to(self, given: SampleBlock | Lost | Left) -> int | None:
        """Where the sensor's clock was set to just before this, None if it still runs on.

        It is said by the gateway, or seen in the first samples after an absence in which nobody could say it.
        """
        timeline = self.timeline if self.upcoming is None else self.upcoming
        newest_ns = timeline.newest_ns
        if newest_ns is None:
            return None
        match given:
            case Left(t_ns=t_ns, cause=SensorEventKind.CLOCK_STEPPED):
                furthest_ns = newest_ns + MAX_FORWARD_NS
            case SampleBlock() if not timeline.present and len(given):
                t_ns, furthest_ns = int(given.t_ns[0]), newest_ns + MAX_LEAP_NS
            case _:
                return None
        return None if newest_ns - MAX_OVERLAP_NS <= t_ns <= furthest_ns else t_ns

    def follow_clock(self, base_ns: int) -> None:
        """The session's clock was set to ``base_ns``: what came on the new clock is next, and continues nothing."""
        self.timeline = self.upcoming or self.timeline.rebased(base_ns, SensorEventKind.CLOCK_STEPPED, present=False)
        self.upcoming = None
        self._begin_ns = min(self._begin_ns, base_ns)
        self.stillness.reset()
        self.rest.reset()
        first = first_block_from(base_ns)
        if self._last_block is not None and self._last_block >= first - 1:
            # Set back: no time is missing on the new clock, but the first block after it ends a gap all the same.
            self._last_block = first - 2

    def dropped(self) -> tuple[int, int]:
        """Samples thrown away: broken ones, and those that came late."""
        timeline = self.timeline if self.upcoming is None else self.upcoming
        return timeline.broken, timeline.late

    @property
    def waits(self) -> bool:
        """Whether more samples are to be waited for, on the old clock or on the one set anew."""
        return self.timeline.present or self.upcoming is not None

    def is_decided(self, block_index: int) -> bool:
        """Whether everything is known that ``step`` needs for a block; the first one after a gap needs some ahead."""
        anew = self._last_block is None or block_index != self._last_block + 1
        return self.timeline.is_decided(block_index + (PRIMING_BLOCKS - 1 if anew else 0))

    def step(self, block_index: int) -> Frame | None:
        """Frame of a block of the grid, None where samples are missing."""
        ahead = self._ahead(block_index)
        block = self.timeline.take(block_index)
        if block is None:
            return None
        resumed = self._last_block is not None and block_index != self._last_block + 1
        hole = self._hole_before(block.t0_ns) if resumed or self._last_block is None else None
        if resumed:
            self.stillness.reset()
            self.rest.reset()
        if ahead:
            self.orientation.prime(ahead, self._last_quat)
        quats = self.orientation.update(block)
        self.stillness.update(block)
        self.rest.update(block, self.orientation.bias_radps)
        self._last_block = block_index
        self._last_quat = quats[-1].copy()  # not the whole block
        frame = Frame(block, quats, hole, resumed, self._righted)
        self._righted = False
        return frame

    def take_rest(self, pose: StillPose) -> None:
        """A still pose has just ended: bias and inclination are known from it, the heading goes on."""
        assert self._last_quat is not None
        self.orientation.begin_from(pose, self._last_quat)
        self._righted = True

    def _ahead(self, block_index: int) -> list[GridBlock]:
        """Blocks from this one on, without a gap, if the orientation has to start with it."""
        if self._last_block is not None and block_index == self._last_block + 1:
            return []
        ahead: list[GridBlock] = []
        for at in range(PRIMING_BLOCKS):
            block = self.timeline.peek(block_index + at)
            if block is None:
                break
            ahead.append(block)
        return ahead

    def level_mps2(self, now_ns: int) -> float | None:
        """1 g as this sensor reads it, None while the wearer is not at rest."""
        return self.stillness.level_mps2() if self.rest.lasts_ns(now_ns) >= NS_PER_S // 2 else None

    def open_hole(self, end_ns: int) -> Hole | None:
        """Gap that lasts to the end of the session."""
        return self._hole_before(end_ns)

    def _hole_before(self, t_ns: int) -> Hole | None:
        seen_ns = self._begin_ns if self._last_block is None else start_of(self._last_block) + BLOCK_NS
        shortest_ns = MAX_ARRIVAL_NS if self._last_block is None else BLOCK_NS
        if t_ns - seen_ns < shortest_ns:
            return None
        return Hole(seen_ns, t_ns, self.timeline.cause_before(t_ns))

    def state(self) -> SensorPathState:
        """State as a value."""
        return SensorPathState(
            worn=self.worn,
            timeline=self.timeline.state(),
            orientation=self.orientation.state(),
            stillness=self.stillness.state(),
            rest=self.rest.state,
            begin_ns=self._begin_ns,
            last_block=self._last_block,
            last_quat=None if self._last_quat is None else tuple(self._last_quat.tolist()),
            righted=self._righted,
            upcoming=None if self.upcoming is None else self.upcoming.state(),
        )

    @classmethod
    def from_state(cls, state: SensorPathState) -> SensorPath:
        """Path that goes on where ``state`` was taken."""
        path = cls(state.worn, state.begin_ns, present=state.timeline.present)
        path.timeline = Timeline.from_state(state.timeline)
        path.upcoming = None if state.upcoming is None else Timeline.from_state(state.upcoming)
        path.orientation = Orientation.from_state(state.orientation)
        path.stillness = Stillness.from_state(state.stillness)
        path.rest = Rest(state.rest)
        path._last_block = state.last_block
        path._last_quat = None if state.last_quat is None else np.array(state.last_quat)
        path._righted = state.righted
        return path
