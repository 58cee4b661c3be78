"""What goes wrong with a wearable now and then: it slips on the skin, it gets stuck, its radio fades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_sim.motion.curves import Floats, smooth_step

_BLOCK_S = 60.0
_LONGEST_FADE_S = 10.0
_KEY = 0x6661_6465


@dataclass(frozen=True, slots=True)
class Slip:
    """The sensor turns on the skin: a step if ``seconds`` is short, a slow creep if it is long.

    Attributes:
        at_s: true time at which it begins.
        axis: unit vector that it turns about, sensor frame.
        angle_deg: how far the body turns as seen from the sensor.
    """

    at_s: float
    seconds: float
    axis: tuple[float, float, float]
    angle_deg: float

    def felt(self, t_s: Floats, acc: Floats, gyr: Floats) -> tuple[Floats, Floats]:
        """Readings, each (n, 3), of the sensor that turns, from those of one that does not; it feels its own turn.

        The lever arm is left as it was: the sensor turns about its own centre.
        """
        step = smooth_step(t_s, self.at_s, self.seconds)
        angle = np.radians(self.angle_deg)
        acc_now, gyr_now = (self._turned(vector, angle * step.value) for vector in (acc, gyr))
        return acc_now, gyr_now - np.array(self.axis) * (angle * step.rate)[:, None]

    def _turned(self, vector: Floats, angle_rad: Floats) -> Floats:
        # Rodrigues, sums written out: NumPy may add in another order when n changes.
        x, y, z = self.axis
        a, b, c = vector[:, 0], vector[:, 1], vector[:, 2]
        sine, cosine = np.sin(angle_rad), np.cos(angle_rad)
        along = (x * a + y * b + z * c) * (1.0 - cosine)
        turned: Floats = np.stack(
            [
                a * cosine + (y * c - z * b) * sine + x * along,
                b * cosine + (z * a - x * c) * sine + y * along,
                c * cosine + (x * b - y * a) * sine + z * along,
            ],
            axis=1,
        )
        return turned


@dataclass(frozen=True, slots=True)
class Stuck:
    """The sensor repeats one reading, as a driver does that is not told of a broken bus.

    Attributes:
        at_s: true time of the reading that is repeated.
        seconds: for how long.
    """

    at_s: float
    seconds: float

    def holds(self, t_s: Floats) -> npt.NDArray[np.bool_]:
        """Which of n instants show that reading."""
        return np.asarray((t_s >= self.at_s) & (t_s < self.at_s + self.seconds))


@dataclass(frozen=True, slots=True)
class Fading:
    """Times without radio: so many a minute on average, with lengths drawn from an exponential distribution.

    The real recordings show single packets lost at random and no such holes (wheelchair_trunk: 2 % in runs of 1 to 3
    samples, squat_lowback: one every 2 s); people who walk away from the gateway have them. Sizes are estimates.
    """

    per_min: float
    mean_s: float

    def at(self, seed: int, t_s: Floats) -> npt.NDArray[np.bool_]:
        """Which of n instants, in order, lie in a time without radio.

        Drawn minute by minute, so that an instant always gets the same answer.
        """
        gone = np.zeros(t_s.size, dtype=np.bool_)
        first, last = int((t_s[0] - _LONGEST_FADE_S) // _BLOCK_S), int(t_s[-1] // _BLOCK_S)
        for block in range(max(first, 0), last + 1):
            rng = np.random.Generator(np.random.Philox(key=np.array([seed ^ _KEY, block], dtype=np.uint64)))
            count = int(rng.poisson(self.per_min))
            starts_s = _BLOCK_S * (block + rng.random(count))
            ends_s = starts_s + np.minimum(rng.exponential(self.mean_s, count), _LONGEST_FADE_S)
            for start_s, end_s in zip(starts_s, ends_s, strict=True):
                gone |= (t_s >= start_s) & (t_s < end_s)
        return gone
