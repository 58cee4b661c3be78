"""What the pages show, worked out before a template sees it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from processing.domain.exercises import CATALOGUE, Channel, Evidence, Exercise
from processing.domain.findings import Finding
from processing.domain.samples import Placement
from service.api.events import ConnectionEvent, GatewayView, OverviewEvent, SensorView, Snapshot, Wording
from service.api.ports import ControlState, Session, Subject
from service.api.results import (
    CalibrationResult,
    FaultResult,
    best_rom,
    last_calibrations,
    sensor_faults,
    set_results,
)
from service.api.set_result import NO_VALUE, Dose, SetResult, dose_of
from service.api.wording import name_of

UNITS = {Dose.COUNT: "repetitions", Dose.HOLD: "seconds held", Dose.TIME: "minutes"}

PLACEMENT_WORDS = {Placement.PELVIS: "Pelvis", Placement.THORAX: "Upper back"}


@dataclass(frozen=True, slots=True)
class Plane:
    """One plane of the gauge.

    Attributes:
        index: place in the angle triples of a live frame.
        sign: 1 if positive angles swing the needle to the right, -1 to the left.
        limit_deg: angle at either end of the arc: a little beyond what healthy backs reach (flexion of trunk and hips
            together), so that the needle stays inside.
        negative, positive: names of the directions, and the committed range of motion that belongs to each.
    """

    code: str
    name: str
    index: int
    sign: int
    limit_deg: int
    negative: str
    positive: str
    negative_rom: str
    positive_rom: str

    @property
    def left(self) -> str:
        """Direction at the left end of the arc."""
        return self.negative if self.sign > 0 else self.positive

    @property
    def right(self) -> str:
        """Direction at the right end of the arc."""
        return self.positive if self.sign > 0 else self.negative


PLANES = (
    Plane("flexion", "Bend", 0, 1, 90, "back", "forward", "extension", "flexion"),
    Plane("lateral_bend", "Side", 1, 1, 45, "left", "right", "left_bend", "right_bend"),
    Plane("axial_rotation", "Turn", 2, -1, 60, "right", "left", "right_rotation", "left_rotation"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One exercise to choose."""

    code: str
    name: str
    dose: Dose
    plane: str
    note: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A small state: what, in which state, with a tone that has its own shape and colour."""

    key: str
    what: str
    state: Wording


@dataclass(frozen=True, slots=True)
class Figure:
    """The big figure of the live page; ``running`` while a set goes on."""

    text: str
    name: str
    note: str
    dose: Dose
    running: bool

    @property
    def unit(self) -> str:
        """What the figure counts; earlier holds of a running set are not known to a page that opens now."""
        return "seconds held now" if self.running and self.dose is Dose.HOLD else UNITS[self.dose]


@dataclass(frozen=True, slots=True)
class Results:
    """What was committed in a session."""

    sets: tuple[SetResult, ...]
    calibrations: tuple[CalibrationResult, ...]
    faults: tuple[FaultResult, ...] = ()

    @property
    def last(self) -> SetResult | None:
        """The set completed last."""
        return self.sets[-1] if self.sets else None

    @property
    def best(self) -> dict[str, float]:
        """Best angle per direction in this session, degrees: the target zone of the gauge."""
        return {direction.value: round(angle, 1) for direction, angle in best_rom(self.sets).items()}


@dataclass(frozen=True, slots=True)
class Row:
    """One person in the list."""

    subject: Subject
    overview: OverviewEvent
    exercise: str
    reps: str
    sensors: tuple[str, ...]
    last: Session | None


def results_of(findings: Sequence[Finding]) -> Results:
    """Results from committed findings of ``RESULT_KINDS``."""
    return Results(set_results(findings), last_calibrations(findings), sensor_faults(findings))


def choices() -> tuple[Choice, ...]:
    """The catalogue, as the page offers it."""
    return tuple(
        Choice(
            exercise.code,
            exercise.name,
            dose_of(exercise.code),
            plane_of(exercise),
            _note(exercise),
        )
        for exercise in CATALOGUE.values()
    )


def plane_of(exercise: Exercise) -> str:
    """Plane that the gauge shows for an exercise."""
    angles = {plane.code for plane in PLANES}
    shown = (channel.channel.value for channel in exercise.channels if channel.channel.value in angles)
    return next(shown, Channel.FLEXION.value)


def chips(connection: ConnectionEvent, *, open_session: bool, receiving: dict[str, bool]) -> tuple[Chip, ...]:
    """Chips of the connection; ``receiving`` says for each placement whether samples come in the open session."""
    gateway = Chip("gateway", "Gateway", _gateway_state(connection.following, connection.gateway))
    sensors = (
        Chip(
            f"sensor-{sensor.placement}",
            PLACEMENT_WORDS[sensor.placement],
            _sensor_state(sensor, open_session=open_session, receiving=receiving.get(sensor.placement)),
        )
        for sensor in connection.sensors
    )
    return (gateway, *sensors)


def figure(snapshot: Snapshot, results: Results) -> Figure:
    """What the page shows large before the first live event, and all that it shows without JavaScript."""
    frame = snapshot.frame
    if frame is not None and frame.exercise is not None:
        dose = dose_of(frame.exercise)
        text = {Dose.COUNT: str(sum(frame.reps.values())), Dose.HOLD: f"{frame.held_s or 0:.0f}", Dose.TIME: "0:00"}
        return Figure(text[dose], name_of(frame.exercise), f"Set {frame.set_number}, live", dose, running=True)
    if results.last is not None and snapshot.session is not None:
        last = results.last
        return Figure(last.figure, last.name, f"Set {last.set_number}, saved", last.dose, running=False)
    note = "Choose an exercise" if snapshot.session else "No session is open"
    return Figure(NO_VALUE, "No exercise yet", note, Dose.COUNT, running=False)


def start_note(snapshot: Snapshot) -> str:
    """What became of the command that shall open the session; empty when all is well."""
    if snapshot.session is None or snapshot.session.start is ControlState.APPLIED:
        return ""
    if snapshot.session.start is ControlState.EXPIRED:
        return "The gateway did not answer. Check that it is on and in reach, then start again."
    if snapshot.session.start is ControlState.REFUSED:
        return "Starting the session was not possible. Check the sensors, then start again."
    return "Waiting for the gateway…"


def row(subject: Subject, overview: OverviewEvent, connection: ConnectionEvent, last: Session | None) -> Row:
    """Row of the list."""
    exercise = overview.exercise
    return Row(
        subject=subject,
        overview=overview,
        exercise=name_of(exercise) if exercise else NO_VALUE,
        reps=NO_VALUE if overview.reps is None else str(overview.reps),
        sensors=tuple(PLACEMENT_WORDS[sensor.placement] for sensor in connection.sensors),
        last=last,
    )


def _note(exercise: Exercise) -> str:
    if dose_of(exercise.code) is Dose.TIME:
        return "time and steps" if exercise.steps and exercise.evidence is not Evidence.NOT_CHECKED else "time only"
    return "" if exercise.evidence is Evidence.REAL else "tried in simulation only"


def _gateway_state(following: bool, gateway: GatewayView | None) -> Wording:  # noqa: FBT001 - private, one caller
    if gateway is None:
        return Wording("no sensor paired", "off")
    if not following or gateway.online is None:
        return Wording("not known", "off")
    return Wording("online", "good") if gateway.online else Wording("off or out of reach", "bad")


def _sensor_state(sensor: SensorView, *, open_session: bool, receiving: bool | None) -> Wording:
    if sensor.connected is None:
        return Wording("not known", "off")
    if not sensor.connected:
        return Wording("not connected", "bad")
    if open_session and receiving is not None:
        return Wording("receiving", "good") if receiving else Wording("no samples", "watch")
    return Wording("connected", "good")
