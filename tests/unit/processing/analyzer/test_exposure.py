from __future__ import annotations

import msgspec
import pytest

from processing.analyzer.exposure import WINDOW_NS, Exposure, ExposureState
from processing.analyzer.ledger import Ledger, LedgerState
from processing.domain.posture_findings import TrunkExposure
from processing.domain.posture_types import TrunkBand, Verdict
from processing.dsp.bends import Bend
from processing.dsp.blocks import NS_PER_S
from processing.dsp.trunk_axes import TICK_NS

SESSION = "00000000-0000-4000-8000-000000000001"
START_NS = 1000 * WINDOW_NS


def bend(peak_deg: float, twist_deg: float = 0.0) -> Bend:
    return Bend(0, 1, 2, peak_deg, 0.0, twist_deg, 0.0, 0.0, None)


def watch(
    exposure: Exposure, ledger: Ledger, begin_s: float, seconds: float, flexion: float, aside: float = 0.0
) -> None:
    first = START_NS + round(begin_s * NS_PER_S)
    for t_ns in range(first, first + round(seconds * NS_PER_S), TICK_NS):
        exposure.take(t_ns, flexion, aside, lying=False, ledger=ledger)


def sums(exposure: Exposure, ledger: Ledger) -> list[TrunkExposure]:
    exposure.flush(ledger)
    return [finding for finding in ledger.drain() if isinstance(finding, TrunkExposure)]


def test_seconds_are_summed_by_band_and_threshold() -> None:
    exposure, ledger = Exposure(), Ledger(LedgerState(SESSION))
    for begin, seconds, angle in ((0.0, 40.0, 5.0), (40.0, 10.0, 25.0), (50.0, 20.0, 45.0), (70.0, 5.0, 70.0)):
        watch(exposure, ledger, begin, seconds, angle)
    exposure = Exposure(msgspec.msgpack.decode(msgspec.msgpack.encode(exposure.state), type=ExposureState))
    (one,) = sums(exposure, ledger)
    assert one.band_s == pytest.approx({TrunkBand.ACCEPTABLE: 40.0, TrunkBand.MODERATE: 30.0, TrunkBand.STEEP: 5.0})
    assert (one.upright_s, one.over_30_s, one.over_60_s) == pytest.approx((75.0, 25.0, 5.0))
    assert one.rula_s == pytest.approx({"2": 40.0, "3": 30.0, "4": 5.0})
    assert one.owas_s == pytest.approx({"1": 40.0, "2": 35.0})
    assert one.peak_flexion_deg == 70.0


def test_windows_end_at_quarters_of_an_hour() -> None:
    exposure, ledger = Exposure(), Ledger(LedgerState(SESSION))
    watch(exposure, ledger, 890.0, 20.0, 5.0)
    first, second = sums(exposure, ledger)
    assert first.t1_ns == second.t0_ns == START_NS + WINDOW_NS
    assert first.upright_s == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("bends", "forward", "aside"),
    [
        ([], Verdict.ACCEPTABLE, Verdict.ACCEPTABLE),
        ([bend(40.0)], Verdict.ACCEPTABLE, Verdict.ACCEPTABLE),
        ([bend(70.0)], Verdict.CONDITIONAL, Verdict.ACCEPTABLE),
        ([bend(40.0, twist_deg=-15.0)], Verdict.ACCEPTABLE, Verdict.CONDITIONAL),
        ([bend(40.0, twist_deg=15.0)] * 4, Verdict.NOT_ACCEPTABLE, Verdict.NOT_ACCEPTABLE),
    ],
)
def test_how_often_the_trunk_bends_is_judged(bends: list[Bend], forward: Verdict, aside: Verdict) -> None:
    exposure, ledger = Exposure(), Ledger(LedgerState(SESSION))
    watch(exposure, ledger, 0.0, 90.0, 5.0)
    for one in bends:
        exposure.add_bend(one, knees_bent=False)
    (found,) = sums(exposure, ledger)
    assert (found.forward, found.aside) == (forward, aside)
    assert found.bends == len(bends)


def test_a_steep_lean_that_is_held_is_not_acceptable_and_a_short_look_says_nothing() -> None:
    exposure, ledger = Exposure(), Ledger(LedgerState(SESSION))
    watch(exposure, ledger, 0.0, 70.0, 65.0)
    exposure.add_static(TrunkBand.STEEP)
    (long,) = sums(exposure, ledger)
    watch(exposure, ledger, 100.0, 50.0, 5.0)
    (short,) = sums(exposure, ledger)
    assert (long.forward, short.forward, short.aside) == (Verdict.NOT_ACCEPTABLE, None, None)
