"""What really happened in a simulated set: the values that a measurement is judged by."""

from __future__ import annotations

from dataclasses import dataclass

from processing.domain.exercises import Channel
from processing.domain.findings import RomDirection, RomSegment


@dataclass(frozen=True, slots=True)
class RepTruth:
    """One repetition.

    Attributes:
        number: 1, 2, ... within its channel.
        start_s: begin of the movement out of the neutral pose, seconds of the timeline.
        peak_s: first turning point.
        end_s: back in the neutral pose.
        amplitude: peak to peak on the counted channel of the exercise, degrees, or metres for ``Channel.VERTICAL``.
    """

    exercise: str
    channel: Channel
    number: int
    start_s: float
    peak_s: float
    end_s: float
    amplitude: float


@dataclass(frozen=True, slots=True)
class RomTruth:
    """Largest angle reached in one direction, from the pose at the start of the set, degrees, at least 0."""

    segment: RomSegment
    direction: RomDirection
    angle_deg: float


@dataclass(frozen=True, slots=True)
class SetTruth:
    """One set of an exercise (or a calibration, or rest).

    Attributes:
        start_s: the person is in the neutral pose and still; the moment to say "go". Movement begins after ``still_s``.
        end_s: the person has been back and still for a while; the moment to end the set.
        reps: repetitions in order of time.
        rom: ranges of motion in the planes that the exercise reports, for the lumbar spine and each segment.
        steps: steps walked.
    """

    exercise: str
    start_s: float
    end_s: float
    reps: tuple[RepTruth, ...] = ()
    rom: tuple[RomTruth, ...] = ()
    steps: int = 0

    def count(self, channel: Channel | None = None) -> int:
        """Number of repetitions, of one channel or of all."""
        return sum(1 for rep in self.reps if channel is None or rep.channel is channel)

    def rom_deg(self, segment: RomSegment, direction: RomDirection) -> float | None:
        """Range of motion in degrees, None where the exercise has none."""
        found = (rom.angle_deg for rom in self.rom if rom.segment is segment and rom.direction is direction)
        return next(found, None)
