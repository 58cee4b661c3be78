"""Counts against true counts, and when on the sample clock a finding came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from processing.analyzer.recording import RecordedSession
from processing.domain.findings import Finding, RepCompleted
from processing.dsp.blocks import SampleBlock
from service.cli.evaluation import figures
from service.cli.evaluation.figures import Figure


class Count(NamedTuple):
    """A count of one channel of one recording, and the true one."""

    person: str
    recording: str
    channel: str
    found: int
    truth: int

    @property
    def off(self) -> int:
        """How many were counted too many (or too few: negative)."""
        return self.found - self.truth


class Told(NamedTuple):
    """A finding, and the time of the newest sample fed when it came out; None if only the end brought it out."""

    t_ns: int | None
    finding: Finding


def told(session: RecordedSession) -> Iterator[Told]:
    """Findings of a recording that is fed sample by sample."""
    analyzer = session.analyzer()
    newest_ns = session.begin_ns
    for given in session.inputs(1):
        if isinstance(given, SampleBlock):
            newest_ns = max(newest_ns, int(given.t_ns[-1]))
        for finding in analyzer.feed(given):
            ended = analyzer.ended or not isinstance(given, SampleBlock)
            yield Told(None if ended else newest_ns, finding)


def reps_by_channel(findings: Sequence[Finding]) -> dict[str, int]:
    """Repetitions among the findings, by channel."""
    counts: dict[str, int] = {}
    for finding in findings:
        if isinstance(finding, RepCompleted):
            counts[finding.channel.value] = counts.get(finding.channel.value, 0) + 1
    return counts


def count_figures(
    set_name: str, method: str, counts: Sequence[Count], *, comparison: bool = False, baseline: str | None = None
) -> list[Figure]:
    """Shares of counts that are exact and within one of the truth, in percent."""
    shares = ((figures.EXACT, 0), (figures.WITHIN_ONE, 1))
    every = [_share(set_name, measure, method, counts, most) for measure, most in shares]
    return [msgspec.structs.replace(one, comparison=comparison, baseline=baseline) for one in every]


def _share(set_name: str, measure: str, method: str, counts: Sequence[Count], most: int) -> Figure:
    wrong = sorted((one for one in counts if abs(one.off) > most), key=lambda one: -abs(one.off))
    return Figure(
        set=set_name,
        measure=measure,
        method=method,
        unit="%",
        value=_percent(counts, most) if counts else None,
        people=len({one.person for one in counts}),
        recordings=len({(one.person, one.recording) for one in counts}),
        repetitions=sum(one.truth for one in counts),
        per_person=_by_person(counts, most),
        worst=_told(wrong[0]) if wrong else None,
        note=f"{len(counts) - len(wrong)} of {len(counts)}" if counts else "nothing to count",
    )


def _told(wrong: Count) -> str:
    return f"{wrong.recording} {wrong.channel}".rstrip() + f" ({wrong.found} for {wrong.truth})"


def _percent(counts: Sequence[Count], most: int) -> float:
    return 100.0 * float(np.mean([abs(one.off) <= most for one in counts]))


def _by_person(counts: Sequence[Count], most: int) -> Mapping[str, float]:
    people = sorted({one.person for one in counts})
    return {person: _percent([one for one in counts if one.person == person], most) for person in people}
