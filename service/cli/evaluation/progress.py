"""What goes on, on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.status import Status

T = TypeVar("T")


class Progress:
    """One line that says what is being measured and how far it is; silent without a line."""

    def __init__(self, status: Status | None = None) -> None:
        self._status = status
        self._title = ""

    def begin(self, title: str) -> None:
        """Another question begins."""
        self._title = title
        self._show(title)

    def through(self, items: Iterable[T], total: int) -> Iterator[T]:
        """The items, one shown after the other."""
        for number, item in enumerate(items, start=1):
            self._show(f"{self._title}: {number} of {total}")
            yield item

    def _show(self, text: str) -> None:
        if self._status is not None:
            self._status.update(text)
