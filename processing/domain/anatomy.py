"""How far a trunk can go: what went further was the whole person turning, or no movement of the trunk at all."""

from __future__ import annotations

from collections.abc import Mapping

from processing.domain.exercise_types import Channel

MOST_SWING_DEG: Mapping[Channel, float] = {
    # Five standard deviations above the mean from side to side of T10, seated, 12 people: 67 ± 15°, 63 ± 19°
    # (signals.md §2.5). Standing the trunk flexes by 111° (Laird 2019, ibid.): half as much again, and 30° back.
    Channel.FLEXION: 200.0,
    Channel.LATERAL_BEND: 142.0,
    Channel.AXIAL_ROTATION: 158.0,
}
"""Largest swing from one end to the other, degrees."""

MOST_ANGLE_DEG: Mapping[Channel, float] = {
    # The same to one side: for bend and rotation more than five standard deviations above half of the mean.
    Channel.FLEXION: 170.0,
    Channel.LATERAL_BEND: 90.0,
    Channel.AXIAL_ROTATION: 90.0,
}
"""Largest angle from the neutral pose, degrees."""


def is_possible_swing(channel: Channel, amplitude: float) -> bool:
    """Whether a trunk can swing so far; heights, which are metres, are not judged."""
    return channel not in MOST_SWING_DEG or amplitude <= MOST_SWING_DEG[channel]
