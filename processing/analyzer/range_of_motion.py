"""Ranges of motion of a set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from processing.analyzer.calibration import Calibrator
from processing.analyzer.counters import AXES
from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor_watch import Doubt
from processing.analyzer.sources import PLACEMENTS, drifting_channel
from processing.domain.anatomy import MOST_ANGLE_DEG
from processing.domain.exercises import Channel, Exercise
from processing.domain.findings import RomDirection, RomMeasured, RomRefused, RomSegment
from processing.domain.found import RefusalReason
from processing.domain.samples import Placement
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, NS_PER_S, Floats
from processing.dsp.excursion import Excursion, ExcursionState
from processing.dsp.rom_noise import half_width_deg
from processing.dsp.strokes import Strokes, StrokesState

ALGORITHM = "rom/2"
METHOD = "isb_zxy_from_neutral"

NEUTRAL_BLOCKS = 10
"""Rest of 0.5 s that settles where neutral is."""

NEUTRAL_REST_NS = NS_PER_S // 2
"""A rest that begins within the set is neutral from this time on: a slow turn stays below the rate of a rest for less
(4 s there and back over 40°: 0.3 s)."""

NEUTRAL_WITHIN_DEG = 10.0
"""Such a rest further away from the first pose of the set is the held end of a movement (estimate)."""

RIGHTED_WITHIN_DEG = 20.0
"""The same of three seconds of keeping still, in which a sensor found its bias (estimate)."""

SETTLE_NS = 2 * NS_PER_S
"""Time after a gap until the inclination is right again (VQF starts from the accelerometer)."""

_DIRECTIONS: dict[Channel, tuple[RomDirection, RomDirection]] = {
    # below neutral, above neutral
    Channel.FLEXION: (RomDirection.EXTENSION, RomDirection.FLEXION),
    Channel.LATERAL_BEND: (RomDirection.LEFT_BEND, RomDirection.RIGHT_BEND),
    Channel.AXIAL_ROTATION: (RomDirection.RIGHT_ROTATION, RomDirection.LEFT_ROTATION),
}


class RangeOfMotionState(msgspec.Struct):
    """State of ``RangeOfMotion``."""

    excursion: ExcursionState = msgspec.field(default_factory=lambda: ExcursionState([0.0] * 3, [0.0] * 3, [0.0] * 3))
    first_ns: int | None = None
    rest_since_ns: int | None = None
    settled_ns: int = 0
    bridged: int = 0
    strokes: dict[Channel, StrokesState] = msgspec.field(default_factory=dict)


class RangeOfMotion:
    """Largest angles of one segment in the planes of an exercise, from its neutral pose."""

    def __init__(self, exercise: Exercise, segment: RomSegment, state: RangeOfMotionState) -> None:
        self._exercise = exercise
        self._segment = segment
        self._excursion = Excursion(AXES.index(drifting_channel(exercise.posture)), state.excursion)
        self._strokes = {channel: Strokes(state.strokes.get(channel)) for channel in exercise.rom}
        self._stroked = [(AXES.index(channel), strokes) for channel, strokes in self._strokes.items()]
        state.strokes = {channel: strokes.state for channel, strokes in self._strokes.items()}
        self.state = state

    def step(
        self, t0_ns: int, angles_deg: Floats, rest_ns: int, *, resumed: bool, began: bool, bridged: int = 0
    ) -> None:
        """Take a block of angles, shape (5, 3).

        Args:
            t0_ns: UTC of the first of them.
            angles_deg: the angles.
            rest_ns: how long the person has been at rest.
            resumed: whether a gap lies before the block.
            began: whether a repetition is already counted, so that a rest is no longer the neutral pose.
            bridged: how many of the five samples lie in a hole, on the sensor that has most of them.
        """
        if not self._exercise.rom:
            return
        state = self.state
        if state.first_ns is None:
            state.first_ns = t0_ns
        if resumed:
            state.settled_ns = t0_ns + SETTLE_NS
            for strokes in self._strokes.values():
                strokes.reset()
        if t0_ns < state.settled_ns:
            return
        if rest_ns > 0 and not began and state.excursion.neutral_blocks < NEUTRAL_BLOCKS:
            self._settle_neutral(t0_ns + BLOCK_NS - rest_ns, angles_deg, rest_ns)
        self._excursion.take(angles_deg, at_rest=rest_ns > 0)
        state.bridged += bridged
        middle = angles_deg[BLOCK_SAMPLES // 2].tolist()
        for axis, strokes in self._stroked:
            strokes.take(middle[axis], state.excursion.neutral[axis])

    def _settle_neutral(self, since_ns: int, angles_deg: Floats, rest_ns: int) -> None:
        """Take neutral from one rest: the one in which the set began, or a longer one close to it."""
        state = self.state
        if state.first_ns is None or since_ns > state.first_ns:
            if rest_ns < NEUTRAL_REST_NS or float(abs(angles_deg).max()) > NEUTRAL_WITHIN_DEG:
                return
            if since_ns != state.rest_since_ns:
                state.excursion.neutral_blocks = 0
        state.rest_since_ns = since_ns
        self._excursion.settle_neutral(angles_deg)

    def restart(self) -> None:
        """The neutral pose is taken anew; what was measured from the old one does not hold."""
        self.state.excursion = ExcursionState([0.0] * 3, [0.0] * 3, [0.0] * 3)
        self._excursion = Excursion(AXES.index(drifting_channel(self._exercise.posture)), self.state.excursion)
        for strokes in self._strokes.values():
            strokes.reset()

    def pose_lost(self) -> None:
        """The person left the start pose: later angles are from a neutral pose that is taken anew."""
        self._excursion.take_neutral_anew()
        for strokes in self._strokes.values():
            strokes.reset()

    def shift(self, by_ns: int) -> None:
        """The clock was set anew."""
        state = self.state
        state.settled_ns += by_ns
        state.first_ns = None if state.first_ns is None else state.first_ns + by_ns

    def report(
        self,
        set_number: int,
        t0_ns: int,
        t1_ns: int,
        calibrators: Mapping[Placement, Calibrator],
        doubt: Doubt | None,
        ledger: Ledger,
    ) -> None:
        """State the ranges of the set, or why there are none; ``doubt`` is one about a sensor needed, in that time."""
        if not self._exercise.rom:
            return
        about: dict[str, Any] = {
            "t0_ns": t0_ns,
            "t1_ns": t1_ns,
            "algorithm": ALGORITHM,
            "exercise": self._exercise.code,
            "set_number": set_number,
        }
        refusal = self._refusal(calibrators) if doubt is None else (RefusalReason.SENSOR, doubt.detail)
        if refusal is not None:
            ledger.add(RomRefused, **about, quality=1.0, reason=refusal[0], detail=refusal[1])
            return
        for axis, strokes in self._stroked:
            strokes.finish(self._excursion.state.neutral[axis])
        covered = min(1.0, self._excursion.state.blocks * BLOCK_NS / max(t1_ns - t0_ns, BLOCK_NS))
        about["quality"] = covered * min(calibrators[placement].quality for placement in PLACEMENTS[self._segment])
        for channel in self._exercise.rom:
            if self._excursion.is_told(AXES.index(channel)):
                self._state_channel(channel, about, calibrators, ledger)
            else:
                detail = f"{channel}: no rest in the neutral pose within a minute before the largest angles"
                ledger.add(RomRefused, **about, reason=RefusalReason.MOVING, detail=detail)

    def _state_channel(
        self, channel: Channel, about: Mapping[str, Any], calibrators: Mapping[Placement, Calibrator], ledger: Ledger
    ) -> None:
        needed = [calibrators[placement] for placement in PLACEMENTS[self._segment]]
        strokes = self._strokes[channel]
        for side, angle_deg in enumerate(self._excursion.below_above(AXES.index(channel))):
            ledger.add(
                RomMeasured,
                **about,
                segment=self._segment,
                direction=_DIRECTIONS[channel][side],
                angle_deg=angle_deg,
                method=METHOD,
                calibration_id=needed[-1].state.finding_id,
                noise_deg=self._noise_deg(channel, side, needed),
                peak_speed_dps=strokes.peak_dps(side),
                smoothness=strokes.mean_smoothness(side),
            )

    def _noise_deg(self, channel: Channel, side: int, calibrators: Sequence[Calibrator]) -> float:
        state = self._excursion.state
        drifting_blocks, aside_deg = self._excursion.circumstances(AXES.index(channel))[side]
        return half_width_deg(
            sensors=len(calibrators),
            found_axis=all(one.state.bent and not one.state.slipped for one in calibrators),
            aside_deg=aside_deg,
            drifting_s=drifting_blocks * BLOCK_NS / NS_PER_S,
            lost_share=self.state.bridged / (state.blocks * BLOCK_SAMPLES),
        )

    def _refusal(self, calibrators: Mapping[Placement, Calibrator]) -> tuple[RefusalReason, str] | None:
        for placement in PLACEMENTS[self._segment]:
            if calibrators[placement].rightward is None:
                return RefusalReason.NO_AXIS, f"the {placement} sensor has no flexion axis: calibrate with bends first"
        state = self._excursion.state
        if not state.blocks:
            return RefusalReason.NO_DATA, f"no samples for the {self._segment} angle"
        if not state.neutral_blocks:
            return RefusalReason.MOVING, "the set did not begin with a rest in the neutral pose"
        for axis, channel in enumerate(AXES):
            furthest_deg = max(self._excursion.below_above(axis))
            if furthest_deg > MOST_ANGLE_DEG[channel]:
                # Whoever faces elsewhere bends forward where neutral has back: no plane can be told any more.
                detail = f"{channel} of {furthest_deg:.0f}°: the whole person turned, which leaves no neutral pose"
                return RefusalReason.TURNED_ROUND, detail
        return None
