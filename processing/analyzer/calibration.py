"""Calibration of one sensor: still pose, then bends, or a stated mount."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np

from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor import SensorPath
from processing.domain.findings import CalibrationDone, CalibrationRefused
from processing.domain.found import RefusalReason
from processing.dsp.blocks import NS_PER_S, Floats, GridBlock
from processing.dsp.functional_axis import MIN_EXPLAINED, FunctionalAxis, FunctionalAxisState
from processing.dsp.mounting import rightward_of, upward_of

ALGORITHM = "calibration/1"

STILL_TIMEOUT_NS = 30 * NS_PER_S
"""Time that a person who was asked to stand still has for it."""

BENDS_TIMEOUT_NS = 60 * NS_PER_S
"""Time for the bends after that."""

STATED_QUALITY = 0.7
"""Quality of what rests on a stated mount without a still pose: the gyroscope's bias is only VQF's estimate."""


SLIPPED_QUALITY = 0.7
"""Quality of what rests on an axis found before the sensor turned on the skin: gravity tells how it lies now, but not
whether it also turned about the vertical (estimate)."""


class Phase(StrEnum):
    """What the calibration is waiting for."""

    STILL = "still"
    BENDS = "bends"
    DONE = "done"


class CalibratorState(msgspec.Struct):
    """State of a ``Calibrator``; vectors are sensor axes.

    Attributes:
        bent: whether the axis comes from bends after the last still pose.
        slipped: whether the sensor has turned on the skin since the axis was found.
    """

    mounted: bool
    phase: Phase = Phase.STILL
    requested: bool = False
    since_ns: int = 0
    complained: bool = False
    up: list[float] | None = None
    mounted_up: list[float] | None = None
    rightward: list[float] | None = None
    bent: bool = False
    slipped: bool = False
    finding_id: str | None = None
    still_ns: tuple[int, int] = (0, 0)
    axis: FunctionalAxisState = msgspec.field(default_factory=FunctionalAxisState)


class Calibrator:
    """Keeps the last good calibration of a sensor and looks for a better one when asked.

    It starts by itself with the session. A stated mount is used at once; a still pose then adds the bias.
    """

    __slots__ = ("_axis", "state")

    def __init__(self, state: CalibratorState) -> None:
        self.state = state
        self._axis = FunctionalAxis(state.axis)

    @classmethod
    def at_start(cls, path: SensorPath, begin_ns: int) -> Calibrator:
        """Calibration of a sensor whose session begins.

        Raises:
            MountError: the stated mount is none.
        """
        mount = path.worn.mount
        if mount is None:
            return cls(CalibratorState(mounted=False, since_ns=begin_ns))
        rightward, upward = rightward_of(mount).tolist(), upward_of(mount).tolist()
        return cls(CalibratorState(mounted=True, rightward=rightward, mounted_up=upward, since_ns=begin_ns))

    @property
    def rightward(self) -> Floats | None:
        """Sensor axis to the wearer's right, shape (3,), None while unknown."""
        return None if self.state.rightward is None else np.array(self.state.rightward)

    @property
    def upward(self) -> Floats | None:
        """Sensor axis up the spine, shape (3,): as mounted, else as the still pose showed it; None while unknown."""
        axis = self.state.mounted_up or self.state.up
        return None if axis is None else np.array(axis)

    @property
    def quality(self) -> float:
        """Quality of what rests on this calibration."""
        known = STATED_QUALITY if self.state.finding_id is None else 1.0
        return min(known, SLIPPED_QUALITY) if self.state.slipped else known

    def request(self, t_ns: int) -> None:
        """Begin again with the still pose, as the person was told to."""
        self.state.phase = Phase.STILL
        self.state.requested = True
        self.state.since_ns = t_ns
        self._restart_axis()

    def slip(self) -> None:
        """The sensor has turned on the skin: gravity tells how it lies now, its axis is less certain."""
        self.state.slipped = True

    def void_mount(self) -> None:
        """The stated mount is wrong: only bends can tell the axis."""
        state = self.state
        state.mounted, state.rightward = False, None
        if state.phase is Phase.DONE:
            state.phase = Phase.BENDS

    def revoke(self, path: SensorPath, t_ns: int, ledger: Ledger, reason: RefusalReason, detail: str) -> None:
        """The axis that was found is not to be trusted after all."""
        self.state.bent, self.state.rightward = False, None
        self._refuse(path, t_ns, ledger, reason, detail)

    def shift(self, by_ns: int) -> None:
        """The clock was set anew: what is under way is dated back from the new time."""
        state = self.state
        state.since_ns += by_ns
        state.still_ns = (state.still_ns[0] + by_ns, state.still_ns[1] + by_ns)

    def step(
        self, path: SensorPath, block: GridBlock, ledger: Ledger, *, exercising: bool, others: Sequence[SensorPath] = ()
    ) -> None:
        """Take a block; during an exercise only the still pose is looked for.

        While an exercise moves one sensor the other may almost rest, and what it reads is no bias: then all must be
        still. ``others`` are the other sensors of the session.
        """
        match self.state.phase:
            case Phase.STILL if exercising and not all(map(_is_still, others)):
                pass
            case Phase.STILL:
                self._seek_still(path, block.t0_ns, ledger)
            case Phase.BENDS if not exercising:
                self._watch_bends(path, block, ledger)
            case _:
                pass

    def settle(self, path: SensorPath, t_ns: int, ledger: Ledger) -> None:
        """An exercise begins: decide with what is there."""
        if self.state.phase is Phase.BENDS and self._axis.has_enough:
            self._judge(path, t_ns, ledger)
        elif self.state.phase is Phase.BENDS and self.state.requested:
            self._refuse(path, t_ns, ledger, RefusalReason.NO_AXIS, "the exercise began before any bend")
        elif self.state.phase is Phase.STILL and not self.state.complained:
            self._refuse(path, t_ns, ledger, RefusalReason.MOVING, "no 3 s of standing still before the exercise")

    def _seek_still(self, path: SensorPath, t_ns: int, ledger: Ledger) -> None:
        state = self.state
        pose = path.stillness.pose()
        if pose is None:
            if state.requested and t_ns - state.since_ns > STILL_TIMEOUT_NS:
                self._refuse(path, t_ns, ledger, RefusalReason.MOVING, "no 3 s of standing still within 30 s")
            return
        path.take_rest(pose)
        state.up = (pose.acc / np.sqrt((pose.acc**2).sum())).tolist()
        state.still_ns = (t_ns - 3 * NS_PER_S, t_ns)
        state.since_ns = t_ns
        state.bent = False
        mount_is_enough = state.mounted and not state.requested
        state.phase = Phase.DONE if mount_is_enough else Phase.BENDS
        self._restart_axis()
        self._accept(path, t_ns, ledger, "mount" if mount_is_enough else "still", None)

    def _watch_bends(self, path: SensorPath, block: GridBlock, ledger: Ledger) -> None:
        self._axis.update(block, path.orientation.bias_radps)
        if self._axis.has_settled:
            self._judge(path, block.t0_ns, ledger)
        elif self.state.requested and block.t0_ns - self.state.since_ns > BENDS_TIMEOUT_NS:
            self._refuse(path, block.t0_ns, ledger, RefusalReason.NO_AXIS, "no bends within 60 s of standing still")

    def _judge(self, path: SensorPath, t_ns: int, ledger: Ledger) -> None:
        assert self.state.up is not None
        axis, explained = self._axis.axis(np.array(self.state.up))
        if axis is not None:
            self.state.rightward = axis.rightward.tolist()
            self.state.phase = Phase.DONE
            self.state.requested = False
            self.state.bent, self.state.slipped = True, False
            self._restart_axis()
            self._accept(path, t_ns, ledger, "functional", axis.explained)
        elif self.state.requested:
            detail = f"the bends explain {explained:.2f} of the movement, {MIN_EXPLAINED} is needed about a level axis"
            self._refuse(path, t_ns, ledger, RefusalReason.NO_AXIS, detail)
        else:
            # Nobody asked for bends yet; whatever this movement was, wait for the next one.
            self._restart_axis()

    def _restart_axis(self) -> None:
        self.state.axis = FunctionalAxisState()
        self._axis = FunctionalAxis(self.state.axis)

    def _accept(self, path: SensorPath, t_ns: int, ledger: Ledger, method: str, explained: float | None) -> None:
        bias = np.degrees(path.orientation.bias_radps).tolist()
        done = ledger.add(
            CalibrationDone,
            t0_ns=self.state.still_ns[0],
            t1_ns=t_ns,
            algorithm=ALGORITHM,
            quality=1.0 if explained is None else explained,
            placement=path.placement,
            sensor_id=path.worn.sensor_id,
            method=method,
            gyro_bias_dps=(bias[0], bias[1], bias[2]),
            explained=explained,
        )
        self.state.finding_id = done.finding_id

    def _refuse(self, path: SensorPath, t_ns: int, ledger: Ledger, reason: RefusalReason, detail: str) -> None:
        state = self.state
        state.complained = True
        if state.requested:
            state.phase = Phase.DONE
            state.requested = False
        ledger.add(
            CalibrationRefused,
            t0_ns=min(state.since_ns, t_ns),
            t1_ns=t_ns,
            algorithm=ALGORITHM,
            quality=1.0,
            placement=path.placement,
            sensor_id=path.worn.sensor_id,
            reason=reason,
            detail=detail,
        )


def _is_still(path: SensorPath) -> bool:
    return not path.timeline.present or path.stillness.pose() is not None
