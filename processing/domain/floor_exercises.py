"""Exercises done lying, on hands and knees, or on the ball. Numbers: signals.md §3.5 unless the source says otherwise.

Rotations are relative to the start pose, about the segment's own axes, whatever its posture: a pelvic tilt is flexion
of the pelvis lying down as well. There are recordings of real people for none of these.
"""

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
from processing.domain.fault_rules import CHEST_TWIST, PELVIS_TWIST
from processing.domain.samples import Placement

_PELVIS_TILT = CountedChannel(
    channel=Channel.FLEXION, segment=Placement.PELVIS, fallback=None, swing=Swing.ONE_SIDED, floor=3.0
)
_BACK_ARCH = CountedChannel(
    channel=Channel.FLEXION, segment=None, fallback=Placement.PELVIS, swing=Swing.BOTH_SIDES, floor=8.0
)
_PELVIS_TWIST = CountedChannel(
    channel=Channel.AXIAL_ROTATION,
    segment=Placement.PELVIS,
    fallback=Placement.THORAX,
    swing=Swing.EITHER_SIDE,
    floor=1.5,
    fallback_floor=1.2,
)
_KNEE_ROLL = CountedChannel(
    channel=Channel.AXIAL_ROTATION, segment=Placement.PELVIS, fallback=None, swing=Swing.BOTH_SIDES, floor=8.0
)
_HEAD_DOWN = CountedChannel(
    channel=Channel.FLEXION, segment=Placement.PELVIS, fallback=Placement.THORAX, swing=Swing.ONE_SIDED, floor=20.0
)
_PELVIS_RISE = CountedChannel(
    channel=Channel.FLEXION,
    segment=Placement.PELVIS,
    fallback=Placement.THORAX,
    swing=Swing.ONE_SIDED,
    floor=10.0,
    fallback_floor=6.0,
)
_CURL_UP = CountedChannel(
    channel=Channel.FLEXION, segment=Placement.THORAX, fallback=None, swing=Swing.ONE_SIDED, floor=3.0
)
_CHEST_RISE = CountedChannel(
    channel=Channel.FLEXION, segment=Placement.THORAX, fallback=None, swing=Swing.ONE_SIDED, floor=5.0
)
_PRESS_UP = CountedChannel(
    channel=Channel.FLEXION, segment=Placement.THORAX, fallback=None, swing=Swing.ONE_SIDED, floor=10.0
)
_SIDE_RISE = CountedChannel(
    channel=Channel.LATERAL_BEND, segment=Placement.PELVIS, fallback=Placement.THORAX, swing=Swing.ONE_SIDED, floor=6.0
)
_PLANK_RISE = CountedChannel(
    channel=Channel.VERTICAL, segment=Placement.PELVIS, fallback=Placement.THORAX, swing=Swing.UP_DOWN, floor=0.08
)
_KNEE_PULL = CountedChannel(
    channel=Channel.FLEXION, segment=Placement.PELVIS, fallback=None, swing=Swing.ONE_SIDED, floor=5.0
)

