"""What a session's analyzer is fed with."""

from __future__ import annotations

from dataclasses import dataclass

from processing.domain.commands import Command
from processing.domain.errors import LumbarError
from processing.domain.ids import SensorId
from processing.dsp.blocks import SampleBlock


class SessionRefusedError(LumbarError):
    """A session that cannot be opened."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Lost:
    """Samples of a sensor that will never come, up to ``t1_ns``."""

    sensor_id: SensorId
    t1_ns: int
    cause: str


@dataclass(frozen=True, slots=True)
class Left:
    """A sensor that sends nothing from ``t_ns`` on, until it sends again."""

    sensor_id: SensorId
    t_ns: int
    cause: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """A command and the time of the samples from which it holds."""

    t_ns: int
    command: Command


SessionInput = SampleBlock | Lost | Left | Ordered
