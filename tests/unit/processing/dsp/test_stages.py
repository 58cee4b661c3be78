"""Every stage of the signal core keeps its whole state in a value, and does not care how its input is cut."""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import processing.dsp
from processing.domain.exercises import Posture, Swing
from processing.domain.ids import SensorId
from processing.domain.posture_types import TrunkPosture
from processing.dsp.bends import Aside, Bends, BendsState
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, GRID_NS, GRID_S, NS_PER_S, GridBlock, SampleBlock
from processing.dsp.crests import Crests, CrestsState
from processing.dsp.excursion import Excursion, ExcursionState
from processing.dsp.frozen import Frozen, FrozenState
from processing.dsp.functional_axis import FunctionalAxis, FunctionalAxisState
from processing.dsp.holds import HoldRule, Holds, HoldsState, Posed
from processing.dsp.loss import Loss, LossState
from processing.dsp.lowpass import Section, SectionState, movement_lowpass
from processing.dsp.movements import Moment, Movements, MovementsState
from processing.dsp.moving_together import MovingTogether, MovingTogetherState
from processing.dsp.orientation import Orientation, OrientationState
from processing.dsp.posture_class import PostureClass, PostureClassState
from processing.dsp.repetitions import Rep, Repetitions, RepetitionsState
from processing.dsp.saturation import FlatTops, FlatTopsState
from processing.dsp.segment import Neutral, NeutralState
from processing.dsp.slouch import Sitting, Slouch, SlouchState
from processing.dsp.static_posture import StaticPosture, StaticPostureState
from processing.dsp.steps import Steps, StepsState
from processing.dsp.stillness import Rest, RestState, Stillness, StillnessState, StillPose
from processing.dsp.strokes import Strokes, StrokesState
from processing.dsp.timeline import Timeline, TimelineState
from processing.dsp.trunk_axes import TICK_NS, Lean
from processing.dsp.turning_points import Point, TurningPoints, TurningPointsState
from processing.dsp.vertical import Vertical, VerticalState
from processing.dsp.vertical_bounds import VerticalBounds, VerticalBoundsState
from processing.dsp.walking_gate import WalkingGate, WalkingGateState

STEPS = 400


def blocks(seed: int = 1, count: int = STEPS) -> list[GridBlock]:
    """A sensor that rocks about one axis, with noise and pauses."""
    rng = np.random.default_rng(seed)
    t = np.arange(count * BLOCK_SAMPLES) * GRID_S
    rate = np.where(t % 8.0 < 4.0, 1.2 * np.sin(2 * np.pi * 0.5 * t), 0.0)
    angle = np.cumsum(rate) * GRID_S
    gyr = np.stack((rate, 0.05 * rate, 0.02 + 0 * rate), axis=1) + rng.normal(0, 0.01, (len(t), 3))
    acc = 9.81 * np.stack((0.1 + 0 * t, np.cos(angle), -np.sin(angle)), axis=1) + rng.normal(0, 0.05, (len(t), 3))
    return [
        GridBlock(at, np.ascontiguousarray(acc[at * 5 : at * 5 + 5]), np.ascontiguousarray(gyr[at * 5 : at * 5 + 5]))
        for at in range(count)
    ]


def wave(at: int) -> float:
    """A movement with repetitions of different size."""
    return 30.0 * (1.0 + 0.3 * math.sin(0.013 * at)) * math.sin(2 * math.pi * at / 57.0)


def angles(at: int) -> np.ndarray[Any, Any]:
    return np.array([[wave(at + row / 5), 0.2 * wave(at + 9), 0.1] for row in range(5)])


@dataclass(frozen=True)
class Stage:
    """How the meta-test drives one stage: make it, feed step ``n``, read its state, make it from a state."""

    make: Callable[[], Any]
    step: Callable[[Any, int], Any]
    again: Callable[[Any], Any]
    kind: type[msgspec.Struct]


BLOCKS = blocks()
UPRIGHT = np.tile([0.7071067811865476, 0.7071067811865476, 0.0, 0.0], (BLOCK_SAMPLES, 1))
"""Orientations of a sensor whose y axis points up, as in most of these blocks."""


