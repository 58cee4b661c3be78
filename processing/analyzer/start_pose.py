"""Whether the pose that a set's angles are taken from still holds."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from processing.analyzer.ledger import Ledger
from processing.domain.exercises import Posture
from processing.domain.rejections import CountingStopped, RejectionReason
from processing.dsp.blocks import NS_PER_S, Floats
from processing.dsp.trunk_axes import angle_deg, up_of

STARTING = "start_pose/1"

UPRIGHT_WITHIN_DEG = 30.0
"""Inclination of the spine below which nobody lies, kneels on all fours or planks: the chest of a press-up or curl-up
stays below 50° above the level (signals.md §3.5)."""

LYING_FROM_DEG = 50.0
"""Inclination from which a person who rests is taken to have lain down: those who stoop while they stand rarely rest
beyond it, and a Swiss ball under the back holds the trunk less steep (estimate)."""

CHANGE_NS = NS_PER_S
"""How long the trunk must be upright, or at rest lying, until it is so (estimate)."""


class Pose(StrEnum):
    """What happened to the start pose."""

    HELD = "held"
    MISSING = "missing"
    LOST = "lost"
    """It has been held until now."""


class StartPoseState(msgspec.Struct):
    """State of ``StartPose``; ``upright_ns`` is since when the trunk has been upright."""

    begun: bool = False
    missing: bool = False
    upright_ns: int | None = None


class StartPose:
    """The start pose of a set.

    Walking away takes the person to another place and heading, from which no angle leads back. A set done upright then
    has no start pose any more: what follows cannot be told from everyday movements, and the set must be started again.
    A set done lying, on hands and knees or in a plank has none while the trunk is upright, and a new one once the
    person rests lying.
    """

    def __init__(self, posture: Posture, state: StartPoseState | None = None) -> None:
        self._upright = posture.is_upright
        self.state = state or StartPoseState()

    def step(self, t_ns: int, inclination_deg: float | None, rest_ns: int, *, walking: bool) -> Pose:
        """Take the next block.

        Args:
            t_ns: its time.
            inclination_deg: of the spine from the vertical, None while unknown.
            rest_ns: how long the person has been at rest.
            walking: whether the person is walking.
        """
        state = self.state
        lost = walking or (not self._upright and self._stands_up(t_ns, inclination_deg))
        if state.missing and not lost and not self._upright:
            lies = inclination_deg is not None and inclination_deg >= LYING_FROM_DEG
            state.missing = not (lies and rest_ns >= CHANGE_NS)
        elif lost and not state.missing:
            state.missing = True
            return Pose.LOST
        return Pose.MISSING if state.missing else Pose.HELD

    def shift(self, by_ns: int) -> None:
        """The clock was set anew."""
        if self.state.upright_ns is not None:
            self.state.upright_ns += by_ns

    def _stands_up(self, t_ns: int, inclination_deg: float | None) -> bool:
        state = self.state
        first, state.begun = not state.begun, True
        if inclination_deg is None or inclination_deg > UPRIGHT_WITHIN_DEG:
            state.upright_ns = None
            return False
        state.upright_ns = t_ns if state.upright_ns is None else state.upright_ns
        return first or t_ns - state.upright_ns >= CHANGE_NS


def inclination_deg(quat: Floats, upward: Floats) -> float:
    """Angle, degrees, from the vertical to the sensor axis up the spine, shape (3,), for an orientation, shape (4,)."""
    return angle_deg(up_of(quat.tolist()), upward.tolist())


def report_stopped(exercise: str, set_number: int, t_ns: int, ledger: Ledger) -> None:
    """State that a set counts no more, because the person walked off."""
    ledger.add(
        CountingStopped,
        t0_ns=t_ns,
        t1_ns=t_ns,
        algorithm=STARTING,
        quality=1.0,
        exercise=exercise,
        set_number=set_number,
        reason=RejectionReason.WALKING,
    )
