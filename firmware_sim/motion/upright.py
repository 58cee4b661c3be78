"""Plans of exercises done standing, kneeling or sitting.

Amplitudes and tempos: the exercise table and the norms of signals.md; one person differs from the next by `Body`.
"""

from __future__ import annotations

from firmware_sim.motion.body import Body
from firmware_sim.motion.holding import Hold
from firmware_sim.motion.kinematics import NEUTRAL, Pose
from firmware_sim.motion.repetition import Phase, Repetition
from firmware_sim.motion.truth import Fault
from processing.domain.exercises import Channel, Posture

_LEAD = 0.12
"""In forward bends the lumbar spine sets out first, and coming back up it arrives last (lumbo-pelvic rhythm; size:
estimate)."""

_SEATED_SPILL = 3.0
"""Unsupported on a chair people keep less to a plane than standing (estimate after trunk_seated)."""

_TWIST = Pose(lumbar_turn_deg=9.0, pelvis_turn_deg=6.0)


def squat(body: Body) -> tuple[Repetition, ...]:
    """2.46 s per repetition, tilt 38 +- 12 degrees, depth 0.25-0.5 m; some people bend twice (Q1 of squat_lowback)."""
    depth_m = body.squat_depth_m
    tilt = 0.5 if body.two_bends else 1.0
    bottom = Pose(
        pelvis_flexion_deg=tilt * (14.0 + 35.0 * depth_m),
        lumbar_flexion_deg=tilt * 14.0 * body.flexion_mobility,
        hip_up_m=-depth_m,
        hip_forward_m=-0.3 * depth_m,
    )
    bend = Pose(pelvis_flexion_deg=14.0, lumbar_flexion_deg=6.0)
    twice = (Phase(bend, 0.6, 0.0), Phase(NEUTRAL, 0.5, 0.1), Phase(bend, 0.5, 0.0), Phase(NEUTRAL, 0.6, 0.0))
    faults = {
        Fault.LEAN: Pose(pelvis_flexion_deg=20.0, hip_forward_m=-0.05),
        Fault.LUMBAR_FLEXION: Pose(pelvis_flexion_deg=-12.0, lumbar_flexion_deg=18.0),
        Fault.TWIST: _TWIST,
    }
    phases = (Phase(body.spilt(bottom), 1.05, 0.15), Phase(NEUTRAL, 0.95, 0.3))
    return (Repetition(Channel.VERTICAL, phases, trunk=twice if body.two_bends else (), faults=faults),)


def sit_to_stand(body: Body) -> tuple[Repetition, ...]:
    """The trunk bends before the seat is left and again on the way down; 2.3 s measured (sit_to_stand_bench)."""
    sitting = body.posture(Posture.SITTING)
    upright = sitting.scaled(-1.0)
    bend = body.spilt(
        Pose(pelvis_flexion_deg=22.0 + 14.0 * body.vigour, lumbar_flexion_deg=12.0 * body.flexion_mobility)
    )
    phases = (Phase(NEUTRAL, 0.25, 0.0), Phase(upright, 0.95, 0.1), Phase(NEUTRAL, 1.0, 0.2))
    trunk = (
        Phase(bend, 0.6, 0.0),
        Phase(NEUTRAL, 0.6, 0.1),
        Phase(bend.scaled(0.8), 0.6, 0.0),
        Phase(NEUTRAL, 0.6, 0.0),
    )
    return (Repetition(Channel.VERTICAL, phases, trunk=trunk, peak=1),)


def lunge(body: Body) -> tuple[Repetition, ...]:
    """2.4 to 4.2 s, tilt 7-20 degrees (one person); the way down is an estimate."""
    depth_m = 0.75 * body.squat_depth_m
    side = 1.0 if body.right_first else -1.0
    bottom = Pose(
        pelvis_flexion_deg=6.0 + 5.0 * body.vigour,
        lumbar_flexion_deg=4.0,
        pelvis_turn_deg=5.0 * side,
        lumbar_turn_deg=-4.0 * side,
        pelvis_bend_deg=2.0 * side,
        hip_up_m=-depth_m,
        hip_forward_m=0.28,
    )
    faults = {
        Fault.LEAN: Pose(pelvis_flexion_deg=14.0, lumbar_flexion_deg=6.0),
        Fault.TWIST: _TWIST.scaled(side),
    }
    return (Repetition(Channel.VERTICAL, (Phase(bottom, 1.25, 0.2), Phase(NEUTRAL, 1.15, 0.5)), faults=faults),)


def flexion_extension(body: Body) -> tuple[Repetition, ...]:
    """Standing: as far forward, then as far back as the person can."""
    factor = body.flexion_mobility
    flexed = Pose(pelvis_flexion_deg=31.0, lumbar_flexion_deg=45.0, hip_forward_m=-0.10, hip_up_m=-0.02).scaled(factor)
    extended = Pose(pelvis_flexion_deg=-4.0, lumbar_flexion_deg=-14.0, hip_forward_m=0.05).scaled(factor)
    phases = (
        Phase(body.spilt(flexed), 1.5, 0.2, _LEAD),
        Phase(extended, 2.1, 0.3, -_LEAD),
        Phase(NEUTRAL, 1.1, 0.4),
    )
    return (Repetition(Channel.FLEXION, phases, faults={Fault.TWIST: _TWIST}),)


