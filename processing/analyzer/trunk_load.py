"""What the trunk has to bear while no exercise is running: static inclination, bends, and their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from processing.analyzer.exposure import Exposure, ExposureState
from processing.analyzer.ledger import Ledger
from processing.domain.exercises import Posture
from processing.domain.posture_findings import BendEpisode, CueDue, CueReason, StaticTrunk
from processing.domain.posture_rules import band_of, holding_time_s
from processing.domain.posture_types import TrunkBand
from processing.domain.samples import Placement
from processing.dsp.bends import KNEES_M, MIN_PEAK_DEG, MIN_PELVIS_PEAK_DEG, UPRIGHT_DEG, Aside, Bend, Bends, BendsState
from processing.dsp.blocks import NS_PER_S
from processing.dsp.segment import Neutral, joint_angles_deg
from processing.dsp.static_posture import Held, StaticPosture, StaticPostureState
from processing.dsp.trunk_axes import TICK_NS, Lean

STATIC = "static_posture/1"
BENDS = "bends/1"

PELVIS_QUALITY = 0.7
"""Inclination and peaks of a sensor on the pelvis alone, which leans less than the back above it."""


class Worn(NamedTuple):
    """What is known of a tick.

    Attributes:
        t0_ns: begin of the tick.
        quats: newest orientation of each sensor, ``w, x, y, z``, sensor to earth.
        rightward: axis to the wearer's right of each sensor.
        lean: of the uppermost sensor.
        up_mps2: mean vertical acceleration of the lowest sensor in it, gravity included.
        walking: whether the person walks.
        lying: whether the posture is another one than upright.
    """

    t0_ns: int
    quats: Mapping[Placement, Sequence[float]]
    rightward: Mapping[Placement, Sequence[float]]
    lean: Lean
    up_mps2: float
    walking: bool
    lying: bool


class TrunkLoadState(msgspec.Struct):
    """State of ``TrunkLoad``; ``upright`` holds the orientations of the last upright moment."""

    static: StaticPostureState = msgspec.field(default_factory=StaticPostureState)
    bends: BendsState = msgspec.field(default_factory=BendsState)
    exposure: ExposureState = msgspec.field(default_factory=ExposureState)
    upright: dict[Placement, list[float]] = msgspec.field(default_factory=dict)
    reminded: bool = False


class TrunkLoad:
    """Static inclination, bends and exposure, from the lean of the uppermost sensor."""

    def __init__(self, placements: Sequence[Placement], state: TrunkLoadState | None = None) -> None:
        state = state or TrunkLoadState()
        self._placements = sorted(placements)  # the lower one first
        self._static = StaticPosture(state.static)
        self._bends = Bends(MIN_PEAK_DEG if Placement.THORAX in placements else MIN_PELVIS_PEAK_DEG, state.bends)
        self._two = len(self._placements) == len(Placement)
        self._exposure = Exposure(state.exposure)
        self._upright = state.upright
        self._neutrals: list[Neutral] = []
        self._reminded = state.reminded
        self._quality = 1.0 if Placement.THORAX in placements else PELVIS_QUALITY

    def state(self) -> TrunkLoadState:
        """State as a value."""
        return TrunkLoadState(
            self._static.state, self._bends.state, self._exposure.state, self._upright, self._reminded
        )

    def step(self, worn: Worn, ledger: Ledger) -> None:
        """Take a tick."""
        t_ns, flexion_deg = worn.t0_ns + TICK_NS, worn.lean.flexion_deg
        self._exposure.take(worn.t0_ns, flexion_deg, worn.lean.right_bend_deg, lying=worn.lying, ledger=ledger)
        if worn.lying:
            self.finish(ledger)
            return
        if worn.walking:
            self._report_static(self._static.finish(), ledger)
        else:
            self._report_static(self._static.step(t_ns, flexion_deg), ledger)
            self._remind(ledger)
        if flexion_deg < UPRIGHT_DEG:
            self._upright = {placement: list(quat) for placement, quat in worn.quats.items()}
            self._neutrals = []
        aside = self._aside(worn) if self._bends.open else None
        self._report_bend(self._bends.step(t_ns, flexion_deg, aside, worn.up_mps2, walking=worn.walking), ledger)

    def close(self, ledger: Ledger) -> None:
        """Watching is over, or the clock is set anew: state the sums."""
        self.finish(ledger)
        self._exposure.flush(ledger)

    def finish(self, ledger: Ledger) -> None:
        """Watching is broken off, or the person lies down: a static inclination ends, a bend under way is none."""
        self._report_static(self._static.finish(), ledger)
        self._bends.reset()
        self._upright, self._neutrals = {}, []

    def _knees_bent(self, bend: Bend) -> bool | None:
        """A thorax goes down in stooping as well, so only the pelvis tells."""
        if bend.lowest_m is None or Placement.PELVIS not in self._placements:
            return None
        return bend.lowest_m <= KNEES_M

    def _aside(self, worn: Worn) -> Aside | None:
        """Side bend and twist since the last upright moment, when headings are taken to have been the same."""
        if not self._two:
            return Aside(worn.lean.right_bend_deg, None)
        if not self._neutrals:
            self._neutrals = self._upright_poses(worn)
        if len(self._neutrals) < len(self._placements):
            return None
        lower, upper = (
            neutral.rotation_since(np.array([worn.quats[placement]]))
            for placement, neutral in zip(self._placements, self._neutrals, strict=True)
        )
        angles = joint_angles_deg(lower, upper)
        return Aside(float(angles[0, 1]), float(angles[0, 2]))

    def _upright_poses(self, worn: Worn) -> list[Neutral]:
        """Poses of the last upright moment, lower sensor first; what is not known is missing."""
        if not self._upright:
            return []
        poses = (
            Neutral.at(np.array(self._upright[placement]), np.array(worn.rightward[placement]), Posture.STANDING)
            for placement in self._placements
        )
        return [pose for pose in poses if pose is not None]

    def _remind(self, ledger: Ledger) -> None:
        held = self._static.held
        if held is None or self._reminded:
            return
        limit_s = holding_time_s(held.angle_deg)
        if limit_s is None or held.t1_ns - held.t0_ns < limit_s * NS_PER_S:
            return
        self._reminded = True
        ledger.add(
            CueDue,
            t0_ns=held.t0_ns,
            t1_ns=held.t1_ns,
            algorithm=STATIC,
            quality=self._quality,
            reason=CueReason.STATIC_TRUNK,
            after_s=(held.t1_ns - held.t0_ns) / NS_PER_S,
        )

    def _report_static(self, held: Held | None, ledger: Ledger) -> None:
        if self._static.held is None:
            self._reminded = False
        if held is None or band_of(held.angle_deg) is TrunkBand.ACCEPTABLE:
            return
        self._exposure.add_static(band_of(held.angle_deg))
        ledger.add(
            StaticTrunk,
            t0_ns=held.t0_ns,
            t1_ns=held.t1_ns,
            algorithm=STATIC,
            quality=self._quality,
            flexion_deg=held.angle_deg,
            band=band_of(held.angle_deg),
            limit_s=holding_time_s(held.angle_deg),
        )

    def _report_bend(self, bend: Bend | None, ledger: Ledger) -> None:
        if bend is None:
            return
        self._exposure.add_bend(bend, knees_bent=self._knees_bent(bend) is True)
        ledger.add(
            BendEpisode,
            t0_ns=bend.t0_ns,
            t1_ns=bend.t1_ns,
            algorithm=BENDS,
            quality=self._quality,
            t_peak_ns=bend.t_peak_ns,
            peak_flexion_deg=bend.peak_deg,
            right_bend_deg=bend.right_bend_deg,
            left_twist_deg=bend.left_twist_deg,
            side_speed_dps=bend.side_speed_dps,
            twist_speed_dps=bend.twist_speed_dps,
            knees_bent=self._knees_bent(bend),
        )
