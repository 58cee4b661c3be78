"""Whom a session waits for."""

from __future__ import annotations

from collections.abc import Sequence

from processing.analyzer.sensor import SensorPath
from processing.dsp.blocks import BLOCK_NS, NS_PER_S, first_block_from

MAX_WAIT_NS = 120 * NS_PER_S
"""Samples of one sensor that wait for another one; after that the silent one is taken for absent."""

MAX_STEP_WAIT_NS = 5 * NS_PER_S
"""Samples on a clock set anew that wait for the other sensors to be set too; a gateway needs about a second."""


def stop_waiting_too_long(paths: Sequence[SensorPath]) -> None:
    """Take sensors for absent that others have waited for too long."""
    newest_ns = 0
    for path in paths:
        newest_ns = max(newest_ns, path.timeline.known_ns)
    for path in paths:
        if path.timeline.present and newest_ns - path.timeline.known_ns > MAX_WAIT_NS:
            path.timeline.leave(path.timeline.known_ns, "overdue")


def all_know_the_step(paths: Sequence[SensorPath]) -> bool:
    """Whether a clock was set anew and nothing on the old one is to be waited for any more."""
    new = [path.upcoming for path in paths if path.upcoming is not None]
    if not new:
        return False
    waits = any(path.timeline.present for path in paths)
    return not waits or max(timeline.known_ns - timeline.start_ns for timeline in new) > MAX_STEP_WAIT_NS


def first_sample_from(paths: Sequence[SensorPath], block_index: int) -> int | None:
    """Time of the first sample of any sensor at or after the begin of a block."""
    first_ns = None
    for path in paths:
        next_ns = path.timeline.next_sample_ns(block_index)
        if next_ns is not None and (first_ns is None or next_ns < first_ns):
            first_ns = next_ns
    return first_ns


def leap_goal(paths: Sequence[SensorPath], next_sample_ns: int, command_ns: int | None) -> int:
    """Block to go on with after one without any sample, never past a command or what is still undecided."""
    goal = next_sample_ns // BLOCK_NS
    if command_ns is not None:
        goal = min(goal, first_block_from(command_ns))
    return min([goal, *(path.timeline.known_ns // BLOCK_NS for path in paths if path.timeline.present)])
