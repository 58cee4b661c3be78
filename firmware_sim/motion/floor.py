"""Plans of exercises done lying, on hands and knees, or on the ball.

Flexion, bend and turn are about the segment's own axes, whatever the posture: a bridge turns the pelvis further back
than lying does, so its flexion is negative. Sizes: signals.md §3.5, mostly estimates.
"""

from __future__ import annotations

from firmware_sim.motion.body import Body
from firmware_sim.motion.holding import Hold
from firmware_sim.motion.kinematics import NEUTRAL, Pose
from firmware_sim.motion.repetition import Phase, Repetition
from firmware_sim.motion.truth import Fault
from processing.domain.exercises import Channel

_SMALL = 0.3
"""Below this vigour people curl up as little as McGill asks for, and hold it."""

_FAST = 0.7
"""Above this vigour people bridge once a second or two."""


def pelvic_tilt(body: Body) -> tuple[Repetition, ...]:
    """The pelvis tilts back by 8.9 +- 4.5 degrees, with some people 13 +- 4.9 forward after that; T12 hardly moves."""
    back = Pose(pelvis_flexion_deg=-9.5, lumbar_flexion_deg=9.0).scaled(body.reach)
    forward = Pose(pelvis_flexion_deg=10.0, lumbar_flexion_deg=-9.0).scaled(body.reach)
    hold_s = 0.4 + 4.0 * (1.0 - body.vigour)
    beyond = (Phase(forward, 1.5, 0.3),) if body.tilts_forward else ()
    return (Repetition(Channel.FLEXION, (Phase(back, 1.1, hold_s), *beyond, Phase(NEUTRAL, 1.1, 0.6))),)


def cat_cow(body: Body) -> tuple[Repetition, ...]:
    """The pelvis tucks under in the cat: it turns back while the lumbar spine flexes."""
    factor = body.flexion_mobility
    cat = Pose(pelvis_flexion_deg=-11.0, lumbar_flexion_deg=22.0, hip_up_m=0.01).scaled(factor)
    cow = Pose(pelvis_flexion_deg=9.0, lumbar_flexion_deg=-15.0, hip_up_m=-0.01).scaled(factor)
    phases = (Phase(body.spilt(cat), 1.0, 0.3), Phase(cow, 1.5, 0.3), Phase(NEUTRAL, 0.9, 0.3))
    return (Repetition(Channel.FLEXION, phases),)


def bird_dog(body: Body) -> tuple[Repetition, ...]:
    """One leg and the other arm, held, then the other way; each leg is a repetition.

    The pelvis opens to the side of the lifted leg, too far if the leg goes too high.
    """
    side = 1.0 if body.right_first else -1.0
    return _leg(body, side), _leg(body, -side * (1.0 + body.asymmetry))


def _leg(body: Body, direction: float) -> Repetition:
    lifted = Pose(
        pelvis_flexion_deg=3.0,
        pelvis_turn_deg=6.0 * direction,
        lumbar_flexion_deg=-5.0,
        lumbar_turn_deg=-3.5 * direction,
        lumbar_bend_deg=1.5 * direction,
        hip_right_m=-0.02 * direction,
    ).scaled(body.reach)
    phases = (Phase(lifted, 1.5, 4.0 + 4.0 * body.vigour), Phase(NEUTRAL, 1.4, 1.0))
    opened = Pose(pelvis_turn_deg=8.0 * direction)
    return Repetition(Channel.AXIAL_ROTATION, phases, faults={Fault.TWIST: opened})


def crunch(body: Body) -> tuple[Repetition, ...]:
    """T12 rises by 20-35 degrees; McGill's curl-up by 5-10, held for seconds."""
    small = body.vigour < _SMALL
    up_deg = (8.5 if small else 26.0) * body.reach
    up = body.spilt(Pose(pelvis_flexion_deg=-1.5, lumbar_flexion_deg=up_deg))
    hold_s = 5.0 if small else 0.3
    phases = (Phase(up, 1.2, hold_s), Phase(NEUTRAL, 1.2, 0.7))
    return (Repetition(Channel.FLEXION, phases, faults={Fault.TWIST: Pose(lumbar_turn_deg=12.0)}),)


def ball_curl(body: Body) -> tuple[Repetition, ...]:
    """Curl-up with the back over the ball: larger, and the pelvis gives."""
    up = body.spilt(Pose(pelvis_flexion_deg=-3.0, lumbar_flexion_deg=30.0 * body.reach, hip_up_m=-0.02))
    return (Repetition(Channel.FLEXION, (Phase(up, 1.3, 0.4), Phase(NEUTRAL, 1.4, 0.6))),)


def bridge(body: Body) -> tuple[Repetition, ...]:
    """The trunk turns about the shoulders, 25-45 degrees and 0.15-0.25 m at the pelvis; fast, or held for seconds."""
    up = _raised(body, 34.0, 0.20)
    if body.vigour > _FAST:
        phases = (Phase(up, 0.65, 0.1), Phase(NEUTRAL, 0.65, 0.3))
    else:
        phases = (Phase(up, 1.5, 2.5 + 2.0 * body.vigour), Phase(NEUTRAL, 1.5, 0.8))
    side = 1.0 if body.right_first else -1.0
    faults = {Fault.TWIST: Pose(pelvis_turn_deg=10.0 * side, lumbar_turn_deg=-6.0 * side)}
    return (Repetition(Channel.FLEXION, phases, faults=faults),)


