"""Poses that are held: lifted out of the start pose, still, and in the posture asked for.

A hold begins and ends at the edges of the movements into and out of it. Small movements in it do not end it as long as
the pose is kept; a pose that is left for less than 0.7 s is a break in it (signals.md §3.5, hold detection [E]).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.movements import Moment, Movement, Movements, MovementsState
from processing.dsp.trunk_axes import Vector, angle_deg

LEFT_DEG = 12.0
"""A pose that leans further than this from how it was held last is left (signals.md §3.5 [E])."""

LEFT_SHARE = 0.5
"""Part of the lean, or of the height, of a hold below which it is given up, whatever its floor [estimate]."""

FAST_DPS = 15.0
FAST_BLOCKS = 6
"""Turning faster than this for 0.3 s is no holding (signals.md §3.5 [E])."""

BREAK_NS = 7 * NS_PER_S // 10
"""A pose that is taken up again within this time was not given up (signals.md §3.5 [E])."""

FOLLOW_GAIN = BLOCK_NS / (2.0 * NS_PER_S)
"""The pose held, which sinks with fatigue, is followed with a time constant of 2 s; sway is what is left."""

SLOW_SHARE = 0.43
"""What lies outside the edges of a movement at either end, as a share of the time between them: 23 % of the time
against 54 %, for a bell of speed (see movements.py). It is no rest, so a turn without any is no hold."""

END_BLOCKS = round(NS_PER_S / BLOCK_NS)
"""Sag is from the first to the last second of a hold."""


class Posed(NamedTuple):
    """Directions of up in the sensor frame that a posture allows, and how far from them it may lean, degrees."""

    ups: tuple[Vector, ...]
    within_deg: float

    def admits(self, up: Vector) -> bool:
        """Whether the segment is in the posture."""
        return any(angle_deg(up, one) <= self.within_deg for one in self.ups)


class HoldRule(NamedTuple):
    """What a hold is.

    Attributes:
        start: posture of the start pose.
        held: posture while holding.
        lean_deg: smallest lean from the start pose, 0 where none is asked for.
        rise_m: smallest rise from the start pose, 0 where none is asked for.
        min_s: shortest rest in the pose, without the slow ends of the movements into and out of it.
    """

    start: Posed
    held: Posed
    lean_deg: float
    rise_m: float
    min_s: float


class Held(NamedTuple):
    """A pose that was held.

    Attributes:
        sag_deg: how far the segment leaned from the first second to the last.
        sway_deg: root mean square of the lean from the pose, which is followed slowly.
        breaks: times that the pose was left for less than 0.7 s.
        whole: False if a gap in the samples or the end of the set cut it off, so that it may have lasted longer.
    """

    t0_ns: int
    t1_ns: int
    sag_deg: float
    sway_deg: float
    breaks: int
    whole: bool


class HoldState(msgspec.Struct):
    """A hold under way; ``pose`` is followed slowly.

    ``first`` and ``last`` are what the accelerometer felt in the first and the last second in which nothing moved. A
    slow sag is like a bias of the gyroscope to the orientation filter, which takes it back in part; gravity is not.
    """

    t0_ns: int
    arrival_ns: int
    lean_deg: float
    height_m: float
    pose: Vector
    whole: bool
    first: list[Vector] = []
    last: list[Vector] = []
    squares: float = 0.0
    blocks: int = 0
    breaks: int = 0
    fast_blocks: int = 0
    left: bool = False


class HoldsState(msgspec.Struct):
    """State of ``Holds``; ``start`` is up in the start pose, ``height_m`` how far above it the sensor is."""

    movements: MovementsState
    start: Vector | None = None
    height_m: float = 0.0
    hold: HoldState | None = None


class Holds:
    """Finds holds, block by block."""

    def __init__(self, rule: HoldRule, state: HoldsState | None = None) -> None:
        self._rule = rule
        self._movements = Movements(state.movements if state else None, heeds_height=rule.rise_m > 0.0)
        self.state = state or HoldsState(self._movements.state)

    def step(self, moment: Moment) -> Held | None:
        """Take a block; the hold that is over with it."""
        ended = self._movements.step(moment)
        moving = self._movements.state.moving
        if ended is not None:
            self.state.height_m += ended.rise_m
        if self.state.hold is not None:
            return self._watch(self.state.hold, moment, ended)
        if not moving:
            self._look(moment, ended)
        return None

    @property
    def held_s(self) -> float | None:
        """How long the hold under way has lasted, None without one."""
        hold, last_ns = self.state.hold, self._movements.state.newest_ns + BLOCK_NS
        return None if hold is None or hold.left else (last_ns - hold.t0_ns) / NS_PER_S

    def finish(self) -> Held | None:
        """No more samples: the hold under way lasted until the last one, or until the person began to leave it."""
        hold, last_ns = self.state.hold, self._movements.state.newest_ns + BLOCK_NS
        if hold is None:
            return None
        leaving = self._movements.state.moving
        t1_ns = self._movements.began_ns if leaving else last_ns
        return self._done(hold, t1_ns, last_ns - t1_ns, whole=leaving)

    def reset(self) -> Held | None:
        """Samples are missing from here on: what is held is cut off, and nothing is known of the gap."""
        held = self.finish()
        self._movements = Movements(heeds_height=self._rule.rise_m > 0.0)
        self.state.movements = self._movements.state
        self.state.height_m = 0.0
        return held

    def reorient(self) -> None:
        """The orientation begins anew, with another heading; that is no movement."""
        self._movements.state.quats = []

    def shift(self, by_ns: int) -> None:
        """The clock was set anew."""
        self._movements.state.newest_ns += by_ns
        if self.state.hold is not None:
            self.state.hold.t0_ns += by_ns

    def _look(self, moment: Moment, ended: Movement | None) -> None:
        """Nothing moves and no hold is under way: this is the start pose, or the hold begins."""
        state, rule = self.state, self._rule
        if state.start is None:
            if rule.start.admits(moment.up):
                state.start, state.height_m = moment.up, 0.0
            return
        lean_deg = angle_deg(moment.up, state.start)
        if ended is not None and self._is_held(lean_deg, moment.up):
            # Stillness from the first sample on (after a gap) has no movement before it, so its begin is not known.
            whole = ended.duration_ns > 0
            state.hold = HoldState(ended.t1_ns, ended.duration_ns, lean_deg, state.height_m, moment.up, whole)
        elif self._is_down(lean_deg, LEFT_SHARE):
            # People settle: the start pose is where they rest.
            state.start, state.height_m = _followed(state.start, moment.up), 0.0

    def _is_held(self, lean_deg: float, up: Vector) -> bool:
        return not self._is_down(lean_deg, 1.0) and self._rule.held.admits(up)

    def _is_down(self, lean_deg: float, share: float) -> bool:
        """Whether less than a share of the lift that is asked for has been made."""
        rule = self._rule
        return lean_deg < share * rule.lean_deg or (rule.rise_m > 0.0 and self.state.height_m < share * rule.rise_m)

    def _watch(self, hold: HoldState, moment: Moment, ended: Movement | None) -> Held | None:
        """A hold is under way."""
        movements = self._movements
        hold.fast_blocks = hold.fast_blocks + 1 if movements.speed_dps > FAST_DPS else 0
        away = self._is_left(hold, moment.up)
        if ended is not None:
            hold.left = hold.left or self._is_low(hold, self.state.height_m - ended.rise_m + ended.lowest_m)
            if away or (hold.left and ended.duration_ns > BREAK_NS):
                return self._leave(hold, moment, ended)
            hold.breaks += hold.left
            hold.left = False
        elif movements.state.moving:
            hold.left = hold.left or away or hold.fast_blocks >= FAST_BLOCKS
        else:
            self._keep(hold, moment)
        return None

    def _is_low(self, hold: HoldState, height_m: float) -> bool:
        rise_m = self._rule.rise_m
        return rise_m > 0.0 and height_m < max(rise_m, LEFT_SHARE * hold.height_m)

    def _is_left(self, hold: HoldState, up: Vector) -> bool:
        assert self.state.start is not None
        lean_deg = angle_deg(up, self.state.start)
        back = self._rule.lean_deg > 0.0 and lean_deg < max(self._rule.lean_deg, LEFT_SHARE * hold.lean_deg)
        height_m = self.state.height_m
        # Who rises once more has not been in the pose yet.
        other = self._is_low(hold, height_m) or height_m - hold.height_m > self._rule.rise_m > 0.0
        return back or other or angle_deg(up, hold.pose) > LEFT_DEG or not self._rule.held.admits(up)

    def _keep(self, hold: HoldState, moment: Moment) -> None:
        up = moment.up
        hold.squares += angle_deg(up, hold.pose) ** 2
        hold.blocks += 1
        hold.pose = _followed(hold.pose, up)
        if len(hold.first) < END_BLOCKS:
            hold.first.append(moment.felt)
        hold.last.append(moment.felt)
        del hold.last[:-END_BLOCKS]

    def _leave(self, hold: HoldState, moment: Moment, ended: Movement) -> Held | None:
        """The movement out of the hold is over: into the next pose, or back to the start."""
        held = self._done(hold, ended.t0_ns, ended.duration_ns, whole=True)
        self._look(moment, ended)
        return held

    def _done(self, hold: HoldState, t1_ns: int, departure_ns: int, *, whole: bool) -> Held | None:
        self.state.hold = None
        still_ns = t1_ns - hold.t0_ns - SLOW_SHARE * (hold.arrival_ns + departure_ns)
        if still_ns < self._rule.min_s * NS_PER_S or not hold.blocks:
            return None
        return Held(
            hold.t0_ns,
            t1_ns,
            angle_deg(_mean(hold.first), _mean(hold.last)),
            math.sqrt(hold.squares / hold.blocks),
            hold.breaks,
            whole=whole and hold.whole,
        )


def _followed(pose: Vector, up: Vector) -> Vector:
    x, y, z = (old + FOLLOW_GAIN * (new - old) for old, new in zip(pose, up, strict=True))
    return (x, y, z)


def _mean(ups: list[Vector]) -> Vector:
    x, y, z = (sum(axis) / len(ups) for axis in zip(*ups, strict=True))
    return (x, y, z)
