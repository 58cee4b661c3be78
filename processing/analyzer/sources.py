"""Which sensors a channel or a range of motion is taken from."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from processing.domain.exercises import Channel, CountedChannel
from processing.domain.findings import RomSegment
from processing.domain.samples import Placement

PLACEMENTS: dict[RomSegment, tuple[Placement, ...]] = {
    RomSegment.LUMBAR: (Placement.PELVIS, Placement.THORAX),
    RomSegment.PELVIS: (Placement.PELVIS,),
    RomSegment.THORAX: (Placement.THORAX,),
}
"""Sensors that a segment (or joint) needs, lower one first."""

_SEGMENTS = {Placement.PELVIS: RomSegment.PELVIS, Placement.THORAX: RomSegment.THORAX, None: RomSegment.LUMBAR}


class Assigned(NamedTuple):
    """A channel and the segment that it is counted on."""

    segment: RomSegment
    counted: CountedChannel


def assign(counted: CountedChannel, worn: Collection[Placement]) -> Assigned | None:
    """Segment that a channel is counted on with the sensors worn, None if it cannot be told.

    On the fallback segment the channel has that segment's floor.
    """
    first = _SEGMENTS[counted.segment]
    if all(placement in worn for placement in PLACEMENTS[first]):
        return Assigned(first, counted)
    if counted.fallback is None or counted.fallback not in worn:
        return None
    floor = counted.floor if counted.fallback_floor is None else counted.fallback_floor
    return Assigned(_SEGMENTS[counted.fallback], msgspec.structs.replace(counted, floor=floor))


def rom_segment(worn: Collection[Placement]) -> RomSegment:
    """Segment that ranges of motion are measured on: the lumbar spine if both sensors are worn."""
    if Placement.PELVIS in worn and Placement.THORAX in worn:
        return RomSegment.LUMBAR
    return RomSegment.THORAX if Placement.THORAX in worn else RomSegment.PELVIS


def is_vertical(counted: CountedChannel) -> bool:
    """Whether a channel needs gravity only, and no calibrated axis."""
    return counted.channel is Channel.VERTICAL
