"""Findings of everyday wear: posture, sitting, bends, exposure of the trunk, and when to remind the wearer."""

from __future__ import annotations

from enum import StrEnum

from processing.domain.found import Found, RefusalReason
from processing.domain.posture_types import SittingPose, TrunkBand, TrunkPosture, Verdict


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


class StaticTrunk(Found, frozen=True, kw_only=True, tag="static_trunk"):
    """The trunk was held still, leaning by more than is acceptable for any length of time.

    Attributes:
        flexion_deg: mean forward inclination from the person's own upright; negative backward.
        limit_s: longest acceptable time by ISO 11226 (from memory, see ``posture_rules``); None where it names none.
    """

    flexion_deg: float
    band: TrunkBand
    limit_s: float | None


class BendEpisode(Found, frozen=True, kw_only=True, tag="bend"):
    """The trunk bent forward and came up again.

    Attributes:
        t_peak_ns: moment of the deepest inclination.
        peak_flexion_deg: forward inclination of the uppermost sensor then.
        right_bend_deg: largest side bend, signed; of the lumbar spine from the last upright moment with two sensors, of
            the trunk against gravity with one; None where unknown.
        left_twist_deg: largest rotation of the lumbar spine from the last upright moment, signed; None with one sensor,
            which cannot tell a twist from turning around.
        side_speed_dps, twist_speed_dps: largest speeds of the two.
        knees_bent: whether the pelvis went down instead of the back bending alone; None where that is not known.
            Neither way is dangerous as such (von Arx 2021, 10.3389/fbioe.2021.769117).
    """

    t_peak_ns: int
    peak_flexion_deg: float
    right_bend_deg: float | None
    left_twist_deg: float | None
    side_speed_dps: float | None
    twist_speed_dps: float | None
    knees_bent: bool | None


class TrunkExposure(Found, frozen=True, kw_only=True, tag="trunk_exposure"):
    """What the trunk went through within a quarter of an hour of the clock: to be summed over a shift.

    Attributes:
        upright_s: time watched while the trunk was not lying; all others are parts of it.
        lying_s: time watched while it was lying or face down.
        band_s: seconds by ``TrunkBand``.
        over_30_s, over_60_s: seconds above these inclinations (Gupta et al. 2022).
        aside_s: seconds bent aside by more than 10°.
        rula_s, reba_s, owas_s: seconds by trunk score or code, without twist, which is known within bends only.
        bends: bends; ``knees_bent`` of them with bent knees, ``turned_left`` and ``turned_right`` with a twist of more
            than 10°.
        peak_flexion_deg: largest forward inclination.
        forward, aside: what EN 1005-4 says about how often the trunk bent forward, and aside or in twist (see
            ``posture_rules``); None where less than a minute was watched.
    """

    upright_s: float
    lying_s: float
    band_s: dict[TrunkBand, float]
    over_30_s: float
    over_60_s: float
    aside_s: float
    rula_s: dict[str, float]
    reba_s: dict[str, float]
    owas_s: dict[str, float]
    bends: int
    knees_bent: int
    turned_left: int
    turned_right: int
    peak_flexion_deg: float
    forward: Verdict | None
    aside: Verdict | None


EverydayFinding = (
    PostureEpisode
    | PostureCaptured
    | PostureCaptureRefused
    | SlouchEpisode
    | CueDue
    | StaticTrunk
    | BendEpisode
    | TrunkExposure
)
