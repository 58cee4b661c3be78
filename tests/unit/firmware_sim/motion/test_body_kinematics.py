"""Do the simulated sensors feel exactly the trajectory that they move on?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import cumulative_simpson
from scipy.spatial.transform import Rotation

from firmware_sim.motion.body import draw_body
from firmware_sim.motion.kinematics import angles_zxy_deg, rotation_zxy
from firmware_sim.motion.movements import CALIBRATION, MOVEMENTS
from firmware_sim.motion.timeline import Timeline
from processing.domain.samples import GRAVITY_MPS2, Placement

RATE_HZ = 1000.0
CODES = tuple(MOVEMENTS)


def timeline(code: str, seed: int = 3) -> tuple[Timeline, np.ndarray]:
    rng = np.random.default_rng(seed)
    life = Timeline(draw_body(rng), rng)
    truth = life.append(code, reps=1, duration_s=5.0)
    return life, np.arange(0.0, truth.end_s, 1.0 / RATE_HZ)


def product(turns: Rotation) -> Rotation:
    """All turns one after the other, multiplied in pairs because SciPy is slow one by one."""
    while len(turns) > 1:
        last = turns[-1:] if len(turns) % 2 else None
        turns = turns[: len(turns) // 2 * 2 : 2] * turns[1 : len(turns) // 2 * 2 : 2]
        turns = turns if last is None else Rotation.concatenate([turns, last])
    return turns[0]


@pytest.mark.parametrize("placement", list(Placement))
@pytest.mark.parametrize("code", CODES)
def test_integrated_rates_give_the_orientation(code: str, placement: Placement) -> None:
    life, t_s = timeline(code)
    motion = life.motion(placement, t_s)
    middle = life.imu(placement, t_s[:-1] + 0.5 / RATE_HZ).gyr
    reached = Rotation.from_matrix(motion.rotation[0]) * product(Rotation.from_rotvec(middle / RATE_HZ))
    error = (reached.inv() * Rotation.from_matrix(motion.rotation[-1])).magnitude()
    assert np.degrees(error) < 0.001


@pytest.mark.parametrize("placement", list(Placement))
@pytest.mark.parametrize("code", CODES)
def test_twice_integrated_force_gives_the_position(code: str, placement: Placement) -> None:
    life, t_s = timeline(code)
    motion = life.motion(placement, t_s)
    force = np.einsum("nij,nj->ni", motion.rotation, life.imu(placement, t_s).acc)
    acceleration = force - [0.0, GRAVITY_MPS2, 0.0]
    # The velocity at the start is a central difference of the trajectory itself.
    before, after = life.motion(placement, np.array([-1e-4, 1e-4])).position_m
    velocity = (after - before) / 2e-4 + cumulative_simpson(acceleration, dx=1 / RATE_HZ, axis=0, initial=0.0)
    position = motion.position_m[0] + cumulative_simpson(velocity, dx=1 / RATE_HZ, axis=0, initial=0.0)
    assert np.max(np.abs(position - motion.position_m)) < 0.001


@pytest.mark.parametrize("placement", list(Placement))
def test_rate_is_the_derivative_of_the_rotation_at_every_instant(placement: Placement) -> None:
    life, t_s = timeline("seated_rom")
    h = 1e-4
    before, after = (Rotation.from_matrix(life.motion(placement, t_s + d).rotation) for d in (-h, h))
    numeric = (before.inv() * after).as_rotvec() / (2.0 * h)
    assert np.max(np.abs(numeric - life.imu(placement, t_s).gyr)) < 1e-5


@pytest.mark.parametrize("placement", list(Placement))
@pytest.mark.parametrize("code", ["squat", "walking", "standing_rotation", "cat_cow"])
def test_acceleration_is_the_second_derivative_of_the_position(code: str, placement: Placement) -> None:
    life, t_s = timeline(code)
    h = 1e-3
    places = [life.motion(placement, t_s + d).position_m for d in (-h, 0.0, h)]
    numeric = (places[0] - 2.0 * places[1] + places[2]) / h**2
    assert np.max(np.abs(numeric - life.motion(placement, t_s).acceleration)) < 0.005


def test_rotations_are_z_x_y_with_the_signs_of_the_clinic() -> None:
    angles_deg = np.array([[40.0, 0.0, 0.0], [0.0, 20.0, 0.0], [0.0, 0.0, 10.0], [50.0, -12.0, 7.0]])
    expected = Rotation.from_euler("ZXY", angles_deg * [-1.0, 1.0, 1.0], degrees=True).as_matrix()
    assert np.allclose(rotation_zxy(np.radians(angles_deg)), expected, atol=1e-12)
    assert np.allclose(angles_zxy_deg(expected), angles_deg, atol=1e-9)


def test_standing_upright_the_sensor_feels_one_g_up_the_spine() -> None:
    life, _ = timeline("quiet_standing")
    for placement in Placement:
        acc = life.imu(placement, np.arange(0.0, 10.0, 0.01)).acc
        assert np.max(np.abs(acc - [0.0, GRAVITY_MPS2, 0.0])) < 0.2


def test_on_hands_and_knees_gravity_lies_along_minus_x() -> None:
    life, _ = timeline("cat_cow")
    for placement in Placement:
        acc = life.imu(placement, life.end_s + np.arange(0.0, 10.0, 0.01)).acc
        assert np.max(np.abs(acc - [-GRAVITY_MPS2, 0.0, 0.0])) < 0.2


@pytest.mark.parametrize("seed", range(4))
def test_a_squat_feels_like_a_person(seed: int) -> None:
    life, t_s = timeline("squat", seed)
    vertical = life.motion(Placement.PELVIS, t_s)
    assert 0.22 < np.ptp(vertical.position_m[:, 1]) < 0.55
    assert 1.0 < np.max(np.abs(vertical.acceleration[:, 1])) < 6.0


@pytest.mark.parametrize("seed", range(4))
def test_walking_shakes_the_pelvis_by_2_to_5_m_per_s2_in_the_band_of_steps(seed: int) -> None:
    life, t_s = timeline("walking", seed)
    vertical = life.motion(Placement.PELVIS, t_s).acceleration[:, 1]
    assert 2.0 < np.max(np.abs(vertical)) < 5.5
    spectrum = np.abs(np.fft.rfft(vertical)) ** 2
    hz = np.fft.rfftfreq(vertical.size, 1.0 / RATE_HZ)
    assert spectrum[(hz > 0.8) & (hz < 2.8)].sum() > 0.8 * spectrum.sum()


def test_calibration_begins_with_four_still_seconds() -> None:
    life, _ = timeline(CALIBRATION)
    t_s = np.arange(0.0, 4.0, 0.01)
    for placement in Placement:
        imu = life.imu(placement, t_s)
        assert np.degrees(np.max(np.linalg.norm(imu.gyr, axis=1))) < 3.0
        assert np.max(np.std(imu.acc, axis=0)) < 0.1
