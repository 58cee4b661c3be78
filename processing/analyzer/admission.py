"""Which repetitions of a set are let through: those that a trunk can do and that were no walking."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from processing.analyzer.counters import Counted, Outcome, Rejected
from processing.analyzer.sensor import Frame
from processing.domain.anatomy import is_possible_swing
from processing.domain.exercises import Channel
from processing.domain.findings import RomSegment
from processing.domain.rejections import RejectionReason
from processing.dsp.blocks import NS_PER_S
from processing.dsp.steps import Bout
from processing.dsp.walking_gate import NEAR_WALK_NS, Verdict, WalkingGate, WalkingGateState

TOO_FAST = 0.5
"""Part of the shortest time prescribed below which a movement is no repetition. The fastest of 206 movements of 6
people (trunk_seated) took 0.98 of it."""

HURRIED_NEAR_NS = 2 * NS_PER_S
"""A movement quicker than prescribed looks like a shift of weight, so it is no repetition if the first step follows
within this; standing still before a walk, people turn and sway for about as long (walking_lowback, 1 person)."""


class Waiting(NamedTuple):
    """A repetition that may have been the first steps of a walk."""

    segment: RomSegment
    counted: Counted


class AdmissionState(msgspec.Struct):
    """State of ``Admission``; ``admitted`` says whether any repetition was let through."""

    gate: WalkingGateState
    waiting: list[Waiting] = []
    admitted: bool = False


class Admission:
    """Repetitions in the order of their coming, as soon as it is certain that they were no walking.

    A repetition that was counted cannot be taken back, so it waits while steps may have begun: until they have become a
    walk or have stopped.
    """

    def __init__(self, tempo_s: tuple[float, float] | None, state: AdmissionState | None = None) -> None:
        """Admission to a set of an exercise.

        Args:
            tempo_s: shortest and longest time of a repetition as prescribed, None where nothing is.
            state: state to go on from.
        """
        self._shortest_ns = 0 if tempo_s is None else round(tempo_s[0] * NS_PER_S)
        self._gate = WalkingGate(state.gate if state else None)
        self.state = state or AdmissionState(self._gate.state)

    def step(self, frame: Frame, *, lying: bool) -> Bout | None:
        """Take a block of the sensor that feels the steps; the bout of walking that ended with it.

        Nobody walks lying, but quick lifts of the pelvis feel like steps.
        """
        if lying:
            return self._gate.reset()
        ended = self._gate.reset() if frame.resumed else None
        return self._gate.step(frame.block, frame.quats) or ended

    def finish(self) -> Bout | None:
        """The set is over; the bout under way."""
        return self._gate.finish()

    def interrupt(self) -> Bout | None:
        """The clock is set anew; the bout under way. On the new clock nobody has walked yet."""
        ended = self._gate.finish()
        self._gate.forget()
        return ended

    def is_walking(self, t_ns: int) -> bool:
        """Tell whether the person is walking."""
        return self._gate.is_walking(t_ns)

    def put(self, outcomes: list[Outcome], segment: RomSegment) -> list[Rejected]:
        """Take what a counter found; what it rejected itself needs no waiting."""
        self.state.waiting += [Waiting(segment, one) for one in outcomes if isinstance(one, Counted)]
        return [one for one in outcomes if isinstance(one, Rejected)]

    def settled(self, now_ns: int | None) -> list[tuple[RomSegment, Outcome]]:
        """What is decided by now, in the order of coming; None for the end, when nothing more is to be waited for."""
        decided: list[tuple[RomSegment, Outcome]] = []
        for segment, counted in self.state.waiting:
            outcome = self._decide(counted, now_ns)
            if outcome is None:
                break
            decided.append((segment, outcome))
            self.state.admitted = self.state.admitted or isinstance(outcome, Counted)
        del self.state.waiting[: len(decided)]
        return decided

    def _decide(self, counted: Counted, now_ns: int | None) -> Outcome | None:
        rep = counted.rep
        if not is_possible_swing(counted.channel, rep.amplitude):
            return _rejected(counted, RejectionReason.TURNED_ROUND)
        lasts_ns = rep.t1_ns - rep.t0_ns
        if lasts_ns < TOO_FAST * self._shortest_ns:
            return _rejected(counted, RejectionReason.TOO_FAST)
        hurried = lasts_ns < self._shortest_ns
        # Only once somebody squats is a crest of the acceleration more likely the next squat than a step.
        lifts = counted.channel is Channel.VERTICAL and self.state.admitted
        near_ns = HURRIED_NEAR_NS if hurried else NEAR_WALK_NS
        verdict = self._gate.verdict(rep.t0_ns, rep.t1_ns, near_ns, lifts=lifts)
        if verdict is Verdict.WALKED:
            return _rejected(counted, RejectionReason.WALKING)
        if now_ns is None:
            return counted
        waits = verdict is Verdict.UNDECIDED or (hurried and now_ns - rep.t1_ns < HURRIED_NEAR_NS)
        return None if waits else counted


def _rejected(counted: Counted, reason: RejectionReason) -> Rejected:
    rep = counted.rep
    return Rejected(counted.channel, rep.t0_ns, rep.t_peak_ns, rep.amplitude, reason)
