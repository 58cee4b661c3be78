"""Norms of ranges and speeds, and what counts as a change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.domain.findings import RomDirection, RomMeasured, RomSegment
from processing.domain.rom_change import RomTrend, trend
from processing.domain.rom_norms import range_norm_deg, speed_norm_dps


def measured(angle_deg: float, direction: RomDirection = RomDirection.FLEXION, noise_deg: float = 4.0) -> RomMeasured:
    return RomMeasured(
        finding_id="f",
        session_id="s",
        ordinal=0,
        t0_ns=0,
        t1_ns=1,
        algorithm="rom/2",
        quality=1.0,
        exercise="standing_flexion_extension",
        set_number=1,
        segment=RomSegment.LUMBAR,
        direction=direction,
        angle_deg=angle_deg,
        method="isb_zxy_from_neutral",
        calibration_id=None,
        noise_deg=noise_deg,
    )


def test_norms_are_those_of_the_paper_at_both_ends_of_its_ages() -> None:
    assert [range_norm_deg(RomDirection.FLEXION, age) for age in (16, 53, 90)] == [72.0, 56.0, 40.0]
    assert [range_norm_deg(RomDirection.EXTENSION, age) for age in (16, 90)] == [29.0, 6.0]
    assert [range_norm_deg(RomDirection.LEFT_ROTATION, age) for age in (16, 90)] == [7.0, 7.0]


@given(st.sampled_from(RomDirection), st.floats(16, 90), st.floats(16, 90))
def test_no_norm_grows_with_age(direction: RomDirection, one: float, other: float) -> None:
    young, old = sorted((one, other))
    assert (range_norm_deg(direction, young) or 0.0) >= (range_norm_deg(direction, old) or 0.0)


def test_outside_the_ages_measured_there_is_no_norm() -> None:
    assert range_norm_deg(RomDirection.FLEXION, 12) is None
    assert range_norm_deg(RomDirection.FLEXION, 91) is None
    assert speed_norm_dps(RomDirection.FLEXION, 19) is None
    assert speed_norm_dps(RomDirection.LEFT_BEND, 40) is None
    assert [speed_norm_dps(RomDirection.FLEXION, age) for age in (35, 36, 75)] == [114.0, 100.0, 83.0]


@pytest.mark.parametrize(
    ("now_deg", "direction", "said"),
    [
        (49.0, RomDirection.FLEXION, RomTrend.UNCHANGED),
        (51.0, RomDirection.FLEXION, RomTrend.GREATER),
        (49.0, RomDirection.LEFT_BEND, RomTrend.GREATER),
        (31.0, RomDirection.LEFT_BEND, RomTrend.SMALLER),
    ],
)
def test_a_change_is_more_than_measuring_twice_may_differ(
    now_deg: float, direction: RomDirection, said: RomTrend
) -> None:
    assert trend(measured(now_deg, direction), measured(40.0, direction)) is said


def test_two_noisy_measurements_must_differ_by_more() -> None:
    assert trend(measured(52.0, noise_deg=9.0), measured(40.0, noise_deg=9.0)) is RomTrend.UNCHANGED


def test_different_directions_are_not_compared() -> None:
    assert trend(measured(50.0), measured(20.0, RomDirection.EXTENSION)) is None
