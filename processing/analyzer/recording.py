"""A recording fed to the analyzer: the same stages as live, at any chunk size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from processing.analyzer.inputs import Left, Ordered, SessionInput
from processing.analyzer.session import SessionAnalyzer
from processing.domain.commands import EndSession, StartSession
from processing.domain.findings import Finding
from processing.domain.ids import SensorId
from processing.domain.samples import MAX_SAMPLES_PER_ENTRY
from processing.dsp.blocks import SampleBlock


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """Samples of one session and the commands given during it.

    Attributes:
        start: who wears what.
        blocks: all samples of each sensor, on their own, maybe irregular, times.
        orders: commands in order of time; the session ends with the last sample by itself.
    """

    start: StartSession
    blocks: tuple[SampleBlock, ...]
    orders: tuple[Ordered, ...]

    @property
    def begin_ns(self) -> int:
        """Time of the first sample."""
        return min(int(block.t_ns[0]) for block in self.blocks)

    @property
    def end_ns(self) -> int:
        """Time of the last sample."""
        return max(int(block.t_ns[-1]) for block in self.blocks)

    def analyzer(self) -> SessionAnalyzer:
        """Analyzer that waits for the first sample of every sensor."""
        return SessionAnalyzer(self.start, self.begin_ns, {block.sensor_id: True for block in self.blocks})

    def inputs(self, chunk: int = MAX_SAMPLES_PER_ENTRY) -> Iterator[SessionInput]:
        """Everything the analyzer is to be fed with, samples in pieces of ``chunk`` in order of time.

        Commands come first: they wait by themselves until the samples have reached their time.
        """
        yield from self.orders
        yield Ordered(self.end_ns, EndSession(session_id=self.start.session_id))
        parts = [block.part(at, at + chunk) for block in self.blocks for at in range(0, len(block), chunk)]
        yield from sorted(parts, key=lambda part: int(part.t_ns[-1]))
        for block in self.blocks:
            yield Left(SensorId(block.sensor_id), self.end_ns + 1, "end of recording")


def analyze_recording(
    session: RecordedSession,
    chunk: int = MAX_SAMPLES_PER_ENTRY,
    after_each: Callable[[SessionAnalyzer], None] | None = None,
) -> tuple[list[Finding], dict[str, int]]:
    """Findings of a recording, and what was thrown away per reason.

    Args:
        session: the recording.
        chunk: samples fed at once; makes no difference to the findings.
        after_each: called after each piece, to look at the analyzer's live values.

    Raises:
        SessionRefusedError, MountError: the session cannot be opened.
    """
    analyzer = session.analyzer()
    findings: list[Finding] = []
    for given in session.inputs(chunk):
        findings += analyzer.feed(given)
        if after_each is not None:
            after_each(analyzer)
    return findings, {reason: count for reason, count in analyzer.dropped().items() if count}
