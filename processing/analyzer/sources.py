"""Which sensors a channel or a range of motion is taken from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

import msgspec

from processing.domain.exercises import Channel, CountedChannel, Posture
from processing.domain.findings import RomSegment
from processing.domain.samples import Placement

PLACEMENTS: dict[RomSegment, tuple[Placement, ...]] = {
    RomSegment.LUMBAR: (Placement.PELVIS, Placement.THORAX),
    RomSegment.PELVIS: (Placement.PELVIS,),
    RomSegment.THORAX: (Placement.THORAX,),
}
"""Sensors that a segment (or joint) needs, lower one first."""

_SEGMENTS = {Placement.PELVIS: RomSegment.PELVIS, Placement.THORAX: RomSegment.THORAX, None: RomSegment.LUMBAR}


QualityOf = Callable[[tuple[Placement, ...], int, int], float]
"""Quality of what is said of sensors between two times, nanoseconds."""


class Assigned(NamedTuple):
    """A channel and the segment that it is counted on."""

    segment: RomSegment
    counted: CountedChannel


def assign(counted: CountedChannel, worn: Collection[Placement]) -> Assigned | None:
    """Segment that a channel is counted on with the sensors worn, None if it cannot be told.

    On the fallback segment the channel has that segment's floor.
    """
    segment = assign_segment(counted.segment, counted.fallback, worn)
    if segment is None or segment is _SEGMENTS[counted.segment]:
        return None if segment is None else Assigned(segment, counted)
    floor = counted.floor if counted.fallback_floor is None else counted.fallback_floor
    return Assigned(segment, msgspec.structs.replace(counted, floor=floor))


def assign_segment(
    first: Placement | None, fallback: Placement | None, worn: Collection[Placement]
) -> RomSegment | None:
    """Segment that something is taken from with the sensors worn, None if it cannot be told.

    ``first`` is None for the thorax against the pelvis, ``fallback`` is None where nothing else will do.
    """
    if all(placement in worn for placement in PLACEMENTS[_SEGMENTS[first]]):
        return _SEGMENTS[first]
    return _SEGMENTS[fallback] if fallback in worn else None


def rom_segment(worn: Collection[Placement]) -> RomSegment:
    """Segment that ranges of motion are measured on: the lumbar spine if both sensors are worn."""
    if Placement.PELVIS in worn and Placement.THORAX in worn:
        return RomSegment.LUMBAR
    return RomSegment.THORAX if Placement.THORAX in worn else RomSegment.PELVIS


def is_vertical(counted: CountedChannel) -> bool:
    """Whether a channel needs gravity only, and no calibrated axis."""
    return counted.channel is Channel.VERTICAL


_TRUNK_LEVEL = (Posture.QUADRUPED, Posture.PRONE, Posture.SUPINE, Posture.HEAD_DOWN)


def drifting_channel(posture: Posture) -> Channel:
    """Angle that nothing but the gyroscope tells in a neutral pose: the one about the vertical (signals.md §2.1)."""
    return Channel.LATERAL_BEND if posture in _TRUNK_LEVEL else Channel.AXIAL_ROTATION
