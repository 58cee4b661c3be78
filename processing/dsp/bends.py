"""Bends of daily life: out of upright, far forward, and up again."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from processing.dsp.blocks import NS_PER_S
from processing.dsp.height import HeightChange, height_change
from processing.dsp.trunk_axes import TICK_NS

UPRIGHT_DEG = 15.0
"""Inclination below which a bend is over whatever its size, and from below which the first one begins (estimate)."""

BEGIN_DEG = 20.0
"""Inclination beyond which it may become a bend (the first border of ISO 11226)."""

RETURN_SHARE = 0.5
"""Share of its peak below which a bend is over too: who lifts one thing after the other does not stand up straight in
between: the people of squat_lowback often do not come back to 15° between repetitions."""

SWING_DEG = 15.0
"""The next bend goes this much further than the lowest inclination since the last one (estimate)."""

MIN_PEAK_DEG = 30.0
"""Smallest peak of a bend seen on the thorax (estimate)."""

MIN_PELVIS_PEAK_DEG = 24.0
"""The same on the pelvis, which leans less: at the belt the lifts of one person with bent knees had 27-64°, walking had
9-20° (signals.md §4.1). On stairs it had 30-31°, so walking is no bend whatever its peak."""

MIN_BEND_NS = NS_PER_S // 2
"""Shortest time out of upright: nobody reaches down and comes up faster (estimate)."""

LEAD_NS = NS_PER_S
"""A bend begins when upright was left, but no longer than this before it went beyond ``BEGIN_DEG`` (estimate)."""

SETTLE_NS = NS_PER_S // 2
"""Time after a bend in which the body comes to rest at its new height; the bend is told then (estimate)."""

STILL_DPS = 5.0
"""Speed of coming up below which the bend has ended, as in a static posture (signals.md §4.2)."""

LONGEST_RISE_NS = 10 * NS_PER_S
"""Longest bend whose change of height can be told: the error grows with the square of the time (estimate)."""

TRANSFER_M = 0.2
TRANSFER_SHARE = 0.25
"""It was sitting down or standing up, not a bend, if the sensor went this far one way and less than this share of it
the other way (estimates). Chair and standing are 0.26 of the stature apart in the simulator; who bends comes back."""

KNEES_M = -0.20
"""Drop of the pelvis from which the knees were bent: half of what a lift from bent knees lowers it (0.42 m in the
simulator). It is also the middle between the largest drop of people who sit and bend, where there is none (0.19 m, 58
bends of 6 people, trunk_seated), and the smallest of squats, shallow ones among them (0.21 m, 352 of 3 people,
squat_lowback): 0.195-0.22 m without any one of them. In stooping the sacrum rises."""

WALKED_SHARE = 0.5
"""Share of the time spent walking from which it was none: who has just arrived still counts as walking for a moment."""

_LEAD_TICKS = LEAD_NS // TICK_NS
_MOST_TICKS = (LONGEST_RISE_NS + SETTLE_NS) // TICK_NS + 1


class Aside(NamedTuple):
    """Right bend and left twist from upright, degrees; twist is None where it cannot be told."""

    right_bend_deg: float
    left_twist_deg: float | None


class Bend(NamedTuple):
    """A bend that is over: fields as in the finding ``BendEpisode``; lowest height of the sensor. None is unknown."""

    t0_ns: int
    t_peak_ns: int
    t1_ns: int
    peak_deg: float
    right_bend_deg: float | None
    left_twist_deg: float | None
    side_speed_dps: float | None
    twist_speed_dps: float | None
    lowest_m: float | None


class BendsState(msgspec.Struct):
    """State of ``Bends``; what follows ``open`` is of the bend under way, ``ups`` vertical accelerations by tick."""

    upright_ns: int | None = None
    lowest_deg: float = 180.0
    lowest_ns: int = 0
    ups: list[float] = msgspec.field(default_factory=list)
    open: bool = False
    begin_ns: int = 0
    end_ns: int | None = None
    peak_ns: int = 0
    peak_deg: float = 0.0
    last: Aside | None = None
    side_deg: float = 0.0
    twist_deg: float = 0.0
    side_dps: float = 0.0
    twist_dps: float = 0.0
    walked: int = 0
    count: int = 0


class Bends:
    """Bend after bend. Sitting down and standing up, which bend the trunk as well, are none."""

    def __init__(self, min_peak_deg: float, state: BendsState | None = None) -> None:
        """Bends with at least this peak."""
        self._min_peak_deg = min_peak_deg
        self.state = state or BendsState()

    @property
    def open(self) -> bool:
        """Whether a bend may be under way and is not back yet."""
        return self.state.open and self.state.end_ns is None

    def step(self, t_ns: int, flexion_deg: float, aside: Aside | None, up_mps2: float, *, walking: bool) -> Bend | None:
        """Take a tick; the bend that ended, if one did.

        Args:
            t_ns: time.
            flexion_deg: forward inclination of the uppermost sensor.
            aside: side bend and twist since the last upright moment, where known; looked at during bends only.
            up_mps2: mean vertical acceleration of the lowest sensor, gravity included.
            walking: whether the person walks.
        """
        ended = self._settle(t_ns, flexion_deg, up_mps2)
        state = self.state
        if not state.open:
            self._watch(t_ns, flexion_deg)
        if state.open and state.end_ns is None:
            if flexion_deg < max(UPRIGHT_DEG, RETURN_SHARE * state.peak_deg):
                state.end_ns = state.lowest_ns = t_ns
                state.lowest_deg = flexion_deg
            else:
                self._take(t_ns, flexion_deg, aside, walking=walking)
        return ended

    def reset(self) -> None:
        """Forget everything: a bend is none without its return."""
        self.state = BendsState()

    def _settle(self, t_ns: int, flexion_deg: float, up_mps2: float) -> Bend | None:
        state = self.state
        if len(state.ups) < _MOST_TICKS:
            state.ups.append(up_mps2)
        if state.end_ns is None:
            return None
        if flexion_deg < state.lowest_deg - STILL_DPS * TICK_NS / NS_PER_S:
            state.end_ns = t_ns
        if flexion_deg < state.lowest_deg:
            state.lowest_deg, state.lowest_ns = flexion_deg, t_ns
        down_again = _goes_down(state, flexion_deg)
        if t_ns - state.end_ns < SETTLE_NS and not down_again:
            return None
        self.state = BendsState(state.end_ns, state.lowest_deg, state.lowest_ns, state.ups[-_LEAD_TICKS:])
        if down_again:
            # no rest: the body turns round where the trunk is most upright
            del state.ups[len(state.ups) - (t_ns - state.lowest_ns) // TICK_NS :]
        return _ended(state) if state.peak_deg >= self._min_peak_deg else None

    def _watch(self, t_ns: int, flexion_deg: float) -> None:
        """Look out for the next bend, and keep the accelerations of the last second."""
        state = self.state
        del state.ups[:-_LEAD_TICKS]
        if flexion_deg < state.lowest_deg:
            state.lowest_deg, state.lowest_ns = flexion_deg, t_ns
        if flexion_deg < UPRIGHT_DEG:
            state.upright_ns = t_ns
        elif state.upright_ns is not None and _goes_down(state, flexion_deg):
            state.open = True
            state.begin_ns = max(state.upright_ns, t_ns - LEAD_NS)
            del state.ups[: -1 - min(LEAD_NS, t_ns - state.lowest_ns) // TICK_NS]

    def _take(self, t_ns: int, flexion_deg: float, aside: Aside | None, *, walking: bool) -> None:
        state = self.state
        state.count += 1
        state.walked += walking
        if flexion_deg > state.peak_deg:
            state.peak_ns, state.peak_deg = t_ns, flexion_deg
        if aside is None:
            return
        per_s = NS_PER_S / TICK_NS
        before = aside if state.last is None else state.last
        state.last = aside
        state.side_dps = max(state.side_dps, per_s * abs(aside.right_bend_deg - before.right_bend_deg))
        state.side_deg = max(state.side_deg, aside.right_bend_deg, key=abs)
        if aside.left_twist_deg is not None and before.left_twist_deg is not None:
            state.twist_dps = max(state.twist_dps, per_s * abs(aside.left_twist_deg - before.left_twist_deg))
            state.twist_deg = max(state.twist_deg, aside.left_twist_deg, key=abs)


def _goes_down(state: BendsState, flexion_deg: float) -> bool:
    return flexion_deg >= max(BEGIN_DEG, state.lowest_deg + SWING_DEG)


def _ended(state: BendsState) -> Bend | None:
    """The bend that a state describes, None if it was too short, walking, or a change of seat."""
    assert state.end_ns is not None
    if state.end_ns - state.begin_ns < MIN_BEND_NS:
        return None
    height = _height(state)
    if state.walked >= WALKED_SHARE * state.count or (height is not None and _is_transfer(height)):
        return None
    twist_known = state.last is not None and state.last.left_twist_deg is not None
    return Bend(
        state.begin_ns,
        state.peak_ns,
        state.end_ns,
        state.peak_deg,
        state.side_deg if state.last is not None else None,
        state.twist_deg if twist_known else None,
        state.side_dps if state.last is not None else None,
        state.twist_dps if twist_known else None,
        None if height is None else height.lowest_m,
    )


def _is_transfer(height: HeightChange) -> bool:
    less_m, more_m = sorted((-height.lowest_m, height.net_m - height.lowest_m))
    return more_m >= TRANSFER_M and less_m < TRANSFER_SHARE * more_m


def _height(state: BendsState) -> HeightChange | None:
    if len(state.ups) >= _MOST_TICKS:
        return None
    return height_change(state.ups, TICK_NS / NS_PER_S)
