"""The repetitions of a set: counted, judged, rejected, and what is stated of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from processing.analyzer.counters import Counted, Outcome, Rejected
from processing.analyzer.ledger import Ledger
from processing.analyzer.rep_quality import RepQuality, RepQualityState
from processing.analyzer.sources import PLACEMENTS, QualityOf
from processing.domain.exercises import Channel, Exercise
from processing.domain.findings import RepCompleted, RomSegment, SetCompleted
from processing.domain.quality_findings import FaultyRep, SetQuality
from processing.domain.rejections import MAX_REJECTED, RepRejected
from processing.domain.rep_faults import FaultSeen
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S
from processing.dsp.repetitions import FarEnd, Rep

COUNTING = "turning_points/1"
JUDGING = "rep_quality/1"


class SetRepsState(msgspec.Struct):
    """State of ``SetReps``: when the set began, repetitions by channel, how many were rejected."""

    number: int
    t0_ns: int
    reps: dict[str, int] = msgspec.field(default_factory=dict)
    rejected: int = 0
    quality: RepQualityState = msgspec.field(default_factory=RepQualityState)


class SetReps:
    """Numbers and states the repetitions of a set."""

    def __init__(
        self, exercise: Exercise, worn: tuple[Placement, ...], quality_of: QualityOf, state: SetRepsState
    ) -> None:
        self.state = state
        self._quality_of = quality_of
        self._exercise = exercise
        self.quality = RepQuality(exercise, worn, state.quality)

    @property
    def began(self) -> bool:
        """Whether there is a repetition yet."""
        return any(self.state.reps.values())

    def shift(self, by_ns: int) -> None:
        """The clock was set anew."""
        self.state.t0_ns += by_ns
        self.quality.restart()

    def report(self, outcomes: Sequence[Outcome], segment: RomSegment, ledger: Ledger) -> None:
        """State what the counters of a segment found."""
        for outcome in outcomes:
            if isinstance(outcome, Rejected):
                self._reject(outcome, segment, ledger)
            else:
                self._complete(outcome, segment, ledger)

    def finish(self, t_ns: int, quality: float, ledger: Ledger) -> None:
        """The set is over: how many repetitions there were, and how they were done."""
        faulty = {name: len(self._faulty(name)) for name in self.state.reps}
        ledger.add(
            SetCompleted,
            t0_ns=self.state.t0_ns,
            t1_ns=t_ns,
            algorithm=COUNTING,
            quality=quality,
            exercise=self._exercise.code,
            set_number=self.state.number,
            reps=dict(self.state.reps),
            valid_reps={name: count - faulty[name] for name, count in self.state.reps.items()},
        )
        for name, count in self.state.reps.items():
            if count:
                self._state_quality(Channel(name), t_ns, quality, ledger)

    def _complete(self, counted: Counted, segment: RomSegment, ledger: Ledger) -> None:
        state, (channel, rep) = self.state, counted
        rep = rep._replace(t0_ns=max(rep.t0_ns, state.t0_ns))
        number = state.reps[channel.value] = state.reps[channel.value] + 1
        faults = self.quality.judge(channel, segment, rep, number)
        out_s, hold_s, back_s = _phases_s(rep, rep.far_end or self.quality.far_end(channel, segment, rep))
        ledger.add(
            RepCompleted,
            t0_ns=rep.t0_ns,
            t1_ns=rep.t1_ns,
            algorithm=COUNTING,
            quality=self._quality_of(PLACEMENTS[segment], rep.t0_ns, rep.t1_ns),
            exercise=self._exercise.code,
            set_number=state.number,
            channel=channel,
            number=number,
            t_peak_ns=rep.t_peak_ns,
            amplitude=rep.amplitude,
            tempo_s=(rep.t1_ns - rep.t0_ns) / NS_PER_S,
            out_s=out_s,
            hold_s=hold_s,
            back_s=back_s,
            valid=not faults,
            faults=faults,
        )

    def _reject(self, rejected: Rejected, segment: RomSegment, ledger: Ledger) -> None:
        state = self.state
        if state.rejected >= MAX_REJECTED:
            return
        state.rejected += 1
        t0_ns, t_peak_ns = max(rejected.t0_ns, state.t0_ns), max(rejected.t_peak_ns, state.t0_ns)
        ledger.add(
            RepRejected,
            t0_ns=t0_ns,
            t1_ns=t_peak_ns,
            algorithm=COUNTING,
            quality=self._quality_of(PLACEMENTS[segment], t0_ns, t_peak_ns),
            exercise=self._exercise.code,
            set_number=state.number,
            channel=rejected.channel,
            t_peak_ns=t_peak_ns,
            amplitude=rejected.amplitude,
            reason=rejected.reason,
        )

    def _faulty(self, name: str) -> dict[int, tuple[FaultSeen, ...]]:
        return self.quality.finally_faulty(Channel(name))

    def _state_quality(self, channel: Channel, t_ns: int, quality: float, ledger: Ledger) -> None:
        faulty, sides_deg = self._faulty(channel.value), self.quality.sides_deg(channel)
        ledger.add(
            SetQuality,
            t0_ns=self.state.t0_ns,
            t1_ns=t_ns,
            algorithm=JUDGING,
            quality=quality,
            exercise=self._exercise.code,
            set_number=self.state.number,
            channel=channel,
            judged=self.quality.judged(channel),
            watched=self.quality.watched(channel),
            faulty=tuple(FaultyRep(number=number, faults=faults) for number, faults in faulty.items()),
            usual=self.quality.usual(channel),
            left_deg=None if sides_deg is None else sides_deg[0],
            right_deg=None if sides_deg is None else sides_deg[1],
            asymmetry=None if sides_deg is None else _asymmetry(*sides_deg),
        )


def _phases_s(rep: Rep, far_end: FarEnd | None) -> tuple[float, float, float] | tuple[None, None, None]:
    """Time out, at the far end and back, None if the far end was not seen within the repetition."""
    if far_end is None:
        return None, None, None
    out_ns, back_ns = far_end.reached_ns - rep.t0_ns, rep.t1_ns - far_end.reached_ns - far_end.held_ns
    if min(out_ns, back_ns) < 0:
        return None, None, None
    return out_ns / NS_PER_S, far_end.held_ns / NS_PER_S, back_ns / NS_PER_S


def _asymmetry(left_deg: float, right_deg: float) -> float | None:
    both_deg = left_deg + right_deg
    return (right_deg - left_deg) / both_deg if both_deg > 0.0 else None
