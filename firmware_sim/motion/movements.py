"""What a person does in an exercise: poses, times and where the repetitions lie.

Amplitudes and tempos: the exercise table and the norms of the field notes; one person differs from the next by `Body`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from firmware_sim.motion.body import Body
from firmware_sim.motion.kinematics import Pose
from firmware_sim.motion.paths import Keyframe, Oscillation, WalkingPath
from processing.domain.exercises import Channel

CALIBRATION = "calibration"
"""Movement that is no exercise: stand still for five seconds, then three forward bends."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Part of a repetition: move to a pose (offset from the neutral one), then hold it."""

    pose: Pose
    move_s: float
    hold_s: float


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a person who never varies; the last phase ends in the neutral pose."""

    channel: Channel
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class RepMark:
    """Where a repetition lies; the peak is the middle of the hold at its first turning point."""

    channel: Channel
    start_s: float
    peak_s: float
    end_s: float


_NEUTRAL = Pose()


def _squat(body: Body) -> tuple[Repetition, ...]:
    # 2.46 s per repetition, tilt 38 +- 12 degrees, depth 0.25-0.5 m.
    depth_m = body.squat_depth_m
    bottom = Pose(
        pelvis_flexion_deg=14.0 + 35.0 * depth_m,
        lumbar_flexion_deg=14.0 * body.flexion_mobility,
        hip_up_m=-depth_m,
        hip_forward_m=-0.3 * depth_m,
    )
    return (Repetition(Channel.VERTICAL, (Phase(bottom, 1.05, 0.15), Phase(_NEUTRAL, 0.95, 0.3))),)


def _flexion_extension(body: Body) -> tuple[Repetition, ...]:
    factor = body.flexion_mobility
    flexed = Pose(pelvis_flexion_deg=31.0, lumbar_flexion_deg=45.0, hip_forward_m=-0.10, hip_up_m=-0.02).scaled(factor)
    extended = Pose(pelvis_flexion_deg=-4.0, lumbar_flexion_deg=-14.0, hip_forward_m=0.05).scaled(factor)
    phases = (Phase(flexed, 1.5, 0.2), Phase(extended, 2.1, 0.3), Phase(_NEUTRAL, 1.1, 0.4))
    return (Repetition(Channel.FLEXION, phases),)


def _side_bend(body: Body) -> tuple[Repetition, ...]:
    right = Pose(
        pelvis_bend_deg=4.0, lumbar_bend_deg=21.0, lumbar_turn_deg=21.0 * body.coupling, hip_right_m=-0.05
    ).scaled(body.bend_mobility)
    phases = (Phase(right, 1.2, 0.2), Phase(right.scaled(-1.0), 1.8, 0.2), Phase(_NEUTRAL, 1.1, 0.4))
    return (Repetition(Channel.LATERAL_BEND, phases),)


def _rotation(body: Body) -> tuple[Repetition, ...]:
    left = Pose(pelvis_turn_deg=22.0, lumbar_turn_deg=9.0, lumbar_bend_deg=9.0 * body.coupling).scaled(
        body.turn_mobility
    )
    phases = (Phase(left, 1.1, 0.2), Phase(left.scaled(-1.0), 1.7, 0.2), Phase(_NEUTRAL, 1.0, 0.4))
    return (Repetition(Channel.AXIAL_ROTATION, phases),)


def _cat_cow(body: Body) -> tuple[Repetition, ...]:
    # The pelvis tucks under in the cat: it turns back while the lumbar spine flexes.
    factor = body.flexion_mobility
    cat = Pose(pelvis_flexion_deg=-11.0, lumbar_flexion_deg=22.0, hip_up_m=0.01).scaled(factor)
    cow = Pose(pelvis_flexion_deg=9.0, lumbar_flexion_deg=-15.0, hip_up_m=-0.01).scaled(factor)
    phases = (Phase(cat, 1.0, 0.3), Phase(cow, 1.5, 0.3), Phase(_NEUTRAL, 0.9, 0.3))
    return (Repetition(Channel.FLEXION, phases),)


def _seated_rom(body: Body) -> tuple[Repetition, ...]:
    # T10 against pelvis 53 / 53 / 43 degrees peak to peak, pelvis 33 / 18 / 21, 3.6-4.2 s each.
    def both(channel: Channel, first: Pose, second: Pose) -> Repetition:
        return Repetition(channel, (Phase(first, 1.2, 0.2), Phase(second, 1.7, 0.2), Phase(_NEUTRAL, 1.1, 0.4)))

    flexed = Pose(pelvis_flexion_deg=21.0, lumbar_flexion_deg=35.0).scaled(body.flexion_mobility)
    extended = Pose(pelvis_flexion_deg=-10.0, lumbar_flexion_deg=-17.0).scaled(body.flexion_mobility)
    right = Pose(pelvis_bend_deg=8.0, lumbar_bend_deg=26.0, lumbar_turn_deg=26.0 * body.coupling)
    left = Pose(pelvis_turn_deg=10.0, lumbar_turn_deg=21.0, lumbar_bend_deg=21.0 * body.coupling)
    right, left = right.scaled(body.bend_mobility), left.scaled(body.turn_mobility)
    return (
        both(Channel.FLEXION, flexed, extended),
        both(Channel.LATERAL_BEND, right, right.scaled(-1.0)),
        both(Channel.AXIAL_ROTATION, left, left.scaled(-1.0)),
    )


def _calibration(body: Body) -> tuple[Repetition, ...]:
    bent = Pose(pelvis_flexion_deg=25.0, lumbar_flexion_deg=30.0, hip_forward_m=-0.08).scaled(body.flexion_mobility)
    return (Repetition(Channel.FLEXION, (Phase(bent, 1.4, 0.2), Phase(_NEUTRAL, 1.4, 0.4))),)


REPEATED: Mapping[str, Callable[[Body], tuple[Repetition, ...]]] = MappingProxyType(
    {
        CALIBRATION: _calibration,
        "squat": _squat,
        "standing_flexion_extension": _flexion_extension,
        "standing_side_bend": _side_bend,
        "standing_rotation": _rotation,
        "seated_rom": _seated_rom,
        "cat_cow": _cat_cow,
    }
)
"""Movements made of repetitions, by exercise code."""


def repetitions(
    plans: tuple[Repetition, ...], count: int, start: Keyframe, body: Body, rng: np.random.Generator
) -> tuple[tuple[Keyframe, ...], tuple[RepMark, ...]]:
    """Keyframes and marks of ``count`` repetitions of each plan, one plan after the other.

    ``start`` is the neutral pose and the instant at which the first repetition begins.
    Amplitude and tempo vary from one repetition to the next by the person's unsteadiness (at most twice
    its spread).
    """
    frames = [start]
    marks: list[RepMark] = []
    for plan in plans:
        for _ in range(count):
            amplitude, tempo = 1.0 + body.unsteadiness * np.clip(rng.normal(0.0, 1.0, 2), -2.0, 2.0)
            marks.append(_one(plan, start.pose, float(amplitude), body.pace * float(tempo), frames))
    return tuple(frames), tuple(marks)


def _one(plan: Repetition, neutral: Pose, amplitude: float, tempo: float, frames: list[Keyframe]) -> RepMark:
    start_s = frames[-1].t_s
    moved_s: list[float] = []
    for phase in plan.phases:
        pose = neutral.moved(phase.pose.scaled(amplitude))
        frames.append(Keyframe(frames[-1].t_s + tempo * phase.move_s, pose))
        moved_s.append(frames[-1].t_s)
        frames.append(Keyframe(frames[-1].t_s + tempo * phase.hold_s, pose))
    peak_s = moved_s[0] + 0.5 * tempo * plan.phases[0].hold_s
    return RepMark(plan.channel, start_s, peak_s, moved_s[-1])


def walk(seconds: float, stand: Pose, start_s: float, body: Body) -> WalkingPath:
    """Walking for about ``seconds``, in whole steps of the person's cadence (four at least).

    The vertical swing of 4 to 5 cm gives 2-4 m/s2 at the sacrum; the pelvis turns and drops with each stride
    and the thorax turns against it (amplitudes: estimates within ordinary gait).
    """
    steps = max(4, round(seconds / body.step_s))
    size = body.height_m / 1.70
    quarter = 0.5 * np.pi
    oscillations = (
        Oscillation(0.0, quarter, Pose(pelvis_flexion_deg=2.0, lumbar_flexion_deg=1.0)),
        Oscillation(0.5, 0.0, Pose(pelvis_turn_deg=4.5, lumbar_turn_deg=-7.0, hip_right_m=0.02 * size)),
        Oscillation(0.5, quarter, Pose(pelvis_bend_deg=3.5, lumbar_bend_deg=-5.0)),
        Oscillation(1.0, -quarter, Pose(hip_up_m=0.021 * size)),
        Oscillation(1.0, 0.6, Pose(pelvis_flexion_deg=1.0, lumbar_flexion_deg=-1.2, hip_forward_m=0.008)),
        Oscillation(2.0, 0.9, Pose(hip_up_m=0.0014 * size, hip_forward_m=0.0012)),
    )
    return WalkingPath(
        start_s=start_s,
        seconds=steps * body.step_s,
        steps=steps,
        wander=max(1, steps // 9),
        speed_mps=0.68 * size / body.step_s,
        stand=stand,
        oscillations=oscillations,
    )
