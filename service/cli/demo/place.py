"""Where the demo keeps its data: a directory that survives restarts, used by one demo at a time."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from service.embedded.process import DirectoryLock

_OURS = ("postgres", "broker", "gateway.sqlite*", "*.log", "truth.jsonl")


def default_directory() -> Path:
    """``lumbar/demo`` in the user's data folder (XDG base directories: ``XDG_DATA_HOME``, else ``~/.local/share``)."""
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "lumbar" / "demo"


@contextlib.contextmanager
def demo_place(directory: Path | None, *, fresh: bool) -> Iterator[Path]:
    """The directory, for the length of the block; ``fresh`` removes what earlier demos left in it, and nothing else.

    Raises:
        EmbeddedServerError: another demo uses it.
    """
    place = (directory or default_directory()).resolve()
    place.mkdir(parents=True, exist_ok=True)
    lock = DirectoryLock("demo", place)
    lock.acquire()
    try:
        if fresh:
            _clear(place)
        yield place
    finally:
        lock.release()


def _clear(place: Path) -> None:
    for pattern in _OURS:
        for path in place.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
