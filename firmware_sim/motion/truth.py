"""What really happened in a simulated set: the values that a measurement is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from processing.domain.exercises import Channel, Posture
from processing.domain.findings import RomDirection, RomSegment


class Fault(StrEnum):
    """What a person did wrong in a repetition, as far as the back shows it."""

    PARTIAL = "partial"
    """About half of the usual way."""
    LEAN = "lean"
    """The trunk leans forward by 20 degrees more."""
    LUMBAR_FLEXION = "lumbar_flexion"
    """The lumbar spine bends at the bottom while the pelvis tucks under ("butt wink")."""
    TWIST = "twist"
    """The trunk turns by 15 degrees."""


@dataclass(frozen=True, slots=True)
class RepTruth:
    """One repetition.

    Attributes:
        number: 1, 2, ... within its channel.
        start_s: begin of the movement out of the neutral pose, seconds of the timeline.
        peak_s: first turning point.
        end_s: back in the neutral pose.
        amplitude: peak to peak on the counted channel of the exercise, degrees, or metres for ``Channel.VERTICAL``.
        fault: what was wrong with it, None if it was as prescribed.
    """

    exercise: str
    channel: Channel
    number: int
    start_s: float
    peak_s: float
    end_s: float
    amplitude: float
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class RomTruth:
    """Largest angle reached in one direction, from the pose at the start of the set, degrees, at least 0."""

    segment: RomSegment
    direction: RomDirection
    angle_deg: float


@dataclass(frozen=True, slots=True)
class HoldTruth:
    """A pose held, from having come within 5 % of the way to leaving by as much.

    Attributes:
        sag_deg: how far the segment that the exercise is judged by leaned from its first second to its last.
    """

    start_s: float
    end_s: float
    sag_deg: float

    @property
    def seconds(self) -> float:
        """How long it was held."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class BendTruth:
    """A bend of daily life, with or without a load.

    Attributes:
        peak_flexion_deg: largest inclination of the thorax from upright.
        twist_deg: largest lumbar rotation meanwhile, either way.
        knees_bent: whether the hips went down instead of the back bending alone.
    """

    start_s: float
    peak_s: float
    end_s: float
    peak_flexion_deg: float
    twist_deg: float
    knees_bent: bool


@dataclass(frozen=True, slots=True)
class SittingTruth:
    """Sitting in one way: ``slump`` is 0 for as upright as can be and 1 for slumped."""

    start_s: float
    end_s: float
    slump: float


@dataclass(frozen=True, slots=True)
class PostureTruth:
    """A posture from having taken it to beginning to leave it; ``end_s`` is None for the last one."""

    posture: Posture
    start_s: float
    end_s: float | None


@dataclass(frozen=True, slots=True)
class SetTruth:
    """One set of an exercise (or a calibration, an activity, or rest).

    Attributes:
        start_s: the person is in the neutral pose and still; the moment to say "go". Movement begins a little later.
        end_s: the person has been back and still for a while; the moment to end the set.
        reps: repetitions in order of time.
        rom: ranges of motion in the planes that the exercise reports, for the lumbar spine and each segment.
        steps: steps walked, on level ground or stairs.
        holds: poses held, in order of time; a break ends a hold and begins another.
        step_times_s: when each foot met the ground.
        active_s: time on the feet or the bike, seconds.
        cadence_per_min: steps, or turns of the crank, per minute; None without any.
        bends: bends and lifts of daily life.
        sitting: how the person sat.
    """

    exercise: str
    start_s: float
    end_s: float
    reps: tuple[RepTruth, ...] = ()
    rom: tuple[RomTruth, ...] = ()
    steps: int = 0
    holds: tuple[HoldTruth, ...] = ()
    step_times_s: tuple[float, ...] = ()
    active_s: float = 0.0
    cadence_per_min: float | None = None
    bends: tuple[BendTruth, ...] = ()
    sitting: tuple[SittingTruth, ...] = ()

    def count(self, channel: Channel | None = None) -> int:
        """Number of repetitions, of one channel or of all."""
        return sum(1 for rep in self.reps if channel is None or rep.channel is channel)

    def rom_deg(self, segment: RomSegment, direction: RomDirection) -> float | None:
        """Range of motion in degrees, None where the exercise has none."""
        found = (rom.angle_deg for rom in self.rom if rom.segment is segment and rom.direction is direction)
        return next(found, None)
