"""``lumbar demo``: the whole system with simulated or replayed patients."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
from rich.console import Console

from firmware_sim.instructions import PatientReady
from processing.domain.errors import SettingsError
from processing.domain.findings import Finding
from processing.domain.ids import SensorId, SubjectId
from processing.domain.samples import Placement
from processing.wire.messages import encode_finding
from service.cli.demo.committed import CommittedFindings
from service.cli.demo.conductor import DoneSet, conduct, conduct_replay
from service.cli.demo.person import Person
from service.cli.demo.place import demo_place
from service.cli.demo.report import compare, comparison_table, summary_line
from service.cli.demo.seeding import Wearer, seed_people
from service.cli.demo.sim_link import SimLink
from service.cli.demo.system import DemoSystem, demo_system
from service.cli.recordings import parse_mounts, recording_plan
from service.cli.stop import until_stopped

CONSOLE = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Options of the command; see its help."""

    patients: int
    seed: int
    for_s: float | None
    replay: tuple[Path, ...]
    directory: Path | None
    port: int
    broker: str
    headless: bool
    as_json: bool
    fresh: bool = False
    exercise: str | None = None
    mounts: tuple[str, ...] = ()


def demo_command(options: DemoOptions) -> None:
    """Run the demo until its patients are done, the time is over, or it is told to stop.

    Raises:
        SettingsError: options that do not go together.
        EmbeddedServerError: the directory or a port is in use.
    """
    if options.replay and options.for_s is not None:
        raise SettingsError("--for does not go with --replay: a recording is as long as it is")
    with demo_place(options.directory, fresh=options.fresh) as directory:
        asyncio.run(until_stopped(_demo(options, directory)))


async def _demo(options: DemoOptions, directory: Path) -> None:
    started = time.monotonic()
    result = DemoResult()
    try:
        async with running_demo(options, directory) as demo:
            if not options.headless:
                _greet(demo.system, started)
            await play(demo, options, _print_json if options.as_json else None, result)
    finally:
        rows = compare(result.done, result.findings)
        if rows:
            CONSOLE.print(comparison_table(rows))
        (directory / "truth.jsonl").write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in result.done))
        if options.as_json:
            sys.stdout.write(summary_line(rows).decode() + "\n")
            sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """The system, and who is on its stage; ``exercises`` are those of the recordings, if recordings are replayed."""

    system: DemoSystem
    link: SimLink
    patients: Sequence[PatientReady]
    exercises: Sequence[str]


@dataclass(slots=True)
class DemoResult:
    """What the patients have done so far and what was committed about it."""

    done: list[DoneSet] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@contextlib.asynccontextmanager
async def running_demo(options: DemoOptions, directory: Path) -> AsyncIterator[RunningDemo]:
    """Start everything, with people known and sensors paired.

    Raises:
        RecordingError: a recording to replay cannot be used.
    """
    mounts_by_placement = parse_mounts(options.mounts)
    plans = [recording_plan(path, options.exercise, mounts_by_placement) for path in options.replay]
    arguments = ["--patients", str(options.patients), "--seed", str(options.seed)]
    for path in options.replay:
        arguments += ["--replay", str(path.resolve())]
    async with (
        demo_system(directory, tuple(arguments), options.port, options.broker) as system,
        asyncio.TaskGroup() as tasks,
    ):
        link = SimLink(system.sim)
        listener = tasks.create_task(link.listen(), name="demo.listen")
        ready = await link.ready()
        mounts = [plan.mounts for plan in plans] or [{} for _ in ready.patients]
        await seed_people(system.postgres.dsn, [_wearer(p, m) for p, m in zip(ready.patients, mounts, strict=True)])
        yield RunningDemo(system, link, ready.patients, [plan.exercise for plan in plans])
        listener.cancel()


async def play(
    demo: RunningDemo,
    options: DemoOptions,
    on_finding: Callable[[Finding], None] | None = None,
    result: DemoResult | None = None,
) -> DemoResult:
    """Let all patients exercise side by side.

    Args:
        demo: who is there.
        options: how long, and whether for ever.
        on_finding: called with each committed finding as it is seen.
        result: filled while they exercise, for who wants to know it even if they are interrupted.
    """
    result = result or DemoResult()
    end = None if options.for_s is None else time.monotonic() + options.for_s
    async with _client(demo.system) as client:
        committed = CommittedFindings(client, result.findings, on_finding)
        async with asyncio.TaskGroup() as tasks:
            printer = tasks.create_task(committed.follow(), name="demo.findings")
            async with asyncio.TaskGroup() as people:
                for patient in demo.patients:
                    person = Person(client, subject_id_of(patient), committed.add_session)
                    work = (
                        conduct_replay(demo.link, patient, person, demo.exercises[patient.patient])
                        if demo.exercises
                        else conduct(
                            demo.link,
                            patient,
                            person,
                            left_s=lambda: None if end is None else end - time.monotonic(),
                            done=result.done.append,
                            forever=options.for_s is not None or not options.headless,
                        )
                    )
                    people.create_task(work, name=f"demo.person[{person.subject_id}]")
            await committed.finish()
            printer.cancel()
    return result


def subject_id_of(patient: PatientReady) -> SubjectId:
    """Pseudonym of a patient of the demo."""
    return SubjectId(f"patient-{patient.patient + 1}")


def _wearer(patient: PatientReady, mounts: Mapping[Placement, str]) -> Wearer:
    sensors = tuple((SensorId(sensor.sensor_id), Placement(sensor.placement)) for sensor in patient.sensors)
    return Wearer(subject_id_of(patient), sensors, mounts)


@contextlib.asynccontextmanager
async def _client(system: DemoSystem) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{system.http_port}", timeout=5.0) as client:
        yield client


def _print_json(finding: Finding) -> None:
    sys.stdout.write(encode_finding(finding).decode() + "\n")
    sys.stdout.flush()


def _greet(system: DemoSystem, started: float) -> None:
    CONSOLE.print(
        f"\n[bold]lumbar runs[/bold] (up in {time.monotonic() - started:.1f} s)\n\n"
        f"  open   http://127.0.0.1:{system.http_port}/   (no login; for this machine only)\n"
        f"  data   {system.directory}\n"
        "  stop   Ctrl-C\n\n"
        "Simulated patients begin to exercise in a few seconds.\n"
    )
