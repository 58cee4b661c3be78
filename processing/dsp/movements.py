"""When a segment moves and when it is still, judged by how fast it turns; and how far it rose meanwhile.

No fixed threshold finds the edges of a slow tilt of the pelvis and of a fast bend alike. So the edges of a movement are
where it is half as fast as at its fastest. A movement from pose to pose has a bell of speed, and half of the largest
speed lies 5 % of the way from either end (minimum jerk, Flash & Hogan 1985, from memory: at 23 % of the time 5 % of the
way is done, and the speed is half of the largest).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.trunk_axes import Vector, up_of

Quaternion = tuple[float, float, float, float]

SMOOTHED_BLOCKS = 5
"""Speed is how far the segment is turned from 0.25 s ago: a tremor of 4-8 Hz turns back within that time."""

DELAY_NS = SMOOTHED_BLOCKS * BLOCK_NS // 2 - BLOCK_NS
"""Delay of that speed against the begin of the newest block, for edges between two blocks. Orientations are those of
the end of a block."""

CALM_DPS = 3.0
"""Below this nothing moves: people who sit still between movements turn at 0.5-0.8 °/s, 9 times of 10 below 2 °/s
(pelvis and T10, 6 recordings of trunk_seated); a slow tilt of the pelvis by 8° in 1.5 s reaches 10 °/s [estimate]."""

PER_MPS2_DPS = 15.0
"""What a change of vertical acceleration counts as, where height tells a pose: rising by 0.18 m within 1.5 s takes
0.46 m/s² (minimum jerk), which then stands out from stillness like a turn at 7 °/s [estimate]."""

LEVEL_GAIN = BLOCK_NS / (2.0 * NS_PER_S)
"""What an accelerometer reads at rest depends on how it lies; the vertical acceleration is taken against its mean of
the last 2 s."""

SETTLED_BLOCKS = 10
"""Half a second without movement is stillness (signals.md §3.5 [E])."""

KEPT_BLOCKS = 120
"""Movements are looked at over their last 6 s; a press-up of 4 s is among the slowest (signals.md §3.5)."""

EDGE = 0.5
"""Part of the largest speed of a movement at its edges."""


class Moment(NamedTuple):
    """What one sensor did in a block.

    Attributes:
        t0_ns: begin of the block.
        quat: orientation at its end, sensor to earth.
        felt: mean acceleration in the sensor frame, at rest 1 g upward.
        rise_mps2: mean vertical acceleration without gravity.
    """

    t0_ns: int
    quat: Quaternion
    felt: Vector
    rise_mps2: float

    @property
    def up(self) -> Vector:
        """Direction of up in the sensor frame, unit length."""
        return up_of(self.quat)


class Movement(NamedTuple):
    """A movement that is over.

    Attributes:
        t0_ns, t1_ns: its edges.
        rise_m: by how much the sensor is higher than before.
        lowest_m: the lowest it came meanwhile, from where it was before; not above 0.
    """

    t0_ns: int
    t1_ns: int
    rise_m: float
    lowest_m: float

    @property
    def duration_ns(self) -> int:
        """Time from edge to edge."""
        return self.t1_ns - self.t0_ns


class MovementsState(msgspec.Struct):
    """State of ``Movements``: orientation, speed (°/s) and vertical acceleration of the last blocks.

    Speeds and accelerations reach back to shortly before the movement under way.
    """

    quats: list[Quaternion] = []
    speeds: list[float] = []
    rises: list[float] = []
    level_mps2: float | None = None
    newest_ns: int = 0
    calm_blocks: int = 0
    moving: bool = True


class Movements:
    """Tells movement from stillness, block by block. It begins moving, so that stillness has to be shown first."""

    def __init__(self, state: MovementsState | None = None, *, heeds_height: bool = False) -> None:
        self._heeds_height = heeds_height
        self.state = state or MovementsState()

    def step(self, moment: Moment) -> Movement | None:
        """Take a block; the movement that has just ended, half a second after its end."""
        state = self.state
        speed_dps = self._speed_dps(moment)
        kept = KEPT_BLOCKS if state.moving else SETTLED_BLOCKS
        state.speeds.append(speed_dps)
        state.rises.append(moment.rise_mps2)
        del state.speeds[:-kept], state.rises[:-kept]
        state.newest_ns = moment.t0_ns
        if not state.moving:
            state.moving = speed_dps >= CALM_DPS
            state.calm_blocks = 0
            return None
        state.calm_blocks = state.calm_blocks + 1 if speed_dps < self._edge_dps() else 0
        if state.calm_blocks < SETTLED_BLOCKS:
            return None
        heights_m = self._heights_m()
        end_ns = self._time_ns(len(state.speeds) - state.calm_blocks)
        ended = Movement(self.began_ns, end_ns, heights_m[-1], min(0.0, *heights_m))
        state.moving = False
        return ended

    @property
    def speed_dps(self) -> float:
        """Newest speed."""
        return self.state.speeds[-1]

    @property
    def began_ns(self) -> int:
        """Where the movement under way, or just over, set out."""
        edge_dps = self._edge_dps()
        first = next((index for index, speed in enumerate(self.state.speeds) if speed >= edge_dps), 0)
        return self._time_ns(first)

    def _speed_dps(self, moment: Moment) -> float:
        state = self.state
        state.quats.append(moment.quat)
        del state.quats[: -1 - SMOOTHED_BLOCKS]
        blocks = len(state.quats) - 1
        turned_dps = turned_deg(state.quats[0], moment.quat) * NS_PER_S / (max(blocks, 1) * BLOCK_NS)
        if not self._heeds_height:
            return turned_dps
        level = moment.rise_mps2 if state.level_mps2 is None else state.level_mps2
        state.level_mps2 = level + LEVEL_GAIN * (moment.rise_mps2 - level)
        newest = [*state.rises[1 - SMOOTHED_BLOCKS :], moment.rise_mps2]
        return math.hypot(turned_dps, PER_MPS2_DPS * (sum(newest) / len(newest) - level))

    def _edge_dps(self) -> float:
        return max(CALM_DPS, EDGE * max(self.state.speeds))

    def _time_ns(self, index: int) -> int:
        first_ns = self.state.newest_ns - (len(self.state.speeds) - 1) * BLOCK_NS
        return first_ns + max(index * BLOCK_NS - DELAY_NS, 0)

    def _heights_m(self) -> list[float]:
        """Height gained, block by block: twice integrated, without the straight line of speed that ends above 0.

        At the end the speed must be 0; so that takes out what the accelerometer reads too much in this posture as well.
        """
        step_s = BLOCK_NS / NS_PER_S
        excess_mps2 = sum(self.state.rises) / len(self.state.rises)
        speed_mps = height_m = 0.0
        heights_m = []
        for rise_mps2 in self.state.rises:
            height_m += step_s * (speed_mps + 0.5 * step_s * (rise_mps2 - excess_mps2))
            speed_mps += step_s * (rise_mps2 - excess_mps2)
            heights_m.append(height_m)
        return heights_m


def turned_deg(one: Quaternion, other: Quaternion) -> float:
    """Angle of the rotation from one orientation to another, degrees."""
    w, x, y, z = one
    a, b, c, d = other
    across = math.hypot(w * b - x * a - y * d + z * c, w * c + x * d - y * a - z * b, w * d - x * c + y * b - z * a)
    return math.degrees(2.0 * math.atan2(across, abs(w * a + x * b + y * c + z * d)))
