"""Exercises done standing, walking, kneeling or sitting. Numbers: signals.md §3.5 unless the source says otherwise."""

from __future__ import annotations

from processing.domain.exercise_types import (
    Channel,
    CountedChannel,
    Counting,
    Evidence,
    Exercise,
    HoldSpec,
    Posture,
    Swing,
)
from processing.domain.fault_rules import LEAN, LUMBAR_FLEXION, PELVIS_TUCKED, TRUNK_TWIST
from processing.domain.samples import Placement


def _rom(channel: Channel, floor: float) -> tuple[CountedChannel, ...]:
    # The pelvis moves a third of what T10 does (L4/5 33, 18 and 21 degrees against 82, 67 and 63, signals.md §2.5).
    return (
        CountedChannel(
            channel=channel,
            segment=Placement.THORAX,
            fallback=Placement.PELVIS,
            swing=Swing.BOTH_SIDES,
            floor=floor,
            fallback_floor=floor / 3.0,
        ),
    )


def _height(swing: Swing) -> tuple[CountedChannel, ...]:
    return (
        CountedChannel(
            channel=Channel.VERTICAL, segment=Placement.PELVIS, fallback=Placement.THORAX, swing=swing, floor=0.05
        ),
    )


_SEATED_TILT = CountedChannel(
    channel=Channel.FLEXION, segment=Placement.PELVIS, fallback=None, swing=Swing.BOTH_SIDES, floor=5.0
)
_BEND_FORWARD = CountedChannel(
    channel=Channel.FLEXION,
    segment=Placement.THORAX,
    fallback=Placement.PELVIS,
    swing=Swing.ONE_SIDED,
    floor=20.0,
    # Sitting down turns the pelvis by 18° (signals.md §4.2) and is no stretch.
    fallback_floor=20.0,
)

