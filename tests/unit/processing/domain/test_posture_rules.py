from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.domain.niosh import Coupling, Lift, LiftUnknownError, lifting_index, weight_limit_kg
from processing.domain.posture_rules import (
    DOSES,
    aside_verdict,
    band_of,
    forward_verdict,
    holding_time_s,
    owas_back,
    reba_trunk,
    rula_trunk,
)
from processing.domain.posture_types import TrunkBand, Verdict

EASY = {
    "load_kg": 11.5,
    "reach_cm": 25.0,
    "height_cm": 75.0,
    "travel_cm": 25.0,
    "twist_deg": 0.0,
    "per_min": 0.2,
    "duration_h": 1.0,
    "coupling": Coupling.GOOD,
}


def lift(**changes: object) -> Lift:
    return Lift(**{**EASY, **changes})


@pytest.mark.parametrize(
    ("angle", "band"),
    [
        (-20.0, TrunkBand.EXTENDED),
        (-3.0, TrunkBand.ACCEPTABLE),
        (20.0, TrunkBand.ACCEPTABLE),
        (20.1, TrunkBand.MODERATE),
        (60.0, TrunkBand.MODERATE),
        (60.1, TrunkBand.STEEP),
    ],
)
def test_inclination_has_the_bands_of_iso_11226(angle: float, band: TrunkBand) -> None:
    assert band_of(angle) is band


@pytest.mark.parametrize(("angle", "seconds"), [(20.1, 239.55), (40.0, 150.0), (60.0, 60.0), (70.0, 0.0)])
def test_the_holding_time_falls_from_four_minutes_to_one(angle: float, seconds: float) -> None:
    assert holding_time_s(angle) == pytest.approx(seconds)


@given(st.floats(-180.0, 20.0))
def test_small_inclinations_may_be_held_as_long_as_one_likes(angle: float) -> None:
    assert holding_time_s(angle) is None


@given(st.floats(-90.0, 120.0), st.floats(0.0, 10.0), st.booleans())
def test_more_often_or_still_is_never_better(angle: float, per_min: float, static: bool) -> None:  # noqa: FBT001
    order = list(Verdict)
    once = order.index(forward_verdict(angle, 0.0, static=False))
    assert order.index(forward_verdict(angle, per_min, static=static)) >= once
    assert order.index(aside_verdict(angle, per_min)) >= order.index(aside_verdict(angle, 0.0))


def test_frequency_decides_between_20_and_60_degrees() -> None:
    assert forward_verdict(40.0, 1.9, static=False) is Verdict.ACCEPTABLE
    assert forward_verdict(40.0, 2.0, static=False) is Verdict.NOT_ACCEPTABLE
    assert forward_verdict(40.0, 0.1, static=True) is Verdict.NOT_ACCEPTABLE
    assert forward_verdict(70.0, 1.0, static=False) is Verdict.CONDITIONAL


@pytest.mark.parametrize(
    ("angle", "rula", "reba", "owas"),
    [(0.0, 2, 1, 1), (15.0, 2, 2, 1), (-30.0, 2, 3, 2), (45.0, 3, 3, 2), (80.0, 4, 4, 2)],
)
def test_scores_of_the_trunk(angle: float, rula: int, reba: int, owas: int) -> None:
    straight = {"twisted": False, "bent_aside": False}
    assert rula_trunk(angle, **straight) == rula
    assert reba_trunk(angle, **straight) == reba
    assert owas_back(angle, **straight) == owas
    both = {"twisted": True, "bent_aside": True}
    assert (rula_trunk(angle, **both), reba_trunk(angle, **both), owas_back(angle, **both)) == (
        rula + 2,
        reba + 1,
        owas + 2,
    )


def test_only_somebody_who_knows_can_say_that_sitting_is_well_supported() -> None:
    assert rula_trunk(0.0, twisted=False, bent_aside=False, well_supported=True) == 1


def test_doses_are_those_of_the_study() -> None:
    assert [(dose.above_deg, dose.usual_min, dose.rise) for dose in DOSES] == [(30.0, 40.0, 0.04), (60.0, 10.0, 0.08)]


def test_the_easiest_lift_may_weigh_23_kg() -> None:
    assert weight_limit_kg(lift()) == pytest.approx(23.0)
    assert lifting_index(lift()) == pytest.approx(0.5)


@pytest.mark.parametrize(("twist", "factor"), [(0.0, 1.0), (30.0, 0.90), (60.0, 0.81), (90.0, 0.71)])
def test_twist_costs_what_the_manual_says(twist: float, factor: float) -> None:
    assert weight_limit_kg(lift(twist_deg=twist)) / 23.0 == pytest.approx(factor, abs=0.005)


@pytest.mark.parametrize("what", sorted(EASY))
def test_without_every_entry_there_is_no_index(what: str) -> None:
    with pytest.raises(LiftUnknownError, match="was not entered"):
        lifting_index(lift(**{what: None}))


@pytest.mark.parametrize(
    "changes",
    [
        {"load_kg": math.nan},
        {"reach_cm": -1.0},
        {"duration_h": 9.0},
        {"twist_deg": 140.0},
        {"reach_cm": 64.0},
        {"per_min": 16.0},
    ],
)
def test_outside_the_equation_there_is_no_index(changes: dict[str, float]) -> None:
    with pytest.raises(LiftUnknownError):
        lifting_index(lift(**changes))


_factors = {
    "reach_cm": st.floats(0.0, 80.0),
    "travel_cm": st.floats(0.0, 200.0),
    "twist_deg": st.floats(0.0, 180.0),
    "per_min": st.floats(0.0, 20.0),
    "duration_h": st.floats(0.0, 8.0),
}


@pytest.mark.parametrize("what", sorted(_factors))
@given(data=st.data())
def test_more_of_it_never_allows_more_weight(what: str, data: st.DataObject) -> None:
    less, more = sorted((data.draw(_factors[what]), data.draw(_factors[what])))
    heights = data.draw(st.floats(0.0, 175.0))
    assert weight_limit_kg(lift(**{what: more}, height_cm=heights)) <= weight_limit_kg(
        lift(**{what: less}, height_cm=heights)
    )
