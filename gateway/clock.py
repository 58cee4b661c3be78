"""Device tick to host time by the lower convex hull of (tick, arrival).

Host time is whatever clock the arrivals are stamped with; it must not be one that gets set (``gateway.host_clock``).
A notification can only arrive after its samples were taken, so arrival minus device time is the clock
offset plus a delay that is never negative. The line under all points that lies closest to them is the
clock; the mean of the points is the clock plus the mean queueing delay, which differs between links
(devices.md §2.4: 1.7 ms against 31 ms between two unequal links). Of all lines below the points the
one with the least sum of distances is the hull edge over their mean (Zhang, Liu and Xia 2002, "Clock
synchronization algorithms for network measurements").

Deviations: the points are thinned to the lowest one of each half second (costs at most 100 ppm of half a
second, 0.05 ms), because a hull cannot forget its oldest point cheaply; and the slope is bounded by what a
crystal can do, which keeps the first seconds of a stream sane.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from processing.domain.errors import LumbarError

UNKNOWN_UNCERTAINTY_US = 65_535
"""What ``Samples.t0_uncertainty_us`` says when nothing bounds the delay."""


@dataclass(frozen=True, slots=True)
class ClockParams:
    """Tuning of the mapping.

    Attributes:
        window_ns: points older than this (device time) are forgotten; 60 s, devices.md §2.4.
        max_drift: bound of the slope; crystals of wearables are within 50 ppm, two of them within 100 ppm.
        max_slew: largest change of the output per elapsed time; 0.5 % of a rate is below the scale error
            of every wearable.
        step_ns: a disagreement above this is not slewed but reported as a step.
        confirm_ns: so long all points must lie above the line by ``step_ns`` before it is believed that the clock
            stepped and not that the link stalled; a link that stalls longer is disconnected by the watchdog.
        settle_ns: device time to watch before the first stamp, so that one late first packet does not
            shift the beginning.
    """

    window_ns: int = 60_000_000_000
    max_drift: float = 100e-6
    max_slew: float = 0.005
    step_ns: int = 50_000_000
    confirm_ns: int = 6_000_000_000
    settle_ns: int = 400_000_000


_BUCKET_NS = 500_000_000


class TickOrderError(LumbarError):
    """A tick that does not lie after the one before although the device did not restart."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Host time of a tick.

    Attributes:
        t_ns: host time in nanoseconds.
        uncertainty_us: the true time lies at most this much before ``t_ns``.
        stepped: the mapping jumped; times before and after do not continue each other.
    """

    t_ns: int
    uncertainty_us: int
    stepped: bool


@dataclass(slots=True)
class _Point:
    device_ns: int
    offset_ns: int


class DeviceClock:
    """Mapping of one boot of one device: ``observe`` every arrival, ``stamp`` every batch, both in order.

    Args:
        tick_ns: length of a tick.
        tick_modulus: the tick wraps at this value.
        params: tuning.
    """

    def __init__(self, tick_ns: int, tick_modulus: int, params: ClockParams | None = None) -> None:
        self._params = params or ClockParams()
        self._tick_ns = tick_ns
        self._modulus_ns = tick_modulus * tick_ns
        self._upper: deque[_Point] = deque()
        self._lower: deque[_Point] = deque()
        self._first_ns: int | None = None
        self._newest_ns = 0
        self._newest_arrival_ns = 0
        self._line: tuple[int, int, float] | None = None
        self._output: _Point | None = None

    @property
    def settled(self) -> bool:
        """Whether enough was seen for a first stamp."""
        return self._first_ns is not None and self._newest_ns - self._first_ns >= self._params.settle_ns

    def observe(self, tick: int, arrival_ns: int) -> int:
        """Take the arrival of a packet whose newest known instant is ``tick``; gives its unwrapped device time in ns.

        Both the wrap of the tick and long silences are resolved by the arrival time, which is
        far more exact than half a wrap.
        """
        device_ns = self._unwrap(tick, arrival_ns)
        if self._first_ns is None:
            self._first_ns = device_ns
        self._newest_ns = max(self._newest_ns, device_ns)
        self._newest_arrival_ns = arrival_ns if device_ns == self._newest_ns else self._newest_arrival_ns
        offset_ns = arrival_ns - device_ns
        if self._line is not None and offset_ns - self._offset_at(device_ns) < -self._params.step_ns:
            self._upper.clear()
            self._lower.clear()
        _keep(self._upper, _Point(device_ns, offset_ns), lowest=True)
        self._forget()
        self._drop_points_before_a_step()
        self._line = _fit(self._upper, self._params.max_drift)
        return device_ns

    def echo(self, tick: int, sent_ns: int, arrival_ns: int) -> None:
        """Take a two-way measurement: ``tick`` was read after ``sent_ns`` and before ``arrival_ns``."""
        device_ns = self.observe(tick, arrival_ns)
        _keep(self._lower, _Point(device_ns, sent_ns - device_ns), lowest=False)

    def stamp(self, device_ns: int) -> Stamp:
        """Host time of an instant that ``observe`` returned.

        Successive stamps advance by the device time that passed, changed by at most ``max_slew``; when that cannot
        bring the output to the estimate the output jumps and says so.

        Raises:
            TickOrderError: the instant does not lie after the last stamped one.
        """
        if self._line is None:
            raise TickOrderError("stamp before the first observation")
        target_ns = self._offset_at(device_ns)
        last = self._output
        if last is None:
            offset_ns, stepped = target_ns, False
        else:
            elapsed_ns = device_ns - last.device_ns
            if elapsed_ns <= 0:
                raise TickOrderError(f"device time went from {last.device_ns} to {device_ns} ns")
            wrong_ns = target_ns - last.offset_ns
            stepped = abs(wrong_ns) > self._params.step_ns
            limit_ns = int(elapsed_ns * self._params.max_slew)
            offset_ns = target_ns if stepped else last.offset_ns + max(-limit_ns, min(limit_ns, wrong_ns))
        self._output = _Point(device_ns, offset_ns)
        return Stamp(device_ns + offset_ns, self._uncertainty_us(device_ns, offset_ns), stepped)

    def _unwrap(self, tick: int, arrival_ns: int) -> int:
        device_ns = tick * self._tick_ns
        if self._first_ns is None:
            return device_ns
        expected_ns = self._newest_ns + arrival_ns - self._newest_arrival_ns
        wraps = (2 * (expected_ns - device_ns) + self._modulus_ns) // (2 * self._modulus_ns)
        return device_ns + wraps * self._modulus_ns

    def _offset_at(self, device_ns: int) -> int:
        assert self._line is not None
        anchor_ns, offset_ns, slope = self._line
        return offset_ns + int(slope * (device_ns - anchor_ns))

    def _forget(self) -> None:
        oldest_ns = self._newest_ns - self._params.window_ns
        for points in (self._upper, self._lower):
            while points and points[0].device_ns < oldest_ns:
                points.popleft()

    def _drop_points_before_a_step(self) -> None:
        """Forget the old points when all recent ones lie far above the line through them."""
        if self._line is None:
            return
        since_ns = self._newest_ns - self._params.confirm_ns
        if self._upper[0].device_ns > since_ns or not self._echo_admits_a_step(since_ns):
            return
        recent = [point for point in self._upper if point.device_ns > since_ns]
        complete = recent[-1].device_ns - recent[0].device_ns >= self._params.confirm_ns - 2 * _BUCKET_NS
        if complete and all(p.offset_ns - self._offset_at(p.device_ns) > self._params.step_ns for p in recent):
            self._upper = deque(recent)
            self._lower.clear()

    def _echo_admits_a_step(self, since_ns: int) -> bool:
        """Whether the last two-way measurement, if there are any, lies above the line too.

        Arrivals alone cannot tell a step from a link that became slower for good: both are late.
        """
        if not self._lower:
            return True
        last = self._lower[-1]
        return last.device_ns > since_ns and last.offset_ns - self._offset_at(last.device_ns) > self._params.step_ns

    def _uncertainty_us(self, device_ns: int, offset_ns: int) -> int:
        """Distance of the output from the latest instant that an echo proves to lie before it.

        Every point of the window is carried to ``device_ns`` along the line.
        """
        if not self._lower or self._line is None:
            return UNKNOWN_UNCERTAINTY_US
        at_ns = self._offset_at(device_ns)
        bound_ns = max(p.offset_ns + at_ns - self._offset_at(p.device_ns) for p in self._lower)
        return min(UNKNOWN_UNCERTAINTY_US, (abs(offset_ns - bound_ns) + 999) // 1000)


def _keep(points: deque[_Point], new: _Point, *, lowest: bool) -> None:
    """Append a point, one per bucket of device time: the lowest (or highest) of the bucket."""
    if points and points[-1].device_ns // _BUCKET_NS == new.device_ns // _BUCKET_NS:
        better = new.offset_ns < points[-1].offset_ns if lowest else new.offset_ns > points[-1].offset_ns
        if better:
            points[-1] = new
    elif not points or new.device_ns > points[-1].device_ns:
        points.append(new)


def _fit(points: deque[_Point], max_drift: float) -> tuple[int, int, float]:
    """Line below all points as (device time, offset there, slope): the hull edge over their mean, slope bounded."""
    hull: list[_Point] = []
    for point in points:
        while len(hull) >= 2 and _turns_down(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    mean_ns = sum(point.device_ns for point in points) // len(points)
    slope = 0.0
    for left, right in pairwise(hull):
        if left.device_ns <= mean_ns <= right.device_ns:
            slope = (right.offset_ns - left.offset_ns) / (right.device_ns - left.device_ns)
            break
    slope = max(-max_drift, min(max_drift, slope))
    anchor_ns = points[-1].device_ns
    offset_ns = min(point.offset_ns + int(slope * (anchor_ns - point.device_ns)) for point in hull)
    return anchor_ns, offset_ns, slope


def _turns_down(a: _Point, b: _Point, c: _Point) -> bool:
    """Tell whether ``b`` lies on or above the line from ``a`` to ``c``, so that it is no corner of the lower hull."""
    left = (b.offset_ns - a.offset_ns) * (c.device_ns - a.device_ns)
    right = (c.offset_ns - a.offset_ns) * (b.device_ns - a.device_ns)
    return left >= right
