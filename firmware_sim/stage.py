"""The people on the virtual radio, and what they do when told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from firmware_sim.instructions import (
    Instruction,
    PatientReady,
    Perform,
    Performing,
    PlannedRep,
    PlannedRom,
    Ready,
    Refused,
    Replay,
    Replaying,
    SensorWorn,
    Settle,
    Settled,
    SimEvent,
    Vanish,
)
from firmware_sim.motion.course import Manner
from firmware_sim.motion.timeline import Timeline
from firmware_sim.motion.truth import SetTruth
from firmware_sim.patient import draw_patient
from firmware_sim.recording import RecordedSource, load_recording, recorded_sources
from firmware_sim.source import SampleRun, SampleSource
from processing.domain.errors import LumbarError
from processing.domain.samples import Placement

APPEND_AHEAD_S = 0.3
"""A movement begins at least this far in the future: what was sampled already must not change."""


class HeldSource:
    """A recorded source that takes no samples until it is released. Implements ``SampleSource``."""

    def __init__(self, source: RecordedSource) -> None:
        self._source = source
        self._released_s: float | None = None
        self.period_us = source.period_us
        self.acc_range_g = source.acc_range_g
        self.gyr_range_dps = source.gyr_range_dps

    def release(self, at_s: float) -> None:
        """Let the recording begin at second ``at_s``."""
        self._released_s = at_s

    @property
    def duration_s(self) -> float | None:
        """Length of the recording."""
        return self._source.duration_s

    def tick_us(self, t_s: float) -> int:
        """Device clock at true time ``t_s``: it runs whether or not samples are taken."""
        return self._source.tick_us(t_s)

    def runs(self, t0_s: float, t1_s: float) -> tuple[SampleRun, ...]:
        """Samples of the recording, from the release on."""
        if self._released_s is None:
            return ()
        shift_s = self._released_s
        return tuple(
            SampleRun(run.t_s + shift_s, self._source.tick_us(run.t_s + shift_s), run.counts)
            for run in self._source.runs(t0_s - shift_s, t1_s - shift_s)
        )


@dataclass
class StagePerson:
    """Somebody on the stage: simulated (``timeline``) or recorded (``held``)."""

    ready: PatientReady
    sources: Mapping[str, SampleSource]
    timeline: Timeline | None = None
    held: tuple[HeldSource, ...] = ()
    replayed: bool = field(default=False)


def simulated_people(count: int, seed: int) -> list[StagePerson]:
    """People drawn from a seed: two sensors each, of good make."""
    people = []
    for number, rng in enumerate(np.random.default_rng(seed).spawn(count)):
        patient = draw_patient(rng)
        names = _sensor_names(number, tuple(patient.sources))
        people.append(
            StagePerson(
                PatientReady(patient=number, sensors=_worn(names)),
                {names[placement]: source for placement, source in patient.sources.items()},
                timeline=patient.timeline,
            )
        )
    return people


def recorded_people(files: Sequence[Path]) -> list[StagePerson]:
    """A person per recording.

    Raises:
        RecordingError: a file cannot be replayed.
    """
    people = []
    for number, file in enumerate(files):
        recording = load_recording(file)
        held = {place: HeldSource(source) for place, source in recorded_sources(recording).items()}
        names = _sensor_names(number, tuple(held))
        people.append(
            StagePerson(
                PatientReady(
                    patient=number,
                    sensors=_worn(names),
                    recording=str(file),
                    duration_s=max(source.duration_s or 0.0 for source in held.values()),
                ),
                {names[place]: source for place, source in held.items()},
                held=tuple(held.values()),
            )
        )
    return people


class Stage:
    """Tells people what to do. Pure but for the clocks it is given.

    Args:
        epoch_ns: UTC of second 0 of all sources.
        now_s: seconds since then.
        vanish: takes sensors out of range for some seconds.
    """

    def __init__(
        self,
        people: Sequence[StagePerson],
        epoch_ns: int,
        now_s: Callable[[], float],
        vanish: Callable[[Sequence[str], float], None],
    ) -> None:
        self._people = list(people)
        self._epoch_ns = epoch_ns
        self._now_s = now_s
        self._vanish = vanish

    def ready(self) -> Ready:
        """Who is there."""
        return Ready(patients=tuple(person.ready for person in self._people))

    def obey(self, instruction: Instruction) -> SimEvent | None:
        """Follow an instruction; a refusal is an answer, not an error."""
        if instruction.patient >= len(self._people):
            return Refused(
                patient=instruction.patient, problem=f"no patient {instruction.patient}, there are {len(self._people)}"
            )
        person = self._people[instruction.patient]
        try:
            return self._obey(person, instruction)
        except LumbarError as error:
            return Refused(patient=instruction.patient, problem=str(error))

    def _obey(self, person: StagePerson, instruction: Instruction) -> SimEvent | None:
        if isinstance(instruction, Vanish):
            self._vanish([sensor.sensor_id for sensor in person.ready.sensors], instruction.seconds)
            return None
        if isinstance(instruction, Replay):
            return self._replay(person, instruction)
        if person.timeline is None:
            return Refused(
                patient=instruction.patient,
                problem=f"patient {instruction.patient} is a recording: only replay is possible",
            )
        soon_s = self._now_s() + APPEND_AHEAD_S
        if isinstance(instruction, Settle):
            settled_s = person.timeline.settle(instruction.exercise, not_before_s=soon_s)
            return Settled(patient=instruction.patient, t_ns=self._utc_ns(settled_s))
        assert isinstance(instruction, Perform)
        truth = person.timeline.append(
            instruction.exercise,
            reps=instruction.reps,
            duration_s=instruction.duration_s,
            not_before_s=soon_s,
            manner=Manner(faulty_share=instruction.faulty_share),
        )
        return self._performing(instruction.patient, truth)

    def _replay(self, person: StagePerson, instruction: Replay) -> SimEvent:
        if not person.held or person.replayed:
            return Refused(
                patient=instruction.patient, problem=f"patient {instruction.patient} has no recording left to replay"
            )
        person.replayed = True
        start_s = self._now_s() + APPEND_AHEAD_S
        for source in person.held:
            source.release(start_s)
        end_s = start_s + (person.ready.duration_s or 0.0)
        return Replaying(patient=instruction.patient, t0_ns=self._utc_ns(start_s), end_ns=self._utc_ns(end_s))

    def _performing(self, patient: int, truth: SetTruth) -> Performing:
        return Performing(
            patient=patient,
            exercise=truth.exercise,
            go_ns=self._utc_ns(truth.start_s),
            end_ns=self._utc_ns(truth.end_s),
            reps=tuple(
                PlannedRep(
                    channel=rep.channel.value,
                    number=rep.number,
                    start_ns=self._utc_ns(rep.start_s),
                    peak_ns=self._utc_ns(rep.peak_s),
                    end_ns=self._utc_ns(rep.end_s),
                    amplitude=rep.amplitude,
                )
                for rep in truth.reps
            ),
            rom=tuple(
                PlannedRom(segment=rom.segment.value, direction=rom.direction.value, angle_deg=rom.angle_deg)
                for rom in truth.rom
            ),
            steps=truth.steps,
        )

    def _utc_ns(self, t_s: float) -> int:
        return self._epoch_ns + round(t_s * 1e9)


def _sensor_names(number: int, placements: Sequence[Placement]) -> dict[Placement, str]:
    """Serial numbers of a person's wearables: one per patient and place."""
    order = list(Placement)
    return {place: f"LUMBAR-{number + 1:04X}{order.index(place) + 1:02X}" for place in placements}


def _worn(names: Mapping[Placement, str]) -> tuple[SensorWorn, ...]:
    return tuple(SensorWorn(sensor_id=name, placement=place.value) for place, name in names.items())