FLOOR_EXERCISES = (
    Exercise(
        code="pelvic_tilt",
        name="Pelvic tilt",
        posture=Posture.SUPINE,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Tilt 8.9 ± 4.5° back, 13 ± 4.9° forward: Physiopedia; hold 1-15 s: leaflets; tempo 3-6 s: estimate.",
        channels=(_PELVIS_TILT,),
        hold=HoldSpec(posture=Posture.SUPINE, segment=Placement.PELVIS, lift=_PELVIS_TILT, min_s=1.0),
        tempo_s=(2.0, 20.0),
    ),
    Exercise(
        code="cat_cow",
        name="Cat-cow",
        posture=Posture.QUADRUPED,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Lumbar 30-45° peak to peak: easyvigour; 4 s, 5-6 cycles: McGill; pelvis 15-30°: estimate.",
        channels=(_BACK_ARCH,),
        rom=(Channel.FLEXION,),
        tempo_s=(2.5, 12.0),
    ),
    Exercise(
        code="bird_dog",
        name="Bird dog",
        posture=Posture.QUADRUPED,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Hold 6 s and more, 8-12 each leg: Kaiser; pelvis turns 3-12°: estimate. Each leg counts.",
        faults=(PELVIS_TWIST,),
        channels=(_PELVIS_TWIST,),
        hold=HoldSpec(posture=Posture.QUADRUPED, segment=Placement.PELVIS, lift=_PELVIS_TWIST, min_s=1.0),
        tempo_s=(3.0, 35.0),
    ),
    Exercise(
        code="high_plank",
        name="Plank on straight arms",
        posture=Posture.PRONE,
        counting=Counting.HELD,
        evidence=Evidence.SIMULATION,
        source="Hold 10-60 s, head up 10-20°, sag 5-10°: estimate. Rising to it tells it from lying.",
        hold=HoldSpec(posture=Posture.PRONE, segment=Placement.PELVIS, lift=_PLANK_RISE, min_s=3.0),
    ),
    Exercise(
        code="low_plank",
        name="Plank on the forearms",
        posture=Posture.PRONE,
        counting=Counting.HELD,
        evidence=Evidence.SIMULATION,
        source="Hold 10-60 s, head up 0-8°, sag 5-10°: estimate. Rising to it tells it from lying.",
        hold=HoldSpec(posture=Posture.PRONE, segment=Placement.PELVIS, lift=_PLANK_RISE, min_s=3.0),
    ),
    Exercise(
        code="side_plank",
        name="Side plank",
        posture=Posture.SIDE_LYING,
        counting=Counting.HELD,
        evidence=Evidence.SIMULATION,
        source="Hold 8-10 s: McGill, from memory; 15-25° up: estimate.",
        hold=HoldSpec(posture=Posture.SIDE_LYING, segment=Placement.PELVIS, lift=_SIDE_RISE, min_s=3.0),
    ),
    Exercise(
        code="crunch",
        name="Curl-up",
        posture=Posture.SUPINE,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Hold 8-10 s: McGill, from memory; T12 20-35° (McGill's curl-up 5-10°), tempo 2-8 s: estimate.",
        faults=(CHEST_TWIST,),
        channels=(_CURL_UP,),
        hold=HoldSpec(posture=Posture.SUPINE, segment=Placement.THORAX, lift=_CURL_UP, min_s=1.0),
        tempo_s=(1.5, 14.0),
    ),
    Exercise(
        code="ball_bridge",
        name="Bridge on the Swiss ball",
        posture=Posture.SUPINE,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Pelvis 20-40°, tempo 3-5 s, hold 0-5 s: estimate; Ahmed 2016 trained with it but measured no movement.",
        channels=(_PELVIS_RISE,),
        hold=HoldSpec(posture=Posture.SUPINE, segment=Placement.PELVIS, lift=_PELVIS_RISE, min_s=1.0),
        tempo_s=(2.0, 12.0),
    ),
    Exercise(
        code="ball_curl",
        name="Curl-up on the Swiss ball",
        posture=Posture.SUPINE,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="T12 20-35°, tempo 3-5 s: estimate; Ahmed 2016 trained with it but measured no movement.",
        channels=(_CURL_UP,),
        hold=HoldSpec(posture=Posture.SUPINE, segment=Placement.THORAX, lift=_CURL_UP, min_s=1.0),
        tempo_s=(1.5, 12.0),
    ),
    Exercise(
        code="bridge",
        name="Bridge",
        posture=Posture.SUPINE,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="1-2 s a lift when fast, hold 3 s, 8-15 x 3: leaflets; pelvis 25-45°, 0.15-0.25 m: estimate.",
        faults=(PELVIS_TWIST,),
        channels=(_PELVIS_RISE,),
        hold=HoldSpec(posture=Posture.SUPINE, segment=Placement.PELVIS, lift=_PELVIS_RISE, min_s=1.0),
        tempo_s=(1.0, 14.0),
    ),
    Exercise(
        code="superman",
        name="Superman",
        posture=Posture.PRONE,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Hold 5-10 s, 5 repetitions twice daily: leaflets; T12 10-25°: estimate.",
        channels=(_CHEST_RISE,),
        hold=HoldSpec(posture=Posture.PRONE, segment=Placement.THORAX, lift=_CHEST_RISE, min_s=1.0),
        tempo_s=(2.5, 18.0),
    ),
    Exercise(
        code="mckenzie_press_up",
        name="Press-up of the upper body (McKenzie)",
        posture=Posture.PRONE,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="8 s (4 up, 4 down), hold 1-2 s, 10 x 2-3: leaflets; T12 30-50°, lumbar 20-40°: estimate.",
        channels=(_PRESS_UP,),
        rom=(Channel.FLEXION,),
        hold=HoldSpec(posture=Posture.PRONE, segment=Placement.THORAX, lift=_PRESS_UP, min_s=1.0),
        tempo_s=(4.0, 16.0),
    ),
    Exercise(
        code="prone_on_elbows",
        name="Prone on the elbows",
        posture=Posture.PRONE,
        counting=Counting.HELD,
        evidence=Evidence.SIMULATION,
        source="15-30 s x 2-5: leaflets; T12 15-30°: estimate.",
        hold=HoldSpec(posture=Posture.PRONE, segment=Placement.THORAX, lift=_CHEST_RISE, min_s=3.0),
    ),
    Exercise(
        code="knee_rolling",
        name="Knee rolling",
        posture=Posture.SUPINE,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Hold 0-10 s, 10-15 times: leaflets, Physiopedia; pelvis 20-45° each side, tempo 4-8 s: estimate.",
        channels=(_KNEE_ROLL,),
        hold=HoldSpec(posture=Posture.SUPINE, segment=Placement.PELVIS, lift=_KNEE_ROLL, min_s=1.0),
        tempo_s=(3.0, 30.0),
    ),
    Exercise(
        code="knee_to_chest",
        name="Knee to chest",
        posture=Posture.SUPINE,
        counting=Counting.HELD,
        evidence=Evidence.SIMULATION,
        source="15-30 s x 2-4: leaflets; posterior tilt 10-25°: estimate.",
        hold=HoldSpec(posture=Posture.SUPINE, segment=Placement.PELVIS, lift=_KNEE_PULL, min_s=3.0),
    ),
    Exercise(
        code="hamstring_stretch_supine",
        name="Hamstring stretch, lying",
        posture=Posture.SUPINE,
        counting=Counting.PATIENT_STARTED,
        evidence=Evidence.NOT_CHECKED,
        source="Hold 15-60 s: leaflets; the back keeps still (0-5°: estimate), so it cannot be verified.",
    ),
    Exercise(
        code="downward_dog",
        name="Downward dog",
        posture=Posture.QUADRUPED,
        counting=Counting.COUNTED,
        evidence=Evidence.SIMULATION,
        source="Trunk 45-70° from hands and knees, tempo 6-20 s, hold 5-30 s: estimate.",
        channels=(_HEAD_DOWN,),
        hold=HoldSpec(posture=Posture.HEAD_DOWN, segment=Placement.PELVIS, lift=_HEAD_DOWN, min_s=2.0),
        tempo_s=(4.0, 40.0),
    ),
)
