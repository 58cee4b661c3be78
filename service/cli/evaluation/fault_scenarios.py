"""What goes wrong with the sensors of simulated people, and what should be said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from firmware_sim.imperfections import COMMON_MOUNT, draw_slip
from firmware_sim.mishaps import Stuck
from firmware_sim.motion.movements import CALIBRATION
from firmware_sim.motion.truth import SetTruth
from firmware_sim.patient import AS_TOLD, SimulatedPatient, Wearing, draw_patient
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind

SETS = ("standing_flexion_extension", "standing_side_bend", "standing_flexion_extension")
"""The fault happens in the first set, or is there from the start."""

RANGES = 2 * len(SETS)
"""Ranges of motion of these sets: two directions each."""

SOUND = "sound sensors"

_REPS = 5
_INTO_SET_S = 5.0
_STUCK_S = 12.0

Wear = Callable[[np.random.Generator, Sequence[SetTruth]], Wearing]


def _as_told(_: np.random.Generator, __: Sequence[SetTruth]) -> Wearing:
    return AS_TOLD


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that goes wrong.

    Attributes:
        words: what, for people.
        kinds: what may be said about it; any of these is right.
        wear: how the sensors are worn, from random numbers and what the person does.
        options: of ``draw_patient``.
        mount: stated mount, None for calibration by bends.
        in_set: whether it happens in the first set, and not before.
        without_rest: whether the recording begins in the first movement, so that no still pose tells the bias.
    """

    words: str
    kinds: frozenset[FaultKind]
    wear: Wear = _as_told
    options: Mapping[str, Any] = field(default_factory=dict)
    mount: str | None = None
    in_set: bool = False
    without_rest: bool = False

    def person(self, seed: Sequence[int]) -> tuple[SimulatedPatient, tuple[SetTruth, ...], float]:
        """The person of a seed, what they do, and when it goes wrong, seconds."""
        _, planned = _drawn(seed, AS_TOLD, {})
        wearing = self.wear(np.random.default_rng([*seed, 1]), planned)
        patient, truths = _drawn(seed, wearing, self.options)
        return patient, truths, onset_of(truths) if self.in_set else self.begin_s(truths)

    def begin_s(self, truths: Sequence[SetTruth]) -> float:
        """When the recording begins."""
        return truths[0].reps[0].start_s if self.without_rest else 0.0


def onset_of(truths: Sequence[SetTruth]) -> float:
    """Instant in the first set at which something goes wrong."""
    return truths[0].start_s + _INTO_SET_S


def _drawn(
    seed: Sequence[int], wearing: Wearing, options: Mapping[str, Any]
) -> tuple[SimulatedPatient, tuple[SetTruth, ...]]:
    patient = draw_patient(np.random.default_rng(seed), wearing=wearing, **options)
    patient.timeline.append(CALIBRATION)
    return patient, tuple(patient.timeline.append(code, reps=_REPS) for code in SETS)


def _either(rng: np.random.Generator) -> Placement:
    return Placement.PELVIS if rng.uniform() < 0.5 else Placement.THORAX


def _slipping(*, in_skin: bool, fast: bool, only: Placement | None = None) -> Wear:
    def wear(rng: np.random.Generator, truths: Sequence[SetTruth]) -> Wearing:
        """The first slip drawn that is of this kind."""
        while True:
            slip = draw_slip(rng, onset_of(truths))
            if (abs(slip.axis[2]) > 0.5, slip.seconds < 2.0) == (in_skin, fast):
                return Wearing(slips={only or _either(rng): (slip,)})

    return wear


def _stuck(rng: np.random.Generator, truths: Sequence[SetTruth]) -> Wearing:
    return Wearing(stuck={_either(rng): (Stuck(onset_of(truths), _STUCK_S),)})


def _upside_down(rng: np.random.Generator, _: Sequence[SetTruth]) -> Wearing:
    return Wearing(upside_down=frozenset({_either(rng)}))


def _swapped(_: np.random.Generator, __: Sequence[SetTruth]) -> Wearing:
    return Wearing(swapped=True)


def _only(kind: FaultKind) -> frozenset[FaultKind]:
    return frozenset({kind})


_SLIPPED = _only(FaultKind.SLIPPED)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        SOUND: Scenario("nothing goes wrong", frozenset()),
        "slip in the skin": Scenario(
            "one sensor turns by 15 to 30° in the plane of the skin, within a second",
            _SLIPPED,
            _slipping(in_skin=True, fast=True),
            in_set=True,
        ),
        "creep in the skin": Scenario(
            "the same within 20 to 120 s", _SLIPPED, _slipping(in_skin=True, fast=False), in_set=True
        ),
        "peeling off": Scenario(
            "one sensor turns by 15 to 30° about the spine, within a second",
            _SLIPPED,
            _slipping(in_skin=False, fast=True),
            in_set=True,
        ),
        "slip of the only sensor": Scenario(
            "the sensor on the thorax, worn alone, turns in the plane of the skin within a second",
            _SLIPPED,
            _slipping(in_skin=True, fast=True, only=Placement.THORAX),
            options={"placements": (Placement.THORAX,)},
            in_set=True,
        ),
        "stuck": Scenario("one sensor repeats a reading for 12 s", _only(FaultKind.STUCK), _stuck, in_set=True),
        "swapped": Scenario("pelvis and thorax exchanged", _only(FaultKind.SWAPPED), _swapped),
        "upside down": Scenario(
            "one sensor the wrong way up against its stated mount",
            frozenset({FaultKind.UPSIDE_DOWN, FaultKind.ASKEW}),
            _upside_down,
            mount=COMMON_MOUNT,
        ),
        "loss of 40 %": Scenario(
            "40 % of the samples lost in packets of five", _only(FaultKind.LOSSY), options={"lost_fraction": 0.4}
        ),
        "unknown bias": Scenario(
            "cheap sensors (bias of several °/s), recorded from the first movement on, stated mount",
            _only(FaultKind.BIASED),
            options={"grade": "cheap"},
            mount=COMMON_MOUNT,
            without_rest=True,
        ),
    }
)
