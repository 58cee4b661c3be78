"""Movements that go round and round: walking on the level, on stairs and in water, and cycling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from firmware_sim.motion.body import Body
from firmware_sim.motion.course import LEAD_IN_S, REST_S, Course, Request
from firmware_sim.motion.curves import Floats, Jet, product, sine, smooth_start, smooth_step, total
from firmware_sim.motion.kinematics import COORDINATES, NEUTRAL, Pose
from processing.domain.exercises import Posture

_WANDER = 0.05
"""Amplitude of the wander of the phase, in steps."""


@dataclass(frozen=True, slots=True)
class Oscillation:
    """One sinusoid of gait: ``swing`` times the sine of ``per_step`` cycles a step plus ``phase_rad``."""

    per_step: float
    phase_rad: float
    swing: Pose


@dataclass(frozen=True, slots=True)
class Gait:
    """How steps follow each other; half a turn of the crank is a step too.

    Attributes:
        way: from one step to the next, of the hip centre.
        lean: pose, beyond the neutral one, that is kept meanwhile.
        ramp_steps: steps in which lean and swing grow and fade.
        walks: whether a step is a foot contact.
    """

    step_s: float
    oscillations: tuple[Oscillation, ...]
    way: Pose = NEUTRAL
    lean: Pose = NEUTRAL
    ramp_steps: int = 1
    walks: bool = True


@dataclass(frozen=True, slots=True)
class GaitPath:
    """A gait from a neutral pose and back to it.

    The phase runs from 0 to ``steps``; foot contacts are at 1, 2, ... ``steps``. It wanders by 0.05 of a step
    (``wander`` slow cycles over the whole way), so that no two steps take equally long. Swing and lean grow within the
    first steps and fade within the last; speed takes two steps each.
    """

    start_s: float
    steps: int
    wander: int
    gait: Gait
    stand: Pose

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.steps * self.gait.step_s

    @property
    def end_s(self) -> float:
        """Instant at which the person is back in the neutral pose."""
        return self.start_s + self.seconds

    @property
    def travelled(self) -> Pose:
        """Way between the two neutral poses."""
        return self.gait.way.scaled(self.steps - 2.0)

    def contacts_s(self) -> tuple[float, ...]:
        """Instants of the foot contacts."""
        # The wander is slow and small, so one correction of the even spacing is good to a thousandth of a step.
        even = np.arange(1, self.steps + 1, dtype=np.float64)
        late = _WANDER * np.sin(2.0 * np.pi * self.wander * even / self.steps)
        late = _WANDER * np.sin(2.0 * np.pi * self.wander * (even - late) / self.steps)
        return tuple((self.start_s + (even - late) * self.gait.step_s).tolist())

    def at(self, t_s: Floats) -> Jet:
        """Coordinates at n instants, shape (n, 9)."""
        ramp_s = self.gait.ramp_steps * self.gait.step_s
        phase = self._phase(t_s)
        up = smooth_step(t_s, self.start_s, ramp_s)
        down = smooth_step(t_s, self.end_s - ramp_s, ramp_s)
        envelope = Jet(*(a - b for a, b in zip(up, down, strict=True)))
        path = Jet(
            np.tile(self.stand.coordinates(), (t_s.size, 1)),
            np.zeros((t_s.size, COORDINATES)),
            np.zeros((t_s.size, COORDINATES)),
        )
        path = _added(path, envelope, self.gait.lean)
        for wave in self.gait.oscillations:
            turns = 2.0 * np.pi * wave.per_step
            angle = Jet(wave.phase_rad + turns * phase.value, turns * phase.rate, turns * phase.acceleration)
            path = _added(path, product(envelope, sine(angle)), wave.swing)
        return self._travelling(path, t_s)

    def _phase(self, t_s: Floats) -> Jet:
        clipped = np.clip(t_s, self.start_s, self.end_s) - self.start_s
        slow = 2.0 * np.pi * self.wander / self.seconds
        mean_rate = self.steps / self.seconds
        s, c = np.sin(slow * clipped), np.cos(slow * clipped)
        return Jet(mean_rate * clipped + _WANDER * s, mean_rate + _WANDER * slow * c, -_WANDER * slow * slow * s)

    def _travelling(self, path: Jet, t_s: Floats) -> Jet:
        step_s = self.gait.step_s
        go = smooth_start(t_s, self.start_s, 2.0 * step_s)
        stop = smooth_start(t_s, self.end_s - 2.0 * step_s, 2.0 * step_s)
        gone = Jet(*((started - stopped) / step_s for started, stopped in zip(go, stop, strict=True)))
        return _added(path, gone, self.gait.way)


def _added(path: Jet, size: Jet, pose: Pose) -> Jet:
    swing = pose.coordinates()
    return total(path, Jet(*(part[:, None] * swing for part in size)))


@dataclass(frozen=True, slots=True)
class Cyclic:
    """Going on for about ``duration_s``, in whole steps of the person's cadence."""

    posture: Posture
    gait: Callable[[Body], Gait]
    lead_in_s: float = LEAD_IN_S
    rest_s: float = REST_S

    def course(self, request: Request) -> Course:
        """At least four steps, and enough for the ramps."""
        gait = self.gait(request.body)
        steps = max(4, 2 * gait.ramp_steps, round(request.duration_s / gait.step_s))
        path = GaitPath(request.begin_s, steps, max(1, steps // 9), gait, request.neutral)
        per_min = 60.0 / gait.step_s
        return Course(
            path=path,
            end_s=path.end_s,
            step_times_s=path.contacts_s() if gait.walks else (),
            cadence_per_min=per_min if gait.walks else 0.5 * per_min,
            travelled=path.travelled,
        )


def walking(body: Body) -> Gait:
    """Brisk walking on the level.

    The vertical swing of 4 to 5 cm gives 2-4 m/s2 at the sacrum; the pelvis turns and drops with each stride
    and the thorax turns against it (amplitudes: estimates within ordinary gait).
    """
    size = body.height_m / 1.70
    return Gait(body.step_s, _swings(size, 1.0), way=Pose(hip_forward_m=0.68 * size))


def walking_in_water(body: Body) -> Gait:
    """As on land, 1.5 times as slow and two thirds of the size (signals.md §3.5, estimate); water damps the shocks."""
    size = body.height_m / 1.70
    return Gait(
        1.5 * body.step_s,
        _swings(size, 0.65),
        way=Pose(hip_forward_m=0.45 * size),
        lean=Pose(pelvis_flexion_deg=4.0, lumbar_flexion_deg=2.0),
        ramp_steps=2,
    )


def _swings(size: float, share: float) -> tuple[Oscillation, ...]:
    quarter = 0.5 * np.pi
    swings = (
        Oscillation(0.0, quarter, Pose(pelvis_flexion_deg=2.0, lumbar_flexion_deg=1.0)),
        Oscillation(0.5, 0.0, Pose(pelvis_turn_deg=4.5, lumbar_turn_deg=-7.0, hip_right_m=0.02 * size)),
        Oscillation(0.5, quarter, Pose(pelvis_bend_deg=3.5, lumbar_bend_deg=-5.0)),
        Oscillation(1.0, -quarter, Pose(hip_up_m=0.021 * size)),
        Oscillation(1.0, 0.6, Pose(pelvis_flexion_deg=1.0, lumbar_flexion_deg=-1.2, hip_forward_m=0.008)),
        Oscillation(2.0, 0.9, Pose(hip_up_m=0.0014 * size, hip_forward_m=0.0012)),
    )
    return tuple(Oscillation(one.per_step, one.phase_rad, one.swing.scaled(share)) for one in swings)


def stairs(body: Body, rise_m: float) -> Gait:
    """Stairs: a lean of 18 degrees, up to 30 with the swing, going up (signals.md §4.1), half as much down."""
    up = rise_m > 0.0
    quarter = 0.5 * np.pi
    lean_deg = 18.0 if up else 6.0
    return Gait(
        1.2 * body.step_s,
        (
            Oscillation(0.5, 0.0, Pose(pelvis_turn_deg=4.0, lumbar_turn_deg=-5.0, hip_right_m=0.03)),
            Oscillation(0.5, quarter, Pose(pelvis_bend_deg=5.0, lumbar_bend_deg=-6.0)),
            Oscillation(1.0, -quarter, Pose(hip_up_m=0.03)),
            Oscillation(1.0, 0.6, Pose(pelvis_flexion_deg=3.0, lumbar_flexion_deg=1.0)),
            Oscillation(2.0, 0.9, Pose(hip_up_m=0.003)),
        ),
        way=Pose(hip_forward_m=0.28, hip_up_m=rise_m),
        lean=Pose(pelvis_flexion_deg=0.6 * lean_deg, lumbar_flexion_deg=0.4 * lean_deg),
        ramp_steps=2,
    )


def cycling(body: Body) -> Gait:
    """A stationary bike: 50 to 90 turns a minute, 1-4 degrees at the cadence, bobbing at twice that (estimates)."""
    step_s = 0.5 * 60.0 / (50.0 + 40.0 * body.vigour)
    lean_deg = 12.0 + 28.0 * body.vigour
    return Gait(
        step_s,
        (
            Oscillation(0.5, 0.0, Pose(pelvis_bend_deg=1.5 * body.reach, lumbar_bend_deg=-0.8)),
            Oscillation(0.5, 1.0, Pose(pelvis_turn_deg=1.2 * body.reach, lumbar_turn_deg=-0.8)),
            Oscillation(1.0, 0.4, Pose(hip_up_m=0.006, pelvis_flexion_deg=0.4)),
        ),
        lean=Pose(pelvis_flexion_deg=0.6 * lean_deg, lumbar_flexion_deg=0.4 * lean_deg),
        ramp_steps=6,
        walks=False,
    )
