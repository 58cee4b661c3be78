"""Pages for people of which a command writes one part, between two marks."""

from __future__ import annotations

from pathlib import Path

from processing.domain.errors import SettingsError


def write_part(page: Path, command: str, part: str) -> None:
    """Write a part of a page anew; a page that is not there yet becomes that part alone.

    Raises:
        SettingsError: the page has no marks, or cannot be read or written.
    """
    try:
        text = page.read_text(encoding="utf-8") if page.exists() else f"{_begin(command)}\n{_end(command)}\n"
        page.write_text(with_part(text, page, command, part), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"--page {page}: {error}") from error


def with_part(text: str, page: Path, command: str, part: str) -> str:
    """The text of a page with another part between the marks of a command.

    Raises:
        SettingsError: the page has no marks.
    """
    begin, end = _begin(command), _end(command)
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise SettingsError(f"--page {page}: it needs the lines {begin} and {end}, between which the rest goes")
    return f"{before}{begin}\n{part}\n{end}{after}"


def _begin(command: str) -> str:
    return f"<!-- lumbar {command}: begin -->"


def _end(command: str) -> str:
    return f"<!-- lumbar {command}: end -->"
