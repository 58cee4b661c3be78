"""Faults of repetitions that sensors on the back can see, as data.

Margins are above what repetitions of one person differ by: two standard deviations of the lean of correct squats
(2.7-4.8°, 3 people of squat_lowback) are 5-10°. The lumbar spine has no such recording; its margin is an estimate.
"""

from __future__ import annotations

from processing.domain.exercise_types import Channel, FaultRule
from processing.domain.rep_faults import RepFault
from processing.domain.samples import Placement

LEAN = FaultRule(
    fault=RepFault.LEAN,
    channel=Channel.FLEXION,
    segment=Placement.PELVIS,
    fallback=Placement.THORAX,
    margin_deg=8.0,
)
LUMBAR_FLEXION = FaultRule(
    fault=RepFault.LUMBAR_FLEXION, channel=Channel.FLEXION, segment=None, fallback=None, margin_deg=10.0
)
PELVIS_TUCKED = FaultRule(
    fault=RepFault.PELVIS_TUCKED, channel=Channel.FLEXION, segment=Placement.PELVIS, fallback=None, margin_deg=4.0
)
"""Correct squats dip by 0 ± 1° at the bottom, those with "butt wink" by 7 ± 3° in two people of three
(squat_lowback). Some people bend twice in every squat (Q1 there, signals.md §3.4), so it is held against the usual."""
TRUNK_TWIST = FaultRule(
    fault=RepFault.TWIST,
    channel=Channel.AXIAL_ROTATION,
    segment=Placement.THORAX,
    fallback=Placement.PELVIS,
    margin_deg=7.0,
)
PELVIS_TWIST = FaultRule(
    fault=RepFault.TWIST, channel=Channel.AXIAL_ROTATION, segment=Placement.PELVIS, fallback=None, margin_deg=5.0
)
"""Lying and on hands and knees the turn is seen by gravity; opening by more than 10° compensates (signals.md §3.5)."""
CHEST_TWIST = FaultRule(
    fault=RepFault.TWIST, channel=Channel.AXIAL_ROTATION, segment=Placement.THORAX, fallback=None, margin_deg=5.0
)
