"""Talks to the simulator process: one instruction, one answer, per patient."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import structlog

from firmware_sim.instructions import (
    Instruction,
    Performing,
    Ready,
    Refused,
    Replaying,
    Settled,
    SimEvent,
    decode_event,
    encode_line,
)
from processing.domain.errors import DecodeError, LumbarError
from service.cli.demo.children import Child

LOG = structlog.get_logger(__name__)
ANSWER_TIMEOUT_S = 30.0

_E = TypeVar("_E", Settled, Performing, Replaying)


class SimulatorError(LumbarError):
    """The simulator refused an instruction or did not answer."""


class SimLink:
    """The simulator as the demo sees it."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._answers: dict[int, asyncio.Queue[SimEvent]] = {}

    async def ready(self) -> Ready:
        """Who is there, as soon as the wearables advertise."""
        return await asyncio.shield(self._ready)

    async def tell(self, instruction: Instruction, answer: type[_E]) -> _E:
        """Give an instruction and wait for its answer.

        Raises:
            SimulatorError: it refused, or gave no answer in time.
        """
        queue = self._answers.setdefault(instruction.patient, asyncio.Queue(maxsize=8))
        await self._child.write(encode_line(instruction))
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                event = await queue.get()
        except TimeoutError as error:
            raise SimulatorError(f"no answer to {instruction}") from error
        if not isinstance(event, answer):
            raise SimulatorError(event.problem if isinstance(event, Refused) else f"{event} is no answer")
        return event

    async def listen(self) -> None:
        """Take in the lines of the simulator until cancelled."""
        while True:
            line = await self._child.lines.get()
            try:
                event = decode_event(line)
            except DecodeError as error:
                LOG.warning("simulator_line_ignored", problem=str(error))
                continue
            if isinstance(event, Ready):
                if not self._ready.done():
                    self._ready.set_result(event)
                continue
            queue = None if event.patient is None else self._answers.get(event.patient)
            if queue is None or queue.full():
                LOG.warning("simulator_answer_ignored", answer=str(event))
            else:
                queue.put_nowait(event)
