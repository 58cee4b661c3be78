"""What standards and studies say about the inclination of the trunk. Angles in degrees from the person's own upright.

Where it says *from memory*, the number was not read again in the source: check it there before relying on it.
"""

from __future__ import annotations

import msgspec

from processing.domain.posture_types import TrunkBand, Verdict

MODERATE_DEG = 20.0
STEEP_DEG = 60.0
"""Borders of the bands of forward inclination 0-20, 20-60, above 60 (ISO 11226:2000 as used by
10.1186/s12995-020-00286-9, table 2; EN 1005-4, RULA and REBA have the same; signals.md §4.1)."""

EXTENDED_DEG = -5.0
"""Below this the trunk leans back. ISO 11226 says 0, and acceptable with support, which a sensor cannot see; 5° are
left for the error of the upright pose (estimate)."""

BENT_ASIDE_DEG = 10.0
"""Side bend or twist from which EN 1005-4 counts it as awkward (read in the help of DELMIA; signals.md §4.1)."""

EXPOSED_DEG = 30.0
"""Inclination above which Gupta et al. 2022 counted time, beside ``STEEP_DEG``."""

OFTEN_PER_MIN = 2.0
"""Movements per minute that are frequent in EN 1005-4:2005+A1:2008 (forward inclination: from memory)."""


def band_of(flexion_deg: float) -> TrunkBand:
    """Band of a forward inclination."""
    if flexion_deg < EXTENDED_DEG:
        return TrunkBand.EXTENDED
    if flexion_deg <= MODERATE_DEG:
        return TrunkBand.ACCEPTABLE
    return TrunkBand.MODERATE if flexion_deg <= STEEP_DEG else TrunkBand.STEEP


def holding_time_s(flexion_deg: float) -> float | None:
    """Longest acceptable time of a static inclination (ISO 11226:2000, **from memory**).

    It falls along a straight line from 4 min at 20° to 1 min at 60°. Above 60° none is acceptable: 0. None up to 20°,
    where there is no limit, leaning back included.
    """
    match band_of(flexion_deg):
        case TrunkBand.MODERATE:
            return 60.0 * (4.0 - 3.0 * (flexion_deg - MODERATE_DEG) / (STEEP_DEG - MODERATE_DEG))
        case TrunkBand.STEEP:
            return 0.0
        case _:
            return None


def forward_verdict(flexion_deg: float, per_min: float, *, static: bool) -> Verdict:
    """EN 1005-4:2005+A1:2008 on forward inclination (**from memory**), done ``per_min`` times a minute or held.

    ``static`` means held without support, which a sensor cannot see.
    """
    often = per_min >= OFTEN_PER_MIN
    match band_of(flexion_deg):
        case TrunkBand.ACCEPTABLE:
            return Verdict.ACCEPTABLE
        case TrunkBand.MODERATE:
            return Verdict.NOT_ACCEPTABLE if often or static else Verdict.ACCEPTABLE
        case TrunkBand.STEEP:
            return Verdict.NOT_ACCEPTABLE if often or static else Verdict.CONDITIONAL
        case TrunkBand.EXTENDED:
            return Verdict.NOT_ACCEPTABLE if often or static else Verdict.CONDITIONAL


def aside_verdict(angle_deg: float, per_min: float) -> Verdict:
    """EN 1005-4:2005+A1:2008 on side bend or twist (read in the help of DELMIA; signals.md §4.1)."""
    if abs(angle_deg) <= BENT_ASIDE_DEG:
        return Verdict.ACCEPTABLE
    return Verdict.NOT_ACCEPTABLE if per_min >= OFTEN_PER_MIN else Verdict.CONDITIONAL


def rula_trunk(flexion_deg: float, *, twisted: bool, bent_aside: bool, well_supported: bool = False) -> int:
    """Trunk score of RULA, 1-6 (McAtamney & Corlett 1993; signals.md §4.1).

    Score 1 is for sitting well supported, which a sensor cannot see: somebody has to say so.
    """
    if well_supported and flexion_deg <= MODERATE_DEG:
        score = 1
    else:
        score = 2 if flexion_deg <= MODERATE_DEG else 3 if flexion_deg <= STEEP_DEG else 4
    return score + twisted + bent_aside


REBA_UPRIGHT_DEG = 5.0
"""Inclination within which REBA's "upright" holds; the paper gives none (estimate)."""


def reba_trunk(flexion_deg: float, *, twisted: bool, bent_aside: bool) -> int:
    """Trunk score of REBA, 1-5 (Hignett & McAtamney 2000; signals.md §4.1)."""
    if abs(flexion_deg) <= REBA_UPRIGHT_DEG:
        score = 1
    elif abs(flexion_deg) <= MODERATE_DEG:
        score = 2
    else:
        score = 3 if flexion_deg <= STEEP_DEG else 4
    return score + (twisted or bent_aside)


def owas_back(flexion_deg: float, *, twisted: bool, bent_aside: bool) -> int:
    """Code of the back in OWAS: 1 straight, 2 bent, 3 twisted or bent aside, 4 both (codes **from memory**)."""
    bent = abs(flexion_deg) > MODERATE_DEG
    aside = twisted or bent_aside
    return 1 + bent + 2 * aside


class Dose(msgspec.Struct, frozen=True, kw_only=True):
    """Time a day above an inclination and long-term sickness absence.

    Attributes:
        usual_min: mean of the workers studied, minutes of 457 measured ones a day.
        step_min: minutes more that go with ``rise`` more absence.
        rise: as a share.
    """

    above_deg: float
    usual_min: float
    step_min: float
    rise: float


DOSES = (
    Dose(above_deg=EXPOSED_DEG, usual_min=40.0, step_min=5.0, rise=0.04),
    Dose(above_deg=STEEP_DEG, usual_min=10.0, step_min=5.0, rise=0.08),
)
"""Gupta et al. 2022 (SJWEH 48:651, n = 944 workers; signals.md §4.1): an association among workers, no forecast for a
person. Villumsen 2015 (n = 198) and Lunde 2019 (n = 125) found none between bending time and pain: say so beside it."""
