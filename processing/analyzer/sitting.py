"""Slouched sitting while no exercise is running: episodes, and when to remind of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from processing.analyzer.ledger import Ledger
from processing.analyzer.sitting_poses import SittingPoses, SittingPosesState
from processing.domain.posture_findings import CueDue, CueReason, SlouchEpisode
from processing.domain.posture_types import SittingPose
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S
from processing.dsp.slouch import Slouch, Slouched, SlouchState, sitting_between
from processing.dsp.trunk_axes import up_of

ALGORITHM = "slouch/1"

USUAL_QUALITY = 0.5
"""Quality of slouching against somebody else's slump."""


class SittingWatchState(msgspec.Struct):
    """State of ``SittingWatch``; the poses outlive a break."""

    poses: SittingPosesState = msgspec.field(default_factory=SittingPosesState)
    slouch: SlouchState = msgspec.field(default_factory=SlouchState)


class SittingWatch:
    """Slouching between the person's own poses. Without an upright pose there is nothing to say."""

    def __init__(self, state: SittingWatchState | None = None) -> None:
        state = state or SittingWatchState()
        self.poses = SittingPoses(state.poses)
        self._slouch = Slouch(state.slouch)

    def state(self) -> SittingWatchState:
        """State as a value."""
        return SittingWatchState(self.poses.state, self._slouch.state)

    def step(self, t_ns: int, quats: Mapping[Placement, Sequence[float]], ledger: Ledger) -> None:
        """Take the newest orientation of each sensor, ``w, x, y, z``, of somebody who may be sitting."""
        upright = self.poses.ups(SittingPose.UPRIGHT, quats)
        if upright is None:
            return
        slump = self.poses.ups(SittingPose.SLUMP, quats)
        sitting = sitting_between([up_of(quat) for quat in quats.values()], upright, slump)
        self._report(self._slouch.step(t_ns, sitting), ledger)
        delay_ns = self._slouch.cue_due()
        if delay_ns is not None:
            ledger.add(
                CueDue,
                t0_ns=t_ns - delay_ns,
                t1_ns=t_ns,
                algorithm=ALGORITHM,
                quality=self._quality,
                reason=CueReason.SLOUCH,
                after_s=delay_ns / NS_PER_S,
            )

    def finish(self, ledger: Ledger) -> None:
        """Nobody is sitting any more, or watching is broken off."""
        self._report(self._slouch.finish(), ledger)

    @property
    def _personal(self) -> bool:
        return SittingPose.SLUMP in self.poses.state.known

    @property
    def _quality(self) -> float:
        return 1.0 if self._personal else USUAL_QUALITY

    def _report(self, slouched: Slouched | None, ledger: Ledger) -> None:
        if slouched is None:
            return
        ledger.add(
            SlouchEpisode,
            t0_ns=slouched.t0_ns,
            t1_ns=slouched.t1_ns,
            algorithm=ALGORITHM,
            quality=self._quality,
            share=slouched.share,
            angle_deg=slouched.angle_deg,
            personal=self._personal,
        )
