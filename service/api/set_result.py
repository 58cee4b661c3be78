"""One completed set as people ask for it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from processing.domain.exercises import CATALOGUE, Counting, Evidence
from processing.domain.findings import RomDirection, RomSegment
from processing.domain.found import RefusalReason
from processing.domain.rejections import REJECTION_WORDS, RejectionReason
from processing.domain.rep_faults import RepFault
from service.api.wording import DIRECTION_WORDS, FAULTY_WORDS, STOPPED_WORDS, name_of, no_hold_words, no_rom_words

NO_VALUE = "—"


class Dose(StrEnum):
    """What people are shown of an exercise: no more than is promised of it."""

    COUNT = "count"
    HOLD = "hold"
    TIME = "time"


def dose_of(exercise: str) -> Dose:
    """What is shown of an exercise; of one that this release does not know, the count that was committed."""
    known = CATALOGUE.get(exercise)
    if known is None or not known.time_only:
        return Dose.COUNT
    seen = known.counting is Counting.HELD and known.evidence is not Evidence.NOT_CHECKED
    return Dose.HOLD if seen else Dose.TIME


def minutes(seconds: float) -> str:
    """Duration as minutes and seconds."""
    whole, rest = divmod(round(seconds), 60)
    return f"{whole}:{rest:02d}"


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
    noise_deg: float | None

    @property
    def words(self) -> str:
        """Direction for people."""
        return DIRECTION_WORDS[self.direction]

    @property
    def whole_deg(self) -> int:
        """Angle for people: tenths would promise more than such sensors can hold."""
        return round(self.angle_deg)

    @property
    def whole_noise_deg(self) -> int | None:
        """Half width of the band for people, rounded up."""
        return None if self.noise_deg is None else max(1, math.ceil(self.noise_deg))


@dataclass(frozen=True, slots=True)
class Held:
    """A pose that was held; see ``HoldCompleted``."""

    number: int
    seconds: float
    sag_deg: float
    breaks: int
    whole: bool

    @property
    def seconds_words(self) -> str:
        """Time for people; of a hold that was cut off, the least it can have been."""
        return f"{'' if self.whole else 'at least '}{round(self.seconds)} s"

    @property
    def words(self) -> str:
        """How it was held."""
        sag = round(self.sag_deg)
        kept = f"sagged by {sag}°" if sag >= 1 else "steady"
        given_up = {0: "", 1: ", left once for a moment"}.get(self.breaks, f", left {self.breaks} times for a moment")
        return kept + given_up


@dataclass(frozen=True, slots=True)
class Faulty:
    """Repetitions of a set with one kind of fault."""

    fault: RepFault
    reps: int

    @property
    def words(self) -> str:
        """The fault in a few words."""
        return FAULTY_WORDS[self.fault]


@dataclass(frozen=True, slots=True)
class Rejections:
    """Movements of a set that were not counted, and the most frequent reason; ``many`` if there may be more."""

    movements: int
    reason: RejectionReason
    many: bool

    @property
    def words(self) -> str:
        """The same for people."""
        reason = REJECTION_WORDS[self.reason]
        if self.movements == 1:
            return f"1 movement was not counted. {reason}"
        number = f"{self.movements} or more" if self.many else str(self.movements)
        return f"{number} movements were not counted. The most frequent reason: {reason[0].lower()}{reason[1:]}"


@dataclass(frozen=True, slots=True)
class Walked:
    """What a set of walking had; ``brisk_s`` at 100 steps/min and more."""

    steps: int
    brisk_s: float

    @property
    def brisk_words(self) -> str:
        """Time of brisk walking."""
        return minutes(self.brisk_s)


@dataclass(frozen=True, slots=True)
class Pedalled:
    """What a set on the bicycle had; the cadence is a guess (see ``CyclingBout``)."""

    seconds: float
    cadence_per_min: float

    @property
    def time_words(self) -> str:
        """Time of pedalling."""
        return minutes(self.seconds)


@dataclass(frozen=True, slots=True)
class SetResult:
    """A completed set; ``finding_id`` is that of its ``SetCompleted``, ``judged`` of its repetitions were looked at."""

    finding_id: str
    set_number: int
    exercise: str
    t0_ns: int
    duration_s: float
    counts: tuple[Count, ...]
    rom: tuple[Rom, ...]
    rom_refused: tuple[RefusalReason, ...]
    counting_stopped: bool
    holds: tuple[Held, ...]
    holds_refused: tuple[RefusalReason, ...]
    judged: int
    faulty: tuple[Faulty, ...]
    rejected: Rejections | None
    walked: Walked | None
    pedalled: Pedalled | None

    @property
    def name(self) -> str:
        """Name of the exercise for people."""
        return name_of(self.exercise)

    @property
    def dose(self) -> Dose:
        """What is shown of it."""
        return dose_of(self.exercise)

    @property
    def reps(self) -> int:
        """Repetitions over all channels."""
        return sum(count.reps for count in self.counts)

    @property
    def valid_reps(self) -> int:
        """Repetitions without a fault."""
        return sum(count.valid_reps for count in self.counts)

    @property
    def figure(self) -> str:
        """The one number that stands for the set."""
        match self.dose:
            case Dose.TIME:
                return self.duration_words
            case Dose.HOLD:
                return str(round(self.holds[-1].seconds)) if self.holds else NO_VALUE
            case Dose.COUNT:
                return str(self.reps)

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be said, and why, for people."""
        stopped = (STOPPED_WORDS,) if self.counting_stopped else ()
        return (*stopped, *map(no_hold_words, self.holds_refused), *map(no_rom_words, self.rom_refused))

    @property
    def duration_words(self) -> str:
        """Duration as minutes and seconds."""
        return minutes(self.duration_s)
