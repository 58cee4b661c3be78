"""Compares what was committed with what the simulated patients truly did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from rich.table import Table

from processing.domain.findings import Finding, RomMeasured, RomSegment, SetCompleted
from service.cli.demo.conductor import DoneSet


@dataclass(frozen=True, slots=True)
class SetComparison:
    """One set: true and counted repetitions per channel, and the largest error of a range of motion in degrees."""

    subject_id: str
    exercise: str
    true_reps: Mapping[str, int]
    counted_reps: Mapping[str, int] | None
    """None if the set was not committed."""
    true_rom_deg: Mapping[str, float]
    """By segment and direction, of what was measured; without a measurement, of the lumbar spine."""
    measured_rom_deg: Mapping[str, float]

    @property
    def rom_error_deg(self) -> float | None:
        """Largest error of a range of motion, None where none was measured."""
        errors = [abs(angle - self.true_rom_deg[name]) for name, angle in self.measured_rom_deg.items()]
        return max(errors, default=None)

    @property
    def counts_agree(self) -> bool:
        """Every channel has exactly the true count."""
        counted = self.counted_reps
        channels = self.true_reps.keys() | (counted or {}).keys()
        return counted is not None and all(self.true_reps.get(c, 0) == counted.get(c, 0) for c in channels)


def compare(done: Sequence[DoneSet], findings: Sequence[Finding]) -> list[SetComparison]:
    """One row per set that was done, in order; the n-th set of a session is the n-th that was committed."""
    numbers: dict[str, int] = {}
    rows = []
    for item in done:
        number = numbers[item.session_id] = numbers.get(item.session_id, 0) + 1
        mine = [f for f in findings if f.session_id == item.session_id and getattr(f, "set_number", None) == number]
        completed = next((f for f in mine if isinstance(f, SetCompleted)), None)
        true_reps: dict[str, int] = {}
        for rep in item.truth.reps:
            true_reps[rep.channel] = true_reps.get(rep.channel, 0) + 1
        rows.append(
            SetComparison(
                subject_id=item.subject_id,
                exercise=item.truth.exercise,
                true_reps=true_reps,
                counted_reps=None if completed is None else completed.reps,
                **_rom_deg(item, [f for f in mine if isinstance(f, RomMeasured)]),
            )
        )
    return rows


def comparison_table(rows: Sequence[SetComparison]) -> Table:
    """The rows for people."""
    table = Table(title="Committed findings against the truth of the simulator")
    for column in ("patient", "exercise", "true", "counted", "largest ROM error"):
        table.add_column(column)
    for row in rows:
        table.add_row(
            row.subject_id,
            row.exercise,
            _counts(row.true_reps),
            "missing" if row.counted_reps is None else _counts(row.counted_reps),
            "-" if row.rom_error_deg is None else f"{row.rom_error_deg:.1f}°",
            style=None if row.counts_agree else "bold red",
        )
    return table


def _rom_deg(item: DoneSet, measured: Sequence[RomMeasured]) -> dict[str, dict[str, float]]:
    segments = {rom.segment.value for rom in measured} or {RomSegment.LUMBAR.value}
    return {
        "true_rom_deg": {f"{r.segment} {r.direction}": r.angle_deg for r in item.truth.rom if r.segment in segments},
        "measured_rom_deg": {f"{r.segment.value} {r.direction.value}": r.angle_deg for r in measured},
    }


def summary_line(rows: Sequence[SetComparison]) -> bytes:
    """Last line of ``--json``: per patient and set the truth beside what was committed."""
    sets = [
        {
            "subject_id": row.subject_id,
            "exercise": row.exercise,
            "true_reps": row.true_reps,
            "counted_reps": row.counted_reps,
            "true_rom_deg": row.true_rom_deg,
            "measured_rom_deg": row.measured_rom_deg,
        }
        for row in rows
    ]
    return msgspec.json.encode({"type": "summary", "counts_agree": all(r.counts_agree for r in rows), "sets": sets})


def _counts(reps: Mapping[str, int]) -> str:
    return ", ".join(f"{channel} {count}" for channel, count in sorted(reps.items())) or "0"
