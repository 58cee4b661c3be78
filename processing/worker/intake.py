"""What to do with a batch, and whose a finding is: decisions without waiting. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from processing.domain.commands import StartSession
from processing.domain.ids import GatewayId, SubjectId
from processing.wire.log import LogBatch
from processing.worker.ports import SessionRecord

END_MARGIN_NS = 60_000_000_000
"""A session that was ended may go on for so long: the command is on its way, and clocks differ."""


class Verdict(StrEnum):
    """What a batch is to a partition."""

    TAKE = "take"
    """It holds the next entry."""
    DUPLICATE = "duplicate"
    """All of it was taken before."""
    HOLE = "hole"
    """Entries before it are missing; the gateway must rewind."""
    OTHER_LOG = "other_log"
    """It belongs to another log of the gateway."""


class Judgement(NamedTuple):
    """Verdict on a batch; ``skip`` entries at its beginning were taken before."""

    verdict: Verdict
    skip: int = 0


def judge(log_id: int, expect: int, batch: LogBatch) -> Judgement:
    """Compare a batch with the log and offset that a partition waits for."""
    if batch.log_id != log_id:
        return Judgement(Verdict.OTHER_LOG)
    if batch.first_offset > expect:
        return Judgement(Verdict.HOLE)
    if batch.next_offset <= expect:
        return Judgement(Verdict.DUPLICATE)
    return Judgement(Verdict.TAKE, expect - batch.first_offset)


class DropReason(StrEnum):
    """Why findings of a session are not kept."""

    UNKNOWN_SESSION = "unknown_session"
    """The store has no such session: nobody started it here."""
    OTHER_GATEWAY = "other_gateway"
    """The session belongs to another gateway."""
    UNPAIRED_SENSOR = "unpaired_sensor"
    """The log opened the session with a sensor or placement that was not paired for it."""
    AFTER_END = "after_end"
    """It happened after the session was ended; the command did not reach the log yet."""


def owner_of(
    gateway_id: GatewayId, opened: StartSession | None, record: SessionRecord | None
) -> SubjectId | DropReason:
    """Person that a session's findings belong to.

    A gateway writes its own log, so the log alone proves nothing: the store must know the session, on this gateway,
    with these sensors.

    Args:
        gateway_id: gateway whose log the session is in.
        opened: the command by which the log opened it.
        record: what the store knows of it.
    """
    if record is None or opened is None:
        return DropReason.UNKNOWN_SESSION
    if record.gateway_id != gateway_id:
        return DropReason.OTHER_GATEWAY
    paired = {(sensor.sensor_id, sensor.placement) for sensor in record.sensors}
    if not paired.issuperset((sensor.sensor_id, sensor.placement) for sensor in opened.sensors):
        return DropReason.UNPAIRED_SENSOR
    return record.subject_id


def is_after_end(t0_ns: int, ended_ns: int | None) -> bool:
    """Tell whether something that began at ``t0_ns`` belongs to a session no more that people ended at ``ended_ns``.

    Only for sessions that the log did not end yet: those that it ended hold nothing from after their end.
    """
    return ended_ns is not None and t0_ns > ended_ns + END_MARGIN_NS
