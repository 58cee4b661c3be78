"""Which sensors a channel or a range of motion is taken from."""

from __future__ import annotations

from collections.abc import Collection

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


def counted_segment(counted: CountedChannel, worn: Collection[Placement]) -> RomSegment | None:
    """Segment that a channel is counted on with the sensors worn, None if it cannot be told."""
    first = _SEGMENTS[counted.segment]
    if all(placement in worn for placement in PLACEMENTS[first]):
        return first
    if counted.fallback is not None and counted.fallback in worn:
        return _SEGMENTS[counted.fallback]
    return None


def rom_segment(worn: Collection[Placement]) -> RomSegment:
    """Segment that ranges of motion are measured on: the lumbar spine if both sensors are worn."""
    if Placement.PELVIS in worn and Placement.THORAX in worn:
        return RomSegment.LUMBAR
    return RomSegment.THORAX if Placement.THORAX in worn else RomSegment.PELVIS


def is_vertical(counted: CountedChannel) -> bool:
    """Whether a channel needs gravity only, and no calibrated axis."""
    return counted.channel is Channel.VERTICAL
