"""Which repetitions of a set are let through: those that were no walking."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from processing.analyzer.counters import Counted, Outcome, Rejected
from processing.analyzer.sensor import Frame
from processing.domain.exercises import Channel
from processing.domain.findings import RomSegment
from processing.domain.rejections import RejectionReason
from processing.dsp.steps import Bout
from processing.dsp.walking_gate import Verdict, WalkingGate, WalkingGateState


class Waiting(NamedTuple):
    """A repetition that may have been the first steps of a walk."""

    segment: RomSegment
    counted: Counted


class AdmissionState(msgspec.Struct):
    """State of ``Admission``."""

    gate: WalkingGateState
    waiting: list[Waiting] = []


class Admission:
    """Repetitions in the order of their coming, as soon as it is certain that they were no walking.

    A repetition that was counted cannot be taken back, so it waits while steps may have begun: until they have become a
    walk or have stopped.
    """

    def __init__(self, state: AdmissionState | None = None) -> None:
        self._gate = WalkingGate(state.gate if state else None)
        self.state = state or AdmissionState(self._gate.state)

    def step(self, frame: Frame) -> Bout | None:
        """Take a block of the sensor that feels the steps; the bout of walking that ended with it."""
        ended = self._gate.reset() if frame.resumed else None
        return self._gate.step(frame.block, frame.quats) or ended

    def finish(self) -> Bout | None:
        """The set is over; the bout under way."""
        return self._gate.finish()

    def is_walking(self, t_ns: int) -> bool:
        """Tell whether the person is walking."""
        return self._gate.is_walking(t_ns)

    def put(self, outcomes: list[Outcome], segment: RomSegment) -> list[Rejected]:
        """Take what a counter found; what it rejected itself needs no waiting."""
        self.state.waiting += [Waiting(segment, one) for one in outcomes if isinstance(one, Counted)]
        return [one for one in outcomes if isinstance(one, Rejected)]

    def settled(self) -> list[tuple[RomSegment, Outcome]]:
        """What has been decided, in the order of coming."""
        decided: list[tuple[RomSegment, Outcome]] = []
        for segment, counted in self.state.waiting:
            rep = counted.rep
            verdict = self._gate.verdict(rep.t0_ns, rep.t1_ns, lifts=counted.channel is Channel.VERTICAL)
            if verdict is Verdict.UNDECIDED:
                break
            walked = Rejected(counted.channel, rep.t0_ns, rep.t_peak_ns, rep.amplitude, RejectionReason.WALKING)
            decided.append((segment, walked if verdict is Verdict.WALKED else counted))
        del self.state.waiting[: len(decided)]
        return decided
