from __future__ import annotations

import pytest

from gateway.host_clock import HostClock, OpenSessions
from processing.domain.commands import EndSession, EndSet, SensorPlacement, StartSession
from processing.domain.samples import Placement

HOUR_NS = 3_600_000_000_000
SECOND_NS = 1_000_000_000


class Machine:
    def __init__(self) -> None:
        self.steady_ns = 5 * SECOND_NS
        self.wall_ns = 1_790_000_000 * SECOND_NS
        self.clock = HostClock(lambda: self.steady_ns, lambda: self.wall_ns)

    def wait(self, seconds: int) -> None:
        self.steady_ns += seconds * SECOND_NS
        self.wall_ns += seconds * SECOND_NS


@pytest.mark.parametrize("by_ns", [-HOUR_NS, 72 * HOUR_NS])
def test_setting_the_machines_clock_moves_ours_only_when_nobody_holds_it(by_ns: int) -> None:
    machine = Machine()
    before_ns = machine.clock.utc_ns()
    machine.wall_ns += by_ns
    machine.wait(2)
    assert machine.clock.follow_machine(hold=True) == 0
    assert machine.clock.utc_ns() == before_ns + 2 * SECOND_NS
    assert machine.clock.follow_machine(hold=False) == by_ns
    assert machine.clock.utc_ns() == machine.wall_ns
    assert machine.clock.follow_machine(hold=False) == 0


def test_a_difference_below_a_second_is_no_reason_to_break_a_time_line() -> None:
    machine = Machine()
    machine.wall_ns += SECOND_NS
    assert machine.clock.follow_machine(hold=False) == 0
    assert machine.clock.error_ns() == SECOND_NS
    machine.wall_ns += 1
    assert machine.clock.follow_machine(hold=False) == SECOND_NS + 1


def start(number: int, *sensors: str) -> StartSession:
    placed = tuple(SensorPlacement(sensor_id=sensor, placement=Placement.PELVIS) for sensor in sensors)
    return StartSession(session_id=f"s{number}", sensors=placed)


def test_a_session_is_active_until_its_last_samples_may_have_come() -> None:
    sessions = OpenSessions()
    assert not sessions.active(0)
    sessions.follow(start(1, "a", "b"), 0)
    sessions.follow(EndSet(session_id="s1"), 0)
    assert sessions.active(HOUR_NS)
    sessions.follow(EndSession(session_id="s1"), HOUR_NS)
    assert sessions.active(HOUR_NS + 4 * SECOND_NS)
    sessions.follow(EndSession(session_id="s1"), HOUR_NS + 4 * SECOND_NS)
    assert not sessions.active(HOUR_NS + 5 * SECOND_NS), "a command that has no effect holds nothing"


def test_a_session_ends_when_another_takes_its_sensor() -> None:
    sessions = OpenSessions()
    sessions.follow(start(1, "a", "b"), 0)
    sessions.follow(start(2, "c"), 0)
    sessions.follow(start(3, "b"), 0)
    for number in (2, 3):
        assert sessions.active(HOUR_NS)
        sessions.follow(EndSession(session_id=f"s{number}"), 0)
    assert not sessions.active(HOUR_NS)


def test_sessions_that_nobody_ends_are_bounded() -> None:
    sessions = OpenSessions()
    for number in range(100):
        sessions.follow(start(number, f"sensor-{number}"), 0)
    for number in range(36, 100):
        assert sessions.active(HOUR_NS)
        sessions.follow(EndSession(session_id=f"s{number}"), 0)
    assert not sessions.active(HOUR_NS)
