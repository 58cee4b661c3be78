"""``lumbar doctor``: is this machine ready for what it is configured to do?

What was observed comes from ``service.cli.doctor_probes``; what it means is decided here, without any I/O.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.cli.doctor_probes import (
    BluetoothSeen,
    BrokerSeen,
    DatabaseSeen,
    DiskSeen,
    ProcessSeen,
    Seen,
    observe,
)

OLDEST_PYTHON = (3, 11)
SPARE_MB = 200
"""Room beside a full gateway log: SQLite's write-ahead log and the system's own."""


class Outcome(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CONFIGURED = "not configured"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report; ``advice`` says what to do, empty when there is nothing to do."""

    name: str
    outcome: Outcome
    found: str
    advice: str = ""


def doctor_command(*, as_json: bool) -> None:
    """Check this machine and report on standard output; exit code 1 if a check failed."""
    checks = judge(asyncio.run(observe()))
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(checks)).decode() + "\n")
    else:
        Console().print(_table(checks))
    if any(check.outcome is Outcome.FAILED for check in checks):
        raise SystemExit(1)


def judge(seen: Seen) -> tuple[Check, ...]:
    """What the observations mean."""
    gateway = seen.processes["gateway"].configured
    return (
        _python(seen.python),
        *(_process(name, process) for name, process in seen.processes.items()),
        _broker(seen.broker),
        *_database(seen.database),
        *_embedded(seen.parts),
        _bluetooth(seen.bluetooth, needed=gateway),
        _disk(seen.disk),
        _clock(synchronised=seen.clock_synchronised, needed=gateway),
    )


def _python(version: tuple[int, int, int]) -> Check:
    text = ".".join(map(str, version))
    if version >= OLDEST_PYTHON:
        return Check(name="Python", outcome=Outcome.OK, found=text)
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Check(name="Python", outcome=Outcome.FAILED, found=text, advice=f"Install Python {wanted} or newer.")


def _process(name: str, process: ProcessSeen) -> Check:
    title = f"settings of the {name}"
    if process.problem:
        return Check(
            name=title, outcome=Outcome.FAILED, found=process.problem, advice="Correct it; see docs/deploy.md."
        )
    if not process.configured:
        return Check(
            name=title,
            outcome=Outcome.NOT_CONFIGURED,
            found=f"none of {', '.join(process.variables)} is set",
            advice=f"Nothing to do unless the {name} runs on this machine.",
        )
    return Check(name=title, outcome=Outcome.OK, found="complete")


def _broker(broker: BrokerSeen) -> Check:
    if not broker.address:
        return Check(
            name="broker",
            outcome=Outcome.NOT_CONFIGURED,
            found="LUMBAR_MQTT_URL is not set",
            advice="Every process needs it.",
        )
    if not broker.problem:
        return Check(name="broker", outcome=Outcome.OK, found=f"{broker.address}: login accepted")
    advice = (
        "The broker is there and refuses us: check user name and password in LUMBAR_MQTT_URL."
        if broker.refused
        else "Check that the broker runs and that host, port and scheme in LUMBAR_MQTT_URL are right."
    )
    return Check(name="broker", outcome=Outcome.FAILED, found=f"{broker.address}: {broker.problem}", advice=advice)


def _database(database: DatabaseSeen) -> tuple[Check, ...]:
    if not database.configured:
        return (
            Check(
                name="database",
                outcome=Outcome.NOT_CONFIGURED,
                found="LUMBAR_DATABASE_URL is not set",
                advice="Worker and service need it; a gateway does not.",
            ),
        )
    if database.problem:
        return (
            Check(
                name="database",
                outcome=Outcome.FAILED,
                found=database.problem,
                advice="Check that the server runs, and user, password and database name in LUMBAR_DATABASE_URL.",
            ),
        )
    reached = Check(name="database", outcome=Outcome.OK, found=f"PostgreSQL {database.version}")
    return (reached, _schema(database), _timescale(database))


def _schema(database: DatabaseSeen) -> Check:
    name = "database schema"
    if database.schema_problem:
        return Check(
            name=name, outcome=Outcome.FAILED, found=database.schema_problem, advice="Install the matching release."
        )
    if database.pending:
        found = f"not applied: {', '.join(database.pending)}"
        return Check(name=name, outcome=Outcome.FAILED, found=found, advice="Run `lumbar db migrate`.")
    return Check(name=name, outcome=Outcome.OK, found="up to date")