def ball_bridge(body: Body) -> tuple[Repetition, ...]:
    """Bridge with the feet on the ball."""
    up = _raised(body, 28.0, 0.22)
    return (Repetition(Channel.FLEXION, (Phase(up, 1.3, 0.4 + 2.6 * body.vigour), Phase(NEUTRAL, 1.4, 0.6))),)


def _raised(body: Body, pelvis_deg: float, rise_m: float) -> Pose:
    return Pose(
        pelvis_flexion_deg=-pelvis_deg,
        lumbar_flexion_deg=0.25 * pelvis_deg,
        lumbar_bend_deg=body.spill_bend * pelvis_deg,
        hip_up_m=rise_m,
    ).scaled(body.reach)


def superman(body: Body) -> tuple[Repetition, ...]:
    """Chest and legs off the floor, held for 5 to 8 s."""
    up = body.spilt(Pose(pelvis_flexion_deg=2.0, lumbar_flexion_deg=-17.0).scaled(body.reach))
    return (Repetition(Channel.FLEXION, (Phase(up, 1.2, 4.5 + 3.0 * body.vigour), Phase(NEUTRAL, 1.3, 1.0))),)


def press_up(body: Body) -> tuple[Repetition, ...]:
    """McKenzie's extension in lying: 4 s up, 4 s down, the pelvis sinks."""
    up = body.spilt(Pose(pelvis_flexion_deg=-9.0, lumbar_flexion_deg=-27.0, hip_up_m=0.03).scaled(body.reach))
    return (Repetition(Channel.FLEXION, (Phase(up, 3.0, 1.3, -0.1), Phase(NEUTRAL, 3.0, 0.7, 0.1))),)


def knee_rolling(body: Body) -> tuple[Repetition, ...]:
    """The bent knees sink to one side, then to the other; the pelvis follows and the thorax stays."""
    turn_deg = 30.0 * body.reach * (1.0 if body.right_first else -1.0)
    one = Pose(pelvis_turn_deg=turn_deg, lumbar_turn_deg=-0.85 * turn_deg, lumbar_bend_deg=0.08 * turn_deg)
    other = one.scaled(-1.0 - body.asymmetry)
    hold_s = 0.3 + 1.5 * (1.0 - body.vigour)
    phases = (Phase(one, 1.8, hold_s), Phase(other, 2.6, hold_s), Phase(NEUTRAL, 1.6, 0.5))
    return (Repetition(Channel.AXIAL_ROTATION, phases),)


def downward_dog(body: Body) -> tuple[Repetition, ...]:
    """From hands and knees the hips rise until the trunk points down by 45-70 degrees; held."""
    up = body.spilt(
        Pose(pelvis_flexion_deg=55.0, lumbar_flexion_deg=-8.0, hip_up_m=0.35, hip_forward_m=-0.20).scaled(
            0.5 + 0.5 * body.reach
        )
    )
    return (Repetition(Channel.FLEXION, (Phase(up, 2.0, 4.0 + 8.0 * body.vigour), Phase(NEUTRAL, 2.2, 1.5))),)


def high_plank(_body: Body) -> Hold:
    """From lying prone on to straight arms: head up by 10-20 degrees; tired, the hips sink and the back hollows."""
    raised = Pose(pelvis_flexion_deg=-14.0, lumbar_flexion_deg=1.0, hip_up_m=0.32)
    return Hold(raised, 1.8, sag=_SAGGED, effort=True)


def low_plank(body: Body) -> Hold:
    """From lying prone on to the forearms, almost level."""
    raised = Pose(pelvis_flexion_deg=-3.0 - 4.0 * body.vigour, lumbar_flexion_deg=1.0, hip_up_m=0.18)
    return Hold(raised, 1.5, sag=_SAGGED, effort=True)


_SAGGED = Pose(pelvis_flexion_deg=8.0, lumbar_flexion_deg=-10.0, hip_up_m=-0.05)


def side_plank(body: Body) -> Hold:
    """From lying on the side: head up by 15-25 degrees.

    The person has rolled on to the side from the back, so what the flexion coordinate turns is the side bend.
    """
    side = 1.0 if body.right_first else -1.0
    raised = Pose(pelvis_flexion_deg=20.0, lumbar_bend_deg=3.0 * side, hip_up_m=0.20)
    sagged = Pose(pelvis_flexion_deg=-5.0, lumbar_bend_deg=4.0 * side, hip_up_m=-0.05)
    return Hold(raised, 1.6, sag=sagged, effort=True)


def prone_on_elbows(body: Body) -> Hold:
    """The chest rises by 15-30 degrees and rests on the elbows."""
    return Hold(body.spilt(Pose(pelvis_flexion_deg=-3.0, lumbar_flexion_deg=-19.0)), 1.8)


def knee_to_chest(body: Body) -> Hold:
    """One knee (or both) pulled up: the pelvis tilts back by 10-25 degrees."""
    side = 1.0 if body.right_first else -1.0
    turn_deg = 0.0 if body.tilts_forward else 3.0 * side
    return Hold(Pose(pelvis_flexion_deg=-16.0, lumbar_flexion_deg=14.0, pelvis_turn_deg=turn_deg), 1.6)


def hamstring_stretch(body: Body) -> Hold:
    """Lying, one leg up: the back keeps almost still."""
    return Hold(Pose(pelvis_flexion_deg=-4.0 * body.vigour - 0.5, lumbar_flexion_deg=2.0 * body.vigour), 1.5)
