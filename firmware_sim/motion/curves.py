"""Smooth curves with their first two derivatives, in closed form.

A trajectory is only as consistent as its derivatives, so nothing here is differentiated numerically.
All formulas work element by element: the same instant gives the same bits however a query is cut.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Jet(NamedTuple):
    """A function of time at n instants: value, first and second derivative, equal shapes."""

    value: Floats
    rate: Floats
    acceleration: Floats


def smooth_step(t_s: Floats, start_s: float | Floats, seconds: float | Floats) -> Jet:
    """0 before ``start_s``, 1 after ``start_s + seconds``, three continuous derivatives between.

    The polynomial of degree 7 that has three vanishing derivatives at both ends (minimum snap).
    Reaching movements of people are close to the one of degree 5 (Flash & Hogan 1985, minimum jerk); the extra
    order keeps jerk continuous, and peak speed is 2.19 instead of 1.88 times the mean.
    """
    u = np.clip((t_s - start_s) / seconds, 0.0, 1.0)
    u2 = u * u
    u3 = u2 * u
    return Jet(
        u2 * u2 * (35.0 + u * (-84.0 + u * (70.0 - 20.0 * u))),
        u3 * (140.0 + u * (-420.0 + u * (420.0 - 140.0 * u))) / seconds,
        u2 * (420.0 + u * (-1680.0 + u * (2100.0 - 840.0 * u))) / (seconds * seconds),
    )


def smooth_start(t_s: Floats, start_s: float, seconds: float) -> Jet:
    """Distance covered at unit speed when the speed is ``smooth_step``: the integral of that, s."""
    u = np.clip((t_s - start_s) / seconds, 0.0, 1.0)
    u2 = u * u
    ramp = u2 * u2 * u * (7.0 + u * (-14.0 + u * (10.0 - 2.5 * u)))
    beyond = np.maximum(t_s - start_s - seconds, 0.0)
    step = smooth_step(t_s, start_s, seconds)
    return Jet(ramp * seconds + beyond, step.value, step.rate)


def sine(phase: Jet) -> Jet:
    """Sine of a phase in radians that is itself a function of time."""
    s, c = np.sin(phase.value), np.cos(phase.value)
    return Jet(s, c * phase.rate, c * phase.acceleration - s * phase.rate * phase.rate)


def product(a: Jet, b: Jet) -> Jet:
    """Product of two functions."""
    return Jet(
        a.value * b.value,
        a.rate * b.value + a.value * b.rate,
        a.acceleration * b.value + 2.0 * a.rate * b.rate + a.value * b.acceleration,
    )


def total(a: Jet, b: Jet) -> Jet:
    """Sum of two functions."""
    return Jet(a.value + b.value, a.rate + b.rate, a.acceleration + b.acceleration)
