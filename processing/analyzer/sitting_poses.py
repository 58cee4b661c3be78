"""The person's own upright and slumped sitting, captured when asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor import Frame, SensorPath
from processing.domain.found import RefusalReason
from processing.domain.posture_findings import PostureCaptured, PostureCaptureRefused
from processing.domain.posture_types import SittingPose
from processing.domain.samples import Placement
from processing.dsp.blocks import NS_PER_S
from processing.dsp.slouch import FLOOR_DEG
from processing.dsp.stillness import POSE_S
from processing.dsp.trunk_axes import Vector, angle_deg, unit

ALGORITHM = "sitting_pose/1"

CAPTURE_TIMEOUT_NS = 30 * NS_PER_S
"""Time that a person who was asked to sit still has for it, as in calibration."""

_OTHER = {SittingPose.UPRIGHT: SittingPose.SLUMP, SittingPose.SLUMP: SittingPose.UPRIGHT}
_POSE_NS = round(POSE_S * NS_PER_S)


class SittingPosesState(msgspec.Struct):
    """State of ``SittingPoses``: up in the frame of each sensor, by pose."""

    known: dict[SittingPose, dict[Placement, Vector]] = msgspec.field(default_factory=dict)
    asked: SittingPose | None = None
    since_ns: int = 0


class SittingPoses:
    """Takes a pose when all sensors have kept still for 3 s after it was asked for, or says why not."""

    def __init__(self, state: SittingPosesState | None = None) -> None:
        self.state = state or SittingPosesState()

    def request(self, pose: SittingPose, t_ns: int) -> None:
        """Look for the pose from now on."""
        self.state.asked, self.state.since_ns = pose, t_ns

    def shift(self, by_ns: int) -> None:
        """The clock was set anew: what is asked for is dated back from the new time."""
        self.state.since_ns += by_ns

    def ups(self, pose: SittingPose, placements: Iterable[Placement]) -> list[Vector] | None:
        """Up in the frame of these sensors in a pose, None while unknown."""
        known = self.state.known.get(pose)
        return None if known is None else [known[placement] for placement in placements]

    def step(self, t_ns: int, paths: Sequence[SensorPath], frames: Mapping[Placement, Frame], ledger: Ledger) -> None:
        """Take a block."""
        state = self.state
        if state.asked is None or t_ns - state.since_ns < _POSE_NS:
            return
        lost = len(frames) < len(paths)
        if t_ns - state.since_ns > CAPTURE_TIMEOUT_NS:
            reason = RefusalReason.NO_DATA if lost else RefusalReason.MOVING
            self._refuse(t_ns, state.asked, reason, "no 3 s of sitting still within 30 s", ledger)
            return
        if lost:
            return
        still = {path.placement: path.stillness.pose() for path in paths}
        taken = {place: unit(tuple(pose.acc.tolist())) for place, pose in still.items() if pose is not None}
        if len(taken) == len(paths):
            self._judge(t_ns, state.asked, taken, ledger)

    def _judge(self, t_ns: int, pose: SittingPose, taken: dict[Placement, Vector], ledger: Ledger) -> None:
        other = self.state.known.get(_OTHER[pose])
        apart_deg = None if other is None else max(angle_deg(up, other[place]) for place, up in taken.items())
        if apart_deg is not None and apart_deg < FLOOR_DEG:
            detail = f"upright and slumped are {apart_deg:.1f}° apart, {FLOOR_DEG:g}° are needed"
            self._refuse(t_ns, pose, RefusalReason.TOO_CLOSE, detail, ledger)
            return
        self.state.known[pose] = taken
        self.state.asked = None
        ledger.add(
            PostureCaptured,
            t0_ns=t_ns - _POSE_NS,
            t1_ns=t_ns,
            algorithm=ALGORITHM,
            quality=1.0,
            pose=pose,
            apart_deg=apart_deg,
        )

    def _refuse(self, t_ns: int, pose: SittingPose, reason: RefusalReason, detail: str, ledger: Ledger) -> None:
        t0_ns = self.state.since_ns
        self.state.asked = None
        ledger.add(
            PostureCaptureRefused,
            t0_ns=t0_ns,
            t1_ns=t_ns,
            algorithm=ALGORITHM,
            quality=1.0,
            pose=pose,
            reason=reason,
            detail=detail,
        )