def _timeline_step(timeline: Timeline, at: int) -> Any:
    t_ns = at * 50_000_000 + np.arange(4, dtype=np.int64) * 12_500_000 + 3
    if at % 50 < 40:
        block = BLOCKS[at]
        timeline.push(SampleBlock(SensorId("s"), t_ns, block.acc[:4], block.gyr[:4]))
    taken = timeline.take(at - 4) if at >= 4 else None
    return None if taken is None else (taken.acc.tobytes(), taken.gyr.tobytes(), taken.bridged)


def _still_step(stillness: Stillness, at: int) -> Any:
    stillness.update(BLOCKS[at])
    pose = stillness.pose()
    return None if pose is None else (pose.gyr.tobytes(), pose.acc.tobytes())


def _orientation_step(orientation: Orientation, at: int) -> Any:
    quat = orientation.update(BLOCKS[at])
    if at == 100:
        means = np.array([[*block.gyr.mean(axis=0), *block.acc.mean(axis=0)] for block in BLOCKS[41:101]])
        orientation.begin_from(StillPose(np.array([0.01, 0.0, 0.02]), means[:, 3:].mean(axis=0), means), quat[-1])
    if at == 200:
        orientation.prime([BLOCKS[at + 1]], quat[-1])
    return quat.tobytes()


def _axis_step(axis: FunctionalAxis, at: int) -> Any:
    axis.update(BLOCKS[at], np.zeros(3))
    found, explained = axis.axis(np.array([0.0, 1.0, 0.0]))
    return axis.has_enough, axis.has_settled, explained, None if found is None else found.rightward.tobytes()


def _clipped(at: int) -> GridBlock:
    """The sensor with a gyroscope that ends at 125 °/s, and some samples lost."""
    block = BLOCKS[at]
    limit = math.radians(125.0)
    return GridBlock(at, block.acc, np.clip(2.0 * block.gyr, -limit, limit), bridged=at % 7 % 4)


def _frozen_block(at: int) -> GridBlock:
    """The sensor that repeats its last sample for one second of three."""
    held = BLOCKS[at - at % 60 if at % 60 < 20 else at]
    rows = slice(4, 5) if at % 60 < 20 else slice(None)
    return GridBlock(at, np.repeat(held.acc[rows], 5, axis=0)[:5], np.repeat(held.gyr[rows], 5, axis=0)[:5])


def _together_step(together: MovingTogether, at: int) -> Any:
    rate = BLOCKS[at].gyr.mean(axis=0)
    together.update(rate.tolist(), (2.0 * rate[::-1]).tolist())
    return together.lower_by_upper(), together.agreement(np.array([1.0, 0, 0]), np.array([0, 0.6, 0.8]))


def _rest_step(rest: Rest, at: int) -> Any:
    rest.update(BLOCKS[at], np.zeros(3))
    return rest.lasts_ns(BLOCKS[at].t0_ns + 50_000_000)


def _turn_step(turns: TurningPoints, at: int) -> Any:
    return turns.step(Point(at * GRID_NS, wave(at), (wave(at), 0.3 * wave(at + 5), 0.0)), at_rest=at % 40 < 3)


def _strokes_step(strokes: Strokes, at: int) -> Any:
    strokes.take(wave(at), 1.0)
    return [(strokes.peak_dps(side), strokes.mean_smoothness(side)) for side in (0, 1)]


def _excursion_step(excursion: Excursion, at: int) -> Any:
    excursion.take(angles(at), at_rest=at % 9 == 0)
    return [excursion.below_above(axis) for axis in range(3)]


class _Reps:
    """Turning points and the repetitions that they make."""

    def __init__(self, state: RepetitionsState | None = None) -> None:
        self.reps = Repetitions(Swing.BOTH_SIDES, state)
        self.state = self.reps.state


_TURNS = TurningPoints(10.0)
_TURN_AT = {at: _TURNS.step(Point(at * GRID_NS, wave(at))) for at in range(STEPS)}


def _reps_step(reps: _Reps, at: int) -> Any:
    turn = _TURN_AT[at]
    now = Point(at * GRID_NS, wave(at))
    rep = reps.reps.turn(turn, now.t_ns) if turn is not None else None
    return rep or reps.reps.settle(now, now)


def _bounds_step(bounds: VerticalBounds, at: int) -> Any:
    """A speed that swings every 2 s, and a repetition at the end of each swing."""
    rep = Rep((at - 45) * 5 * GRID_NS, (at - 25) * 5 * GRID_NS, at * 5 * GRID_NS, 0.3)
    speed_mps = math.sin(2 * math.pi * at / 40.3)
    return bounds.step(at * 5 * GRID_NS, speed_mps, rep if at >= 40 and at % 40 == 0 else None)


