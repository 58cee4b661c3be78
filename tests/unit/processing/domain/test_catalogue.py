"""Is the catalogue complete and consistent with itself?"""

from __future__ import annotations

import msgspec
import pytest

from processing.domain.exercises import CATALOGUE, Counting, Evidence, Exercise, Posture, Swing
from processing.domain.samples import Placement

EXERCISES = list(CATALOGUE.values())
WANTED = {
    "pelvic_tilt", "cat_cow", "bird_dog", "high_plank", "low_plank", "side_plank", "crunch", "swiss_ball_seated_tilt",
    "ball_bridge", "ball_curl", "iliopsoas_stretch", "hamstring_stretch_standing", "hamstring_stretch_supine",
    "downward_dog", "squat", "sit_to_stand", "lunge", "bridge", "superman", "mckenzie_press_up", "prone_on_elbows",
    "knee_rolling", "knee_to_chest", "calf_stretch", "walking", "stationary_bike", "aquatic_walking", "seated_rom",
    "standing_flexion_extension", "standing_side_bend", "standing_rotation", "quiet_standing", "quiet_sitting",
}  # fmt: skip


def by_code(exercise: Exercise) -> str:
    return exercise.code


def test_every_exercise_of_the_programme_is_there() -> None:
    assert CATALOGUE.keys() == WANTED


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_code)
def test_what_is_counted_has_a_channel_and_a_tempo_and_nothing_else_has(exercise: Exercise) -> None:
    counted = exercise.counting is Counting.COUNTED
    assert bool(exercise.channels) == counted
    assert (exercise.tempo_s is not None) == counted
    if exercise.tempo_s is not None:
        assert 0.0 < exercise.tempo_s[0] < exercise.tempo_s[1]


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_code)
def test_every_floor_is_positive_and_a_channel_comes_once(exercise: Exercise) -> None:
    for one in exercise.channels:
        assert one.floor > 0.0
        assert one.fallback_floor is None or 0.0 < one.fallback_floor <= one.floor
        assert one.fallback is not one.segment
    assert len({one.channel for one in exercise.channels}) == len(exercise.channels)


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_code)
def test_what_is_held_says_how_the_hold_is_seen(exercise: Exercise) -> None:
    if exercise.counting is Counting.HELD:
        assert exercise.hold is not None
    if exercise.counting in (Counting.TIMED, Counting.PATIENT_STARTED):
        assert exercise.hold is None
    if exercise.hold is not None and exercise.channels:
        # A repetition's hold is at its far end, so the channel that is counted shows it.
        assert exercise.hold.lift in exercise.channels
    if exercise.hold is not None:
        assert exercise.hold.lift.segment is exercise.hold.segment


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_code)
def test_evidence_from_real_people_says_how_many(exercise: Exercise) -> None:
    assert (exercise.evidence is Evidence.REAL) == (exercise.evidence_people > 0)


def test_a_count_is_promised_only_where_it_was_checked() -> None:
    promised = {exercise.code for exercise in EXERCISES if not exercise.time_only}
    assert {"squat", "cat_cow", "seated_rom"} <= promised
    assert not promised & {"high_plank", "knee_to_chest", "calf_stretch", "walking"}
    for exercise in EXERCISES:
        if exercise.counting is Counting.PATIENT_STARTED:
            # Nothing at the back tells these.
            assert exercise.evidence is Evidence.NOT_CHECKED


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_code)
def test_every_exercise_names_its_source_in_a_sentence(exercise: Exercise) -> None:
    assert exercise.source.endswith(".")
    assert 10 < len(exercise.source) < 120
    if exercise.posture in (Posture.SUPINE, Posture.PRONE, Posture.SIDE_LYING):
        # Nobody has recordings of these.
        assert "estimate" in exercise.source
        assert exercise.evidence is not Evidence.REAL


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_code)
def test_enough_sensors_are_told_from_the_best_ones(exercise: Exercise) -> None:
    assert exercise.sensors_best
    assert exercise.sensors_enough
    for one in exercise.channels:
        assert {one.segment, one.fallback} - {None} <= exercise.sensors_enough


def test_sensors_follow_from_channels_ranges_and_holds() -> None:
    pelvis, thorax = frozenset({Placement.PELVIS}), frozenset({Placement.THORAX})
    assert (CATALOGUE["squat"].sensors_best, CATALOGUE["squat"].sensors_enough) == (pelvis, pelvis | thorax)
    assert (CATALOGUE["cat_cow"].sensors_best, CATALOGUE["cat_cow"].sensors_enough) == (pelvis | thorax, pelvis)
    assert (CATALOGUE["crunch"].sensors_best, CATALOGUE["crunch"].sensors_enough) == (thorax, thorax)
    assert (CATALOGUE["knee_to_chest"].sensors_best, CATALOGUE["knee_to_chest"].sensors_enough) == (pelvis, pelvis)
    assert CATALOGUE["side_plank"].sensors_enough == pelvis | thorax
    assert CATALOGUE["walking"].sensors_enough == pelvis | thorax


def test_sitting_down_and_squatting_count_from_opposite_ends() -> None:
    assert CATALOGUE["squat"].channels[0].swing is Swing.DOWN_UP
    assert CATALOGUE["sit_to_stand"].channels[0].swing is Swing.UP_DOWN


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_code)
def test_an_exercise_survives_the_wire(exercise: Exercise) -> None:
    assert msgspec.json.decode(msgspec.json.encode(exercise), type=Exercise) == exercise
