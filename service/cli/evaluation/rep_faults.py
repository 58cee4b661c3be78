"""Faults that simulated people made against the faults that were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from firmware_sim.motion.truth import Fault, RepTruth, SetTruth
from processing.domain.findings import Finding, RepCompleted
from processing.domain.quality_findings import SetQuality
from processing.domain.rep_faults import RepFault
from processing.dsp.blocks import NS_PER_S
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure

SEEN_AS: Mapping[Fault, RepFault] = {
    Fault.PARTIAL: RepFault.SHALLOW,
    Fault.LEAN: RepFault.LEAN,
    Fault.LUMBAR_FLEXION: RepFault.LUMBAR_FLEXION,
    Fault.TWIST: RepFault.TWIST,
}


class JudgedRep(NamedTuple):
    """A true repetition that was counted, and the faults seen in it."""

    person: str
    exercise: str
    made: Fault | None
    seen: frozenset[RepFault]


def judged_reps(person: str, truths: Sequence[SetTruth], findings: Sequence[Finding]) -> list[JudgedRep]:
    """Repetitions of a session that were counted, with what the end of their set says of them."""
    reps = [one for one in findings if isinstance(one, RepCompleted)]
    seen = {
        (one.set_number, one.channel, rep.number): frozenset(fault.fault for fault in rep.faults)
        for one in findings
        if isinstance(one, SetQuality)
        for rep in one.faulty
    }
    judged = []
    for number, truth in enumerate(truths, start=1):
        for true in truth.reps:
            rep = next((one for one in reps if one.set_number == number and _is_of(one, true)), None)
            if rep is not None:
                faults = seen.get((number, rep.channel, rep.number), frozenset())
                judged.append(JudgedRep(person, truth.exercise, true.fault, faults))
    return judged


def _is_of(rep: RepCompleted, true: RepTruth) -> bool:
    return rep.channel is true.channel and true.start_s <= rep.t_peak_ns / NS_PER_S < true.end_s


def fault_figures(reps: Sequence[JudgedRep]) -> list[Figure]:
    """Share of faults seen as what they were, and of repetitions without a fault that were said to have one."""
    rows = [
        _figure(f"{fault.value} seen as {seen.value}", [one for one in reps if one.made is fault], seen)
        for fault, seen in SEEN_AS.items()
    ]
    return [
        *rows,
        _figure("repetitions without a fault seen as faulty", [one for one in reps if one.made is None], None),
    ]


def _figure(measure: str, reps: Sequence[JudgedRep], seen: RepFault | None) -> Figure:
    flagged = [one for one in reps if (one.seen if seen is None else seen in one.seen)]
    wrong = flagged if seen is None else [one for one in reps if one not in flagged]
    worst = max({one.exercise for one in wrong}, key=[one.exercise for one in wrong].count, default=None)
    return Figure(
        set=figures.SIMULATOR,
        measure=measure,
        method="counted repetitions, judged at the end of the set by the set itself",
        unit="%",
        value=100.0 * len(flagged) / len(reps) if reps else None,
        people=len({one.person for one in reps}),
        recordings=len({(one.person, one.exercise) for one in reps}),
        repetitions=len(reps),
        worst=worst,
        note=f"{len(flagged)} of {len(reps)}",
        comparison=True,
    )
