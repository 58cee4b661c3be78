"""Leads the simulated patients through their exercises: button, movement, button."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from firmware_sim.instructions import PatientReady, Perform, Performing, Replay, Replaying, Settle, Settled
from service.cli.demo.person import Person
from service.cli.demo.script import CALIBRATION, Part, fits, script_of
from service.cli.demo.sim_link import SimLink

LOG = structlog.get_logger(__name__)
STILL_AT_START_S = 3.5
"""Standing still after the session began: the analyzer's still pose of 3 s and a margin."""
AFTER_REPLAY_S = 2.5
"""Silence after a recording, long enough for the gateway to report it."""


@dataclass(frozen=True, slots=True)
class DoneSet:
    """A set that a simulated patient did, and its truth."""

    subject_id: str
    session_id: str
    truth: Performing


async def conduct(
    link: SimLink,
    patient: PatientReady,
    person: Person,
    *,
    left_s: Callable[[], float | None],
    done: Callable[[DoneSet], None],
    forever: bool,
) -> None:
    """Lead one simulated patient through the script, again and again if ``forever``, as long as there is time."""
    await person.sensors_connected()
    session_id = await person.start_session()
    await asyncio.sleep(STILL_AT_START_S)
    parts = list(script_of(patient.patient))
    while parts:
        part = parts.pop(0)
        if not fits(part, left_s()):
            break
        truth = await _do(link, patient.patient, person, part)
        LOG.info("set_done", subject=person.subject_id, exercise=part.exercise, reps=len(truth.reps))
        if part.exercise != CALIBRATION:
            done(DoneSet(person.subject_id, session_id, truth))
        if not parts and forever:
            parts = list(script_of(patient.patient))
    await person.press("end_session")


async def conduct_replay(link: SimLink, patient: PatientReady, person: Person, exercise: str) -> None:
    """Let a recorded person do their set."""
    await person.sensors_connected()
    await person.start_session()
    await person.press("start_exercise", exercise=exercise)
    replaying = await link.tell(Replay(patient=patient.patient), Replaying)
    await _sleep_until(replaying.end_ns)
    await asyncio.sleep(AFTER_REPLAY_S)
    await person.press("end_set")
    await person.press("end_session")


async def _do(link: SimLink, number: int, person: Person, part: Part) -> Performing:
    """One set. The movement starts only when the command is known to stand in the log before it."""
    settled = await link.tell(Settle(patient=number, exercise=part.exercise), Settled)
    await _sleep_until(settled.t_ns)
    if part.exercise == CALIBRATION:
        await person.press("calibrate")
    else:
        await person.press("start_exercise", exercise=part.exercise)
    perform = Perform(
        patient=number,
        exercise=part.exercise,
        reps=part.reps,
        duration_s=max(1.0, part.duration_s),
        faulty_share=part.faulty_share,
    )
    truth = await link.tell(perform, Performing)
    await _sleep_until(truth.end_ns)
    if part.exercise != CALIBRATION:
        await person.press("end_set")
    return truth


async def _sleep_until(t_ns: int) -> None:
    await asyncio.sleep(max(0.0, (t_ns - time.time_ns()) / 1e9))
