"""``lumbar evaluate``: accuracy of the signal core on recordings of people, and on simulated ones."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from processing.domain.errors import SettingsError
from service.cli.evaluation.figures import Figure, Result, Row, judged, shown
from service.cli.evaluation.folder import Folder
from service.cli.evaluation.markdown import accuracy_page
from service.cli.evaluation.progress import Progress
from service.cli.evaluation.questions import JUDGED_PEOPLE, LEAVE_ONE_OUT, OTHER_PEOPLE, Question, questions

MISSED = 1
"""Exit code with ``--strict`` if a target does not hold, or was not measured."""

_STYLES = {Result.PASS: "green", Result.FAIL: "red", Result.NOT_MEASURED: "yellow", Result.ABSENT: "yellow"}


def evaluate_command(
    folder: Annotated[Path, typer.Argument(help="Folder with one folder of recordings per set.")],
    only: Annotated[
        list[str] | None, typer.Option(help="Ask only this (a name of the column set); repeatable.")
    ] = None,
    people: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help=f"Simulated people; else {JUDGED_PEOPLE}, {OTHER_PEOPLE} without a target."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=256, help="Processes; else one per processor core.")] = None,
    page: Annotated[Path | None, typer.Option(help="Markdown file to put figures and pictures into.")] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for pictures of the worst recordings; else beside the page.")
    ] = None,
    *,
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="Also vary the parameters, judged by people left out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list of rows instead of a table.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a target does not hold.")] = False,
) -> None:
    """Hold the signal core against people whose movements are known."""
    if not folder.is_dir():
        raise SettingsError(f"{folder} is no folder")
    draw = _artist(pictures or (page.parent / "images" / "accuracy" if page is not None else None))
    opened = Folder(folder)
    asked = [*_chosen(questions(people), only or ()), *([LEAVE_ONE_OUT] if leave_one_out else [])]
    with _workers(jobs or os.cpu_count() or 1) as workers, Console(stderr=True).status("lumbar evaluate") as status:
        rows = evaluate(opened, asked, Progress(status, workers))
    drawn = draw(opened, rows)
    if page is not None:
        accuracy_page(page, rows, datetime.now(UTC).date(), drawn)
    errors = Console(stderr=True)
    for name, reason in opened.broken.items():
        errors.print(f"left out {name}: {reason}", markup=False, highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(rows), indent=1))
    else:
        Console().print(*_tables(rows))
    if strict and any(row.target is not None and row.holds is not True for row in rows):
        raise SystemExit(MISSED)


def evaluate(folder: Folder, asked: Sequence[Question], progress: Progress) -> tuple[Row, ...]:
    """Rows of all questions, in their order; a set that the folder does not have gives rows that say so."""
    measured: list[Row] = []
    for question in asked:
        if question.needs is not None and not folder.has(question.needs):
            measured += judged((), absent=(question.name,))
            continue
        progress.begin(question.name)
        found: Sequence[Figure] = question.ask(folder, progress)
        measured += judged(found)
    return tuple(measured)


def _artist(directory: Path | None) -> Callable[[Folder, Sequence[Row]], dict[str, Path]]:
    """What draws into a folder; asked for before anything is measured, because matplotlib may be missing."""
    if directory is None:
        return lambda _folder, _rows: {}
    try:
        from service.cli.evaluation.pictures import draw_pictures  # noqa: PLC0415 - an optional part
    except ImportError as error:
        raise SettingsError("--page and --pictures need matplotlib: pip install 'lumbar[plot]'") from error
    return lambda folder, rows: draw_pictures(folder, rows, directory)


def _workers(jobs: int) -> AbstractContextManager[Executor | None]:
    """Processes that start afresh: a copy of this one would have its threads' locks without the threads."""
    return nullcontext() if jobs == 1 else ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))


def _chosen(known: Sequence[Question], names: Collection[str]) -> Sequence[Question]:
    unknown = set(names) - {question.name for question in known}
    if unknown:
        raise SettingsError(f"--only {min(unknown)!r}: known are {', '.join(question.name for question in known)}")
    return [question for question in known if not names or question.name in names]


def _tables(rows: Sequence[Row]) -> Iterator[Table]:
    """One table per set, so that it fits a terminal."""
    for name in dict.fromkeys(row.set for row in rows):
        table = Table(title=name, title_justify="left", expand=True)
        table.add_column("measure, method, note", ratio=1)
        for heading in ("value", "target", "simple"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("result")
        for row in rows:
            if row.set == name:
                table.add_row(*_cells(row))
        yield table


def _cells(row: Row) -> Sequence[Text]:
    what = Text(row.measure)
    simple, beside = "", ""
    if row.baseline is not None:
        simple, beside = shown(row.baseline.value, row.unit), f"simple: {row.baseline.name}"
    for detail in (row.method, row.rests_on, row.remark, beside):
        if detail:
            what.append(f"\n{detail}", style="dim")
    numbers = [Text(cell) for cell in (row.shown_value, row.target or "", simple)]
    return [what, *numbers, Text(row.result.value, style=_STYLES.get(row.result, ""))]