def _timescale(database: DatabaseSeen) -> Check:
    if database.timescaledb is None:
        return Check(
            name="TimescaleDB",
            outcome=Outcome.NOT_CONFIGURED,
            found="the extension is not created in this database",
            advice="Not needed: findings stay in an ordinary table.",
        )
    return Check(name="TimescaleDB", outcome=Outcome.OK, found=database.timescaledb)


def _embedded(parts: Mapping[str, bool]) -> tuple[Check, ...]:
    return tuple(
        Check(name=f"embedded {part}", outcome=Outcome.OK, found="installed")
        if there
        else Check(
            name=f"embedded {part}",
            outcome=Outcome.NOT_CONFIGURED,
            found="not installed",
            advice="Only the demo and the simulator need it: install lumbar[embedded,sim].",
        )
        for part, there in parts.items()
    )


def _bluetooth(bluetooth: BluetoothSeen, *, needed: bool) -> Check:
    name = "Bluetooth"
    if bluetooth.virtual:
        return Check(
            name=name, outcome=Outcome.NOT_CONFIGURED, found=f"LUMBAR_BLE={bluetooth.virtual}: a virtual radio"
        )
    if bluetooth.problem:
        outcome = Outcome.FAILED if needed else Outcome.WARNING
        found = f"cannot be used: {bluetooth.problem}"
        advice = (
            "Check that an adapter is there and on (`bluetoothctl show`), that the bluetooth service runs, and that "
            "this account may use it (group bluetooth)."
        )
        return Check(
            name=name, outcome=outcome, found=found, advice=advice if needed else f"Only a gateway needs it. {advice}"
        )
    found = f"the adapter scans; {bluetooth.devices} devices heard, {bluetooth.wearables} of them lumbar wearables"
    return Check(name=name, outcome=Outcome.OK, found=found)


def _disk(disk: DiskSeen) -> Check:
    name = "disk of the gateway log"
    if not disk.folder:
        return Check(name=name, outcome=Outcome.NOT_CONFIGURED, found="LUMBAR_GATEWAY_LOG is not set or cannot be used")
    if disk.problem:
        advice = "Create the folder and let this account write in it."
        return Check(name=name, outcome=Outcome.FAILED, found=f"{disk.folder}: {disk.problem}", advice=advice)
    found = f"{disk.free_mb} MB free in {disk.folder}, the log may grow by {disk.growth_mb} MB"
    if disk.free_mb < disk.growth_mb + SPARE_MB:
        advice = "Free some space, or lower LUMBAR_GATEWAY_LOG_MAX_MB."
        return Check(name=name, outcome=Outcome.WARNING, found=found, advice=advice)
    return Check(name=name, outcome=Outcome.OK, found=found)


def _clock(*, synchronised: bool | None, needed: bool) -> Check:
    if synchronised:
        return Check(name="clock", outcome=Outcome.OK, found="synchronised")
    if synchronised is None:
        advice = "See that something (systemd-timesyncd, chrony, the host) sets it: sessions are stamped in UTC."
        return Check(name="clock", outcome=Outcome.WARNING, found="cannot be told here (no timedatectl)", advice=advice)
    outcome = Outcome.FAILED if needed else Outcome.WARNING
    return Check(name="clock", outcome=outcome, found="not synchronised", advice="Run `timedatectl set-ntp true`.")


_MARKS = {
    Outcome.OK: "[green]ok[/]",
    Outcome.WARNING: "[yellow]warning[/]",
    Outcome.FAILED: "[bold red]failed[/]",
    Outcome.NOT_CONFIGURED: "[dim]not configured[/]",
}


def _table(checks: Sequence[Check]) -> Table:
    table = Table("check", "", "found, and what to do", box=None, pad_edge=False)
    table.columns[2].overflow = "fold"
    for check in checks:
        advice = f"\n[dim]{escape(check.advice)}[/]" if check.advice else ""
        table.add_row(check.name, _MARKS[check.outcome], escape(check.found) + advice)
    return table
