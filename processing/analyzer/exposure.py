"""Sums of what the trunk goes through, by quarters of an hour of the clock."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from processing.analyzer.ledger import Ledger
from processing.domain.posture_findings import TrunkExposure
from processing.domain.posture_rules import (
    BENT_ASIDE_DEG,
    EXPOSED_DEG,
    STEEP_DEG,
    aside_verdict,
    band_of,
    forward_verdict,
    owas_back,
    reba_trunk,
    rula_trunk,
)
from processing.domain.posture_types import TrunkBand, Verdict
from processing.dsp.bends import Bend
from processing.dsp.blocks import NS_PER_S
from processing.dsp.trunk_axes import TICK_NS

_K = TypeVar("_K")

ALGORITHM = "trunk_exposure/1"

WINDOW_NS = 15 * 60 * NS_PER_S
"""Windows begin at whole quarters of an hour, so that those of several sensors and days fit together."""


MIN_JUDGED_MIN = 1.0
"""A frequency per minute needs at least a minute."""


class ExposureState(msgspec.Struct):
    """State of ``Exposure``: ticks counted by what was seen in them."""

    t0_ns: int = 0
    t1_ns: int = 0
    upright: int = 0
    lying: int = 0
    bands: dict[TrunkBand, int] = msgspec.field(default_factory=dict)
    over_30: int = 0
    over_60: int = 0
    aside: int = 0
    rula: dict[int, int] = msgspec.field(default_factory=dict)
    reba: dict[int, int] = msgspec.field(default_factory=dict)
    bends: int = 0
    knees_bent: int = 0
    turned_left: int = 0
    turned_right: int = 0
    peak_deg: float = 0.0
    owas: dict[int, int] = msgspec.field(default_factory=dict)
    steep_bends: int = 0
    bends_aside: int = 0
    static_moderate: bool = False
    static_steep: bool = False


class Exposure:
    """Adds up ticks and bends, and states the sums when a window is over."""

    def __init__(self, state: ExposureState | None = None) -> None:
        self.state = state or ExposureState()

    def take(self, t0_ns: int, flexion_deg: float, right_bend_deg: float, *, lying: bool, ledger: Ledger) -> None:
        """Take a tick that begins at ``t0_ns``."""
        if t0_ns // WINDOW_NS != self.state.t0_ns // WINDOW_NS:
            self.flush(ledger)
        state = self.state
        if not state.upright and not state.lying:
            state.t0_ns = t0_ns
        state.t1_ns = t0_ns + TICK_NS
        if lying:
            state.lying += 1
            return
        state.upright += 1
        state.over_30 += flexion_deg > EXPOSED_DEG
        state.over_60 += flexion_deg > STEEP_DEG
        aside = abs(right_bend_deg) > BENT_ASIDE_DEG
        state.aside += aside
        state.peak_deg = max(state.peak_deg, flexion_deg)
        _count(state.bands, band_of(flexion_deg))
        _count(state.rula, rula_trunk(flexion_deg, twisted=False, bent_aside=aside))
        _count(state.reba, reba_trunk(flexion_deg, twisted=False, bent_aside=aside))
        _count(state.owas, owas_back(flexion_deg, twisted=False, bent_aside=aside))

    def add_bend(self, bend: Bend, *, knees_bent: bool) -> None:
        """Take a bend; it belongs to the window in which it ended."""
        state = self.state
        state.bends += 1
        state.steep_bends += bend.peak_deg > STEEP_DEG
        side_deg, twist_deg = bend.right_bend_deg or 0.0, bend.left_twist_deg or 0.0
        state.bends_aside += max(abs(side_deg), abs(twist_deg)) > BENT_ASIDE_DEG
        state.knees_bent += knees_bent
        state.turned_left += twist_deg > BENT_ASIDE_DEG
        state.turned_right += twist_deg < -BENT_ASIDE_DEG

    def add_static(self, band: TrunkBand) -> None:
        """Take a static inclination; it belongs to the window in which it ended."""
        self.state.static_moderate |= band is TrunkBand.MODERATE
        self.state.static_steep |= band is TrunkBand.STEEP

    def flush(self, ledger: Ledger) -> None:
        """State the sums of the window under way, if anything was seen in it."""
        state, self.state = self.state, ExposureState()
        if not state.upright and not state.lying:
            return
        ledger.add(
            TrunkExposure,
            t0_ns=state.t0_ns,
            t1_ns=state.t1_ns,
            algorithm=ALGORITHM,
            quality=1.0,
            upright_s=_seconds(state.upright),
            lying_s=_seconds(state.lying),
            band_s={band: _seconds(count) for band, count in state.bands.items()},
            over_30_s=_seconds(state.over_30),
            over_60_s=_seconds(state.over_60),
            aside_s=_seconds(state.aside),
            rula_s={str(score): _seconds(count) for score, count in state.rula.items()},
            reba_s={str(score): _seconds(count) for score, count in state.reba.items()},
            owas_s={str(code): _seconds(count) for code, count in state.owas.items()},
            bends=state.bends,
            knees_bent=state.knees_bent,
            turned_left=state.turned_left,
            turned_right=state.turned_right,
            peak_flexion_deg=state.peak_deg,
            forward=_forward(state),
            aside=_aside(state),
        )


def _forward(state: ExposureState) -> Verdict | None:
    """The worse of what is said about all bends, as moderate ones, and about the steep ones."""
    minutes = _seconds(state.upright) / 60.0
    if minutes < MIN_JUDGED_MIN:
        return None
    moderate = forward_verdict(STEEP_DEG, state.bends / minutes, static=state.static_moderate)
    if not state.steep_bends and not state.static_steep:
        return moderate
    steep = forward_verdict(90.0, state.steep_bends / minutes, static=state.static_steep)
    return max(moderate, steep, key=list(Verdict).index)


def _aside(state: ExposureState) -> Verdict | None:
    minutes = _seconds(state.upright) / 60.0
    if minutes < MIN_JUDGED_MIN:
        return None
    return aside_verdict(90.0, state.bends_aside / minutes) if state.bends_aside else Verdict.ACCEPTABLE


def _count(counts: dict[_K, int], key: _K) -> None:
    counts[key] = counts.get(key, 0) + 1


def _seconds(ticks: int) -> float:
    return ticks * TICK_NS / NS_PER_S
