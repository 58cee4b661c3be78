"""Whether the samples of one sensor can be trusted: loss, range, standstill, bias."""

from __future__ import annotations

import math

import msgspec

from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor import Frame, SensorPath
from processing.domain.sensor_findings import FaultKind, SensorFault
from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.frozen import Frozen, FrozenState
from processing.dsp.loss import Loss, LossState
from processing.dsp.orientation import CLIP_AFTER_REST_DPS
from processing.dsp.saturation import FlatTops, FlatTopsState

ALGORITHM = "sensor_watch/1"

MAX_LOST = 0.2
"""Above this no range of motion is stated (signals.md §7 no. 8; 20 % lost cost 5.5° at the 95th percentile, §6)."""

STUCK_NS = 5 * NS_PER_S
"""A sensor that repeats itself for so long is stuck. In the recordings at hand six channels are never equal for more
than 20 ms; the rest is patience with firmware that repeats its last sample (estimate)."""

MAX_WANDER_DPS = 0.95 * CLIP_AFTER_REST_DPS
"""A bias that VQF finds beyond this, on any axis, is at the end of what it may correct."""

TOGETHER_NS = NS_PER_S
"""Doubts of one kind that are closer together are one."""

QUIET_NS = 10 * NS_PER_S
"""A doubt is stated only if there was none of its kind for so long: one trouble is told once."""

MAX_DOUBTS = 16
"""Doubts that are remembered; the oldest that does not last is forgotten first."""

LASTING_NS = 2**62
"""End of a doubt that lasts until the next calibration."""

_BIAS_EVERY = 20
"""Blocks between looks at the bias, 1 s: it does not change faster."""


class Doubt(msgspec.Struct):
    """Time in which a sensor is not to be trusted."""

    fault: FaultKind
    t0_ns: int
    t1_ns: int
    detail: str


class SensorWatchState(msgspec.Struct):
    """State of a ``SensorWatch``."""

    flat: FlatTopsState = msgspec.field(default_factory=FlatTopsState)
    frozen: FrozenState = msgspec.field(default_factory=FrozenState)
    loss: LossState = msgspec.field(default_factory=LossState)
    doubts: list[Doubt] = msgspec.field(default_factory=list)


class SensorWatch:
    """Looks at every block of a sensor and remembers when it was not to be trusted."""

    __slots__ = ("_flat", "_frozen", "_loss", "state")

    def __init__(self, state: SensorWatchState | None = None) -> None:
        self.state = state or SensorWatchState()
        self._flat = FlatTops(self.state.flat)
        self._frozen = Frozen(self.state.frozen)
        self._loss = Loss(self.state.loss)

    def step(self, path: SensorPath, frame: Frame, ledger: Ledger, *, exercising: bool) -> None:
        """Take a block. That no still pose told the bias matters only while somebody exercises and moves."""
        if frame.resumed:
            self._flat.reset()
            self._frozen.reset()
        block = frame.block
        t0_ns, t1_ns = block.t0_ns, block.t0_ns + BLOCK_NS
        if self._flat.update(block):
            detail = "the movement was beyond the range of the sensor"
            self.doubt(path, Doubt(FaultKind.SATURATED, t0_ns, t1_ns, detail), ledger)
        stuck_ns = self._frozen.update(block)
        if stuck_ns >= STUCK_NS:
            detail = "the sensor repeats the same numbers"
            self.doubt(path, Doubt(FaultKind.STUCK, t1_ns - stuck_ns, t1_ns, detail), ledger)
        share = self._loss.update(block)
        if share > MAX_LOST:
            detail = f"{share:.0%} of the samples of the last seconds are lost"
            self.doubt(path, Doubt(FaultKind.LOSSY, t0_ns, t1_ns, detail), ledger)
        moving = exercising and not path.rest.lasts_ns(t1_ns)
        if block.index % _BIAS_EVERY == 0 and (moving or path.orientation.rested):
            self._look_at_bias(path, t0_ns, ledger)

    def _look_at_bias(self, path: SensorPath, t_ns: int, ledger: Ledger) -> None:
        wander_dps = math.degrees(max(abs(axis) for axis in path.orientation.wander_radps.tolist()))
        if wander_dps < MAX_WANDER_DPS:
            return
        if path.orientation.rested:
            detail = f"the gyroscope has drifted by {wander_dps:.1f} °/s since the still pose"
        else:
            detail = f"the gyroscope is off by {wander_dps:.1f} °/s and no still pose told by how much exactly"
        self.doubt(path, Doubt(FaultKind.BIASED, t_ns, t_ns + _BIAS_EVERY * BLOCK_NS, detail), ledger)

    def doubt(
        self, path: SensorPath, doubt: Doubt, ledger: Ledger, *, certainty: float = 1.0, lasting: bool = False
    ) -> None:
        """Remember a doubt, and state it unless it goes on from one that was stated.

        Args:
            path: the sensor.
            doubt: what, when and why.
            ledger: takes the finding.
            certainty: quality of the finding.
            lasting: whether the doubt stays until the sensors are calibrated again.
        """
        last = next((one for one in reversed(self.state.doubts) if one.fault is doubt.fault), None)
        quiet_ns = QUIET_NS if last is None else doubt.t0_ns - last.t1_ns
        if quiet_ns >= QUIET_NS:
            state_fault(path, doubt, ledger, certainty)
        if lasting:
            doubt.t1_ns = LASTING_NS
        if last is not None and quiet_ns <= TOGETHER_NS:
            last.t1_ns = max(last.t1_ns, doubt.t1_ns)
            return
        self.state.doubts = [*self.state.doubts, doubt]
        if len(self.state.doubts) > MAX_DOUBTS:
            oldest = next((one for one in self.state.doubts if one.t1_ns < LASTING_NS), self.state.doubts[0])
            self.state.doubts.remove(oldest)

    def trust_again(self, t_ns: int) -> None:
        """The sensors are calibrated again: what was to last until then ends."""
        for doubt in self.state.doubts:
            doubt.t1_ns = min(doubt.t1_ns, t_ns)

    def doubt_within(self, t0_ns: int, t1_ns: int) -> Doubt | None:
        """The first doubt that touches a time, None if the sensor was to be trusted all through it."""
        touching = (one for one in self.state.doubts if one.t0_ns < t1_ns and one.t1_ns > t0_ns)
        return next(touching, None)

    def shift(self, by_ns: int) -> None:
        """The clock was set anew: what was is dated back from the new time."""
        for doubt in self.state.doubts:
            doubt.t0_ns += by_ns
            doubt.t1_ns += 0 if doubt.t1_ns == LASTING_NS else by_ns
        self._frozen.reset()


def state_fault(path: SensorPath, doubt: Doubt, ledger: Ledger, certainty: float) -> None:
    """State what is wrong with a sensor."""
    ledger.add(
        SensorFault,
        t0_ns=doubt.t0_ns,
        t1_ns=doubt.t1_ns,
        algorithm=ALGORITHM,
        quality=certainty,
        placement=path.placement,
        sensor_id=path.worn.sensor_id,
        fault=doubt.fault,
        detail=doubt.detail,
    )
