from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from processing.domain.commands import Name, StartExercise, UuidText
from processing.domain.errors import DecodeError, RecordingError
from processing.domain.exercises import CATALOGUE, Counting, UnknownExerciseError, exercise_of
from processing.domain.ids import SessionId, finding_uuid

SESSION = SessionId("6f9619ff-8b86-d011-b42d-00cf4fc964ff")


def test_the_same_finding_has_the_same_id_everywhere() -> None:
    assert finding_uuid(SESSION, "rep_completed", 4) == "9c7b3acb-ef10-5053-96b2-f25dd0ab7f96"


def test_findings_of_other_ordinals_kinds_and_sessions_have_other_ids() -> None:
    ids = {
        finding_uuid(SessionId(session), kind, ordinal)
        for session in (SESSION, str(UUID(int=1)))
        for kind in ("rep_completed", "set_started")
        for ordinal in range(3)
    }

    assert len(ids) == 12


def test_a_session_id_that_is_no_uuid_is_refused() -> None:
    with pytest.raises(DecodeError, match="not a UUID"):
        finding_uuid(SessionId("monday"), "rep_completed", 0)


def test_an_unknown_exercise_names_the_known_ones() -> None:
    with pytest.raises(UnknownExerciseError, match="squat"):
        exercise_of("sqaut")


def test_counted_exercises_have_a_channel_with_a_floor_and_timed_ones_have_none() -> None:
    for exercise in CATALOGUE.values():
        assert (exercise.counting is Counting.COUNTED) == bool(exercise.channels), exercise.code
        assert all(channel.floor > 0 for channel in exercise.channels), exercise.code


def test_a_recording_error_says_file_line_and_column() -> None:
    assert str(RecordingError("a.csv", "no number", 7, "acc_x")) == "a.csv, line 7, column acc_x: no number"


@pytest.mark.parametrize(
    ("kind", "text"), [(Name, "imu-1"), (UuidText, SESSION), (StartExercise, "squat")], ids=["name", "uuid", "exercise"]
)
def test_no_name_ends_with_a_newline(kind: object, text: str) -> None:
    def value(of: str) -> object:
        return {"type": "start_exercise", "session_id": SESSION, "exercise": of} if kind is StartExercise else of

    assert msgspec.convert(value(text), kind)
    for bad in (text + "\n", text + "\n\n", "\n" + text):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(value(bad), kind)
