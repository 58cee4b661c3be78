"""Where a repetition of the vertical channel begins and ends, from the vertical speed.

The leaky integrals lead by some tenths of a second and tell a flat top badly, so their turning points count well but
date badly. The speed without their lead rises and falls steeply, and where it passes a fraction of its peak hardly
depends on noise.
"""

from __future__ import annotations

from statistics import fmean, median

import msgspec

from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.history import appended, length, newest, numbers
from processing.dsp.repetitions import FarEnd, Rep
from processing.dsp.vertical import speed_lead_ns

STROKE_SPEED = 0.4
"""Fraction of its peak speed at which a stroke begins and ends, and so the time at the far end between two strokes.
On squat_lowback 0.3 and 0.4 date equally well and better than more, for each of the three people, so leaving one out
changes nothing."""

USUAL_HALF_NS = 450_000_000
"""Half of the pause between two repetitions, from stroke to stroke, while none of the person's is known: rounded from
the median of 0.43 s on squat_lowback."""

LONGEST_HALF_NS = NS_PER_S
"""The same, at most: whoever pauses for more than 2 s rests, and a rest belongs to no repetition."""

MEMORY = 5
"""Pauses that the usual one is the median of."""

MAX_HOLD_NS = NS_PER_S // 2
"""A counted repetition waits at most this long for the speed of its return to die down."""

HISTORY = 12 * NS_PER_S // BLOCK_NS
"""Speeds kept, twice the longest squat of the catalogue."""


class VerticalBoundsState(msgspec.Struct):
    """State of ``VerticalBounds``: speeds (packed) in m/s at multiples of ``BLOCK_NS``, the last at ``newest_ns``."""

    newest_ns: int = 0
    speeds: bytes = b""
    ended_ns: int | None = None
    last_t1_ns: int | None = None
    halves: list[int] = []
    held: Rep | None = None
    held_since_ns: int = 0


class VerticalBounds:
    """Dates counted repetitions.

    A pause is shared by the repetitions before and after it, as people do who mark them by hand. How long the pause
    after a repetition will be is not known when it is reported: it is taken to be as long as the last ones.
    """

    def __init__(self, side: int, state: VerticalBoundsState | None = None) -> None:
        """Bounds of movements that go up first (+1) or down first (-1)."""
        self._side = side
        self.state = state or VerticalBoundsState()

    def step(self, t_ns: int, speed_mps: float, counted: Rep | None) -> list[Rep]:
        """Take a sample of the vertical speed, and the repetition that was counted with it; what can be dated now.

        One speed per block is kept, on the absolute grid.
        """
        dated = self.finish() if counted is not None else []
        state = self.state
        if t_ns % BLOCK_NS == 0:
            state.newest_ns = t_ns
            state.speeds = newest(appended(state.speeds, speed_mps), HISTORY)
        if counted is not None:
            state.held, state.held_since_ns = counted, t_ns
        if state.held is not None and (self._side * speed_mps >= 0.0 or t_ns - state.held_since_ns >= MAX_HOLD_NS):
            dated += self.finish()
        return dated

    def finish(self) -> list[Rep]:
        """Date the repetition that waits, if one does, with what is there."""
        held, self.state.held = self.state.held, None
        return [] if held is None else [self._dated(held)]

    def _dated(self, rep: Rep) -> Rep:
        """A repetition with its times; as it is if the speed does not show both of its strokes."""
        state = self.state
        first, turn, last = self._index(rep.t0_ns), self._index(rep.t_peak_ns), length(state.speeds) - 1
        if not first < turn < last:
            state.ended_ns = state.last_t1_ns = None
            return rep
        # From standing to standing the height does not change: what the speed has left in the mean is drift.
        speeds = numbers(state.speeds)
        drift = fmean(speeds[first : self._index(rep.t1_ns) + 1])
        way = [self._side * (speed - drift) for speed in speeds]
        back = min(range(turn, last + 1), key=way.__getitem__)
        out = max(range(first, back + 1), key=way.__getitem__)
        if way[out] <= 0.0 or way[back] >= 0.0:
            state.ended_ns = state.last_t1_ns = None
            return rep
        left_ns = self._crossing(way, out, -1)
        returned_ns = self._crossing(way, back, 1)
        middle_ns = self._time(next(at for at in range(out, back + 1) if way[at] <= 0.0))
        before_ns = self._before(left_ns)
        lead_ns = speed_lead_ns(returned_ns - left_ns + before_ns + self._usual_ns)
        t0_ns = left_ns + lead_ns - before_ns
        if state.last_t1_ns is not None:
            t0_ns = min(max(t0_ns, state.last_t1_ns), left_ns + lead_ns)
        state.ended_ns = returned_ns
        state.last_t1_ns = min(returned_ns + lead_ns + self._usual_ns, state.newest_ns)
        reached_ns = self._crossing(way, out, 1)
        far_end = FarEnd(reached_ns + lead_ns, max(self._crossing(way, back, -1) - reached_ns, 0))
        return Rep(t0_ns, middle_ns + lead_ns, state.last_t1_ns, rep.amplitude, far_end)

    def reset(self) -> None:
        """Forget the speeds (after a gap); the usual pause stays. A repetition that waits must be taken before."""
        self.state.speeds = b""
        self.state.ended_ns = self.state.last_t1_ns = None

    @property
    def _usual_ns(self) -> int:
        return round(median(self.state.halves)) if self.state.halves else USUAL_HALF_NS

    def _before(self, left_ns: int) -> int:
        """Half of the pause before a movement that was left for at a time."""
        state = self.state
        if state.ended_ns is not None and left_ns > state.ended_ns:
            half_ns = (left_ns - state.ended_ns) // 2
            if half_ns <= LONGEST_HALF_NS:
                state.halves = [*state.halves, half_ns][-MEMORY:]
                return half_ns
        return self._usual_ns

    def _crossing(self, way: list[float], peak: int, step: int) -> int:
        """Time at which the speed passes a fraction of a peak, before (-1) or after (+1) it."""
        level = STROKE_SPEED * abs(way[peak])
        at = peak
        while 0 <= at + step < len(way) and abs(way[at + step]) > level and way[at + step] * way[peak] > 0.0:
            at += step
        inside = abs(way[at])
        if not 0 <= at + step < len(way):
            return self._time(at)
        outside = way[at + step] if way[peak] > 0.0 else -way[at + step]
        return self._time(at) + round(step * BLOCK_NS * (inside - level) / (inside - outside))

    def _time(self, index: int) -> int:
        return self.state.newest_ns - (length(self.state.speeds) - 1 - index) * BLOCK_NS

    def _index(self, t_ns: int) -> int:
        back = (self.state.newest_ns - t_ns) // BLOCK_NS
        last = length(self.state.speeds) - 1
        return min(max(last - back, 0), last)
