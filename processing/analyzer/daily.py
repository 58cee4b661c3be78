"""Everyday wear: what the trunk does while no exercise is running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from processing.analyzer.calibration import Calibrator
from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor import Frame, SensorPath
from processing.analyzer.sitting_poses import SittingPoses, SittingPosesState
from processing.domain.posture_findings import CueDue, CueReason, PostureEpisode, SlouchEpisode
from processing.domain.posture_types import UPRIGHT_POSTURES, SittingPose, TrunkPosture
from processing.domain.samples import Placement
from processing.dsp.blocks import GRID_NS, NS_PER_S
from processing.dsp.posture_class import PostureClass, PostureClassState, Taken, upright_as
from processing.dsp.slouch import Slouch, Slouched, SlouchState, sitting_between
from processing.dsp.steps import Steps, StepsState
from processing.dsp.trunk_axes import Lean, TrunkAxes, trunk_axes, up_of

POSTURE = "posture_class/1"
SLOUCH = "slouch/1"

GRAVITY_QUALITY = 0.8
"""Lying on which side is unmistakable; the borders between postures are estimates."""

SEAT_QUALITY = 0.5
"""Sitting and standing are told apart by what sitting down does to most backs (Endo 2012), not to this one."""

USUAL_QUALITY = 0.5
"""Slouching against somebody else's slump."""


class DailyState(msgspec.Struct):
    """State of ``Daily``; the poses stay, everything else is forgotten when watching is broken off."""

    poses: SittingPosesState
    posture: PostureClassState
    slouch: SlouchState
    steps: StepsState
    upright: TrunkPosture = TrunkPosture.UPRIGHT


class Daily:
    """Posture and sitting, block by block, from calibrated sensors.

    Without a calibration there is nothing to say: where up and forward are on this person is then unknown.
    """

    def __init__(self, placements: Sequence[Placement], state: DailyState | None = None) -> None:
        self._placements = tuple(placements)
        # Whatever moves as one: the pelvis leans least when people stoop and feels the steps best.
        self._lowest = Placement.PELVIS if Placement.PELVIS in placements else Placement.THORAX
        self.poses = SittingPoses(None if state is None else state.poses)
        self._posture = PostureClass(None if state is None else state.posture)
        self._slouch = Slouch(None if state is None else state.slouch)
        self._steps = Steps(None if state is None else state.steps)
        self._upright = TrunkPosture.UPRIGHT if state is None else state.upright

    def state(self) -> DailyState:
        """State as a value."""
        return DailyState(
            poses=self.poses.state,
            posture=self._posture.state,
            slouch=self._slouch.state,
            steps=self._steps.state,
            upright=self._upright,
        )

    def step(
        self,
        paths: Sequence[SensorPath],
        calibrators: Mapping[Placement, Calibrator],
        frames: Mapping[Placement, Frame],
        ledger: Ledger,
    ) -> None:
        """Take the frames of a block."""
        block = next(iter(frames.values())).block
        t_ns = block.t0_ns + (len(block.acc) - 1) * GRID_NS
        self.poses.step(t_ns, paths, frames, ledger)
        if len(frames) < len(self._placements) or any(frame.resumed for frame in frames.values()):
            self.finish(ledger)
        if len(frames) < len(self._placements):
            return
        quats = [frames[placement].quats[-1].tolist() for placement in self._placements]
        axes = [_axes(calibrators[placement]) for placement in self._placements]
        walking = self._is_walking(frames[self._lowest])
        leans = {
            placement: own.lean(quat)
            for placement, own, quat in zip(self._placements, axes, quats, strict=True)
            if own is not None
        }
        if len(leans) == len(self._placements):
            self._class(t_ns, leans, walking=walking, ledger=ledger)
        self._sit(t_ns, quats, walking=walking, ledger=ledger)

    def finish(self, ledger: Ledger) -> None:
        """Watching is broken off, by an exercise, a gap or the end: state what is under way and forget it."""
        self._report_posture(self._posture.finish(), ledger)
        self._report_slouch(self._slouch.finish(), ledger)
        self._steps = Steps()
        self._upright = TrunkPosture.UPRIGHT

    def _is_walking(self, frame: Frame) -> bool:
        self._steps.take(frame.block, frame.quats)
        return self._steps.is_walking(frame.block.t0_ns)

    def _class(self, t_ns: int, leans: Mapping[Placement, Lean], *, walking: bool, ledger: Ledger) -> None:
        if len(leans) == len(Placement):
            flexions = (leans[Placement.PELVIS].flexion_deg, leans[Placement.THORAX].flexion_deg)
            self._upright = upright_as(*flexions, self._upright, walking=walking)
        self._report_posture(self._posture.step(t_ns, leans[self._lowest], self._upright), ledger)

    def _sit(self, t_ns: int, quats: Sequence[Sequence[float]], *, walking: bool, ledger: Ledger) -> None:
        upright = self.poses.ups(SittingPose.UPRIGHT, self._placements)
        lying = self._posture.posture is not None and self._posture.posture not in UPRIGHT_POSTURES
        if upright is None:
            return
        if walking or lying or self._posture.posture is TrunkPosture.STANDING:
            self._report_slouch(self._slouch.finish(), ledger)
            return
        slump = self.poses.ups(SittingPose.SLUMP, self._placements)
        sitting = sitting_between([up_of(quat) for quat in quats], upright, slump)
        self._report_slouch(self._slouch.step(t_ns, sitting), ledger)
        delay_ns = self._slouch.cue_due()
        if delay_ns is not None:
            ledger.add(
                CueDue,
                t0_ns=t_ns - delay_ns,
                t1_ns=t_ns,
                algorithm=SLOUCH,
                quality=self._slouch_quality,
                reason=CueReason.SLOUCH,
                after_s=delay_ns / NS_PER_S,
            )

    @property
    def _slouch_quality(self) -> float:
        return 1.0 if SittingPose.SLUMP in self.poses.state.known else USUAL_QUALITY

    def _report_posture(self, taken: Taken | None, ledger: Ledger) -> None:
        if taken is None:
            return
        told_apart = taken.posture in (TrunkPosture.SITTING, TrunkPosture.STANDING)
        ledger.add(
            PostureEpisode,
            t0_ns=taken.t0_ns,
            t1_ns=taken.t1_ns,
            algorithm=POSTURE,
            quality=SEAT_QUALITY if told_apart else GRAVITY_QUALITY,
            posture=taken.posture,
        )

    def _report_slouch(self, slouched: Slouched | None, ledger: Ledger) -> None:
        if slouched is None:
            return
        ledger.add(
            SlouchEpisode,
            t0_ns=slouched.t0_ns,
            t1_ns=slouched.t1_ns,
            algorithm=SLOUCH,
            quality=self._slouch_quality,
            share=slouched.share,
            angle_deg=slouched.angle_deg,
            personal=SittingPose.SLUMP in self.poses.state.known,
        )


def _axes(calibrator: Calibrator) -> TrunkAxes | None:
    up, rightward = calibrator.state.up, calibrator.state.rightward
    return None if up is None or rightward is None else trunk_axes(up, rightward)
