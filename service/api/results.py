"""Committed findings put together the way people ask for them: sets, last calibrations, sensors. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from processing.domain.findings import (
    CalibrationDone,
    CalibrationRefused,
    Finding,
    RomDirection,
    RomMeasured,
    RomRefused,
    SetCompleted,
    StepBout,
)
from processing.domain.found import Found, RefusalReason
from processing.domain.hold_findings import HoldCompleted, HoldRefused
from processing.domain.quality_findings import SetQuality
from processing.domain.rejections import MAX_REJECTED, CountingStopped, RepRejected
from processing.domain.rep_faults import RepFault
from processing.domain.rhythm_findings import CyclingBout
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind, SensorFault
from service.api.set_result import Count, Faulty, Held, Pedalled, Rejections, Rom, SetResult, Walked
from service.api.wording import REFUSAL_WORDS, sensor_words

SET_KINDS = frozenset(
    {
        "set_completed",
        "set_quality",
        "rom_measured",
        "rom_refused",
        "rep_rejected",
        "counting_stopped",
        "hold_completed",
        "hold_refused",
        "step_bout",
        "cycling_bout",
    }
)
RESULT_KINDS = SET_KINDS | {"calibration_done", "calibration_refused", "sensor_fault"}

_PASSING = frozenset({FaultKind.LOSSY, FaultKind.SATURATED, FaultKind.STUCK})
"""Faults that say nothing about the next set; the others last until a calibration."""


@dataclass(frozen=True, slots=True)
class FaultResult:
    """What is wrong with a sensor."""

    placement: Placement
    fault: FaultKind

    @property
    def words(self) -> str:
        """The same for people, with what to do."""
        return sensor_words(self.placement, self.fault)


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """Last calibration of one sensor; ``refused`` is None when it worked."""

    placement: Placement
    t1_ns: int
    method: str | None
    refused: RefusalReason | None

    @property
    def words(self) -> str:
        """Outcome for people."""
        if self.refused is not None:
            return REFUSAL_WORDS[self.refused]
        if self.method == "still":
            return "Upright pose known; bend forward once for angles."
        return "Calibrated."


def set_results(findings: Iterable[Finding]) -> tuple[SetResult, ...]:
    """Completed sets, in order, from findings of ``SET_KINDS`` in any order; others are passed over."""
    known = list(findings)
    done = sorted((f for f in known if isinstance(f, SetCompleted)), key=lambda f: f.set_number)
    return tuple(_set_result(completed, known) for completed in done)


def best_rom(results: Iterable[SetResult]) -> dict[RomDirection, float]:
    """Best angle per direction over sets, degrees."""
    best: dict[RomDirection, float] = {}
    for result in results:
        for rom in result.rom:
            best[rom.direction] = max(best.get(rom.direction, 0.0), rom.angle_deg)
    return best


def last_calibrations(findings: Iterable[Finding]) -> tuple[CalibrationResult, ...]:
    """Last word on each sensor's calibration."""
    last: dict[Placement, CalibrationResult] = {}
    for finding in findings:
        if isinstance(finding, CalibrationDone):
            outcome = CalibrationResult(finding.placement, finding.t1_ns, finding.method, None)
        elif isinstance(finding, CalibrationRefused):
            outcome = CalibrationResult(finding.placement, finding.t1_ns, None, finding.reason)
        else:
            continue
        if outcome.placement not in last or last[outcome.placement].t1_ns <= outcome.t1_ns:
            last[outcome.placement] = outcome
    return tuple(last[placement] for placement in sorted(last))


