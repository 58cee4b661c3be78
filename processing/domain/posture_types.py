"""Words for the posture of the trunk and for ways of sitting."""

from __future__ import annotations

from enum import StrEnum


class TrunkPosture(StrEnum):
    """What gravity at the back tells of a worn trunk; what it cannot tell apart has one name.

    ``Posture`` of the catalogue says what an exercise asks for; this says what was seen.
    """

    UPRIGHT = "upright"
    """Standing, sitting or kneeling: not told apart."""
    STANDING = "standing"
    SITTING = "sitting"
    FACE_DOWN = "face_down"
    """The trunk is level: prone, on hands and knees, in a plank, or bent over by more than about 63°."""
    SUPINE = "supine"
    LEFT_SIDE = "left_side"
    """Lying on the left side."""
    RIGHT_SIDE = "right_side"
    HEAD_DOWN = "head_down"
    """Face down with the head lower than the pelvis."""


UPRIGHT_POSTURES = frozenset({TrunkPosture.UPRIGHT, TrunkPosture.STANDING, TrunkPosture.SITTING})


class SittingPose(StrEnum):
    """Poses of a person's own that slouching is measured between."""

    UPRIGHT = "upright"
    """As upright as is comfortable."""
    SLUMP = "slump"
    """Let go completely."""


class TrunkBand(StrEnum):
    """Bands of forward inclination of the trunk, see ``posture_rules``."""

    EXTENDED = "extended"
    """Leaning back."""
    ACCEPTABLE = "0_20"
    MODERATE = "20_60"
    STEEP = "over_60"


class Verdict(StrEnum):
    """What EN 1005-4 says about a posture."""

    ACCEPTABLE = "acceptable"
    CONDITIONAL = "conditional"
    NOT_ACCEPTABLE = "not_acceptable"
