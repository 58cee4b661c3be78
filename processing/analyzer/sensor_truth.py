"""What the sensors of a session may not be trusted with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from processing.analyzer.calibration import Calibrator
from processing.analyzer.ledger import Ledger
from processing.analyzer.mount_check import MountCheck, MountCheckState
from processing.analyzer.sensor import Frame, SensorPath
from processing.analyzer.sensor_pair import PAIR, SensorPair, SensorPairState
from processing.analyzer.sensor_watch import SensorWatch, SensorWatchState
from processing.analyzer.slips import Slips, SlipsState
from processing.analyzer.worn import WornSensor
from processing.domain.exercises import Exercise
from processing.domain.samples import Placement


class SensorTruthState(msgspec.Struct):
    """State of a ``SensorTruth``."""

    watches: dict[Placement, SensorWatchState] = msgspec.field(default_factory=dict)
    mounts: dict[Placement, MountCheckState] = msgspec.field(default_factory=dict)
    pair: SensorPairState = msgspec.field(default_factory=SensorPairState)
    slips: SlipsState = msgspec.field(default_factory=SlipsState)


class SensorTruth:
    """Watches each sensor by itself, both together, and all of them in rests."""

    def __init__(
        self,
        paths: Sequence[SensorPath],
        calibrators: Mapping[Placement, Calibrator],
        state: SensorTruthState | None = None,
    ) -> None:
        self.state = state or SensorTruthState(
            {path.placement: SensorWatchState() for path in paths},
            {path.placement: MountCheckState() for path in paths if path.worn.mount is not None},
        )
        self.watches = {placement: SensorWatch(one) for placement, one in self.state.watches.items()}
        self._worn = {
            path.placement: WornSensor(path, calibrators[path.placement], self.watches[path.placement])
            for path in paths
        }
        self._mounts = {placement: MountCheck(one) for placement, one in self.state.mounts.items()}
        self._pair = SensorPair(self.state.pair)
        self._slips = Slips(self.state.slips)

    def step(self, frames: Mapping[Placement, Frame], exercise: Exercise | None, ledger: Ledger) -> None:
        """Take the frames of a block, at least one, and the exercise under way."""
        for placement, frame in frames.items():
            worn = self._worn[placement]
            worn.watch.step(worn.path, frame, ledger, exercising=exercise is not None)
            if placement in self._mounts:
                self._mounts[placement].step(worn, exercise, ledger)
        if len(self._worn) == len(PAIR):
            self._pair.step(self._worn, frames, exercise)
            t_ns = next(iter(frames.values())).block.t0_ns
            self._pair.judge_bends(self._worn, t_ns, ledger)
        if exercise is not None:
            self._slips.step(self._worn, frames, exercise, ledger)

    def begin_set(self) -> None:
        """A set begins."""
        self._pair.begin_set()
        self._slips.begin_set()

    def end_set(self, exercise: Exercise, span_ns: tuple[int, int], ledger: Ledger) -> None:
        """A set ends that began and ended at these times; to be called before its values are stated."""
        if len(self._worn) == len(PAIR):
            self._pair.judge_set(self._worn, span_ns, ledger)
        self._slips.end_set(self._worn, exercise, span_ns[1], ledger)

    def recalibrate(self, t_ns: int) -> None:
        """The person was told to calibrate again: what was wrong with the way the sensors sit may be right now."""
        for watch in self.watches.values():
            watch.trust_again(t_ns)
        self._slips.recalibrate()

    def shift(self, by_ns: int) -> None:
        """The clock was set anew."""
        for watch in self.watches.values():
            watch.shift(by_ns)
        for mount in self._mounts.values():
            mount.shift(by_ns)
        self._slips.shift(by_ns)
