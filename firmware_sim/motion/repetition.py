"""Movements made of repetitions: phases of a plan, and how one repetition differs from the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from firmware_sim.motion.body import Body
from firmware_sim.motion.course import LEAD_IN_S, REST_S, Course, RepMark, Request, Span
from firmware_sim.motion.kinematics import NEUTRAL, Pose
from firmware_sim.motion.paths import Keyframe, KeyframePath, Path, Sum, Trembling
from firmware_sim.motion.truth import Fault
from processing.domain.exercises import Channel, Posture

WITHIN = 0.23
"""Part of a movement's time that is left when 95 % of the way is done (and as much has passed when 5 % is)."""

SHORTEST_HOLD_S = 1.0
"""A pause in a pose is a hold from here on."""

_TIRED_AFTER = 8.0
"""Repetitions after which 63 % of the person's fatigue has come (estimate)."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Part of a repetition: move to a pose (offset from the neutral one), then hold it; ``lead`` as in ``Keyframe``."""

    pose: Pose
    move_s: float
    hold_s: float
    lead: float = 0.0


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a person who never varies; the last phase ends in the neutral pose.

    Attributes:
        trunk: phases of a second movement on top of the first; they begin with it, end in neutral and last no longer.
        faults: what can go wrong, as an offset added to every pose but the neutral one. Any repetition can be partial.
        peak: number of the phase that ends in the first turning point.
    """

    channel: Channel
    phases: tuple[Phase, ...]
    trunk: tuple[Phase, ...] = ()
    faults: Mapping[Fault, Pose] = field(default_factory=dict)
    peak: int = 0


@dataclass(frozen=True, slots=True)
class Repeated:
    """Sets of each plan, one plan after the other, or plans that take turns within one set.

    ``fixed_count`` overrides the number asked for.
    """

    posture: Posture
    plans: Callable[[Body], tuple[Repetition, ...]]
    lead_in_s: float = LEAD_IN_S
    rest_s: float = REST_S
    fixed_count: int | None = None
    bent_knees: bool | None = None
    taking_turns: bool = False

    def course(self, request: Request) -> Course:
        """Amplitude and tempo vary by the person's unsteadiness (at most twice its spread) and fatigue."""
        writer = _Writer(request)
        plans, count = self.plans(request.body), self.fixed_count or request.reps
        if self.taking_turns:
            for number in range(count):
                writer.write(plans[number % len(plans)], number)
        else:
            for plan in plans:
                for number in range(count):
                    writer.write(plan, number)
        return writer.course(bent_knees=self.bent_knees)


class _Writer:
    """Writes repetitions one after the other as keyframes."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._frames = [Keyframe(request.begin_s, request.neutral)]
        self._trunk = [Keyframe(request.begin_s, NEUTRAL)]
        self._marks: list[RepMark] = []
        self._holds: list[Span] = []

    def write(self, plan: Repetition, number: int) -> None:
        body, rng = self._request.body, self._request.rng
        amplitude, tempo = 1.0 + body.unsteadiness * np.clip(rng.normal(0.0, 1.0, 2), -2.0, 2.0)
        tired = body.fatigue * -np.expm1(-number / _TIRED_AFTER)
        fault = self._fault(plan)
        size = float(amplitude) * (1.0 - float(tired))
        if fault is Fault.PARTIAL:
            size *= float(rng.uniform(0.45, 0.60))
        extra = NEUTRAL if fault is None else plan.faults.get(fault, NEUTRAL)
        self._one(plan, size, body.pace * float(tempo) * (1.0 + 1.5 * float(tired)), fault, extra)

    def _fault(self, plan: Repetition) -> Fault | None:
        share, rng = self._request.manner.faulty_share, self._request.rng
        if share <= 0.0 or rng.uniform() >= share:
            return None
        possible = (Fault.PARTIAL, *plan.faults)
        return possible[int(rng.integers(len(possible)))]

    def _one(self, plan: Repetition, size: float, tempo: float, fault: Fault | None, extra: Pose) -> None:
        start_s = self._frames[-1].t_s
        arrivals_s = []
        for number, phase in enumerate(plan.phases):
            offset = phase.pose.scaled(size)
            away = phase.pose != NEUTRAL
            pose = self._request.neutral.moved(offset.moved(extra) if away else offset)
            arrived_s = self._frames[-1].t_s + tempo * phase.move_s
            left_s = arrived_s + tempo * phase.hold_s
            self._frames.append(Keyframe(arrived_s, pose, phase.lead))
            if phase.hold_s > 0.0:
                self._frames.append(Keyframe(left_s, pose))
            arrivals_s.append(arrived_s)
            if away and left_s - arrived_s >= SHORTEST_HOLD_S:
                leave_s = tempo * plan.phases[number + 1].move_s
                self._holds.append(Span(arrived_s - WITHIN * tempo * phase.move_s, left_s + WITHIN * leave_s))
        for phase in plan.trunk:
            pose = phase.pose.scaled(size)
            self._trunk.append(Keyframe(self._trunk[-1].t_s + tempo * phase.move_s, pose))
            if phase.hold_s > 0.0:
                self._trunk.append(Keyframe(self._trunk[-1].t_s + tempo * phase.hold_s, pose))
        if plan.trunk and self._trunk[-1].t_s < self._frames[-1].t_s:
            self._trunk.append(Keyframe(self._frames[-1].t_s, NEUTRAL))
        peak_s = arrivals_s[plan.peak] + 0.5 * tempo * plan.phases[plan.peak].hold_s
        self._marks.append(RepMark(plan.channel, start_s, peak_s, arrivals_s[-1], fault))

    def course(self, *, bent_knees: bool | None) -> Course:
        paths: list[Path] = [KeyframePath(tuple(self._frames))]
        if len(self._trunk) > 1:
            paths.append(KeyframePath(tuple(self._trunk)))
        if self._holds:
            paths.append(Trembling(self._request.body.tremor, tuple(self._holds)))
        return Course(
            path=paths[0] if len(paths) == 1 else Sum(tuple(paths)),
            end_s=self._frames[-1].t_s,
            reps=tuple(self._marks),
            holds=tuple(self._holds),
            bent_knees=bent_knees,
        )
