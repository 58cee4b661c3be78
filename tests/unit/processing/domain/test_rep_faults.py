"""What people are told of a fault."""

from __future__ import annotations

import pytest

from processing.domain.exercises import CATALOGUE, Counting, Exercise
from processing.domain.rep_faults import FAULT_WORDS, FaultSeen, RepFault, Unit, in_words


def test_there_is_a_sentence_for_every_fault() -> None:
    assert set(FAULT_WORDS) == set(RepFault)


@pytest.mark.parametrize("fault", RepFault)
def test_the_sentence_names_what_was_found(fault: RepFault) -> None:
    words = in_words(FaultSeen(fault=fault, found=31.4, usual=20.0, unit=Unit.DEGREES))
    assert "31°" in words
    assert words.endswith(".")


def test_sizes_and_times_have_their_units() -> None:
    shallow = FaultSeen(fault=RepFault.SHALLOW, found=0.314, usual=0.5, unit=Unit.METRES)
    fast = FaultSeen(fault=RepFault.TOO_FAST, found=0.98, usual=1.2, unit=Unit.SECONDS)
    assert in_words(shallow) == "The movement was only 0.31 m; usually it is 0.50 m."
    assert in_words(fast) == "It took 1.0 s; at least 1.2 s is asked for."


@pytest.mark.parametrize("exercise", CATALOGUE.values(), ids=lambda one: one.code)
def test_faults_are_of_repetitions_and_come_once(exercise: Exercise) -> None:
    assert not exercise.faults or exercise.counting is Counting.COUNTED
    assert len({rule.fault for rule in exercise.faults}) == len(exercise.faults)
    assert all(rule.margin_deg > 0.0 for rule in exercise.faults)
