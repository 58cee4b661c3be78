"""Findings about how the repetitions of a set were done."""

from __future__ import annotations

import msgspec

from processing.domain.commands import RepTarget
from processing.domain.exercise_types import Channel
from processing.domain.found import Found
from processing.domain.rep_faults import FaultSeen, RepFault


class FaultyRep(msgspec.Struct, frozen=True, kw_only=True):
    """A repetition, by its number within set and channel, and what was wrong with it."""

    number: int
    faults: tuple[FaultSeen, ...]


class SetQuality(Found, frozen=True, kw_only=True, tag="set_quality"):
    """How the repetitions of one channel were done, judged at the end, when what is usual in the set is known.

    ``RepCompleted`` says at once what could be said then; this is the last word.

    Attributes:
        judged: repetitions that were looked at, the last ones if the set was very long.
        watched: faults that could have been seen with the sensors worn and what was known of the person.
        faulty: repetitions with a fault.
        usual: what the repetitions of this set were like (medians); of a set done well it is a target for the next.
        left_deg, right_deg: median size to each side, where a repetition goes to both or they take turns.
        asymmetry: right less left as a fraction of their sum; -1 is left only, 1 right only.
    """

    exercise: str
    set_number: int
    channel: Channel
    judged: int
    watched: tuple[RepFault, ...]
    faulty: tuple[FaultyRep, ...]
    usual: RepTarget
    left_deg: float | None
    right_deg: float | None
    asymmetry: float | None
