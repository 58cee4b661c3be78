"""What the catalogue says about an exercise: types only, the exercises themselves are data beside this."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from processing.domain.rep_faults import RepFault
from processing.domain.samples import Placement


class Posture(StrEnum):
    """Posture of the trunk, as gravity shows it at the back.

    Prone, on hands and knees and in a plank the trunk lies alike, so the sensor alone cannot tell these apart; what the
    person was asked to do decides. The same holds for standing, half kneeling and (with one sensor) sitting.
    """

    STANDING = "standing"
    SITTING = "sitting"
    HALF_KNEELING = "half_kneeling"
    QUADRUPED = "quadruped"
    SUPINE = "supine"
    PRONE = "prone"
    SIDE_LYING = "side_lying"
    """On either side: the right-hand axis points up or down."""
    HEAD_DOWN = "head_down"
    """Face down with the head lower than the pelvis."""

    @property
    def is_upright(self) -> bool:
        """Whether the trunk is upright in it."""
        return self in (Posture.STANDING, Posture.SITTING, Posture.HALF_KNEELING)


class Channel(StrEnum):
    """Signal whose turning points are the repetitions. Angles are relative to the start pose of the set."""

    FLEXION = "flexion"
    """Rotation about the segment's or joint's Z axis (ISB), flexion positive, degrees."""
    LATERAL_BEND = "lateral_bend"
    """Rotation about X, right bend positive, degrees."""
    AXIAL_ROTATION = "axial_rotation"
    """Rotation about Y, left rotation positive, degrees."""
    VERTICAL = "vertical"
    """Vertical displacement of the sensor, up positive, metres."""


class Counting(StrEnum):
    """How an exercise is dosed, and what of it the sensors can vouch for."""

    COUNTED = "counted"
    """Repetitions."""
    HELD = "held"
    """Seconds in a pose that the sensors see: posture and stillness."""
    TIMED = "timed"
    """Minutes."""
    PATIENT_STARTED = "patient_started"
    """Seconds between the person's start and end; the back keeps too still or unspecific to verify it."""


class Swing(StrEnum):
    """What one repetition of a channel looks like."""

    ONE_SIDED = "one_sided"
    """Out and back; the first direction of the set decides which."""
    DOWN_UP = "down_up"
    """Down and up again (squat)."""
    UP_DOWN = "up_down"
    """Up and down again (sit to stand)."""
    BOTH_SIDES = "both_sides"
    """One side, the other side, and back (side bend, rotation, flexion-extension)."""
    EITHER_SIDE = "either_side"
    """To one side and back; the sides may take turns, and each counts (bird dog)."""


class Evidence(StrEnum):
    """What the parameters of an exercise were checked against."""

    REAL = "real people"
    SIMULATION = "simulation only"
    NOT_CHECKED = "not checked yet"
    """Nobody compared what the sensors say with what a person did: no count or hold is promised."""


class CountedChannel(msgspec.Struct, frozen=True, kw_only=True):
    """One way of counting within an exercise.

    Attributes:
        segment: sensor that the channel is taken from; None means thorax relative to pelvis.
        fallback: segment used when the first one is not worn; None if the channel then cannot be told.
        floor: smallest peak-to-peak amplitude of a repetition, degrees or metres.
        fallback_floor: the same on the fallback segment, which may move less; None for ``floor``.
    """

    channel: Channel
    segment: Placement | None
    fallback: Placement | None
    swing: Swing
    floor: float
    fallback_floor: float | None = None


class HoldSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A pose that is held, as an exercise of its own or at the far end of every repetition.

    Attributes:
        posture: posture the trunk is in while holding.
        segment: sensor whose stillness and posture decide.
        lift: how far the pose is from the start pose: an angle channel's floor is the smallest lean of the segment
            (so its axis must not be upright), to any side; the vertical channel's is the smallest rise.
        min_s: shortest rest in the pose that is a hold.
        within_deg: how far up may lie from where the posture has it; an upright trunk is 90° from a lying one.
    """

    posture: Posture
    segment: Placement
    lift: CountedChannel
    min_s: float
    within_deg: float = 60.0


class FaultRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a fault of a repetition is seen.

    Attributes:
        channel: angle that shows it, from where the repetition began; flexion forward, the others either way.
        segment: sensor that the angle is taken from; None means thorax relative to pelvis.
        fallback: segment used when the first one is not worn; None if the fault then cannot be seen.
        margin_deg: how much more than in the person's good repetitions it is then.
    """

    fault: RepFault
    channel: Channel
    segment: Placement | None
    fallback: Placement | None
    margin_deg: float


class Exercise(msgspec.Struct, frozen=True, kw_only=True):
    """One exercise of the catalogue.

    Attributes:
        posture: posture that a set starts from.
        channels: what is counted; empty unless ``counting`` is ``COUNTED``.
        rom: planes whose range of motion a set of this exercise reports.
        steps: whether a set of this exercise reports bouts of steps.
        pedals: whether a set of this exercise reports bouts of pedalling.
        hold: the pose that is held, None if nothing is held.
        faults: what can be seen to go wrong in a repetition, besides its size and time.
        tempo_s: shortest and longest time of one repetition, holds included, that is as prescribed, seconds.
        evidence_people: people in the recordings at hand that a test or `lumbar evaluate` counts, 0 without such.
        source: where dose, tempo and amplitude come from, for people. "Estimate" marks what nobody measured.
    """

    code: str
    name: str
    posture: Posture
    counting: Counting
    evidence: Evidence
    source: str
    channels: tuple[CountedChannel, ...] = ()
    rom: tuple[Channel, ...] = ()
    steps: bool = False
    pedals: bool = False
    hold: HoldSpec | None = None
    faults: tuple[FaultRule, ...] = ()
    tempo_s: tuple[float, float] | None = None
    evidence_people: int = 0

    @property
    def time_only(self) -> bool:
        """Whether the time of a set is all that is promised: a count must have been checked against a known one."""
        return self.counting is not Counting.COUNTED or self.evidence is Evidence.NOT_CHECKED

    @property
    def sensors_best(self) -> frozenset[Placement]:
        """Sensors for the best result; all if any will do."""
        both = frozenset(Placement)
        best = both if self.rom else frozenset[Placement]()
        for channel in self.channels:
            best |= both if channel.segment is None else {channel.segment}
        if self.hold is not None:
            best |= {self.hold.segment}
        return best or both

    @property
    def sensors_enough(self) -> frozenset[Placement]:
        """Sensors of which any one gives the count (or the hold, or the time)."""
        enough = {place for channel in self.channels for place in (channel.segment, channel.fallback) if place}
        if not self.channels and self.hold is not None:
            fallback = self.hold.lift.fallback
            enough = {self.hold.segment} if fallback is None else {self.hold.segment, fallback}
        return frozenset(enough) or frozenset(Placement)
