"""The motion model of everything a simulated person can do, by exercise code or name of the activity."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from firmware_sim.motion import cyclic, daily, floor, upright
from firmware_sim.motion.course import Movement, Staying
from firmware_sim.motion.cyclic import Cyclic
from firmware_sim.motion.daily import Sitting
from firmware_sim.motion.holding import Held
from firmware_sim.motion.repetition import Repeated
from processing.domain.exercises import Posture

CALIBRATION = "calibration"
"""Movement that is no exercise: stand still for five seconds, then three forward bends."""

_STAIR_M = 0.17

ACTIVITIES: Mapping[str, Movement] = MappingProxyType(
    {
        CALIBRATION: Repeated(Posture.STANDING, upright.calibration, lead_in_s=5.0, fixed_count=3),
        "stairs_up": Cyclic(Posture.STANDING, partial(cyclic.stairs, rise_m=_STAIR_M)),
        "stairs_down": Cyclic(Posture.STANDING, partial(cyclic.stairs, rise_m=-_STAIR_M)),
        "bend": Repeated(Posture.STANDING, daily.bend, bent_knees=False),
        "stoop_lift": Repeated(Posture.STANDING, daily.stoop_lift, bent_knees=False),
        "squat_lift": Repeated(Posture.STANDING, daily.squat_lift, bent_knees=True),
        "twisted_lift": Repeated(Posture.STANDING, daily.twisted_lift, bent_knees=False),
        "sitting_upright": Sitting(0.0),
        "sitting_slumped": Sitting(1.0),
    }
)
"""What is no exercise of the catalogue."""

EXERCISES: Mapping[str, Movement] = MappingProxyType(
    {
        "squat": Repeated(Posture.STANDING, upright.squat),
        "sit_to_stand": Repeated(Posture.SITTING, upright.sit_to_stand),
        "lunge": Repeated(Posture.STANDING, upright.lunge),
        "standing_flexion_extension": Repeated(Posture.STANDING, upright.flexion_extension),
        "standing_side_bend": Repeated(Posture.STANDING, upright.side_bend),
        "standing_rotation": Repeated(Posture.STANDING, upright.rotation),
        "seated_rom": Repeated(Posture.SITTING, upright.seated_rom),
        "swiss_ball_seated_tilt": Repeated(Posture.SITTING, upright.seated_tilt),
        "hamstring_stretch_standing": Held(Posture.STANDING, upright.hamstring_stretch),
        "iliopsoas_stretch": Held(Posture.HALF_KNEELING, upright.hip_flexor_stretch),
        "calf_stretch": Held(Posture.STANDING, upright.calf_stretch),
        "walking": Cyclic(Posture.STANDING, cyclic.walking),
        "aquatic_walking": Cyclic(Posture.STANDING, cyclic.walking_in_water),
        "stationary_bike": Cyclic(Posture.SITTING, cyclic.cycling),
        "quiet_standing": Staying(Posture.STANDING),
        "quiet_sitting": Staying(Posture.SITTING),
        "pelvic_tilt": Repeated(Posture.SUPINE, floor.pelvic_tilt),
        "cat_cow": Repeated(Posture.QUADRUPED, floor.cat_cow),
        "bird_dog": Repeated(Posture.QUADRUPED, floor.bird_dog, taking_turns=True),
        "high_plank": Held(Posture.PRONE, floor.high_plank),
        "low_plank": Held(Posture.PRONE, floor.low_plank),
        "side_plank": Held(Posture.SIDE_LYING, floor.side_plank),
        "crunch": Repeated(Posture.SUPINE, floor.crunch),
        "ball_bridge": Repeated(Posture.SUPINE, floor.ball_bridge),
        "ball_curl": Repeated(Posture.SUPINE, floor.ball_curl),
        "bridge": Repeated(Posture.SUPINE, floor.bridge),
        "superman": Repeated(Posture.PRONE, floor.superman),
        "mckenzie_press_up": Repeated(Posture.PRONE, floor.press_up),
        "prone_on_elbows": Held(Posture.PRONE, floor.prone_on_elbows),
        "knee_rolling": Repeated(Posture.SUPINE, floor.knee_rolling),
        "knee_to_chest": Held(Posture.SUPINE, floor.knee_to_chest),
        "hamstring_stretch_supine": Held(Posture.SUPINE, floor.hamstring_stretch),
        "downward_dog": Repeated(Posture.QUADRUPED, floor.downward_dog),
    }
)
"""One motion model per exercise of the catalogue."""

MOVEMENTS: Mapping[str, Movement] = MappingProxyType({**ACTIVITIES, **EXERCISES})
