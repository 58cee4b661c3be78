"""What people do between exercises: bending, lifting, sitting. Sizes: signals.md §4.1, §4.2; the rest are estimates."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_sim.motion.body import Body
from firmware_sim.motion.course import Course, Request
from firmware_sim.motion.kinematics import NEUTRAL, Pose
from firmware_sim.motion.paths import Keyframe, KeyframePath
from firmware_sim.motion.repetition import Phase, Repetition
from firmware_sim.motion.truth import SittingTruth
from processing.domain.exercises import Channel, Posture

_MOVE_S = 1.6
"""Time to sit up or slump (estimate)."""

_FIDGET_DEG = 1.5
_FIDGET_EVERY_S = (15.0, 45.0)


def bend(body: Body) -> tuple[Repetition, ...]:
    """Reaching for something at knee height, 50-70 degrees of the trunk."""
    low = body.spilt(Pose(pelvis_flexion_deg=30.0, lumbar_flexion_deg=28.0, hip_forward_m=-0.08))
    return (_lift(low.scaled(body.flexion_mobility)),)


def stoop_lift(body: Body) -> tuple[Repetition, ...]:
    """With straight legs: 82-89 degrees at the belt, 36 in the lumbar spine."""
    low = Pose(pelvis_flexion_deg=58.0, lumbar_flexion_deg=36.0 * body.flexion_mobility, hip_forward_m=-0.12)
    return (_lift(body.spilt(low)),)


def squat_lift(body: Body) -> tuple[Repetition, ...]:
    """With bent knees: 27-64 degrees at the belt, 24-25 in the lumbar spine."""
    low = Pose(
        pelvis_flexion_deg=28.0 + 12.0 * body.vigour,
        lumbar_flexion_deg=24.0 * body.flexion_mobility,
        hip_up_m=-0.42,
        hip_forward_m=-0.15,
    )
    return (_lift(body.spilt(low)),)


def twisted_lift(body: Body) -> tuple[Repetition, ...]:
    """Stooping to one side of the feet and turning back while rising."""
    side = 1.0 if body.right_first else -1.0
    low = Pose(
        pelvis_flexion_deg=45.0,
        pelvis_turn_deg=10.0 * side,
        lumbar_flexion_deg=33.0 * body.flexion_mobility,
        lumbar_turn_deg=12.0 * side,
        lumbar_bend_deg=-8.0 * side,
        hip_forward_m=-0.10,
    )
    return (_lift(low),)


def _lift(low: Pose) -> Repetition:
    return Repetition(Channel.FLEXION, (Phase(low, 1.2, 0.3, 0.12), Phase(NEUTRAL, 1.4, 2.0, -0.12)))


@dataclass(frozen=True, slots=True)
class Sitting:
    """Sitting for ``duration_s`` in one way: ``slump`` 0 is as upright as can be, 1 slumped, 1/3 as people just sit.

    From upright to slumped the lumbar spine flexes by some 18 degrees, of which the pelvis takes a good half; habitual
    sitting is about 10 degrees more flexed than upright (Alshehri 2025).
    """

    slump: float
    posture: Posture = Posture.SITTING
    lead_in_s: float = 0.0
    rest_s: float = 0.0

    def course(self, request: Request) -> Course:
        """Into the way of sitting at once, small shifts of position now and then, and back at the end."""
        rng, pace = request.rng, request.body.pace
        away = self.slump - 1.0 / 3.0
        size = request.body.reach * away
        pose = Pose(pelvis_flexion_deg=-10.0 * size, lumbar_flexion_deg=18.0 * size, hip_forward_m=0.02 * size)
        arrived_s = request.begin_s + pace * _MOVE_S
        end_s = arrived_s + request.duration_s
        frames = [Keyframe(request.begin_s, request.neutral), Keyframe(arrived_s, request.neutral.moved(pose))]
        while (t_s := frames[-1].t_s + float(rng.uniform(*_FIDGET_EVERY_S))) + 1.0 < end_s:
            shift = Pose(*rng.uniform(-_FIDGET_DEG, _FIDGET_DEG, 6))
            frames.append(Keyframe(t_s, frames[-1].pose))
            frames.append(Keyframe(t_s + 0.8, request.neutral.moved(pose).moved(shift)))
        frames.append(Keyframe(end_s, frames[-1].pose))
        frames.append(Keyframe(end_s + pace * _MOVE_S, request.neutral))
        return Course(
            KeyframePath(tuple(frames)),
            end_s=frames[-1].t_s,
            sitting=(SittingTruth(arrived_s, end_s, self.slump),),
        )
