"""Health of a sensor in numbers: rate and loss over a sliding window. Pure."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from gateway.clock import UNKNOWN_UNCERTAINTY_US
from gateway.stream import SensorStream, StreamTotals
from processing.wire.messages import SensorHealth

_WINDOW_NS = 30_000_000_000
_SHORTEST_NS = 2_000_000_000
"""A rate over less than this says more about the packets than about the sensor."""


class Rates(NamedTuple):
    """Samples per second and the share that was lost; None while too little was seen."""

    rate_hz: float | None
    lost_fraction: float | None


class RateMeter:
    """Rate and loss over the last half minute, from running totals."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int, int]] = deque()

    def restart(self) -> None:
        """Forget: a new connection begins."""
        self._seen.clear()

    def update(self, now_ns: int, totals: StreamTotals) -> Rates:
        """Take the totals of this moment; calls more often than twice a second only give the answer."""
        if not self._seen or now_ns - self._seen[-1][0] >= _SHORTEST_NS // 4:
            self._seen.append((now_ns, totals.received, totals.lost))
        while len(self._seen) > 1 and now_ns - self._seen[0][0] > _WINDOW_NS:
            self._seen.popleft()
        then_ns, received, lost = self._seen[0]
        if now_ns - then_ns < _SHORTEST_NS:
            return Rates(None, None)
        got, missed = totals.received - received, totals.lost - lost
        fraction = missed / (got + missed) if got + missed > 0 else None
        return Rates(got * 1e9 / (now_ns - then_ns), fraction)


def sensor_health(
    stream: SensorStream,
    rates: Rates,
    *,
    sensor_id: str,
    paired: bool,
    battery_percent: int | None,
    rssi_dbm: int | None,
) -> SensorHealth:
    """What the gateway publishes about one sensor."""
    info = stream.info
    known = info is not None and stream.uncertainty_us < UNKNOWN_UNCERTAINTY_US
    return SensorHealth(
        sensor_id=sensor_id,
        paired=paired,
        connected=info is not None,
        battery_percent=battery_percent,
        rssi_dbm=rssi_dbm,
        rate_hz=None if info is None or rates.rate_hz is None else round(rates.rate_hz, 2),
        lost_fraction=None if rates.lost_fraction is None else round(rates.lost_fraction, 5),
        clock=None if info is None else info.clock,
        clock_uncertainty_us=stream.uncertainty_us if known else None,
        last_sample_ns=stream.end_ns,
    )