def side_bend(body: Body) -> tuple[Repetition, ...]:
    """Standing: right, then left."""
    right = Pose(
        pelvis_bend_deg=4.0, lumbar_bend_deg=21.0, lumbar_turn_deg=21.0 * body.coupling, hip_right_m=-0.05
    ).scaled(body.bend_mobility)
    return (Repetition(Channel.LATERAL_BEND, _both(right, body, 1.2, 1.8, 1.1)),)


def rotation(body: Body) -> tuple[Repetition, ...]:
    """Standing: left, then right."""
    left = Pose(pelvis_turn_deg=22.0, lumbar_turn_deg=9.0, lumbar_bend_deg=9.0 * body.coupling).scaled(
        body.turn_mobility
    )
    return (Repetition(Channel.AXIAL_ROTATION, _both(left, body, 1.1, 1.7, 1.0)),)


def seated_rom(body: Body) -> tuple[Repetition, ...]:
    """T10 against pelvis 53 / 53 / 43 degrees peak to peak, pelvis 33 / 18 / 21, 3.6-4.2 s each (trunk_seated).

    There each plane spills some ten degrees into the others, in single people 20 to 30.
    """
    flexed = body.spilt(Pose(pelvis_flexion_deg=21.0, lumbar_flexion_deg=35.0), _SEATED_SPILL)
    flexed = flexed.scaled(body.flexion_mobility)
    extended = Pose(pelvis_flexion_deg=-10.0, lumbar_flexion_deg=-17.0).scaled(body.flexion_mobility)
    right = Pose(
        pelvis_bend_deg=8.0,
        lumbar_bend_deg=26.0,
        lumbar_turn_deg=26.0 * _SEATED_SPILL * body.coupling,
        lumbar_flexion_deg=10.0 * body.vigour,
    ).scaled(body.bend_mobility)
    left = Pose(
        pelvis_turn_deg=10.0,
        lumbar_turn_deg=21.0,
        lumbar_bend_deg=21.0 * _SEATED_SPILL * body.coupling,
        lumbar_flexion_deg=6.0 * body.vigour,
    ).scaled(body.turn_mobility)
    forward = (
        Phase(flexed, 1.2, 0.2, _LEAD),
        Phase(extended, 1.7, 0.2, -_LEAD),
        Phase(NEUTRAL, 1.1, 0.4),
    )
    return (
        Repetition(Channel.FLEXION, forward),
        Repetition(Channel.LATERAL_BEND, _both(right, body, 1.2, 1.7, 1.1)),
        Repetition(Channel.AXIAL_ROTATION, _both(left, body, 1.2, 1.7, 1.1)),
    )


def seated_tilt(body: Body) -> tuple[Repetition, ...]:
    """On the ball the pelvis rolls forward and back under a quiet thorax, 15-25 degrees (estimate)."""
    forward = Pose(pelvis_flexion_deg=9.0, lumbar_flexion_deg=-8.0, hip_forward_m=-0.03, hip_up_m=0.01)
    back = Pose(pelvis_flexion_deg=-11.0, lumbar_flexion_deg=10.0, hip_forward_m=0.04, hip_up_m=-0.01)
    phases = (
        Phase(forward.scaled(body.reach), 1.1, 0.2),
        Phase(back.scaled(body.reach), 1.5, 0.2),
        Phase(NEUTRAL, 0.9, 0.3),
    )
    return (Repetition(Channel.FLEXION, phases),)


def calibration(body: Body) -> tuple[Repetition, ...]:
    """Bends as asked for: straight forward and not too far."""
    bent = Pose(pelvis_flexion_deg=25.0, lumbar_flexion_deg=30.0, hip_forward_m=-0.08).scaled(body.flexion_mobility)
    return (Repetition(Channel.FLEXION, (Phase(bent, 1.4, 0.2), Phase(NEUTRAL, 1.4, 0.4))),)


def hamstring_stretch(body: Body) -> Hold:
    """Standing, bent forward over a straight leg."""
    bent = body.spilt(Pose(pelvis_flexion_deg=34.0, lumbar_flexion_deg=18.0, hip_forward_m=-0.08))
    return Hold(bent, 1.8, sag=Pose(pelvis_flexion_deg=4.0, lumbar_flexion_deg=3.0))


def hip_flexor_stretch(body: Body) -> Hold:
    """Half kneeling: the pelvis tucks under and moves forward."""
    side = 1.0 if body.right_first else -1.0
    return Hold(
        Pose(pelvis_flexion_deg=-10.0, lumbar_flexion_deg=5.0, pelvis_turn_deg=3.0 * side, hip_forward_m=0.08), 1.5
    )


def calf_stretch(body: Body) -> Hold:
    """Leaning towards a wall, straight from heel to head."""
    return Hold(Pose(pelvis_flexion_deg=11.0 + 6.0 * body.vigour, lumbar_flexion_deg=-2.0, hip_forward_m=0.15), 1.5)


def _both(first: Pose, body: Body, out_s: float, across_s: float, back_s: float) -> tuple[Phase, ...]:
    second = first.scaled(-1.0 - body.asymmetry)
    # Flexion goes forward on both sides.
    second = second._replace(lumbar_flexion_deg=first.lumbar_flexion_deg)
    return (Phase(first, out_s, 0.2), Phase(second, across_s, 0.2), Phase(NEUTRAL, back_s, 0.4))
