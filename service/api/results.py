"""Committed findings put together the way people ask for them: per set, and the last calibration. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from processing.domain.exercises import CATALOGUE
from processing.domain.findings import (
    CalibrationDone,
    CalibrationRefused,
    Finding,
    RomDirection,
    RomMeasured,
    RomRefused,
    RomSegment,
    SetCompleted,
    StepBout,
)
from processing.domain.found import RefusalReason
from processing.domain.rejections import CountingStopped
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind, SensorFault

RESULT_KINDS = frozenset({"set_completed", "rom_measured", "rom_refused", "step_bout", "counting_stopped"})
CALIBRATION_KINDS = frozenset({"calibration_done", "calibration_refused"})
FAULT_KINDS = frozenset({"sensor_fault"})

DIRECTION_WORDS: dict[RomDirection, str] = {
    RomDirection.FLEXION: "Forward",
    RomDirection.EXTENSION: "Back",
    RomDirection.RIGHT_BEND: "Side, right",
    RomDirection.LEFT_BEND: "Side, left",
    RomDirection.LEFT_ROTATION: "Turn, left",
    RomDirection.RIGHT_ROTATION: "Turn, right",
}

REFUSAL_WORDS: dict[RefusalReason, str] = {
    RefusalReason.MOVING: "There was no still moment. Stand still for three seconds, then calibrate again.",
    RefusalReason.NO_AXIS: "The bends showed no clear direction. Calibrate again: stand still, then bend forward.",
    RefusalReason.NO_DATA: "Samples were missing. Check that both sensors are on and close by.",
    RefusalReason.DISAGREE: "The two sensors disagree. Check that each sits firmly, then calibrate again.",
    RefusalReason.TOO_CLOSE: "Upright and slumped are almost the same. Show both again, each as far as is comfortable.",
    RefusalReason.SENSOR: "A sensor cannot be trusted. Check that each sits firmly at its place, then calibrate again.",
}

STOPPED_WORDS = "Counting stopped when you walked off. To go on, stand in place and start the exercise again."


FAULT_WORDS: dict[FaultKind, str] = {
    FaultKind.LOSSY: "Many samples were lost. Bring the gateway closer.",
    FaultKind.SATURATED: "The movement was too fast for the sensor.",
    FaultKind.STUCK: "The sensor hung. Switch it off and on.",
    FaultKind.BIASED: "The sensor was not at rest before the exercise. Stand still for three seconds, then calibrate.",
    FaultKind.UPSIDE_DOWN: "The sensor is upside down. Turn it round, then calibrate again.",
    FaultKind.ASKEW: "The sensor sits otherwise than stated. What the bends showed is used.",
    FaultKind.SWAPPED: "The two sensors are swapped. Exchange them, then calibrate again.",
    FaultKind.SLIPPED: "The sensor seems to have slipped. Fasten it, then calibrate again.",
}


@dataclass(frozen=True, slots=True)
class Count:
    """Repetitions of one channel of a set."""

    channel: str
    reps: int
    valid_reps: int


@dataclass(frozen=True, slots=True)
class Rom:
    """Largest angle of a set in one direction, degrees; best over the parts that were measured."""

    direction: RomDirection
    segment: RomSegment
    angle_deg: float

    @property
    def words(self) -> str:
        """Direction for people."""
        return DIRECTION_WORDS[self.direction]

    @property
    def whole_deg(self) -> int:
        """Angle for people: tenths would promise more than such sensors can hold."""
        return round(self.angle_deg)


@dataclass(frozen=True, slots=True)
class SetResult:
    """A completed set; ``finding_id`` is that of its ``SetCompleted``."""

    finding_id: str
    set_number: int
    exercise: str
    name: str
    timed: bool
    duration_s: float
    counts: tuple[Count, ...]
    rom: tuple[Rom, ...]
    refused: tuple[RefusalReason, ...]
    stopped: bool
    steps: int | None

    @property
    def reps(self) -> int:
        """Repetitions over all channels."""
        return sum(count.reps for count in self.counts)

    @property
    def valid_reps(self) -> int:
        """Repetitions deep enough to count as well done."""
        return sum(count.valid_reps for count in self.counts)

    @property
    def refused_words(self) -> tuple[str, ...]:
        """Why there is no range of motion, for people."""
        return tuple(REFUSAL_WORDS[reason] for reason in self.refused)

    @property
    def stopped_words(self) -> str | None:
        """Why counting stopped before the end of the set, for people; None if it did not."""
        return STOPPED_WORDS if self.stopped else None

    @property
    def duration_words(self) -> str:
        """Duration as minutes and seconds."""
        minutes, seconds = divmod(round(self.duration_s), 60)
        return f"{minutes}:{seconds:02d}"


@dataclass(frozen=True, slots=True)
class FaultResult:
    """What was wrong with a sensor during a session."""

    placement: Placement
    fault: FaultKind

    @property
    def words(self) -> str:
        """The same for people, with what to do."""
        return FAULT_WORDS[self.fault]


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


def name_of(exercise: str) -> str:
    """Name of an exercise for people; the code itself if the catalogue of this release does not have it."""
    known = CATALOGUE.get(exercise)
    return known.name if known else exercise


def is_timed(exercise: str) -> bool:
    """Tell whether time is all that people are shown of an exercise, because no count of it is promised."""
    known = CATALOGUE.get(exercise)
    return known is not None and known.time_only


def set_results(findings: Iterable[Finding]) -> tuple[SetResult, ...]:
    """Completed sets, in order, from findings of ``RESULT_KINDS`` in any order; others are passed over."""
    known = list(findings)
    done = sorted((f for f in known if isinstance(f, SetCompleted)), key=lambda f: f.set_number)
    return tuple(_result(completed, known) for completed in done)


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
    """Everything that was wrong with the sensors, each thing once, in the order in which it was found."""
    faults = sorted((one for one in findings if isinstance(one, SensorFault)), key=lambda one: one.ordinal)
    return tuple(dict.fromkeys(FaultResult(one.placement, one.fault) for one in faults))


def _result(completed: SetCompleted, findings: Sequence[Finding]) -> SetResult:
    number = completed.set_number
    measured = [f for f in findings if isinstance(f, RomMeasured) and f.set_number == number]
    rom = {(f.direction, f.segment): Rom(f.direction, f.segment, f.angle_deg) for f in measured}
    refused = [f.reason for f in findings if isinstance(f, RomRefused) and f.set_number == number]
    stopped = any(isinstance(f, CountingStopped) and f.set_number == number for f in findings)
    bouts = [f for f in findings if isinstance(f, StepBout) and completed.t0_ns <= f.t0_ns < completed.t1_ns]
    order = list(RomDirection)
    return SetResult(
        finding_id=completed.finding_id,
        set_number=completed.set_number,
        exercise=completed.exercise,
        name=name_of(completed.exercise),
        timed=is_timed(completed.exercise),
        duration_s=(completed.t1_ns - completed.t0_ns) / 1e9,
        counts=tuple(
            Count(channel, reps, completed.valid_reps.get(channel, 0)) for channel, reps in completed.reps.items()
        ),
        rom=tuple(sorted(rom.values(), key=lambda one: order.index(one.direction))),
        refused=tuple(dict.fromkeys(refused)),
        stopped=stopped,
        steps=sum(bout.steps for bout in bouts) if bouts else None,
    )
