"""Vertical displacement by leaky double integration (signals.md §3.2 no. 5)."""

from __future__ import annotations

import math

import msgspec

from processing.domain.samples import GRAVITY_MPS2
from processing.dsp.blocks import GRID_S, NS_PER_S

LEAK_S = 1.5
"""Time constant of both integrators: long enough for a squat of 2.5 s, short enough to forget drift
(signals.md §3.3)."""

GRAVITY_TIME_S = 10.0
"""Time constant of the mean that is taken as 1 g: the scale error of cheap accelerometers is 3 % (squat_lowback)."""

_KEEP = math.exp(-GRID_S / LEAK_S)
_FORGET = -math.expm1(-GRID_S / GRAVITY_TIME_S)


class VerticalState(msgspec.Struct):
    """State of ``Vertical``, SI units."""

    gravity: float = GRAVITY_MPS2
    velocity: float = 0.0
    displacement: float = 0.0


class Vertical:
    """Height of the sensor against where it was a moment ago."""

    def __init__(self, state: VerticalState | None = None) -> None:
        self.state = state or VerticalState()

    def step(self, up_mps2: float) -> float:
        """Displacement in metres from the vertical acceleration (gravity included)."""
        state = self.state
        motion = up_mps2 - state.gravity
        state.gravity += _FORGET * motion
        state.velocity = _KEEP * state.velocity + motion * GRID_S
        state.displacement = _KEEP * state.displacement + state.velocity * GRID_S
        return state.displacement

    @property
    def speed_mps(self) -> float:
        """Vertical speed, high-passed by the leak without the lead of its phase.

        The displacement ``z`` is the true one through ``(s / (s + 1 / LEAK_S))²``. Undoing that takes
        ``z' + 2 z / LEAK_S + (integral of z) / LEAK_S²``; without the last term, which would drift, the phase still is
        right within 2° at the 2.5 s of a squat and 5° at 4 s.
        """
        return self.state.velocity + self.state.displacement / LEAK_S

    def reset(self) -> None:
        """Forget the movement, keep the level of 1 g."""
        self.state.velocity = 0.0
        self.state.displacement = 0.0


def speed_lead_ns(period_ns: int) -> int:
    """How much earlier ``speed_mps`` shows a movement of a period than it is made: 0.03 s at 2.5 s, 0.07 s at 3.5 s.

    Phase of ``s (s + 2 a) / (s + a)² · s / (s + g)``, ``a = 1 / LEAK_S`` and ``g = 1 / GRAVITY_TIME_S``, which turns
    the true speed into that one.
    """
    omega = 2.0 * math.pi * NS_PER_S / period_ns
    a = 1.0 / LEAK_S
    leak = 0.5 * math.pi + math.atan2(omega, 2.0 * a) - 2.0 * math.atan2(omega, a)
    return round((leak + math.atan2(1.0 / GRAVITY_TIME_S, omega)) / omega * NS_PER_S)
