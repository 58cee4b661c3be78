"""Repetitions that differ in a known way from the others of their set."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from processing.analyzer.rep_quality import MOST, RepQuality, RepQualityState
from processing.domain.commands import RepTarget
from processing.domain.exercises import Channel, exercise_of
from processing.domain.findings import RomSegment
from processing.domain.rep_faults import FaultSeen, RepFault, Unit
from processing.domain.samples import Placement
from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.repetitions import Rep

PELVIS = (Placement.PELVIS,)
REP_S, REP_BLOCKS, REST_BLOCKS = 3, 60, 10


class Squats:
    """Squats of 3 s each, with half a second between, on the pelvis sensor."""

    def __init__(self, target: RepTarget | None = None, code: str = "squat") -> None:
        self.quality = RepQuality(exercise_of(code), PELVIS, RepQualityState(target))
        self.count = 0

    def do(self, depth_m: float = 0.5, lean_deg: float = 30.0, *, seen: bool = True) -> tuple[RepFault, ...]:
        return tuple(one.fault for one in self.squat(depth_m, lean_deg, seen=seen))

    def squat(self, depth_m: float, lean_deg: float, *, seen: bool = True) -> tuple[FaultSeen, ...]:
        begin = self.count * (REP_BLOCKS + REST_BLOCKS)
        for block in range(begin, begin + REP_BLOCKS + REST_BLOCKS):
            away = math.radians(lean_deg) * math.sin(math.pi * min((block - begin) / REP_BLOCKS, 1.0))
            # Flexion is minus the turn about Z.
            turned = np.tile([math.cos(away / 2.0), 0.0, 0.0, -math.sin(away / 2.0)], (5, 1))
            self.quality.observe(block * BLOCK_NS, {Placement.PELVIS: turned} if seen else {})
        self.count += 1
        t0_ns = begin * BLOCK_NS
        rep = Rep(t0_ns, t0_ns + REP_S * NS_PER_S // 2, t0_ns + REP_S * NS_PER_S, depth_m)
        return self.quality.judge(Channel.VERTICAL, RomSegment.PELVIS, rep, self.count)

    def finally_faulty(self) -> dict[int, tuple[RepFault, ...]]:
        faulty = self.quality.finally_faulty(Channel.VERTICAL)
        return {number: tuple(one.fault for one in faults) for number, faults in faulty.items()}


def test_repetitions_that_are_alike_have_no_fault() -> None:
    squats = Squats()
    assert [squats.do(0.5 + 0.02 * (at % 3), 30.0 + at % 4) for at in range(8)] == [()] * 8
    assert squats.finally_faulty() == {}


def test_a_shallow_and_a_leaning_one_are_told_with_their_numbers() -> None:
    squats = Squats()
    for _ in range(3):
        assert squats.do() == ()
    (shallow,) = squats.squat(0.3, 30.0)
    assert (shallow.fault, shallow.found, shallow.usual, shallow.unit) == (RepFault.SHALLOW, 0.3, 0.5, Unit.METRES)
    (lean,) = squats.squat(0.5, 45.0)
    assert lean.fault is RepFault.LEAN
    assert lean.found == pytest.approx(45.0, abs=0.5)
    assert lean.usual == pytest.approx(30.0, abs=0.5)


def test_nothing_is_held_against_the_usual_before_three_repetitions_but_the_end_knows() -> None:
    squats = Squats()
    assert squats.do(0.2) == ()
    for _ in range(3):
        squats.do()
    assert squats.finally_faulty() == {1: (RepFault.SHALLOW,)}


def test_with_a_target_the_first_repetition_is_judged() -> None:
    squats = Squats(RepTarget(amplitude=0.5, lean_deg=20.0))
    assert squats.do(0.3, 35.0) == (RepFault.SHALLOW, RepFault.LEAN)


def test_a_repetition_that_was_not_seen_to_lean_is_judged_by_its_size_alone() -> None:
    squats = Squats(RepTarget(amplitude=0.5, lean_deg=20.0))
    assert squats.do(0.3, 60.0, seen=False) == (RepFault.SHALLOW,)
    assert RepFault.LEAN not in squats.quality.watched(Channel.VERTICAL)


def test_what_one_sensor_cannot_see_is_not_watched() -> None:
    squats = Squats()
    for _ in range(3):
        squats.do()
    watched = squats.quality.watched(Channel.VERTICAL)
    assert set(watched) >= {RepFault.SHALLOW, RepFault.LEAN, RepFault.PELVIS_TUCKED, RepFault.TWIST}
    assert RepFault.LUMBAR_FLEXION not in watched


def test_the_set_says_what_was_usual() -> None:
    squats = Squats()
    for depth_m in (0.4, 0.5, 0.6):
        squats.do(depth_m)
    usual = squats.quality.usual(Channel.VERTICAL)
    assert usual.amplitude == pytest.approx(0.5)
    assert usual.lean_deg == pytest.approx(30.0, abs=0.5)
    assert usual.lumbar_flexion_deg is None


def test_time_is_held_against_the_catalogue() -> None:
    squats = Squats(code="downward_dog")
    assert squats.do() == (RepFault.TOO_FAST,)


def test_sides_that_take_turns_are_told_apart_and_timed() -> None:
    quality = RepQuality(exercise_of("bird_dog"), PELVIS, RepQualityState())
    for number, left_deg in enumerate((6.0, -8.0, 6.0, -8.0)):
        begin = number * (REP_BLOCKS + REST_BLOCKS)
        for block in range(begin, begin + REP_BLOCKS + REST_BLOCKS):
            away = math.radians(left_deg) * math.sin(math.pi * min((block - begin) / REP_BLOCKS, 1.0))
            turned = np.tile([math.cos(away / 2.0), 0.0, math.sin(away / 2.0), 0.0], (5, 1))
            quality.observe(block * BLOCK_NS, {Placement.PELVIS: turned})
        t0_ns = begin * BLOCK_NS
        rep = Rep(t0_ns, t0_ns + REP_S * NS_PER_S // 2, t0_ns + REP_S * NS_PER_S, abs(left_deg))
        quality.judge(Channel.AXIAL_ROTATION, RomSegment.PELVIS, rep, number + 1)
        far_end = quality.far_end(Channel.AXIAL_ROTATION, RomSegment.PELVIS, rep)
        assert far_end is not None
        assert far_end.held_ns / NS_PER_S == pytest.approx(2.0 * math.acos(0.8) / math.pi * REP_S, abs=0.15)
    assert quality.sides_deg(Channel.AXIAL_ROTATION) == pytest.approx((6.0, 8.0), abs=0.3)


def test_a_set_without_end_keeps_a_bounded_state() -> None:
    squats = Squats()
    for _ in range(MOST + 10):
        squats.do()
    assert squats.quality.judged(Channel.VERTICAL) == MOST
    assert len(msgspec.msgpack.encode(squats.quality.state)) < 15_000


@pytest.mark.parametrize("cut", [1, 4])
def test_a_restored_state_judges_alike(cut: int) -> None:
    depths = (0.5, 0.5, 0.52, 0.3, 0.5, 0.28)

    def rest(squats: Squats, which: Sequence[float]) -> list[tuple[FaultSeen, ...]]:
        return [squats.squat(depth_m, 30.0) for depth_m in which]

    whole = Squats()
    expected = rest(whole, depths)
    first, second = Squats(), Squats()
    found = rest(first, depths[:cut])
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(first.quality.state), type=RepQualityState)
    second.quality, second.count = RepQuality(exercise_of("squat"), PELVIS, state), cut
    assert found + rest(second, depths[cut:]) == expected
    assert second.quality.state == whole.quality.state
    assert sum(map(len, expected)) == 2


def test_a_target_of_one_size_says_nothing_about_the_planes_of_an_exercise_that_has_several() -> None:
    state = RepQualityState(RepTarget(amplitude=100.0))
    quality = RepQuality(exercise_of("seated_rom"), PELVIS, state)
    turn = Rep(0, 2 * NS_PER_S, 4 * NS_PER_S, 40.0)
    assert quality.judge(Channel.AXIAL_ROTATION, RomSegment.PELVIS, turn, 1) == ()
