"""The start pose of a set is lost by walking away, and lying exercises have none while the trunk is upright."""

from __future__ import annotations

import numpy as np
import pytest

from processing.analyzer.start_pose import Pose, StartPose, StartPoseState, inclination_deg
from processing.domain.exercises import Posture
from processing.dsp.blocks import BLOCK_NS, NS_PER_S


class Person:
    """Drives the stage second by second."""

    def __init__(self, posture: Posture) -> None:
        self.pose = StartPose(posture)
        self.at = 0

    def spend(
        self, seconds: float, inclination: float | None, *, walking: bool = False, rests: bool = True
    ) -> list[Pose]:
        seen = []
        for number in range(round(seconds * NS_PER_S / BLOCK_NS)):
            rest_ns = (number + 1) * BLOCK_NS if rests else 0
            seen.append(self.pose.step(self.at * BLOCK_NS, inclination, rest_ns, walking=walking))
            self.at += 1
        return seen


def test_who_walks_away_from_an_exercise_done_standing_must_start_it_again() -> None:
    person = Person(Posture.STANDING)
    assert set(person.spend(5.0, 10.0)) == {Pose.HELD}
    walking = person.spend(3.0, 10.0, walking=True)
    assert walking[0] is Pose.LOST
    assert set(walking[1:]) == {Pose.MISSING}
    assert set(person.spend(20.0, 5.0)) == {Pose.MISSING}


def test_an_exercise_done_standing_may_bend_the_trunk_as_far_as_it_likes() -> None:
    assert set(Person(Posture.STANDING).spend(5.0, 110.0)) == {Pose.HELD}


@pytest.mark.parametrize("posture", [Posture.SUPINE, Posture.PRONE, Posture.QUADRUPED, Posture.SIDE_LYING])
def test_a_lying_exercise_begins_when_the_person_rests_lying(posture: Posture) -> None:
    person = Person(posture)
    standing = person.spend(4.0, 8.0)
    assert standing[0] is Pose.LOST
    assert set(standing[1:]) == {Pose.MISSING}
    assert set(person.spend(3.0, 80.0, rests=False)) == {Pose.MISSING}
    lying = person.spend(3.0, 85.0)
    assert lying[-1] is Pose.HELD
    assert lying.index(Pose.HELD) * BLOCK_NS == pytest.approx(NS_PER_S, abs=2 * BLOCK_NS)


def test_who_sits_up_from_a_lying_exercise_has_no_start_pose_until_lying_again() -> None:
    person = Person(Posture.SUPINE)
    assert set(person.spend(2.0, 90.0)) == {Pose.HELD}
    assert Pose.LOST in person.spend(3.0, 10.0)
    assert set(person.spend(2.0, 40.0)) == {Pose.MISSING}
    assert person.spend(2.0, 88.0)[-1] is Pose.HELD


def test_a_swing_through_upright_keeps_the_start_pose() -> None:
    person = Person(Posture.SUPINE)
    person.spend(2.0, 70.0)
    assert set(person.spend(0.5, 25.0)) == {Pose.HELD}
    assert set(person.spend(1.0, 70.0)) == {Pose.HELD}


def test_without_a_known_spine_only_walking_is_noticed() -> None:
    person = Person(Posture.SUPINE)
    assert set(person.spend(3.0, None)) == {Pose.HELD}
    assert person.spend(1.0, None, walking=True)[0] is Pose.LOST


def test_the_state_can_be_taken_over() -> None:
    one = StartPose(Posture.STANDING, StartPoseState(begun=True, missing=True))
    assert one.step(0, 5.0, 0, walking=False) is Pose.MISSING


def test_inclination_is_the_angle_between_the_spine_and_the_vertical() -> None:
    # The sensor's y axis is level after a turn about x by zero, and up after one by 90 degrees.
    level, up = np.array([1.0, 0.0, 0.0, 0.0]), np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0])
    assert inclination_deg(level, np.array([0.0, 1.0, 0.0])) == pytest.approx(90.0)
    assert inclination_deg(up, np.array([0.0, 1.0, 0.0])) == pytest.approx(0.0, abs=1e-6)


def test_standing_up_is_seen_on_a_clock_that_was_set_back_meanwhile() -> None:
    person = Person(Posture.SUPINE)
    person.spend(5.0, 90.0)
    person.spend(0.5, 10.0)
    person.at -= 1000 * NS_PER_S // BLOCK_NS
    person.pose.shift(-1000 * NS_PER_S)
    assert Pose.LOST in person.spend(1.0, 10.0)
