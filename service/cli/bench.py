"""``lumbar bench``: what this machine can do. It reports; it judges nothing."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog
from rich.console import Console
from rich.status import Status

from service.cli.bench_figures import Figure, Report, report_table, this_machine
from service.cli.bench_system import system_figures

STOPPED = 130
"""Exit code after SIGTERM or Ctrl-C: the measurement is not complete."""


def bench_command(seconds: float, *, as_json: bool) -> None:
    """Measure everything, tell what goes on on standard error, and write the report to standard output."""
    # the demo's log lines would run through the progress line, and the worker's deaths are wanted
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with Console(stderr=True).status("lumbar bench") as status:
        try:
            report = _measure(seconds, status)
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise SystemExit(STOPPED) from None
    _write(report, as_json=as_json)


def bench_core_command(*, as_json: bool) -> None:
    """Measure how many patients a core carries, and write the report as ``bench_command`` does."""
    from service.cli.bench_sessions import core_figures  # noqa: PLC0415

    with Console(stderr=True).status("lumbar bench core"):
        _write(_report(core_figures()), as_json=as_json)


def _write(report: Report, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    else:
        Console().print(report_table(report))


def _report(figures: Sequence[Figure]) -> Report:
    measured_at = datetime.now(UTC).isoformat(timespec="seconds")
    return Report(measured_at=measured_at, machine=this_machine(), figures=tuple(figures))


def _measure(seconds: float, status: Status) -> Report:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="lumbar-bench-", ignore_cleanup_errors=True) as directory:
        figures += asyncio.run(_system(seconds, Path(directory), status))
    # now and not before: the demo's own process loads neither NumPy nor the analyzer, and its memory was just measured
    from service.cli.bench_core import codec_figures, signal_path_figures  # noqa: PLC0415

    status.update("signal path: one simulated patient")
    figures += signal_path_figures()
    status.update("log codec")
    figures += codec_figures()
    return _report(figures)


async def _system(seconds: float, directory: Path, status: Status) -> list[Figure]:
    """The demo's figures; SIGTERM ends the demo's processes as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await system_figures(seconds, directory, status.update)
