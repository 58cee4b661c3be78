"""Which setting the other people would have chosen: leave one person out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from processing.dsp.blocks import Floats


def left_out(people: Sequence[str], scores: Floats) -> dict[str, int]:
    """Setting for each person: the one with the best mean score on all other people, the earlier one if equal.

    Where there is only one person there is nobody to choose on, and the first setting stands.

    Args:
        people: the person of each item, shape (n,).
        scores: the score of each item with each setting, shape (settings, n); higher is better.
    """
    chosen = {}
    for person in dict.fromkeys(people):
        others = np.array([one != person for one in people])
        chosen[person] = int(np.argmax(scores[:, others].mean(axis=1))) if others.any() else 0
    return chosen
