"""Everyday wear that is put away during a set goes on afterwards where it was."""

from __future__ import annotations

from processing.analyzer.everyday import Everyday
from processing.analyzer.ledger import Ledger, LedgerState
from processing.domain.posture_types import SittingPose
from processing.domain.samples import Placement

WORN = (Placement.PELVIS, Placement.THORAX)


def test_what_was_asked_for_before_a_set_is_still_asked_for_after_it() -> None:
    everyday, untouched = Everyday(WORN), Everyday(WORN)
    untouched.watch()
    everyday.watch().capture(SittingPose.UPRIGHT, 5)
    before = everyday.state()
    assert before != untouched.state()
    everyday.pause(Ledger(LedgerState("session")))
    assert everyday.state() == before
    everyday.watch()
    assert everyday.state() == before


def test_a_restored_one_goes_on_where_the_state_was_taken() -> None:
    everyday = Everyday(WORN)
    everyday.watch().capture(SittingPose.SLUMP, 7)
    restored = Everyday(WORN, everyday.state())
    assert restored.watch().state() == everyday.watch().state()
