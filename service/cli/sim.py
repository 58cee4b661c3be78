"""``lumbar sim``: wearables on a virtual radio, told what to do line by line."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from firmware_sim.instructions import MAX_LINE_BYTES, Refused, Replay, SimEvent, decode_instruction, encode_line
from firmware_sim.peripherals.lumbar_imu import LumbarImuPeripheral
from firmware_sim.process import serve_wearables
from firmware_sim.stage import Stage, StagePerson, recorded_people, simulated_people
from processing.domain.errors import DecodeError
from service.cli.stop import until_stopped

LOG = structlog.get_logger(__name__)


def sim_process(transport: str, patients: int, seed: int, replay: tuple[Path, ...]) -> None:
    """Run until SIGTERM, Ctrl-C or the end of standard input.

    Raises:
        RecordingError: a recording cannot be replayed.
        SettingsError: the transport is none.
    """
    people = recorded_people(replay) if replay else simulated_people(patients, seed)
    asyncio.run(until_stopped(_simulate(people, transport, seed)))


async def _simulate(people: Sequence[StagePerson], transport: str, seed: int) -> None:
    wearables = {
        name: LumbarImuPeripheral(int(name.removeprefix("LUMBAR-"), 16), source, seed=seed)
        for person in people
        for name, source in person.sources.items()
    }
    loop = asyncio.get_running_loop()
    epoch_s, epoch_ns = loop.time(), time.time_ns()
    listening = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:

        def vanish(sensor_ids: Sequence[str], seconds: float) -> None:
            tasks.create_task(_out_of_range([wearables[name] for name in sensor_ids], seconds), name="sim.vanish")

        stage = Stage(people, epoch_ns, lambda: loop.time() - epoch_s, vanish)
        radio = tasks.create_task(
            serve_wearables(
                list(wearables.values()), transport, epoch_s=epoch_s, on_listening=lambda _port: listening.set()
            ),
            name="sim.radio",
        )
        await listening.wait()
        _say(stage.ready())
        await _obey_lines(stage, people, wearables)
        radio.cancel()


async def _obey_lines(
    stage: Stage, people: Sequence[StagePerson], wearables: Mapping[str, LumbarImuPeripheral]
) -> None:
    """Follow the instructions of standard input until it ends."""
    lines = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while True:
        try:
            line = await lines.readline()
        except ValueError as error:
            _say(Refused(patient=None, problem=str(error)))
            continue
        if not line:
            return
        try:
            instruction = decode_instruction(line.strip())
        except DecodeError as error:
            _say(Refused(patient=None, problem=str(error)))
            continue
        if isinstance(instruction, Replay) and instruction.patient < len(people):
            await _all_streaming([wearables[name] for name in people[instruction.patient].sources])
        event = stage.obey(instruction)
        if event is not None:
            _say(event)


async def _all_streaming(worn: Sequence[LumbarImuPeripheral]) -> None:
    """Wait until a gateway reads all of a person's wearables: a recording is played only once."""
    while not all(wearable.is_streaming for wearable in worn):  # noqa: ASYNC110 - a wearable tells nobody, as in life
        await asyncio.sleep(0.05)


async def _out_of_range(worn: Sequence[LumbarImuPeripheral], seconds: float) -> None:
    for wearable in worn:
        wearable.vanish()
    await asyncio.sleep(seconds)
    for wearable in worn:
        wearable.reappear()


def _say(event: SimEvent) -> None:
    sys.stdout.write(encode_line(event).decode() + "\n")
    sys.stdout.flush()