UPRIGHT_EXERCISES = (
    Exercise(
        code="squat",
        name="Squat",
        posture=Posture.STANDING,
        counting=Counting.COUNTED,
        evidence=Evidence.REAL,
        evidence_people=3,
        source="Tempo 2.5 ± 0.5 s and tilt 38 ± 12° measured on 6 people (squat_lowback); dose 8-15: estimate.",
        channels=_height(Swing.DOWN_UP),
        faults=(LEAN, LUMBAR_FLEXION, PELVIS_TUCKED, TRUNK_TWIST),
        tempo_s=(1.2, 6.0),
    ),
    Exercise(
        code="sit_to_stand",
        name="Sit to stand",
        posture=Posture.SITTING,
        counting=Counting.COUNTED,
        evidence=Evidence.REAL,
        evidence_people=1,
        source="Tempo 2.3 s and two trunk bends a cycle measured on 3 people (sit_to_stand_bench); dose: 5-times test.",
        channels=_height(Swing.UP_DOWN),
        tempo_s=(1.2, 6.0),
    ),
    Exercise(
        code="lunge",
        name="Lunge",
        posture=Posture.STANDING,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Tempo 2.4-4.2 s measured on 1 person, 5 of 5 counted; depth and dose: estimate. Each leg counts.",
        channels=_height(Swing.DOWN_UP),
        faults=(LEAN, TRUNK_TWIST),
        tempo_s=(1.5, 7.0),
    ),
    Exercise(
        code="standing_flexion_extension",
        name="Bend forward and back, standing",
        posture=Posture.STANDING,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Trunk 111° (93° with back pain), one bend 2.3-3.2 s: Laird 2019; norms by age: Troke 2001.",
        channels=_rom(Channel.FLEXION, 10.0),
        faults=(TRUNK_TWIST,),
        rom=(Channel.FLEXION,),
        tempo_s=(2.0, 12.0),
    ),
    Exercise(
        code="standing_side_bend",
        name="Side bend, standing",
        posture=Posture.STANDING,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Lumbar 29° falling to 15° with age: Troke 2001; tempo as measured sitting, 4.2 s (trunk_seated).",
        channels=_rom(Channel.LATERAL_BEND, 10.0),
        rom=(Channel.LATERAL_BEND,),
        tempo_s=(2.0, 12.0),
    ),
    Exercise(
        code="standing_rotation",
        name="Turn left and right, standing",
        posture=Posture.STANDING,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Lumbar 7° each side at all ages: Troke 2001; tempo as measured sitting, 3.6 s (trunk_seated).",
        channels=_rom(Channel.AXIAL_ROTATION, 10.0),
        rom=(Channel.AXIAL_ROTATION,),
        tempo_s=(2.0, 12.0),
    ),
    Exercise(
        code="seated_rom",
        name="Bend, side bend and turn, sitting",
        posture=Posture.SITTING,
        counting=Counting.COUNTED,
        evidence=Evidence.REAL,
        evidence_people=6,
        source="T10 82 / 67 / 63°, tempo 4.1 / 4.2 / 3.6 s measured on 12 people (trunk_seated).",
        channels=_rom(Channel.FLEXION, 10.0) + _rom(Channel.LATERAL_BEND, 10.0) + _rom(Channel.AXIAL_ROTATION, 10.0),
        rom=(Channel.FLEXION, Channel.LATERAL_BEND, Channel.AXIAL_ROTATION),
        tempo_s=(2.0, 12.0),
    ),
    Exercise(
        code="swiss_ball_seated_tilt",
        name="Pelvic tilt on the Swiss ball",
        posture=Posture.SITTING,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Tilt 15-25° and tempo 3-5 s: estimate; Ahmed 2016 trained with it but measured no movement.",
        channels=(_SEATED_TILT,),
        tempo_s=(2.0, 10.0),
    ),
    Exercise(
        code="hamstring_stretch_standing",
        name="Hamstring stretch, standing",
        posture=Posture.STANDING,
        counting=Counting.HELD,
        evidence=Evidence.SIMULATION,
        source="Hold 15-60 s: patient leaflets; bend 40-70°: estimate.",
        hold=HoldSpec(
            posture=Posture.STANDING, segment=Placement.THORAX, lift=_BEND_FORWARD, min_s=5.0, within_deg=120.0
        ),
    ),
    Exercise(
        code="iliopsoas_stretch",
        name="Hip flexor stretch, half kneeling",
        posture=Posture.HALF_KNEELING,
        counting=Counting.PATIENT_STARTED,
        evidence=Evidence.NOT_CHECKED,
        source="30 s x 2: patient leaflets; posterior tilt of 5-15°: estimate, too unspecific to verify.",
    ),
    Exercise(
        code="calf_stretch",
        name="Calf stretch",
        posture=Posture.STANDING,
        counting=Counting.PATIENT_STARTED,
        evidence=Evidence.NOT_CHECKED,
        source="Hold 15-30 s and lean 10-20°: estimate; the back cannot tell it from leaning.",
    ),
    Exercise(
        code="walking",
        name="Walking",
        posture=Posture.STANDING,
        counting=Counting.TIMED,
        evidence=Evidence.REAL,
        evidence_people=1,
        source="Step 0.5-0.6 s; brisk from 100 steps/min: Tudor-Locke, from memory; 1 person (walking_lowback).",
        steps=True,
    ),
    Exercise(
        code="aquatic_walking",
        name="Walking in water",
        posture=Posture.STANDING,
        counting=Counting.TIMED,
        evidence=Evidence.SIMULATION,
        source="0.5-0.8 of the size and 1.5 times the time of walking on land: estimate. Recorded, uploaded later.",
        steps=True,
    ),
    Exercise(
        code="stationary_bike",
        name="Stationary bike",
        posture=Posture.SITTING,
        counting=Counting.TIMED,
        evidence=Evidence.SIMULATION,
        source="50-90 rpm; 1-4° at the cadence on the back: estimate, no source found; cadence has low confidence.",
        pedals=True,
    ),
    Exercise(
        code="quiet_standing",
        name="Standing still",
        posture=Posture.STANDING,
        counting=Counting.TIMED,
        evidence=Evidence.SIMULATION,
        source="Reference posture.",
    ),
    Exercise(
        code="quiet_sitting",
        name="Sitting still",
        posture=Posture.SITTING,
        counting=Counting.TIMED,
        evidence=Evidence.SIMULATION,
        source="Reference posture.",
    ),
)
