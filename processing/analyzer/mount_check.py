"""Whether a sensor sits as it was stated to, judged by gravity in the still pose and by the bends."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor_watch import Doubt, state_fault
from processing.analyzer.worn import WornSensor
from processing.domain.exercises import Exercise, Posture
from processing.domain.sensor_findings import FaultKind
from processing.dsp.blocks import Floats
from processing.dsp.mounting import rightward_of, upward_of

UPSIDE_DOWN_DEG = 150.0
"""Gravity this far from the stated up: nobody keeps still with the trunk so far head down (downward dog: 135°)."""

ASKEW_DEG = 45.0
"""Further off than any back that stands upright slopes at S1 or T12 (estimate), and than a mount is put on wrong by
carelessness; from here on the axes of the sensor are others than stated."""


class MountCheckState(msgspec.Struct):
    """State of a ``MountCheck``: end of the still pose that was judged, and whether the bends after it were."""

    still_ns: int = 0
    bent: bool = False


class MountCheck:
    """Judges every still pose and every axis from bends of a sensor whose mount was stated, once."""

    def __init__(self, state: MountCheckState | None = None) -> None:
        self.state = state or MountCheckState()

    def shift(self, by_ns: int) -> None:
        """The clock was set anew: the still pose that was judged is dated back as its calibration is."""
        self.state.still_ns += by_ns

    def step(self, worn: WornSensor, exercise: Exercise | None, ledger: Ledger) -> None:
        """Look whether the calibration has gone on."""
        calibration, mount = worn.calibrator.state, worn.path.worn.mount
        if mount is None:
            return
        if calibration.still_ns[1] != self.state.still_ns:
            self.state.still_ns, self.state.bent = calibration.still_ns[1], False
            if calibration.mounted and (exercise is None or exercise.posture is not Posture.HEAD_DOWN):
                self._judge_pose(worn, mount, ledger)
        if calibration.bent and not self.state.bent:
            self.state.bent = True
            self._judge_axis(worn, mount, ledger)

    def _judge_pose(self, worn: WornSensor, mount: str, ledger: Ledger) -> None:
        calibration = worn.calibrator.state
        assert calibration.up is not None
        off_deg = _angle_deg(upward_of(mount), np.array(calibration.up))
        if off_deg > UPSIDE_DOWN_DEG:
            fault, detail = FaultKind.UPSIDE_DOWN, "the sensor hangs upside down against its stated mount"
        elif off_deg > ASKEW_DEG and calibration.requested:
            # Only a person who was told to stand is known to be upright.
            fault, detail = FaultKind.ASKEW, f"standing, up is {off_deg:.0f}° off the stated mount"
        else:
            return
        worn.watch.doubt(worn.path, Doubt(fault, *calibration.still_ns, detail), ledger, lasting=True)
        worn.calibrator.void_mount()

    def _judge_axis(self, worn: WornSensor, mount: str, ledger: Ledger) -> None:
        """Whatever was stated, the axis is known now."""
        rightward = worn.calibrator.rightward
        assert rightward is not None
        worn.watch.trust_again(worn.calibrator.state.still_ns[1])
        off_deg = _angle_deg(rightward_of(mount), rightward)
        if off_deg > ASKEW_DEG:
            detail = f"in the bends right was {off_deg:.0f}° off the stated mount; the bends are believed"
            doubt = Doubt(FaultKind.ASKEW, *worn.calibrator.state.still_ns, detail)
            state_fault(worn.path, doubt, ledger, 1.0)


def _angle_deg(one: Floats, other: Floats) -> float:
    return math.degrees(math.acos(max(-1.0, min(1.0, float((one * other).sum())))))
