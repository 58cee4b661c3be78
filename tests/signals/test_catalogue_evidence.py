"""What the catalogue calls checked is counted exactly; what it does not is not promised to anybody."""

from __future__ import annotations

import pytest

from processing.domain.exercises import CATALOGUE, Evidence
from processing.domain.findings import SetCompleted
from tests.signals.test_held_poses import POSES
from tests.signals.test_simulated_people import EXERCISES, ROUND_AND_ROUND, assert_counts_and_ranges, run

PROMISED = sorted(code for code, one in CATALOGUE.items() if not one.time_only and code not in EXERCISES)


@pytest.mark.parametrize("code", PROMISED)
def test_every_count_that_the_page_promises_is_exact_in_simulation(code: str) -> None:
    result = run(11, exercises=(code,))
    (done,) = result.of_set(SetCompleted, 1)
    assert sum(done.reps.values()) == len(result.truth[0].reps) > 0
    assert_counts_and_ranges(result)


def test_only_what_is_counted_here_or_in_the_other_tests_is_called_checked() -> None:
    checked = {code for code, one in CATALOGUE.items() if one.evidence is not Evidence.NOT_CHECKED}
    assert checked == {*PROMISED, *EXERCISES, *ROUND_AND_ROUND, *POSES}
