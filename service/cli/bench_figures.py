"""What a benchmark found: figures with names and units, as a table and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

import msgspec
import psutil
from rich.table import Table


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured number; ``value`` is None if there was nothing to measure."""

    part: str
    name: str
    value: float | None
    unit: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was measured."""

    processor: str
    cores: int
    memory_mb: int
    system: str
    python: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one run of ``lumbar bench`` found; ``measured_at`` is UTC, ISO 8601."""

    measured_at: str
    machine: Machine
    figures: tuple[Figure, ...]


def this_machine() -> Machine:
    """The machine that we run on."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_mb=psutil.virtual_memory().total // 1_000_000,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
    )


def report_table(report: Report) -> Table:
    """The figures for people."""
    machine = report.machine
    table = Table(
        title=f"lumbar bench, {report.measured_at}",
        caption=f"{machine.processor}, {machine.cores} cores, {machine.memory_mb / 1000:.1f} GB, {machine.system}, "
        f"Python {machine.python}",
    )
    table.add_column("part")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    before = ""
    for figure in report.figures:
        if before not in {"", figure.part}:
            table.add_section()
        table.add_row("" if figure.part == before else figure.part, figure.name, _text(figure.value), figure.unit)
        before = figure.part
    return table


def quantile(values: Sequence[float], share: float) -> float | None:
    """Smallest value that at least this share (0 to 1) of the values does not exceed; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -int(-share * len(ordered) // 1) - 1))]


def _text(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _processor() -> str:
    """Name of the processor: Linux tells it in /proc only."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - not a path of ours
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
