"""``lumbar sim``: wearables on a virtual radio, told what to do line by line."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from firmware_sim.instructions import Refused, SimEvent, decode_instruction, encode_line
from firmware_sim.process import serve_wearables
from firmware_sim.stage import Stage, recorded_people, simulated_people
from processing.domain.errors import DecodeError
from service.cli.stop import until_stopped

LOG = structlog.get_logger(__name__)


def sim_process(transport: str, patients: int, seed: int, replay: tuple[Path, ...]) -> None:
    """Run until SIGTERM, Ctrl-C or the end of standard input."""
    asyncio.run(until_stopped(_simulate(transport, patients, seed, replay)))


def _say(event: SimEvent) -> None:
    sys.stdout.write(encode_line(event).decode() + "\n")
    sys.stdout.flush()


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader
