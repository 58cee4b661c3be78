"""A short history of numbers, packed: eight bytes each, where a list of Python floats takes 32."""

from __future__ import annotations

import struct
from array import array

_NUMBER = struct.Struct("d")


def appended(history: bytes, value: float) -> bytes:
    """The history with one more number at its end."""
    return history + _NUMBER.pack(value)


def without_first(history: bytes, count: int) -> bytes:
    """The history without its oldest numbers."""
    return history[_NUMBER.size * count :]


def newest(history: bytes, count: int) -> bytes:
    """The newest numbers, at most ``count``, which must be positive."""
    return history[-_NUMBER.size * count :]


def length(history: bytes) -> int:
    """How many numbers there are."""
    return len(history) // _NUMBER.size


def numbers(history: bytes) -> list[float]:
    """All of them, old to new."""
    return array("d", history).tolist()
