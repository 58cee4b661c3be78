"""Packed numbers: what goes in comes out, bit for bit, and the oldest goes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processing.dsp.history import appended, length, newest, numbers, without_first

Values = st.lists(st.floats(allow_nan=False), max_size=30)


def packed(values: list[float]) -> bytes:
    history = b""
    for value in values:
        history = appended(history, value)
    return history


@given(Values)
def test_numbers_come_out_as_they_were_put_in(values: list[float]) -> None:
    assert numbers(packed(values)) == values
    assert length(packed(values)) == len(values)


@given(Values, st.integers(1, 40))
def test_the_newest_are_kept(values: list[float], count: int) -> None:
    assert numbers(newest(packed(values), count)) == values[-count:]


@given(Values, st.integers(0, 40))
def test_the_oldest_are_dropped(values: list[float], count: int) -> None:
    assert numbers(without_first(packed(values), count)) == values[count:]
