"""What the live streams say: the JSON of every event, made from the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from processing.domain.findings import Finding, LiveFrame
from processing.domain.samples import Placement
from processing.wire.messages import SensorHealth
from service.api.ports import ControlState, Pairing, Session, StoredControl
from service.api.set_result import Dose, dose_of
from service.api.wording import words_of

STALE_MS = 1_500
"""A screen must not look live when the newest sample is older than this (product.md §4.1)."""


class GatewayView(msgspec.Struct, frozen=True):
    """A gateway as screens see it; ``online`` is None as long as nothing was heard of it."""

    gateway_id: str
    online: bool | None
    version: str


class SensorView(msgspec.Struct, frozen=True):
    """A paired sensor as screens see it; None is "not known"."""

    placement: Placement
    sensor_id: str
    connected: bool | None
    battery_percent: int | None
    rate_hz: float | None
    lost_fraction: float | None
    last_sample_ms: int | None


class ConnectionEvent(msgspec.Struct, frozen=True):
    """How the parts between the back and this screen are connected.

    ``following`` tells whether this service hears the broker; while it does not, the rest is what it knew last.
    """

    following: bool
    gateway: GatewayView | None
    sensors: tuple[SensorView, ...]


class FrameEvent(msgspec.Struct, frozen=True):
    """A live frame: provisional, at most ten a second. Angles in degrees, tenths.

    ``age_ms`` is how old the samples were when the frame came in, by the clocks of gateway and service.
    """

    session_id: str
    t_ms: int
    age_ms: int
    exercise: str | None
    set_number: int
    reps: dict[str, int]
    reps_provisional: dict[str, int]
    """``reps`` and the repetition that has turned but may still prove to be none."""
    held_s: float | None
    """How long the pose has been held now, tenths; None while it is not."""
    lumbar: tuple[float, float, float] | None
    trunk: tuple[float, float, float] | None
    calibrated: bool
    sensors: dict[str, bool]


class FindingEvent(msgspec.Struct, frozen=True):
    """A finding before it is committed; the committed one has the same id. ``words`` say it to people."""

    provisional: bool
    finding: Finding
    words: tuple[str, ...]


class SessionView(msgspec.Struct, frozen=True):
    """The open session; ``start`` says how far the command that opens it came."""

    session_id: str
    started_ms: int
    start: ControlState


class SessionEvent(msgspec.Struct, frozen=True):
    """A session began or ended; None when none is open."""

    session: SessionView | None


class ControlEvent(msgspec.Struct, frozen=True):
    """How far a command came."""

    event_id: str
    command: str
    state: ControlState


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that a screen of one person needs to start."""

    connection: ConnectionEvent
    session: SessionView | None
    frame: FrameEvent | None
    set_started_ms: int | None
    controls: tuple[ControlEvent, ...]


class Liveness(StrEnum):
    """One word on a person for the list."""

    EXERCISING = "exercising"
    """Samples are coming and a set is running."""
    RESTING = "resting"
    """Samples are coming, between two sets."""
    READY = "ready"
    """Everything is connected, no session is open."""
    SILENT = "silent"
    """A session is open but no samples come."""
    SENSOR_MISSING = "sensor_missing"
    NO_SENSOR = "no_sensor"
    """Nothing is paired."""
    OFFLINE = "offline"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Wording:
    """How a state is shown: never by colour alone."""

    word: str
    tone: str
    """``good``, ``watch``, ``bad`` or ``off``; style sheets give each its own shape and colour."""


LIVENESS_WORDS: dict[Liveness, Wording] = {
    Liveness.EXERCISING: Wording("Exercising", "good"),
    Liveness.RESTING: Wording("In session", "good"),
    Liveness.READY: Wording("Ready", "good"),
    Liveness.SILENT: Wording("No samples", "watch"),
    Liveness.SENSOR_MISSING: Wording("Sensor missing", "watch"),
    Liveness.NO_SENSOR: Wording("No sensor", "off"),
    Liveness.OFFLINE: Wording("Gateway off", "bad"),
    Liveness.UNKNOWN: Wording("Not known", "off"),
}


class OverviewEvent(msgspec.Struct, frozen=True):
    """One row of the list of people."""

    subject_id: str
    liveness: Liveness
    word: str
    tone: str
    exercise: str | None
    reps: int | None
    set_number: int | None


def frame_event(frame: LiveFrame, now_ns: int) -> FrameEvent:
    """Frame as screens get it."""
    return FrameEvent(
        session_id=frame.session_id,
        t_ms=frame.t_ns // 1_000_000,
        age_ms=max(0, (now_ns - frame.t_ns) // 1_000_000),
        exercise=frame.exercise,
        set_number=frame.set_number,
        reps=frame.reps,
        reps_provisional=frame.reps_provisional or frame.reps,
        held_s=None if frame.held_s is None else round(frame.held_s, 1),
        lumbar=_tenths(frame.lumbar),
        trunk=_tenths(frame.trunk),
        calibrated=frame.calibrated,
        sensors=frame.sensors,
    )


def finding_event(finding: Finding) -> FindingEvent:
    """Finding as screens get it."""
    return FindingEvent(provisional=True, finding=finding, words=words_of(finding))


def reps_shown(frame: LiveFrame | None) -> int | None:
    """Repetitions so far of an exercise that is counted; None for others."""
    if frame is None or frame.exercise is None or dose_of(frame.exercise) is not Dose.COUNT:
        return None
    return sum(frame.reps.values())


def is_recent(now_ns: int, since_ns: int, limit_ns: int) -> bool:
    """Tell whether something was less than ``limit_ns`` ago; what seems to be ahead was before a clock was set back."""
    return 0 <= now_ns - since_ns < limit_ns


def session_view(session: Session | None, start: ControlState | None) -> SessionView | None:
    """Session as screens get it; None if it is over. A session without a stored start command counts as open."""
    if session is None or session.ended_ns is not None:
        return None
    return SessionView(session.session_id, session.started_ns // 1_000_000, start or ControlState.APPLIED)


def sensor_view(pairing: Pairing, health: SensorHealth | None) -> SensorView:
    """Paired sensor as screens get it; ``health`` is None if its gateway said nothing about it."""
    if health is None:
        return SensorView(pairing.placement, pairing.sensor_id, None, None, None, None, None)
    return SensorView(
        placement=pairing.placement,
        sensor_id=pairing.sensor_id,
        connected=health.connected,
        battery_percent=health.battery_percent,
        rate_hz=health.rate_hz,
        lost_fraction=health.lost_fraction,
        last_sample_ms=None if health.last_sample_ns is None else health.last_sample_ns // 1_000_000,
    )


def control_event(control: StoredControl) -> ControlEvent:
    """Command as screens get it."""
    tag = control.message.command.__struct_config__.tag
    assert isinstance(tag, str)
    return ControlEvent(control.message.event_id, tag, control.state)


def _tenths(angles: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
    return None if angles is None else (round(angles[0], 1), round(angles[1], 1), round(angles[2], 1))