def sensor_faults(findings: Iterable[Finding]) -> tuple[FaultResult, ...]:
    """What is wrong with the sensors now, each thing once, in the order in which it was found.

    A calibration that began later is taken as the answer to a fault; to one that passes, so is a set that began later.
    """
    known = list(findings)
    set_t0_ns = max((f.t0_ns for f in known if isinstance(f, SetCompleted)), default=0)
    calibrated_ns: dict[Placement, int] = {}
    for one in known:
        if isinstance(one, CalibrationDone):
            calibrated_ns[one.placement] = max(one.t0_ns, calibrated_ns.get(one.placement, 0))

    def lasts(fault: SensorFault) -> bool:
        answered_ns = calibrated_ns.get(fault.placement, 0)
        return fault.t1_ns > (max(answered_ns, set_t0_ns) if fault.fault in _PASSING else answered_ns)

    faults = sorted((f for f in known if isinstance(f, SensorFault)), key=lambda f: f.ordinal)
    return tuple(dict.fromkeys(FaultResult(one.placement, one.fault) for one in faults if lasts(one)))


def _set_result(completed: SetCompleted, findings: Sequence[Finding]) -> SetResult:
    number = completed.set_number
    mine = [f for f in findings if getattr(f, "set_number", None) == number]
    qualities = [f for f in mine if isinstance(f, SetQuality)]
    return SetResult(
        finding_id=completed.finding_id,
        set_number=number,
        exercise=completed.exercise,
        t0_ns=completed.t0_ns,
        duration_s=(completed.t1_ns - completed.t0_ns) / 1e9,
        counts=tuple(
            Count(channel, reps, completed.valid_reps.get(channel, 0)) for channel, reps in completed.reps.items()
        ),
        rom=_rom(mine),
        rom_refused=tuple(dict.fromkeys(f.reason for f in mine if isinstance(f, RomRefused))),
        counting_stopped=any(isinstance(f, CountingStopped) for f in mine),
        holds=tuple(
            Held(f.number, f.seconds, f.sag_deg, f.breaks, f.whole)
            for f in sorted((f for f in mine if isinstance(f, HoldCompleted)), key=lambda f: f.number)
        ),
        holds_refused=tuple(dict.fromkeys(f.reason for f in mine if isinstance(f, HoldRefused))),
        judged=sum(quality.judged for quality in qualities),
        faulty=_faulty(qualities),
        rejected=_rejections([f for f in mine if isinstance(f, RepRejected)]),
        walked=_walked([f for f in findings if isinstance(f, StepBout) and _within(f, completed)]),
        pedalled=_pedalled([f for f in findings if isinstance(f, CyclingBout) and _within(f, completed)]),
    )


def _within(bout: Found, completed: SetCompleted) -> bool:
    return completed.t0_ns <= bout.t0_ns < completed.t1_ns


def _rom(findings: Iterable[Finding]) -> tuple[Rom, ...]:
    order = list(RomDirection)
    rom = {
        (f.direction, f.segment): Rom(f.direction, f.segment, f.angle_deg, f.noise_deg)
        for f in findings
        if isinstance(f, RomMeasured)
    }
    return tuple(sorted(rom.values(), key=lambda one: order.index(one.direction)))


def _faulty(qualities: Iterable[SetQuality]) -> tuple[Faulty, ...]:
    times = Counter(seen.fault for quality in qualities for rep in quality.faulty for seen in rep.faults)
    return tuple(Faulty(fault, times[fault]) for fault in RepFault if times[fault])


def _rejections(rejected: Sequence[RepRejected]) -> Rejections | None:
    if not rejected:
        return None
    (reason, _), *_ = Counter(one.reason for one in rejected).most_common(1)
    return Rejections(len(rejected), reason, len(rejected) >= MAX_REJECTED)


def _walked(bouts: Sequence[StepBout]) -> Walked | None:
    return Walked(sum(one.steps for one in bouts), sum(one.brisk_s for one in bouts)) if bouts else None


def _pedalled(bouts: Sequence[CyclingBout]) -> Pedalled | None:
    seconds = sum((one.t1_ns - one.t0_ns) / 1e9 for one in bouts)
    turns = sum(one.cadence_per_min * (one.t1_ns - one.t0_ns) / 1e9 for one in bouts)
    return Pedalled(seconds, turns / seconds) if seconds > 0.0 else None
