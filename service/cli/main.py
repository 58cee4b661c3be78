"""The console script ``lumbar``.

Every command imports what it needs when it runs: a gateway must not load SciPy, and a help text nothing at all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from processing.domain.errors import LumbarError
from service.cli.logs import set_up_logs

app = typer.Typer(
    name="lumbar",
    help="Open, self-hosted monitoring for back-pain rehabilitation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="Administer the database.", no_args_is_help=True)
export = typer.Typer(help="Get data out.", no_args_is_help=True)
broker = typer.Typer(help="Prepare a broker of your own.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(export, name="export")
app.add_typer(broker, name="broker")


class DemoBroker(StrEnum):
    """Brokers that the demo can start."""

    NATS = "nats"
    MOSQUITTO = "mosquitto"


class BenchPart(StrEnum):
    """What ``lumbar bench`` can measure."""

    ALL = "all"
    CORE = "core"


CheckConfig = Annotated[bool, typer.Option("--check-config", help="Check the settings and exit.")]


@app.callback()
def _set_up() -> None:
    set_up_logs()


@app.command()
def gateway(*, check_config: CheckConfig = False) -> None:
    """Read wearables and send their samples: the process near the patient."""
    from service.cli.processes import gateway_process

    gateway_process(check_config=check_config)


@app.command()
def worker(*, check_config: CheckConfig = False) -> None:
    """Turn gateway logs into findings."""
    from service.cli.processes import worker_process

    worker_process(check_config=check_config)


@app.command()
def serve(*, check_config: CheckConfig = False) -> None:
    """Serve the API and the screens."""
    from service.cli.processes import service_process

    service_process(check_config=check_config)


@app.command()
def sim(
    transport: Annotated[str, typer.Option(help="HCI transport for the gateway.")] = "tcp-server:127.0.0.1:6402",
    patients: Annotated[int, typer.Option(min=1, max=20, help="Simulated patients, two sensors each.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the patients and of all imperfections.")] = 1,
    replay: Annotated[list[Path] | None, typer.Option(help="Recordings to replay instead.")] = None,
) -> None:
    """Run wearables made of software on a virtual radio.

    Instructions are read from standard input, events are written to standard output, a JSON object a line
    (docs/simulator.md).
    """
    from service.cli.sim import sim_process

    sim_process(transport, patients, seed, tuple(replay or ()))


@app.command()
def demo(
    patients: Annotated[int, typer.Option(min=1, max=12, help="Simulated patients.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the simulated patients.")] = 1,
    for_s: Annotated[float | None, typer.Option("--for", help="Seconds to exercise, then stop.")] = None,
    replay: Annotated[list[Path] | None, typer.Option(help="Recordings to replay as wearables.")] = None,
    exercise: Annotated[str | None, typer.Option(help="Exercise of the recordings that do not say it.")] = None,
    mount: Annotated[
        list[str] | None, typer.Option(help="How a recorded sensor sits: pelvis=up:+x,forward:-z.")
    ] = None,
    directory: Annotated[Path | None, typer.Option(help="Data and logs; else in the user's data folder.")] = None,
    port: Annotated[int, typer.Option(help="Port of the web page; 0 takes a free one.")] = 8000,
    broker: Annotated[DemoBroker, typer.Option(help="Embedded broker; mosquitto must be installed.")] = DemoBroker.NATS,
    *,
    headless: Annotated[bool, typer.Option("--headless", help="No banner; exit when the exercises are done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines: committed findings, then a summary.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what earlier demos left.")] = False,
) -> None:
    """Run the whole system on embedded parts, with simulated or replayed patients."""
    from service.cli.demo.run import DemoOptions, demo_command

    options = DemoOptions(
        patients=patients,
        seed=seed,
        for_s=for_s,
        replay=tuple(replay or ()),
        directory=directory,
        port=port,
        broker=broker,
        headless=headless,
        as_json=as_json,
        fresh=fresh,
        exercise=exercise,
        mounts=tuple(mount or ()),
    )
    demo_command(options)


@db.command()
def migrate() -> None:
    """Bring the database that LUMBAR_DATABASE_URL names up to this release."""
    from service.cli.administration import migrate_database

    migrate_database()


@export.command("log")
def export_log(
    gateway_id: Annotated[str, typer.Argument(help="Gateway whose log to write.")],
    out: Annotated[Path, typer.Argument(help="File to write.")],
    log_id: Annotated[int | None, typer.Option(help="Which log, if the gateway had several; else the newest.")] = None,
    last_offset: Annotated[int | None, typer.Option(min=1, help="Write up to this entry; else all.")] = None,
) -> None:
    """Write a gateway's log from the database; `lumbar analyze` reads it."""
    from service.cli.administration import export_gateway_log

    export_gateway_log(gateway_id, out, log_id=log_id, last_offset=last_offset)


@broker.command("config")
def broker_config(
    directory: Annotated[Path, typer.Argument(help="Folder of the site; docker-compose.yml expects ./site.")],
    gateway_names: Annotated[list[str] | None, typer.Option("--gateway", help="Name of a gateway; repeatable.")] = None,
    address: Annotated[str | None, typer.Option(help="Host name by which gateways reach the broker.")] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Draw all secrets anew, except the database's.")] = False,
) -> None:
    """Write the secrets and the broker's configuration of a site; run it again to add gateways."""
    from service.cli.site import broker_config_command

    broker_config_command(directory, gateway_names or (), address=address, force=force)


@app.command()
def bench(
    part: Annotated[BenchPart, typer.Argument(help="The whole system, or the signal core with many sessions.")] = (
        BenchPart.ALL
    ),
    seconds: Annotated[float, typer.Option(min=30, help="How long the patients of the demo exercise.")] = 60.0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Measure throughput, latency and memory of this machine."""
    from service.cli.bench import bench_command, bench_core_command

    if part is BenchPart.CORE:
        bench_core_command(as_json=as_json)
    else:
        bench_command(seconds, as_json=as_json)


@app.command()
def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False) -> None:
    """Check this machine: settings, broker, database, Bluetooth, disk, clock. Exit code 1 if a check failed."""
    from service.cli.doctor import doctor_command

    doctor_command(as_json=as_json)


@app.command()
def exercises(
    page: Annotated[Path | None, typer.Option(help="Markdown file to put the table into, between its marks.")] = None,
) -> None:
    """Show the exercise catalogue: how each is counted, with which sensors, and what that was checked on."""
    from service.cli.exercises import exercises_command

    exercises_command(page)


def _add_analyze() -> None:
    """Add `analyze`; its options are declared beside the code that uses them."""
    from service.cli.analyze import analyze_command

    app.command("analyze")(analyze_command)


def _add_evaluate() -> None:
    """Add `evaluate`, as `analyze`."""
    from service.cli.evaluate import evaluate_command

    app.command("evaluate")(evaluate_command)


def run() -> None:
    """Entry point: expected errors are one line each on standard error, and exit code 2."""
    every = sys.argv[1:] in ([], ["--help"])
    if every or "analyze" in sys.argv[1:2]:
        _add_analyze()
    if every or "evaluate" in sys.argv[1:2]:
        _add_evaluate()
    try:
        app()
    except LumbarError as error:
        _fail([error])
    except ExceptionGroup as group:
        expected, other = group.split(LumbarError)
        if expected is None or other is not None:
            raise
        _fail(list(_leaves(expected)))


def _fail(errors: Sequence[Exception]) -> NoReturn:
    for error in errors:
        sys.stderr.write(f"lumbar: {error}\n")
    raise SystemExit(2)


def _leaves(group: ExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    run()
