"""The pose that a set began in, sensor by sensor, and how far the segments are turned from it."""

from __future__ import annotations

from collections.abc import Mapping

from processing.analyzer.calibration import Calibrator
from processing.analyzer.sensor import Frame
from processing.analyzer.sources import PLACEMENTS
from processing.domain.exercises import Posture
from processing.domain.findings import RomSegment
from processing.domain.samples import Placement
from processing.dsp.blocks import Floats
from processing.dsp.segment import Neutral, NeutralState, joint_angles_deg, segment_angles_deg


class NeutralPoses:
    """Neutral poses of the sensors worn. A sensor's first frame after its calibration is its neutral pose."""

    def __init__(
        self, posture: Posture, calibrators: Mapping[Placement, Calibrator], state: dict[Placement, NeutralState]
    ) -> None:
        self._posture = posture
        self._calibrators = calibrators
        self._neutrals = {placement: Neutral(one) for placement, one in state.items()}
        self.state = state

    def rotations(self, frames: Mapping[Placement, Frame]) -> dict[Placement, Floats]:
        """Rotation since neutral, shape (5, 4), of each segment whose neutral pose is known."""
        rotations: dict[Placement, Floats] = {}
        for placement, frame in frames.items():
            neutral = self._neutrals.get(placement) or self._begin(placement, frame)
            if neutral is not None:
                rotations[placement] = neutral.rotation_since(frame.quats)
        return rotations

    def tilts_deg(self, frames: Mapping[Placement, Frame]) -> list[float]:
        """How far each sensor is inclined from its neutral pose."""
        taken = [(neutral, frames[placement]) for placement, neutral in self._neutrals.items() if placement in frames]
        return [neutral.tilt_deg(frame.quats[0]) for neutral, frame in taken]

    def clear(self) -> None:
        """Forget them all; the next frames are neutral."""
        self._neutrals.clear()
        self.state.clear()

    def _begin(self, placement: Placement, frame: Frame) -> Neutral | None:
        rightward = self._calibrators[placement].rightward
        neutral = None if rightward is None else Neutral.at(frame.quats[0], rightward, self._posture)
        if neutral is not None:
            self._neutrals[placement] = neutral
            self.state[placement] = neutral.state
        return neutral


def angles_of(segment: RomSegment, rotations: Mapping[Placement, Floats]) -> Floats:
    """Angles of a segment, or between two, from the rotations since neutral, shape (n, 3)."""
    needed = PLACEMENTS[segment]
    if len(needed) == 1:
        return segment_angles_deg(rotations[needed[0]])
    return joint_angles_deg(rotations[needed[0]], rotations[needed[1]])