def _flexed(degrees: float) -> Lean:
    return Lean(-math.sin(math.radians(degrees)), math.cos(math.radians(degrees)), 0.0)


def _slouch_step(slouch: Slouch, at: int) -> Any:
    """A second a step: slouched for a minute and upright for another."""
    ended = slouch.step(at * NS_PER_S, Sitting(0.5 + 0.4 * math.sin(at / 20), 8.0))
    return ended, slouch.slouched, slouch.cue_due()


def _quat_at(at: int) -> tuple[float, float, float, float]:
    """Leaning by 25 degrees for 2 s, out of every 5 s."""
    half = math.radians(12.5) * min(max(math.sin(2 * math.pi * at / 100.0) * 4.0, 0.0), 1.0)
    return (math.cos(half), math.sin(half), 0.0, 0.0)


def _movements_step(movements: Movements, at: int) -> Any:
    ended = movements.step(Moment(at * BLOCK_NS, _quat_at(at), (0.0, 0.0, 1.0), 0.3 * math.sin(at)))
    return ended, movements.speed_dps, movements.began_ns


def _holds_step(holds: Holds, at: int) -> Any:
    return holds.step(Moment(at * BLOCK_NS, _quat_at(at), (0.0, 0.0, 1.0), 0.0)), holds.held_s


_ANY = Posed(((0.0, 0.0, 1.0),), 180.0)
_HOLD = HoldRule(start=_ANY, held=_ANY, lean_deg=5.0, rise_m=0.0, min_s=1.0)

STAGES: dict[type, Stage] = {
    PostureClass: Stage(
        PostureClass,
        lambda one, at: (one.step(at * NS_PER_S, _flexed(5.0 * wave(at)), TrunkPosture.UPRIGHT), one.posture),
        PostureClass,
        PostureClassState,
    ),
    StaticPosture: Stage(
        StaticPosture,
        lambda one, at: (one.step(at * TICK_NS, 30.0 + 20.0 * math.sin(at / 60) ** 5), one.held),
        StaticPosture,
        StaticPostureState,
    ),
    Bends: Stage(
        lambda: Bends(24.0),
        lambda one, at: one.step(
            at * TICK_NS, abs(wave(at)), Aside(0.1 * wave(at), 0.2), 9.8 + 0.01 * wave(at), walking=at % 11 == 0
        ),
        lambda state: Bends(24.0, state),
        BendsState,
    ),
    Slouch: Stage(Slouch, _slouch_step, Slouch, SlouchState),
    Timeline: Stage(lambda: Timeline(0, present=True), _timeline_step, Timeline.from_state, TimelineState),
    Orientation: Stage(Orientation, _orientation_step, Orientation.from_state, OrientationState),
    Stillness: Stage(Stillness, _still_step, Stillness.from_state, StillnessState),
    Rest: Stage(Rest, _rest_step, Rest, RestState),
    FunctionalAxis: Stage(FunctionalAxis, _axis_step, FunctionalAxis, FunctionalAxisState),
    FlatTops: Stage(FlatTops, lambda one, at: one.update(_clipped(at)), FlatTops, FlatTopsState),
    Frozen: Stage(Frozen, lambda one, at: one.update(_frozen_block(at)), Frozen, FrozenState),
    MovingTogether: Stage(MovingTogether, _together_step, MovingTogether, MovingTogetherState),
    Loss: Stage(Loss, lambda one, at: one.update(_clipped(at)), Loss, LossState),
    Section: Stage(movement_lowpass, lambda one, at: one.step(wave(at)), movement_lowpass, SectionState),
    Vertical: Stage(Vertical, lambda one, at: one.step(9.81 + 0.1 * wave(at)), Vertical, VerticalState),
    Movements: Stage(Movements, _movements_step, Movements, MovementsState),
    Holds: Stage(lambda: Holds(_HOLD), _holds_step, lambda state: Holds(_HOLD, state), HoldsState),
    VerticalBounds: Stage(
        lambda: VerticalBounds(1), _bounds_step, lambda state: VerticalBounds(1, state), VerticalBoundsState
    ),
    Crests: Stage(Crests, lambda one, at: one.step(at * BLOCK_NS, 9.81 + 0.1 * wave(6 * at)), Crests, CrestsState),
    Steps: Stage(
        Steps,
        lambda one, at: (
            one.step(at * BLOCK_NS, 9.81 + 0.1 * wave(6 * at), (0.0, 1.0, 0.0)),
            one.is_walking(at * BLOCK_NS),
        ),
        Steps,
        StepsState,
    ),
    WalkingGate: Stage(
        WalkingGate,
        lambda one, at: (
            one.step(BLOCKS[at], UPRIGHT),
            one.verdict((at - 20) * BLOCK_NS, at * BLOCK_NS, BLOCK_NS, lifts=False),
        ),
        WalkingGate,
        WalkingGateState,
    ),
    TurningPoints: Stage(
        lambda: TurningPoints(10.0, 0.5), _turn_step, lambda state: TurningPoints(10.0, 0.5, state), TurningPointsState
    ),
    Repetitions: Stage(_Reps, _reps_step, _Reps, RepetitionsState),
    Strokes: Stage(Strokes, _strokes_step, Strokes, StrokesState),
    Excursion: Stage(lambda: Excursion(2), _excursion_step, lambda state: Excursion(2, state), ExcursionState),
    Neutral: Stage(
        lambda: Neutral.at(np.array([1.0, 0, 0, 0]), np.array([0.0, -1, 0]), Posture.STANDING),
        lambda one, at: one.rotation_since(np.array([[math.cos(at / 9), 0.0, math.sin(at / 9), 0.0]])).tobytes(),
        Neutral,
        NeutralState,
    ),
}


