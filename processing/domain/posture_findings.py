"""Findings of everyday wear: posture, sitting, bends, exposure of the trunk, and when to remind the wearer."""

from __future__ import annotations

from enum import StrEnum

from processing.domain.found import Found, RefusalReason
from processing.domain.posture_types import SittingPose, TrunkPosture


class PostureEpisode(Found, frozen=True, kw_only=True, tag="posture_episode"):
    """The trunk was in one posture; stated when it has changed, or when watching ended."""

    posture: TrunkPosture


class PostureCaptured(Found, frozen=True, kw_only=True, tag="posture_captured"):
    """A sitting pose of the person's own is known; ``apart_deg`` is the angle between the two, once both are."""

    pose: SittingPose
    apart_deg: float | None


class PostureCaptureRefused(Found, frozen=True, kw_only=True, tag="posture_capture_refused"):
    """The sitting pose was not taken, and why; an earlier one stays valid."""

    pose: SittingPose
    reason: RefusalReason
    detail: str


class SlouchEpisode(Found, frozen=True, kw_only=True, tag="slouch_episode"):
    """Slouched for longer than the shortest delay.

    Attributes:
        share: mean way from upright (0) to slumped (1).
        angle_deg: largest angle of a sensor from its upright pose.
        personal: whether both poses are the person's own; else the slump is taken from the literature.
    """

    share: float
    angle_deg: float
    personal: bool


class CueReason(StrEnum):
    """What a reminder is about."""

    SLOUCH = "slouch"
    STATIC_TRUNK = "static_trunk"


class CueDue(Found, frozen=True, kw_only=True, tag="cue_due"):
    """A reminder is due: what it is about has lasted for ``after_s``, since ``t0_ns``."""

    reason: CueReason
    after_s: float
