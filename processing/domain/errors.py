"""The error tree of lumbar: one root, reasons as enums, text only for people."""

from __future__ import annotations

from enum import StrEnum


class LumbarError(Exception):
    """Root of every error that lumbar raises on purpose."""


class DecodeReason(StrEnum):
    """Why bytes or text from outside were refused."""

    UNKNOWN_TOPIC = "unknown_topic"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNKNOWN_KIND = "unknown_kind"
    OUT_OF_RANGE = "out_of_range"


class DecodeError(LumbarError):
    """Bytes or a topic from outside that cannot be read.

    Attributes:
        reason: machine-readable reason, also the label of the counter.
        what: the thing that was decoded, e.g. ``"log batch"``.
        detail: what is wrong with it, for people.
    """

    def __init__(self, reason: DecodeReason, what: str, detail: str) -> None:
        super().__init__(reason, what, detail)
        self.reason = reason
        self.what = what
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.what}: {self.detail} ({self.reason})"


class StateError(LumbarError):
    """A saved state that cannot be used: another version wrote it, or it is damaged."""


class RecordingError(LumbarError):
    """A recording file that cannot be used; says where it is broken and what is expected there."""

    def __init__(self, path: str, problem: str, line: int | None = None, column: str | None = None) -> None:
        super().__init__(path, problem, line, column)
        self.path = path
        self.problem = problem
        self.line = line
        self.column = column

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}, line {self.line}"
        return f"{place}: {self.problem}" if self.column is None else f"{place}, column {self.column}: {self.problem}"


class SettingsError(LumbarError):
    """A setting that cannot be used; the text says which one, what is wrong and what to write instead."""