def _state_of(stage: Any) -> Any:
    return stage.state() if callable(stage.state) else stage.state


def test_the_table_knows_every_stage_that_has_a_state() -> None:
    found = set()
    for info in pkgutil.iter_modules(processing.dsp.__path__):
        module = importlib.import_module(f"processing.dsp.{info.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and not issubclass(kind, msgspec.Struct | tuple):
                source = inspect.getsource(kind)
                if "self.state = " in source or "def state(" in source:
                    found.add(kind)
    assert found == set(STAGES)


@pytest.mark.parametrize("kind", STAGES, ids=lambda kind: kind.__name__)
def test_a_stage_goes_on_bit_for_bit_from_its_encoded_state(kind: type) -> None:
    stage = STAGES[kind]
    whole, broken = stage.make(), stage.make()
    for at in range(STEPS - 1):
        if at % 23 == 7:
            data = msgspec.msgpack.encode(_state_of(broken))
            broken = stage.again(msgspec.msgpack.decode(data, type=stage.kind))
        assert stage.step(whole, at) == stage.step(broken, at), at


@pytest.mark.parametrize("kind", STAGES, ids=lambda kind: kind.__name__)
def test_a_stage_says_something_other_than_its_first_answer(kind: type) -> None:
    stage = STAGES[kind]
    one = stage.make()
    assert len({repr(stage.step(one, at)) for at in range(STEPS - 1)}) > 1


@given(st.lists(st.integers(0, 400), max_size=12).map(sorted))
def test_the_grid_does_not_depend_on_how_samples_are_cut(cuts: list[int]) -> None:
    rng = np.random.default_rng(3)
    t_ns = np.cumsum(rng.integers(7_000_000, 13_000_000, 400)).astype(np.int64)
    t_ns[200:] += 400_000_000
    t_ns[300:] += 200_000_000
    values = rng.normal(0, 1, (400, 6))
    samples = SampleBlock(SensorId("s"), t_ns, values[:, :3], values[:, 3:])
    whole, parts = Timeline(0, present=True), Timeline(0, present=True)
    whole.push(samples)
    expected = [whole.take(at) for at in range(95)]
    index, got = 0, []
    for begin, end in zip([0, *cuts], [*cuts, 400], strict=True):
        if end > begin:
            parts.push(samples.part(begin, end))
        while index < 95 and parts.is_decided(index):
            got.append(parts.take(index))
            index += 1
    assert len(got) > 80
    assert any(block is None for block in got)
    for one, other in zip(got, expected, strict=False):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.acc.tobytes() == other.acc.tobytes()
            assert one.gyr.tobytes() == other.gyr.tobytes()
            assert one.bridged == other.bridged
