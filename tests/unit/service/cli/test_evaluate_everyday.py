from __future__ import annotations

from service.cli.evaluation import figures
from service.cli.evaluation.everyday import everyday_figures
from service.cli.evaluation.progress import Progress


def test_everyday_wear_is_judged_by_what_a_simulated_person_did() -> None:
    rows = {row.measure: row for row in everyday_figures(1, Progress()) if not row.comparison}
    assert rows[figures.BENDS_FOUND].note == "12 of 12"
    assert rows[figures.SLOUCHES_FOUND].note == "2 of 2"
    assert rows[figures.FALSE_BENDS].value == 0.0
    posture, seat = rows[figures.POSTURE_TIME], rows[figures.SEAT_TIME]
    assert posture.value is not None
    assert seat.value is not None
    assert posture.value > 95.0
    assert 0.0 < seat.value <= 100.0
