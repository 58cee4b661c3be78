"""``lumbar exercises``: the exercise catalogue as people read it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from processing.domain.exercises import CATALOGUE, Channel, CountedChannel, Counting, Evidence, Exercise
from processing.domain.samples import Placement
from service.cli.marked_page import write_part

COMMAND = "exercises"
"""Command whose marks the page has."""

_HEADINGS = ("code", "name", "start pose", "dosed by", "counted on", "sensors", "hold", "tempo", "checked on", "source")

_DOSED = {
    Counting.COUNTED: "repetitions",
    Counting.HELD: "seconds held",
    Counting.TIMED: "minutes",
    Counting.PATIENT_STARTED: "seconds, started by the patient",
}


def exercises_command(page: Path | None) -> None:
    """Print the catalogue, or write it between the marks of a page.

    Raises:
        SettingsError: the page has no marks, or cannot be read or written.
    """
    if page is None:
        Console().print(*map(_table, CATALOGUE.values()))
    else:
        write_part(page, COMMAND, markdown_catalogue())


def markdown_catalogue() -> str:
    """The catalogue of this release as a Markdown table."""
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_cells, CATALOGUE.values())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _table(exercise: Exercise) -> Table:
    code, name, *cells = _cells(exercise)
    table = Table(title=f"{name} ({code})", title_justify="left", show_header=False, expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for heading, cell in zip(_HEADINGS[2:], cells, strict=True):
        table.add_row(heading, cell)
    return table


def _cells(exercise: Exercise) -> tuple[str, ...]:
    return (
        exercise.code,
        exercise.name,
        exercise.posture.value.replace("_", " "),
        _DOSED[exercise.counting],
        "; ".join(map(_counted_on, exercise.channels)) or "-",
        _sensors(exercise),
        "-" if exercise.hold is None else f"from {exercise.hold.min_s:g} s",
        "-" if exercise.tempo_s is None else f"{exercise.tempo_s[0]:g}-{exercise.tempo_s[1]:g} s",
        _checked_on(exercise),
        exercise.source,
    )


def _counted_on(channel: CountedChannel) -> str:
    unit = "m" if channel.channel is Channel.VERTICAL else "°"
    segment = "spine" if channel.segment is None else channel.segment.value
    floor = f"{channel.floor:g} {unit}" if unit == "m" else f"{channel.floor:g}{unit}"
    fallback = "" if channel.fallback is None else f", else {channel.fallback.value}"
    return f"{channel.channel.value.replace('_', ' ')} of the {segment} from {floor}{fallback}"


def _sensors(exercise: Exercise) -> str:
    enough = exercise.sensors_enough
    # without ranges of motion, "both" only says that either will do
    best = exercise.sensors_best if exercise.rom or len(exercise.sensors_best) == 1 else frozenset[Placement]()
    alone = "either" if len(enough) > 1 else "".join(enough)
    if not best or best == enough != frozenset(Placement):
        return alone
    return f"{' and '.join(sorted(best))}, or {alone} alone"


def _checked_on(exercise: Exercise) -> str:
    if exercise.evidence is Evidence.REAL:
        return f"{exercise.evidence_people} real {'person' if exercise.evidence_people == 1 else 'people'}"
    return exercise.evidence.value
