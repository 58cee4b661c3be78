"""Puts the demo's people, sensors and pairings into the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from processing.domain.samples import Placement


@dataclass(frozen=True, slots=True)
class Wearer:
    """A person of the demo, their sensors, and how each is mounted where that is known."""

    subject_id: str
    sensors: tuple[tuple[str, Placement], ...]
    mounts: Mapping[Placement, str]
