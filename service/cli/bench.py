"""``lumbar bench``: what this machine can do. It reports; it judges nothing."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog
from rich.console import Console
from rich.status import Status

from service.cli.bench_figures import Figure, Report, report_table, this_machine
from service.cli.bench_system import system_figures


def bench_command(seconds: float, *, as_json: bool) -> None:
    """Measure everything, tell what goes on on standard error, and write the report to standard output."""
    # the demo's log lines would run through the progress line, and the worker's deaths are wanted
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with Console(stderr=True).status("lumbar bench") as status:
        report = _measure(seconds, status)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    else:
        Console().print(report_table(report))


def _measure(seconds: float, status: Status) -> Report:
    measured_at = datetime.now(UTC).isoformat(timespec="seconds")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="lumbar-bench-", ignore_cleanup_errors=True) as directory:
        figures += asyncio.run(system_figures(seconds, Path(directory), status.update))
    # now and not before: the demo's own process loads neither NumPy nor the analyzer, and its memory was just measured
    from service.cli.bench_core import codec_figures, signal_path_figures  # noqa: PLC0415

    status.update("signal path: one simulated patient")
    figures += signal_path_figures()
    status.update("log codec")
    figures += codec_figures()
    return Report(measured_at=measured_at, machine=this_machine(), figures=tuple(figures))
