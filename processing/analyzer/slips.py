"""Whether a sensor has turned on the skin, judged by rests in what should be one pose."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import msgspec

from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor import Frame
from processing.analyzer.sensor_watch import Doubt, state_fault
from processing.analyzer.worn import WornSensor
from processing.domain.exercises import Counting, Exercise, Posture
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind
from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.rest_pose import apart_deg, lateral_between_deg, tilt_between_deg, turn_between_deg
from processing.dsp.stillness import feels_gravity

SLIP_DEG = 15.0
"""Jump of the neutral tilt that is a slip (signals.md §7 no. 8)."""

CREEP_DEG = 7.5
"""Lean to the side within a set that leaves no range of motion: it would be off by as much. Twice what people are off
when they come back to upright (estimate)."""

EXPLAINED = 0.5
"""Part of a jump beyond which the other sensor has moved too, and it was the person (estimate)."""

DRIFT_DEG_PER_S = 0.1
"""Allowance for the drift of one heading against the other, after a still pose told the bias of both (wander of a
cheap sensor, estimate). Imperfect return and drift together came to 12° in 40 s at the 90th percentile
(signals.md §2.3)."""

REST_NS = 2 * NS_PER_S
"""Rest of all sensors that makes a pose to compare: people pause for up to 1.3 s at the far end of a movement
(trunk_seated), and a slouch of the pelvis by 20° between rests is ordinary in sitting (wheelchair_trunk)."""

UNSURE = 0.5
"""Quality where it may have been the person: no second sensor says otherwise, or the turn is small."""

_UPRIGHT = (Posture.STANDING, Posture.SITTING)
"""Postures in which a turn about the spine is one about the vertical; lying it shows as a lean to the side."""


_READING = struct.Struct("7d")


class RestPose(msgspec.Struct, frozen=True):
    """Acceleration and orientation of each sensor in a rest, packed."""

    t_ns: int
    readings: dict[Placement, bytes]

    @classmethod
    def of(cls, t_ns: int, frames: Mapping[Placement, Frame]) -> RestPose:
        """What the sensors show now."""
        readings = {
            placement: _READING.pack(*frame.block.means[3:], *frame.quats[-1].tolist())
            for placement, frame in frames.items()
        }
        return cls(t_ns, readings)

    def acc(self, placement: Placement) -> tuple[float, ...]:
        """Mean acceleration of a block, m/s²."""
        return _READING.unpack(self.readings[placement])[:3]

    def quat(self, placement: Placement) -> tuple[float, ...]:
        """Quaternion ``w, x, y, z``, sensor to earth."""
        return _READING.unpack(self.readings[placement])[3:]

    def later(self, by_ns: int) -> RestPose:
        """The same at a time later by so much."""
        return RestPose(self.t_ns + by_ns, self.readings)

    def tilts_since_deg(self, earlier: RestPose) -> dict[Placement, float]:
        """How far gravity has moved in each sensor since another rest, degrees."""
        return {placement: tilt_between_deg(earlier.acc(placement), self.acc(placement)) for placement in self.readings}

    def slipped_since(
        self, earlier: RestPose, worn: Mapping[Placement, WornSensor], posture: Posture, limit_deg: float
    ) -> dict[Placement, float]:
        """Sensors that have turned by more than a limit since a rest in the same posture, the other one not; how far.

        Nobody rests with one end of the lumbar spine 15° to the side of the other. Forward or back that is ordinary
        (a slouch), except for a jump in standing.
        """
        tilts = self.tilts_since_deg(earlier)
        slipped = {}
        for placement, tilt_deg in tilts.items():
            others = [other_deg for other, other_deg in tilts.items() if other is not placement]
            rightward = worn[placement].calibrator.state.rightward
            off_deg = tilt_deg
            if not (others and posture is Posture.STANDING and limit_deg >= SLIP_DEG):
                if rightward is None:
                    continue
                off_deg = lateral_between_deg(earlier.acc(placement), self.acc(placement), rightward)
            if off_deg > limit_deg and all(other_deg <= EXPLAINED * limit_deg for other_deg in others):
                slipped[placement] = off_deg
        return slipped


class SlipsState(msgspec.Struct):
    """State of ``Slips``: first and last rest of the set under way, and the first rest of sets by start posture."""

    first: RestPose | None = None
    last: RestPose | None = None
    usual: dict[Posture, RestPose] = msgspec.field(default_factory=dict)


class Slips:
    """Compares rests within a set, and the first rests of sets that start from the same posture."""

    def __init__(self, state: SlipsState | None = None) -> None:
        self.state = state or SlipsState()

    def begin_set(self) -> None:
        """A set begins."""
        self.state.first = self.state.last = None

    def recalibrate(self) -> None:
        """The sensors are to be calibrated again, wherever they sit now."""
        self.state.usual = {}

    def shift(self, by_ns: int) -> None:
        """The clock was set anew."""
        state = self.state
        state.first = None if state.first is None else state.first.later(by_ns)
        state.last = None if state.last is None else state.last.later(by_ns)
        state.usual = {posture: pose.later(by_ns) for posture, pose in state.usual.items()}

    def step(
        self,
        worn: Mapping[Placement, WornSensor],
        frames: Mapping[Placement, Frame],
        exercise: Exercise,
        ledger: Ledger,
    ) -> None:
        """Take a block of a set; it matters while all sensors are at rest."""
        if any(frame.resumed for frame in frames.values()):
            # Across a gap a sensor's heading is only assumed.
            self.begin_set()
        now_ns = next(iter(frames.values())).block.t0_ns + BLOCK_NS
        if len(frames) < len(worn) or any(one.path.rest.lasts_ns(now_ns) < REST_NS for one in worn.values()):
            return
        if not all(feels_gravity(frame.block.means[3:]) for frame in frames.values()):
            return
        pose = RestPose.of(now_ns, frames)
        if self.state.first is None:
            self.state.first = pose
            self._compare_with_usual(worn, pose, exercise.posture, ledger)
        self.state.last = pose

    def _compare_with_usual(
        self, worn: Mapping[Placement, WornSensor], pose: RestPose, posture: Posture, ledger: Ledger
    ) -> None:
        """Neutral is taken from this pose, so that the set is measured; the axis to the right is less certain now."""
        usual = self.state.usual.setdefault(posture, pose)
        for placement, tilt_deg in pose.slipped_since(usual, worn, posture, SLIP_DEG).items():
            detail = f"before the set the sensor lay {tilt_deg:.0f}° off its pose before earlier ones"
            doubt = Doubt(FaultKind.SLIPPED, usual.t_ns, pose.t_ns, detail)
            state_fault(worn[placement].path, doubt, ledger, _certainty(worn))
            worn[placement].calibrator.slip()
            self.state.usual = {posture: pose}

    def end_set(self, worn: Mapping[Placement, WornSensor], exercise: Exercise, t_ns: int, ledger: Ledger) -> None:
        """A set ends; sets in which a pose is held may end in it, and tell nothing."""
        first, last = self.state.first, self.state.last
        if first is None or last is None or exercise.counting is not Counting.COUNTED:
            return
        if any(one.watch.doubt_within(first.t_ns, last.t_ns) is not None for one in worn.values()):
            return  # what already is in doubt moves the orientation too
        slipped = last.slipped_since(first, worn, exercise.posture, SLIP_DEG)
        crept = last.slipped_since(first, worn, exercise.posture, CREEP_DEG) if exercise.rom else {}
        for placement, tilt_deg in (crept | slipped).items():
            detail = f"after the set the sensor lay {tilt_deg:.0f}° off its pose before"
            doubt = Doubt(FaultKind.SLIPPED, first.t_ns, t_ns, detail)
            certainty = _certainty(worn) if placement in slipped else UNSURE
            worn[placement].watch.doubt(worn[placement].path, doubt, ledger, certainty=certainty)
            worn[placement].calibrator.slip()
        if slipped:
            self.state.usual = {}  # it was told; the next pose is the one to compare with
        elif len(worn) > 1 and exercise.posture in _UPRIGHT:
            self._compare_headings(worn, first, last, t_ns, ledger)

    def _compare_headings(
        self, worn: Mapping[Placement, WornSensor], first: RestPose, last: RestPose, t_ns: int, ledger: Ledger
    ) -> None:
        """A turn about the vertical shows only as one heading against the other; which of the two it was stays open."""
        if not all(one.path.orientation.rested for one in worn.values()):
            return
        if max(last.tilts_since_deg(first).values()) > EXPLAINED * SLIP_DEG:
            return
        turns = [turn_between_deg(first.quat(placement), last.quat(placement)) for placement in first.readings]
        allowed_deg = SLIP_DEG + DRIFT_DEG_PER_S * (last.t_ns - first.t_ns) / NS_PER_S
        if apart_deg(turns[0], turns[1]) <= allowed_deg:
            return
        detail = f"after the set the sensors lay turned by {apart_deg(turns[0], turns[1]):.0f}° against each other"
        for one in worn.values():
            one.watch.doubt(one.path, Doubt(FaultKind.SLIPPED, first.t_ns, t_ns, detail), ledger, lasting=True)


def _certainty(worn: Mapping[Placement, WornSensor]) -> float:
    return UNSURE if len(worn) == 1 else 1.0
