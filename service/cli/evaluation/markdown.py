"""The table of an evaluation as part of a page for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from processing.domain.errors import SettingsError
from service.cli.evaluation.figures import Row

BEGIN = "<!-- lumbar evaluate: begin -->"
END = "<!-- lumbar evaluate: end -->"

_HEADINGS = ("set", "measure", "method", "people", "recordings", "repetitions", "value", "target", "result", "note")


def accuracy_page(path: Path, rows: Sequence[Row], day: date) -> None:
    """Write the table between the marks of a page, or a page of its own where there is none.

    Raises:
        SettingsError: the page has no marks, or cannot be read or written.
    """
    block = f"{BEGIN}\nMeasured on {day.isoformat()}.\n\n{markdown_table(rows)}\n{END}"
    try:
        before, after = _around(path.read_text(encoding="utf-8"), path) if path.exists() else ("", "\n")
        path.write_text(f"{before}{block}{after}", encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"--page {path}: {error}") from error


def _around(text: str, path: Path) -> tuple[str, str]:
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SettingsError(f"--page {path}: it needs the lines {BEGIN} and {END}, between which the table goes")
    return before, after


def markdown_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [_line(_HEADINGS), _line(["---"] * len(_HEADINGS))]
    for row in rows:
        cells = (
            row.set,
            row.measure,
            row.method,
            str(row.people or "-"),
            str(row.recordings or "-"),
            "" if row.repetitions is None else str(row.repetitions),
            row.shown_value,
            row.target or "",
            row.result.value,
            row.remark,
        )
        lines.append(_line(cells))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
