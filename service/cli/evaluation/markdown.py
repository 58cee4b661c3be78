"""The figures of an evaluation as part of a page for people to read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from service.cli.evaluation.figures import Result, Row, shown
from service.cli.marked_page import write_part

COMMAND = "evaluate"
"""Command whose marks the page has."""

MOST_PEOPLE = 12
"""People whose values stand in a table of their own; of more, those who miss most targets."""

_MARKS = {Result.PASS: "holds", Result.FAIL: "**does not hold**"}


def accuracy_page(path: Path, rows: Sequence[Row], day: date, pictures: Mapping[str, Path] | None = None) -> None:
    """Write the figures between the marks of a page, or a page of its own where there is none.

    Raises:
        SettingsError: the page has no marks, or cannot be read or written.
    """
    links = {name: os.path.relpath(file, path.parent) for name, file in (pictures or {}).items()}
    write_part(path, COMMAND, f"Measured on {day.isoformat()}.\n\n{markdown(rows, links)}")


def markdown(rows: Sequence[Row], links: Mapping[str, str]) -> str:
    """One table of everything that has a target, then each set with its people, its picture and its comparisons."""
    parts = ["### Summary\n", *_summary([row for row in rows if row.target is not None])]
    for name in dict.fromkeys(row.set for row in rows):
        own = [row for row in rows if row.set == name]
        judged = [row for row in own if row.target is not None] or own
        parts += [f"\n### {name}\n", *_details(judged)]
        parts += _people([row for row in judged if row.per_person])
        if name in links:
            parts.append(f"\n![The worst recording of {name}: what was found against what is true]({links[name]})")
        parts += _folded([row for row in own if row not in judged])
    return "\n".join(parts)


def _summary(rows: Sequence[Row]) -> Iterator[str]:
    yield from _table("set", "measure", "value", "target", "result", "best simple method", "people", "recordings")
    for row in rows:
        result = _MARKS.get(row.result, row.result.value)
        counts = (str(row.people or "-"), str(row.recordings or "-"))
        yield _line(row.set, row.measure, row.shown_value, row.target or "", result, row.shown_baseline, *counts)


def _details(rows: Sequence[Row]) -> Iterator[str]:
    yield from _table("measure", "value", "rests on", "how", "note")
    for row in rows:
        yield _line(row.measure, row.shown_value, row.rests_on, row.method, row.remark)


def _people(rows: Sequence[Row]) -> Iterator[str]:
    """The same per person, for each measure that is known per person."""
    people = sorted({person for row in rows for person in row.per_person})
    if not people:
        return
    listed = people
    if len(people) > MOST_PEOPLE:
        missing = {person: sum(_misses(row, person) for row in rows) for person in people}
        listed = sorted(people, key=lambda person: -missing[person])[:MOST_PEOPLE]
        short = sum(count > 0 for count in missing.values())
        yield f"\n{len(people) - short} of {len(people)} people reach every target by themselves. Who misses most:"
    yield ""
    yield from _table("person", *(row.measure for row in rows))
    for person in listed:
        values = (row.per_person.get(person) for row in rows)
        yield _line(
            person, *("" if one is None else shown(one, row.unit) for one, row in zip(values, rows, strict=True))
        )


def _misses(row: Row, person: str) -> bool:
    value = row.per_person.get(person)
    above = row.at_most is not None and value is not None and value > row.at_most
    below = row.at_least is not None and value is not None and value < row.at_least
    return above or below


def _folded(rows: Sequence[Row]) -> Iterator[str]:
    """Rows that are not judged, folded away."""
    if not rows:
        return
    yield f"\n<details><summary>For comparison: {len(rows)} more rows</summary>\n"
    yield from _details(rows)
    yield "\n</details>"


def _table(*headings: str) -> Iterator[str]:
    yield _line(*headings)
    yield _line(*["---"] * len(headings))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
