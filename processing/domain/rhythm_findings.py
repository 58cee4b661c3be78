"""Findings about movements that go round and round."""

from __future__ import annotations

from processing.domain.found import Found


class CyclingBout(Found, frozen=True, kw_only=True, tag="cycling_bout"):
    """Continuous pedalling.

    The minutes are what counts; ``cadence_per_min``, turns of the crank, is a guess with a back sensor, as ``quality``
    says: nobody has compared it with a crank.
    """

    cadence_per_min: float
