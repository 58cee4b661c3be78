from __future__ import annotations

import pytest

from processing.domain.entries import SensorEvent, SensorEventKind
from processing.domain.errors import DecodeError
from processing.wire.log import encode_batch, encode_entry
from processing.wire.log_file import MAGIC, log_file_part, read_log_file

ENTRIES = [SensorEvent(stream=1, t_ns=n, event=SensorEventKind.SILENT) for n in range(5)]
ENCODED = [encode_entry(entry) for entry in ENTRIES]


def log_file(*batches: bytes) -> bytes:
    return MAGIC + b"".join(log_file_part(batch) for batch in batches)


def test_a_log_file_reads_back_with_its_offsets() -> None:
    data = log_file(encode_batch(9, 4, ENCODED[:2]), encode_batch(9, 6, ENCODED[2:]))

    assert list(read_log_file(data)) == list(zip(range(4, 9), ENTRIES, strict=True))


@pytest.mark.parametrize("cut", [5, 14, 20, -1])
def test_a_cut_log_file_is_refused(cut: int) -> None:
    data = log_file(encode_batch(9, 1, ENCODED))

    with pytest.raises(DecodeError, match="log file"):
        list(read_log_file(data[:cut]))


def test_a_log_file_with_a_hole_is_refused() -> None:
    data = log_file(encode_batch(9, 1, ENCODED), encode_batch(9, 7, ENCODED))

    with pytest.raises(DecodeError, match="offset 7"):
        list(read_log_file(data))


def test_an_unreadable_entry_is_named_and_passed_over_as_the_worker_does() -> None:
    data = log_file(encode_batch(9, 4, [ENCODED[0], b"\xfb", ENCODED[1]]))
    unreadable: list[int] = []

    read = list(read_log_file(data, lambda offset, _error: unreadable.append(offset)))

    assert [numbered.offset for numbered in read] == [4, 6]
    assert unreadable == [5]
    with pytest.raises(DecodeError):
        list(read_log_file(data))
