"""Holds of a set: which sensor sees them, in which posture, and what is stated of them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from processing.analyzer.calibration import Calibrator
from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor import Frame
from processing.analyzer.sources import PLACEMENTS, QualityOf, assign, is_vertical
from processing.domain.exercises import Exercise, HoldSpec, Posture
from processing.domain.found import RefusalReason
from processing.domain.hold_findings import HoldCompleted, HoldRefused
from processing.domain.samples import GRAVITY_MPS2, Placement
from processing.dsp.blocks import NS_PER_S
from processing.dsp.holds import Held, HoldRule, Holds, HoldsState, Posed
from processing.dsp.movements import Moment
from processing.dsp.rotation import upward
from processing.dsp.trunk_axes import TrunkAxes, Vector, trunk_axes

ALGORITHM = "holds/1"

START_WITHIN_DEG = 45.0
"""How far the start pose may lean from its posture: half way to the next one."""

_UP: dict[Posture, tuple[Vector, ...]] = {
    # Up along X (out of the belly), Y (up the spine) and Z (to the right).
    Posture.STANDING: ((0.0, 1.0, 0.0),),
    Posture.SITTING: ((0.0, 1.0, 0.0),),
    Posture.HALF_KNEELING: ((0.0, 1.0, 0.0),),
    Posture.QUADRUPED: ((-1.0, 0.0, 0.0),),
    Posture.PRONE: ((-1.0, 0.0, 0.0),),
    Posture.SUPINE: ((1.0, 0.0, 0.0),),
    Posture.SIDE_LYING: ((0.0, 0.0, 1.0), (0.0, 0.0, -1.0)),
    # The trunk 40-60° below the horizontal (signals.md §3.5).
    Posture.HEAD_DOWN: ((-0.643, -0.766, 0.0),),
}


class HoldingState(msgspec.Struct):
    """State of ``Holding``; ``axes`` are None while it is not known how the sensor sits."""

    axes: TrunkAxes | None = None
    holds: HoldsState | None = None
    count: int = 0


class Holding:
    """Finds the holds of a set of an exercise that has a pose to hold."""

    def __init__(
        self,
        exercise: Exercise,
        number: int,
        worn: tuple[Placement, ...],
        quality_of: QualityOf,
        state: HoldingState,
    ) -> None:
        self._exercise = exercise
        self._number = number
        self._quality_of = quality_of
        self._spec = exercise.hold
        assigned = None if self._spec is None else assign(self._spec.lift, worn)
        self._lift = None if assigned is None else assigned.counted
        self.placement = None if assigned is None else PLACEMENTS[assigned.segment][0]
        self.state = state
        self._holds = None if state.axes is None else self._composed(state.holds, state.axes)

    def shift(self, by_ns: int) -> None:
        """The clock was set anew."""
        if self._holds is not None:
            self._holds.shift(by_ns)

    def step(
        self,
        frames: Mapping[Placement, Frame],
        calibrators: Mapping[Placement, Calibrator],
        ledger: Ledger,
    ) -> None:
        """Take the frames of a block."""
        frame = None if self.placement is None else frames.get(self.placement)
        if frame is None or self.placement is None:
            return
        if self._holds is None:
            self.state.axes = _axes(calibrators[self.placement])
            if self.state.axes is None:
                return
            self._holds = self._composed(None, self.state.axes)
            self.state.holds = self._holds.state
        elif frame.resumed:
            self._report(self._holds.reset(), ledger)
        if frame.righted:
            self._holds.reorient()
        self._report(self._holds.step(self._moment(frame)), ledger)

    @property
    def held_s(self) -> float | None:
        """How long the hold under way has lasted, None without one."""
        return None if self._holds is None else self._holds.held_s

    def finish(self, t0_ns: int, t1_ns: int, ledger: Ledger) -> None:
        """The set is over: state the hold under way, or why nothing could be seen."""
        if self._holds is not None:
            self._report(self._holds.finish(), ledger)
        refusal = self._refusal()
        if refusal is not None:
            reason, detail = refusal
            ledger.add(
                HoldRefused,
                t0_ns=t0_ns,
                t1_ns=t1_ns,
                algorithm=ALGORITHM,
                quality=1.0,
                exercise=self._exercise.code,
                set_number=self._number,
                reason=reason,
                detail=detail,
            )

    def _refusal(self) -> tuple[RefusalReason, str] | None:
        spec = self._spec
        if spec is None:
            return None
        if self.placement is None:
            return RefusalReason.NO_DATA, f"the hold is seen by the {spec.segment} sensor only, which is not worn"
        if self._holds is None:
            return RefusalReason.NO_AXIS, f"it is not known how the {self.placement} sensor sits: calibrate with bends"
        if self._holds.state.start is None:
            posture = self._exercise.posture.replace("_", " ")
            return RefusalReason.MOVING, f"the set did not begin with half a second of rest ({posture})"
        return None

    def _composed(self, state: HoldsState | None, axes: TrunkAxes) -> Holds:
        assert self._spec is not None
        return Holds(self._rule(self._spec, axes), state)

    def _rule(self, spec: HoldSpec, axes: TrunkAxes) -> HoldRule:
        assert self._lift is not None
        rises = is_vertical(self._lift)
        return HoldRule(
            start=_posed(axes, self._exercise.posture, START_WITHIN_DEG),
            held=_posed(axes, spec.posture, spec.within_deg),
            lean_deg=0.0 if rises else self._lift.floor,
            rise_m=self._lift.floor if rises else 0.0,
            min_s=spec.min_s,
        )

    def _moment(self, frame: Frame) -> Moment:
        w, x, y, z = frame.quats[-1].tolist()
        # Height is worth its cost only where it tells the pose.
        rises = self._lift is not None and is_vertical(self._lift)
        rise_mps2 = float(upward(frame.quats, frame.block.acc).mean()) - GRAVITY_MPS2 if rises else 0.0
        felt_x, felt_y, felt_z = frame.block.acc.mean(axis=0).tolist()
        return Moment(frame.block.t0_ns, (w, x, y, z), (felt_x, felt_y, felt_z), rise_mps2)

    def _report(self, held: Held | None, ledger: Ledger) -> None:
        if held is None or self.placement is None or self._spec is None:
            return
        self.state.count += 1
        ledger.add(
            HoldCompleted,
            t0_ns=held.t0_ns,
            t1_ns=held.t1_ns,
            algorithm=ALGORITHM,
            quality=self._quality_of((self.placement,), held.t0_ns, held.t1_ns),
            exercise=self._exercise.code,
            set_number=self._number,
            number=self.state.count,
            placement=self.placement,
            posture=self._spec.posture,
            seconds=(held.t1_ns - held.t0_ns) / NS_PER_S,
            sag_deg=held.sag_deg,
            sway_deg=held.sway_deg,
            breaks=held.breaks,
            whole=held.whole,
        )


def _axes(calibrator: Calibrator) -> TrunkAxes | None:
    up, rightward = calibrator.upward, calibrator.rightward
    return None if up is None or rightward is None else trunk_axes(up.tolist(), rightward.tolist())


def _posed(axes: TrunkAxes, posture: Posture, within_deg: float) -> Posed:
    return Posed(tuple(_in_sensor(axes, up) for up in _UP[posture]), within_deg)


def _in_sensor(axes: TrunkAxes, up: Vector) -> Vector:
    x, y, z = (up[0] * a + up[1] * b + up[2] * c for a, b, c in zip(*axes, strict=True))
    return (x, y, z)
