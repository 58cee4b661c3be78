from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.domain.posture_types import TrunkPosture
from processing.dsp.blocks import BLOCK_NS, NS_PER_S
from processing.dsp.posture_class import PostureClass, Taken, upright_as
from processing.dsp.slouch import Sitting, Slouch, Slouched, sitting_between
from processing.dsp.trunk_axes import Lean, trunk_axes, up_of

_LEVEL = (1.0, 0.0, 0.0, 0.0)


def flexed(degrees: float) -> Lean:
    return Lean(-math.sin(math.radians(degrees)), math.cos(math.radians(degrees)), 0.0)


def postures(leans: list[tuple[float, Lean]], stage: PostureClass) -> list[Taken]:
    """Postures that end when each lean lasts for some seconds."""
    ended, t_ns = [], stage.state.newest_ns + BLOCK_NS
    for seconds, lean in leans:
        for _ in range(round(seconds * NS_PER_S / BLOCK_NS)):
            ended.append(stage.step(t_ns, lean, TrunkPosture.UPRIGHT))
            t_ns += BLOCK_NS
    return [one for one in [*ended, stage.finish()] if one is not None]


@given(st.floats(-179.0, 179.0), st.floats(-80.0, 80.0))
def test_lean_reads_back_the_angles_that_a_trunk_was_turned_by(flexion: float, bend: float) -> None:
    f, b = math.radians(flexion), math.radians(bend)
    lean = Lean(-math.sin(f) * math.cos(b), math.cos(f) * math.cos(b), -math.sin(b))
    assert lean.flexion_deg == pytest.approx(flexion, abs=1e-6)
    assert lean.right_bend_deg == pytest.approx(bend, abs=1e-6)


@given(st.lists(st.floats(-1.0, 1.0), min_size=4, max_size=4).filter(lambda q: math.hypot(*q) > 0.1))
def test_a_segment_leans_no_way_in_the_pose_that_gave_its_axes(numbers: list[float]) -> None:
    quat = [number / math.hypot(*numbers) for number in numbers]
    up = up_of(quat)
    across = min(([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]), key=lambda axis: abs(up[axis.index(1.0)]))
    axes = trunk_axes(up, across)
    assert axes is not None
    assert axes.lean(quat) == pytest.approx((0.0, 1.0, 0.0), abs=1e-9)


def test_axes_that_point_the_same_way_are_no_axes() -> None:
    assert trunk_axes((0.0, 0.0, 1.0), (0.1, 0.0, 1.0)) is None


@pytest.mark.parametrize(
    ("lean", "posture"),
    [
        (flexed(20.0), TrunkPosture.UPRIGHT),
        (flexed(58.0), TrunkPosture.UPRIGHT),
        (flexed(75.0), TrunkPosture.FACE_DOWN),
        (flexed(145.0), TrunkPosture.HEAD_DOWN),
        (flexed(-80.0), TrunkPosture.SUPINE),
        (Lean(0.1, 0.1, 0.99), TrunkPosture.LEFT_SIDE),
        (Lean(-0.1, 0.1, -0.99), TrunkPosture.RIGHT_SIDE),
    ],
)
def test_gravity_tells_the_posture(lean: Lean, posture: TrunkPosture) -> None:
    (taken,) = postures([(4.0, lean)], PostureClass())
    assert taken.posture is posture


def test_a_posture_must_last_to_be_one_and_begins_when_it_was_taken() -> None:
    first, second = postures(
        [(10.0, flexed(0.0)), (1.5, flexed(90.0)), (5.0, flexed(0.0)), (6.0, flexed(90.0))], PostureClass()
    )
    assert (first.posture, second.posture) == (TrunkPosture.UPRIGHT, TrunkPosture.FACE_DOWN)
    assert second.t0_ns == first.t1_ns
    assert second.t1_ns - second.t0_ns == pytest.approx(6.0 * NS_PER_S, abs=2 * BLOCK_NS)


def test_a_lean_at_the_border_does_not_flicker() -> None:
    leans = [(5.0, flexed(0.0))] + [(3.0, flexed(60.0)), (3.0, flexed(66.0))] * 4
    assert [one.posture for one in postures(leans, PostureClass())] == [TrunkPosture.UPRIGHT]


def test_sitting_down_turns_the_pelvis_back_and_flattens_the_lordosis() -> None:
    upright = TrunkPosture.UPRIGHT
    assert upright_as(-18.0, -2.0, upright, walking=False) is TrunkPosture.SITTING
    assert upright_as(1.0, 0.0, upright, walking=False) is TrunkPosture.STANDING
    assert upright_as(20.0, 30.0, upright, walking=False) is upright
    assert upright_as(20.0, 30.0, TrunkPosture.SITTING, walking=False) is TrunkPosture.SITTING
    assert upright_as(-18.0, -2.0, upright, walking=True) is TrunkPosture.STANDING


def test_the_way_from_upright_to_slump_is_measured_over_both_sensors() -> None:
    upright, slump = [flexed(-18.0), flexed(-2.0)], [flexed(-28.0), flexed(6.0)]
    assert sitting_between([*upright], [*upright], [*slump]).share == pytest.approx(0.0)
    assert sitting_between([*slump], [*upright], [*slump]).share == pytest.approx(1.0)
    half = [flexed(-23.0), flexed(2.0)]
    assert sitting_between([*half], [*upright], [*slump]).share == pytest.approx(0.5, abs=0.01)
    from_the_hips = [flexed(2.0), flexed(18.0)]
    assert sitting_between([*from_the_hips], [*upright], [*slump]).share < 0.0


def test_without_a_slump_of_ones_own_half_of_the_usual_one_is_slouching() -> None:
    assert sitting_between([flexed(5.0)], [flexed(0.0)], None) == pytest.approx((0.5, 5.0))


def slouching(shares: list[tuple[float, float]], angle_deg: float = 8.0) -> tuple[list[Slouched], list[int]]:
    stage, t_ns = Slouch(), 0
    ended, cues = [], []
    for seconds, share in shares:
        for _ in range(round(seconds * NS_PER_S / BLOCK_NS)):
            ended.append(stage.step(t_ns, Sitting(share, angle_deg)))
            cues.append(stage.cue_due())
            t_ns += BLOCK_NS
    return [one for one in [*ended, stage.finish()] if one is not None], [cue for cue in cues if cue is not None]


def test_slouching_lasts_until_it_is_released_and_reminds_after_each_delay() -> None:
    (one,), cues = slouching([(10.0, 0.1), (70.0, 0.8), (70.0, 0.4), (10.0, 0.1)])
    assert one.t0_ns == 10 * NS_PER_S
    assert one.t1_ns - one.t0_ns == pytest.approx(140 * NS_PER_S, abs=2 * BLOCK_NS)
    assert 0.4 < one.share < 0.8
    assert cues == [30 * NS_PER_S, 120 * NS_PER_S]


def test_short_or_small_slouching_is_none() -> None:
    assert slouching([(25.0, 0.9), (5.0, 0.1), (25.0, 0.9), (5.0, 0.1)]) == ([], [])
    assert slouching([(60.0, 0.9)], angle_deg=4.9) == ([], [])
    assert slouching([(60.0, 0.45)]) == ([], [])
