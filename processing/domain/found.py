"""What every finding carries, and why there is none: the base of the families of findings."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What every finding carries.

    Attributes:
        finding_id: UUIDv5 of (session, kind, ordinal); the same log gives the same id.
        ordinal: 0, 1, 2, … per session and kind.
        t0_ns, t1_ns: sensor time span that the finding speaks of.
        algorithm: name and version of what found it, e.g. ``"turning_points/1"``.
        quality: 0 (guess) to 1 (everything that was needed was there).
    """

    finding_id: str
    session_id: str
    ordinal: int
    t0_ns: int
    t1_ns: int
    algorithm: str
    quality: Fraction


class RefusalReason(StrEnum):
    """Why there is no value."""

    MOVING = "moving"
    """The person did not stand still."""
    NO_AXIS = "no_axis"
    """The bends did not show one clear axis."""
    NO_DATA = "no_data"
    """The samples needed were lost or never came."""
    DISAGREE = "disagree"
    """The two sensors show different axes."""
    TOO_CLOSE = "too_close"
    """Two poses that should differ are almost the same."""
    TURNED_ROUND = "turned_round"
    """An angle is larger than a trunk can bend or turn: the whole person turned."""
    SENSOR = "sensor"
    """A sensor, or the way it is worn, is not to be trusted."""
