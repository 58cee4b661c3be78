"""Everyday wear: what the trunk does while no exercise is running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from processing.analyzer.calibration import Calibrator
from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor import Frame, SensorPath
from processing.analyzer.sensor_watch import SensorWatch
from processing.analyzer.sitting import SittingWatch, SittingWatchState
from processing.analyzer.trunk_load import TrunkLoad, TrunkLoadState, Worn
from processing.domain.posture_findings import PostureEpisode
from processing.domain.posture_types import UPRIGHT_POSTURES, SittingPose, TrunkPosture
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES
from processing.dsp.posture_class import PostureClass, PostureClassState, Taken, upright_as
from processing.dsp.steps import Steps, StepsState
from processing.dsp.trunk_axes import TICK_NS, Lean, TrunkAxes, trunk_axes, up_of

POSTURE = "posture_class/1"

_BEARABLE = frozenset({FaultKind.SATURATED, FaultKind.BIASED})
"""With these faults gravity, which is asked here, is still told right; with all others nothing is."""

GRAVITY_QUALITY = 0.8
"""Lying on which side is unmistakable; the borders between postures are estimates."""

SEAT_QUALITY = 0.5
"""Sitting and standing are told apart by what sitting down does to most backs (Endo 2012), not to this one."""


class DailyState(msgspec.Struct):
    """State of ``Daily``.

    Attributes:
        ups: mean vertical accelerations of the blocks of the tick under way, m/s².
        upright: what the person was last seen doing when upright.
    """

    sitting: SittingWatchState
    load: TrunkLoadState
    posture: PostureClassState
    steps: StepsState
    ups: list[float]
    upright: TrunkPosture = TrunkPosture.UPRIGHT


class Daily:
    """Posture, sitting and load of the trunk, block by block, from calibrated sensors.

    Without a calibration there is nothing to say but slouching: where up and forward are on this person is unknown.
    """

    def __init__(self, placements: Sequence[Placement], state: DailyState | None = None) -> None:
        self._placements = tuple(placements)
        # The pelvis leans least when people stoop and feels the steps best; the thorax shows all of a bend.
        self._lowest = Placement.PELVIS if Placement.PELVIS in placements else Placement.THORAX
        self._uppermost = Placement.THORAX if Placement.THORAX in placements else Placement.PELVIS
        self._sitting = SittingWatch(None if state is None else state.sitting)
        self._load = TrunkLoad(placements, None if state is None else state.load)
        self._posture = PostureClass(None if state is None else state.posture)
        self._steps = Steps(None if state is None else state.steps)
        self._upright = TrunkPosture.UPRIGHT if state is None else state.upright
        self._ups = [] if state is None else state.ups
        self._axes = {placement: _Axes() for placement in placements}

    def state(self) -> DailyState:
        """State as a value."""
        return DailyState(
            sitting=self._sitting.state(),
            load=self._load.state(),
            posture=self._posture.state,
            steps=self._steps.state,
            ups=self._ups,
            upright=self._upright,
        )

    def capture(self, pose: SittingPose, t_ns: int) -> None:
        """Take a sitting pose of the person's own from now on."""
        self._sitting.poses.request(pose, t_ns)

    def follow_clock(self, shift_ns: int) -> None:
        """The clock was set anew by this much."""
        self._sitting.poses.shift(shift_ns)

    def step(
        self,
        paths: Sequence[SensorPath],
        calibrators: Mapping[Placement, Calibrator],
        watches: Mapping[Placement, SensorWatch],
        frames: Mapping[Placement, Frame],
        ledger: Ledger,
    ) -> None:
        """Take the frames of a block; one of a sensor not to be trusted is as good as missing."""
        t0_ns = next(iter(frames.values())).block.t0_ns
        self._sitting.poses.step(t0_ns + BLOCK_NS, paths, frames, ledger)
        blind = any(_is_blind(watch, t0_ns) for watch in watches.values())
        complete = len(frames) == len(self._placements) and not blind
        if not complete or any(frame.resumed for frame in frames.values()):
            self.finish(ledger)
        if not complete:
            return
        self._feel(frames[self._lowest])
        if (t0_ns + BLOCK_NS) % TICK_NS == 0:
            self._look(t0_ns + BLOCK_NS - TICK_NS, calibrators, frames, ledger)

    def _look(
        self,
        t0_ns: int,
        calibrators: Mapping[Placement, Calibrator],
        frames: Mapping[Placement, Frame],
        ledger: Ledger,
    ) -> None:
        """Take a tick that ends with these frames."""
        quats = {placement: frames[placement].quats[-1].tolist() for placement in self._placements}
        walking = self._steps.is_walking(t0_ns)
        up_mps2 = sum(self._ups) / len(self._ups)
        self._ups = []
        axes = {placement: own.of(calibrators[placement]) for placement, own in self._axes.items()}
        leans = {placement: own.lean(quats[placement]) for placement, own in axes.items() if own is not None}
        if len(leans) == len(self._placements):
            self._classify(t0_ns, leans, walking=walking, ledger=ledger)
            worn = Worn(
                t0_ns,
                quats,
                {placement: own.right for placement, own in axes.items() if own is not None},
                leans[self._uppermost],
                up_mps2,
                walking,
                self._lying,
            )
            self._load.step(worn, ledger)
        if walking or self._lying or self._posture.posture is TrunkPosture.STANDING:
            self._sitting.finish(ledger)
        else:
            self._sitting.step(t0_ns + TICK_NS, quats, ledger)

    def finish(self, ledger: Ledger) -> None:
        """Watching is broken off, by an exercise or a gap: state what is under way and forget it."""
        self._report(self._posture.finish(), ledger)
        self._sitting.finish(ledger)
        self._load.finish(ledger)
        self._steps = Steps()
        self._ups = []
        self._upright = TrunkPosture.UPRIGHT

    def close(self, ledger: Ledger) -> None:
        """Watching is over, or the clock is set anew: state the sums too."""
        self.finish(ledger)
        self._load.close(ledger)

    @property
    def _lying(self) -> bool:
        return self._posture.posture is not None and self._posture.posture not in UPRIGHT_POSTURES

    def _feel(self, frame: Frame) -> None:
        """Take steps and vertical acceleration of the lowest sensor."""
        self._steps.take(frame.block, frame.quats)
        up = up_of(frame.quats[BLOCK_SAMPLES // 2].tolist())
        self._ups.append(sum(own * mean for own, mean in zip(up, frame.block.means[3:], strict=True)))

    def _classify(self, t0_ns: int, leans: Mapping[Placement, Lean], *, walking: bool, ledger: Ledger) -> None:
        if len(leans) == len(Placement):
            flexions = (leans[Placement.PELVIS].flexion_deg, leans[Placement.THORAX].flexion_deg)
            self._upright = upright_as(*flexions, self._upright, walking=walking)
        self._report(self._posture.step(t0_ns + TICK_NS, leans[self._lowest], self._upright), ledger)

    def _report(self, taken: Taken | None, ledger: Ledger) -> None:
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


class _Axes:
    """Axes of a sensor, computed anew only when its calibration has changed."""

    def __init__(self) -> None:
        self._known: tuple[list[float], list[float]] | None = None
        self._axes: TrunkAxes | None = None

    def of(self, calibrator: Calibrator) -> TrunkAxes | None:
        """Axes by a calibration, None if it does not tell up and right, or the sensor has slipped since."""
        up, rightward = calibrator.state.up, calibrator.state.rightward
        if up is None or rightward is None or calibrator.state.slipped:
            return None
        if self._known != (up, rightward):
            self._known, self._axes = (up, rightward), trunk_axes(up, rightward)
        return self._axes


def _is_blind(watch: SensorWatch, t0_ns: int) -> bool:
    return any(doubt.fault not in _BEARABLE and doubt.t1_ns > t0_ns for doubt in watch.state.doubts)
