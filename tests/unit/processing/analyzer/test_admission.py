"""Repetitions are let through in order, and wait only while they may have been the first steps of a walk."""

from __future__ import annotations

import math

import numpy as np

from processing.analyzer.admission import Admission, AdmissionState
from processing.analyzer.counters import Counted, Outcome, Rejected
from processing.analyzer.sensor import Frame
from processing.domain.exercises import Channel
from processing.domain.findings import RomSegment
from processing.domain.rejections import RejectionReason
from processing.domain.samples import GRAVITY_MPS2
from processing.dsp.blocks import BLOCK_NS, BLOCK_SAMPLES, GRID_S, NS_PER_S, GridBlock
from processing.dsp.repetitions import Rep

LEVEL = np.tile([1.0, 0.0, 0.0, 0.0], (BLOCK_SAMPLES, 1))
TEMPO_S = (2.0, 12.0)


def frame(index: int, *, walking: bool) -> Frame:
    t_s = (index * BLOCK_SAMPLES + np.arange(BLOCK_SAMPLES)) * GRID_S
    up = GRAVITY_MPS2 - (2.5 * np.cos(2.0 * math.pi * 1.8 * t_s) if walking else 0.0 * t_s)
    acc = np.ascontiguousarray(np.stack((0.0 * up, 0.0 * up, up), axis=1))
    return Frame(GridBlock(index, acc, np.zeros((BLOCK_SAMPLES, 3))), LEVEL, None, resumed=False, righted=False)


def rep(t0_s: float, t1_s: float, channel: Channel = Channel.FLEXION) -> Counted:
    t0_ns, t1_ns = round(t0_s * NS_PER_S), round(t1_s * NS_PER_S)
    return Counted(channel, Rep(t0_ns, (t0_ns + t1_ns) // 2, t1_ns, 30.0))


def outcomes(
    counted: Counted, walks_s: tuple[float, float] = (math.inf, math.inf), *, lying: bool = False
) -> list[tuple[float, Outcome]]:
    """When and how a repetition was decided that a counter found 0.4 s after its end."""
    admission = Admission(TEMPO_S)
    found_s = counted.rep.t1_ns / NS_PER_S + 0.4
    decided: list[tuple[float, Outcome]] = []
    for index in range(300):
        now_s = index * BLOCK_NS / NS_PER_S
        admission.step(frame(index, walking=walks_s[0] <= now_s < walks_s[1]), lying=lying)
        if found_s <= now_s < found_s + BLOCK_NS / NS_PER_S:
            assert admission.put([counted], RomSegment.THORAX) == []
        decided += [(now_s, outcome) for _, outcome in admission.settled(index * BLOCK_NS)]
    return decided


def reason(decided: list[tuple[float, Outcome]]) -> RejectionReason | None:
    ((_, outcome),) = decided
    return outcome.reason if isinstance(outcome, Rejected) else None


def test_a_repetition_of_somebody_in_place_is_let_through_at_once() -> None:
    ((at_s, outcome),) = outcomes(rep(2.0, 6.0))
    assert outcome == rep(2.0, 6.0)
    assert at_s <= 6.45


def test_who_lies_does_not_walk_whatever_the_lifts_feel_like() -> None:
    assert reason(outcomes(rep(2.0, 6.0), (0.0, 10.0))) is RejectionReason.WALKING
    assert reason(outcomes(rep(2.0, 6.0), (0.0, 10.0), lying=True)) is None


def test_a_repetition_that_ends_in_a_walk_was_walking() -> None:
    assert reason(outcomes(rep(3.0, 6.0), (5.6, 12.0))) is RejectionReason.WALKING
    assert reason(outcomes(rep(3.0, 6.0), (9.0, 14.0))) is None


def test_a_hurried_movement_waits_for_two_seconds_and_is_none_if_a_walk_follows() -> None:
    ((at_s, outcome),) = outcomes(rep(3.0, 4.5))
    assert isinstance(outcome, Counted)
    assert 6.4 <= at_s <= 6.6
    assert reason(outcomes(rep(3.0, 4.5), (6.0, 12.0))) is RejectionReason.WALKING


def test_a_jerk_is_no_repetition() -> None:
    assert reason(outcomes(rep(3.0, 3.9))) is RejectionReason.TOO_FAST


def test_what_a_counter_rejected_is_handed_on_at_once() -> None:
    rejected = Rejected(Channel.FLEXION, 0, 1, 3.0, RejectionReason.OTHER_PLANE)
    assert Admission(None).put([rejected], RomSegment.PELVIS) == [rejected]


def test_a_repetition_that_waits_survives_a_restart() -> None:
    admission = Admission(TEMPO_S)
    for index in range(80):
        admission.step(frame(index, walking=False), lying=False)
    admission.put([rep(2.0, 3.5)], RomSegment.THORAX)
    assert admission.settled(80 * BLOCK_NS) == []
    again = Admission(TEMPO_S, AdmissionState(admission.state.gate, admission.state.waiting))
    assert again.settled(120 * BLOCK_NS) == [(RomSegment.THORAX, rep(2.0, 3.5))]


def test_a_swing_beyond_anatomy_is_the_whole_person_turning() -> None:
    turn = rep(2.0, 6.0, Channel.AXIAL_ROTATION)
    chair = turn._replace(rep=turn.rep._replace(amplitude=365.7))
    ((_, outcome),) = outcomes(chair)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is RejectionReason.TURNED_ROUND
    ((_, trunk),) = outcomes(turn._replace(rep=turn.rep._replace(amplitude=140.0)))
    assert isinstance(trunk, Counted)
