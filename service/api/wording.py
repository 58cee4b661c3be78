"""What people are told: directions, refusals, faults; one sentence each, and what to do where something can be done."""

from __future__ import annotations

from processing.domain.exercises import CATALOGUE
from processing.domain.findings import Finding, RepCompleted, RomDirection, RomRefused
from processing.domain.found import RefusalReason
from processing.domain.hold_findings import HoldRefused
from processing.domain.rejections import CountingStopped
from processing.domain.rep_faults import RepFault, in_words
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind, SensorFault

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
    RefusalReason.TURNED_ROUND: "The whole body turned. Keep feet and seat in place, then do the set again.",
    RefusalReason.SENSOR: "A sensor cannot be trusted. Check that each sits firmly at its place, then calibrate again.",
}

_HOLD_REFUSAL_WORDS: dict[RefusalReason, str] = {
    RefusalReason.MOVING: "There was no still moment before. Rest for a moment, then start the exercise again.",
    RefusalReason.NO_AXIS: "It is not known how the sensor sits. Calibrate, then start the exercise again.",
    RefusalReason.NO_DATA: "The sensor that sees this pose gave no samples. Check that it is on and close by.",
}

FAULTY_WORDS: dict[RepFault, str] = {
    RepFault.SHALLOW: "smaller than usual",
    RepFault.TOO_FAST: "too fast",
    RepFault.TOO_SLOW: "too slow",
    RepFault.LEAN: "trunk further forward than usual",
    RepFault.LUMBAR_FLEXION: "lower back bent more than usual",
    RepFault.PELVIS_TUCKED: "pelvis tucked under",
    RepFault.TWIST: "trunk turned more than usual",
}
"""The fault in a few words, where many repetitions are summed up; ``in_words`` has the sentence for one."""

FAULT_WORDS: dict[FaultKind, str] = {
    FaultKind.LOSSY: "{sensor} loses many samples. Bring the gateway closer.",
    FaultKind.SATURATED: "The movement was too fast for {sensor}.",
    FaultKind.STUCK: "{sensor} hung. Switch it off and on.",
    FaultKind.BIASED: "{sensor} was not at rest before the exercise. Stand still for three seconds, then calibrate.",
    FaultKind.UPSIDE_DOWN: "{sensor} is upside down. Turn it round, then calibrate again.",
    FaultKind.ASKEW: "{sensor} sits otherwise than stated. What the bends showed is used.",
    FaultKind.SWAPPED: "The two sensors are swapped. Exchange them, then calibrate again.",
    FaultKind.SLIPPED: "{sensor} seems to have slipped. Fasten it, then calibrate again.",
}

_SENSORS = {Placement.PELVIS: "the pelvis sensor", Placement.THORAX: "the upper back sensor"}

STOPPED_WORDS = "Counting stopped when you walked off. To go on, stand in place and start the exercise again."


def name_of(exercise: str) -> str:
    """Name of an exercise for people; the code itself if the catalogue of this release does not have it."""
    known = CATALOGUE.get(exercise)
    return known.name if known else exercise


def no_hold_words(reason: RefusalReason) -> str:
    """Why no hold was seen."""
    return f"No hold. {_HOLD_REFUSAL_WORDS.get(reason, REFUSAL_WORDS[reason])}"


def no_rom_words(reason: RefusalReason) -> str:
    """Why there is no range of motion."""
    return f"No range of motion. {REFUSAL_WORDS[reason]}"


def sensor_words(placement: Placement, fault: FaultKind) -> str:
    """What is wrong with a sensor."""
    words = FAULT_WORDS[fault].format(sensor=_SENSORS[placement])
    return words[0].upper() + words[1:]


def words_of(finding: Finding) -> tuple[str, ...]:
    """What a screen says at once about a finding; empty for those that only show as figures."""
    match finding:
        case RepCompleted():
            return tuple(in_words(seen) for seen in finding.faults)
        case SensorFault():
            return (sensor_words(finding.placement, finding.fault),)
        case CountingStopped():
            return (STOPPED_WORDS,)
        case HoldRefused():
            return (no_hold_words(finding.reason),)
        case RomRefused():
            return (no_rom_words(finding.reason),)
        case _:
            return ()
