"""Whether the two sensors of a session sit where they were said to, judged by how they move together."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from processing.analyzer.calibration import Phase
from processing.analyzer.ledger import Ledger
from processing.analyzer.sensor import Frame
from processing.analyzer.sensor_watch import Doubt
from processing.analyzer.worn import WornSensor
from processing.domain.exercises import Exercise, Posture
from processing.domain.found import RefusalReason
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind
from processing.dsp.moving_together import MovingTogether, MovingTogetherState

SWAPPED_RATIO = 1.3
"""Pelvis faster than thorax by this: in movements of the whole trunk it has 0.2 to 0.96 of the thorax's rate (14 people
of trunk_seated and wheelchair_trunk; standing flexion 48 to 59 against 93 to 111°, signals.md §2.5), so swapped
sensors show 1.04 to 5 and a stiff back bent in the hips alone 1. What lies between is left open."""

MIN_AGREEMENT = 0.5
"""Correlation of the two flexion rates while bending; the lumbopelvic rhythm shifts one against the other but keeps
them far above this, and axes that come from different movements stay below (estimate). Each sensor takes its first
excursion for flexion, so that a pelvis that tips back as the thorax bends forward is not seen by this."""

MIN_BLOCKS = 40
"""Movement of 2 s for a verdict: one bend."""

PAIR = (Placement.PELVIS, Placement.THORAX)

_UPRIGHT = (Posture.STANDING, Posture.SITTING)


class SensorPairState(msgspec.Struct):
    """State of a ``SensorPair``.

    Attributes:
        bends: movement since both sensors were still for their calibration, whose times are ``still_ns``.
        judged: whether these bends were judged.
        trunk: movement of the set under way.
    """

    bends: MovingTogetherState = msgspec.field(default_factory=MovingTogetherState)
    still_ns: tuple[int, int] = (0, 0)
    judged: bool = False
    trunk: MovingTogetherState = msgspec.field(default_factory=MovingTogetherState)


class SensorPair:
    """Watches calibration bends, and sets of an exercise that moves the upright trunk as a whole."""

    def __init__(self, state: SensorPairState | None = None) -> None:
        self.state = state or SensorPairState()
        self._bends = MovingTogether(self.state.bends)
        self._trunk = MovingTogether(self.state.trunk)

    def begin_set(self) -> None:
        """A set begins."""
        self.state.trunk = MovingTogetherState()
        self._trunk = MovingTogether(self.state.trunk)

    def step(
        self, worn: Mapping[Placement, WornSensor], frames: Mapping[Placement, Frame], exercise: Exercise | None
    ) -> None:
        """Take a block of both sensors, and the exercise under way."""
        if exercise is None:
            moving = self._bends_of(worn)
        else:
            moving = self._trunk if exercise.rom and exercise.posture in _UPRIGHT else None
        if moving is not None and len(frames) == len(PAIR):
            moving.update(*(_rate_radps(worn[placement], frames[placement]) for placement in PAIR))

    def _bends_of(self, worn: Mapping[Placement, WornSensor]) -> MovingTogether | None:
        """Where the movement of a calibration goes, None while neither sensor waits for bends."""
        lower, upper = (worn[placement].calibrator.state for placement in PAIR)
        still_ns = (lower.still_ns[1], upper.still_ns[1])
        if still_ns != self.state.still_ns:
            self.state.still_ns, self.state.judged, self.state.bends = still_ns, False, MovingTogetherState()
            self._bends = MovingTogether(self.state.bends)
        seeks = Phase.BENDS in (lower.phase, upper.phase)
        return self._bends if seeks and not self.state.judged else None

    def judge_bends(self, worn: Mapping[Placement, WornSensor], t_ns: int, ledger: Ledger) -> None:
        """Once both sensors have an axis from the same bends: do they belong together?"""
        if self.state.judged or self.state.bends.blocks < MIN_BLOCKS:
            return
        lower, upper = (worn[placement].calibrator for placement in PAIR)
        if not (lower.state.bent and upper.state.bent):
            return
        self.state.judged = True
        bends, self._bends = self._bends, MovingTogether()
        self.state.bends = self._bends.state
        if self._is_swapped(bends, worn, (self.state.still_ns[0], t_ns), ledger):
            return
        assert lower.rightward is not None
        assert upper.rightward is not None
        agreement = bends.agreement(lower.rightward, upper.rightward)
        if agreement < MIN_AGREEMENT:
            detail = f"while bending the two flexion axes agree by {agreement:.2f}, {MIN_AGREEMENT} is needed"
            for one in worn.values():
                one.calibrator.revoke(one.path, t_ns, ledger, RefusalReason.DISAGREE, detail)

    def judge_set(self, worn: Mapping[Placement, WornSensor], span_ns: tuple[int, int], ledger: Ledger) -> None:
        """A set ends that began and ended at these times."""
        self._is_swapped(self._trunk, worn, span_ns, ledger)

    def _is_swapped(
        self,
        moved: MovingTogether,
        worn: Mapping[Placement, WornSensor],
        span_ns: tuple[int, int],
        ledger: Ledger,
    ) -> bool:
        ratio = moved.lower_by_upper()
        if moved.state.blocks < MIN_BLOCKS or ratio < SWAPPED_RATIO:
            return False
        detail = f"the pelvis sensor moved {ratio:.1f} times as fast as the one on the thorax: the two are swapped"
        for one in worn.values():
            one.watch.doubt(one.path, Doubt(FaultKind.SWAPPED, *span_ns, detail), ledger, lasting=True)
        return True


def _rate_radps(worn: WornSensor, frame: Frame) -> list[float]:
    bias_radps = worn.path.orientation.bias_radps.tolist()
    return [rate - bias for rate, bias in zip(frame.block.means[:3], bias_radps, strict=True)]
