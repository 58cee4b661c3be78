"""What goes on, on standard error, and the processes that it goes on in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from rich.status import Status

T = TypeVar("T")
R = TypeVar("R")


class Progress:
    """One line that says what is being measured and how far it is.

    Args:
        status: the line; None is silent.
        workers: where ``each`` computes; None is here.
    """

    def __init__(self, status: Status | None = None, workers: Executor | None = None) -> None:
        self._status = status
        self._workers = workers
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

    def each(self, ask: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """What a function makes of each item, in their order whatever is done first.

        With workers, function and items must survive pickling: functions of a module, or ``partial`` of these.
        """
        made = map(ask, items) if self._workers is None else self._workers.map(ask, items)
        self._show(f"{self._title}: 0 of {len(items)}")
        for number, one in enumerate(made, start=1):
            self._show(f"{self._title}: {number} of {len(items)}")
            yield one

    def _show(self, text: str) -> None:
        if self._status is not None:
            self._status.update(text)
