"""Bodies of answers about completed sets."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from processing.domain.findings import RomDirection, RomSegment
from processing.domain.found import RefusalReason
from processing.domain.rejections import RejectionReason
from processing.domain.rep_faults import RepFault
from service.api.set_result import SetResult


class _Read(BaseModel):
    """Read from the attributes of a result of the same shape."""

    model_config = ConfigDict(from_attributes=True)


class CountOut(_Read):
    """Repetitions of one channel; ``valid_reps`` of them without a fault."""

    channel: str
    reps: int
    valid_reps: int


class RomOut(_Read):
    """Largest angle in one direction, degrees; ``noise_deg`` is the half width of its 95 % band, null if not known."""

    direction: RomDirection
    segment: RomSegment
    angle_deg: float
    noise_deg: float | None


class HoldOut(_Read):
    """A pose that was held; ``whole`` is false if it lasted at least so long but was cut off."""

    number: int
    seconds: float
    sag_deg: float
    breaks: int
    whole: bool


class FaultyOut(_Read):
    """Repetitions with one kind of fault; one repetition may have several."""

    fault: RepFault
    reps: int
    words: str


class RejectionsOut(_Read):
    """Movements that were not counted, and the most frequent reason."""

    movements: int
    reason: RejectionReason
    words: str


class WalkedOut(_Read):
    """Steps, and seconds at 100 steps/min and more."""

    steps: int
    brisk_s: float


class PedalledOut(_Read):
    """Seconds of pedalling. The cadence is a guess: nobody has compared it with a crank."""

    seconds: float
    cadence_per_min: float


class SetOut(_Read):
    """A completed, committed set; what the exercise does not have is empty or null.

    ``rom_refused``, ``holds_refused`` and ``notes`` (the same in words) say what could not be measured. ``judged`` is
    how many repetitions were looked at for faults. From ``counting_stopped`` on nothing was counted: the person walked
    off.
    """

    set_number: int
    exercise: str
    name: str
    duration_s: float
    counts: list[CountOut]
    judged: int
    faulty: list[FaultyOut]
    rejected: RejectionsOut | None
    holds: list[HoldOut]
    holds_refused: list[RefusalReason]
    rom: list[RomOut]
    rom_refused: list[RefusalReason]
    counting_stopped: bool
    walked: WalkedOut | None
    pedalled: PedalledOut | None
    notes: list[str]

    @classmethod
    def of(cls, result: SetResult) -> SetOut:
        """Answer for a set."""
        return cls.model_validate(result)
