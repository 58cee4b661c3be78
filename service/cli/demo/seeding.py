"""Puts the demo's people, sensors and pairings into the store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from processing.domain.ids import SensorId, SubjectId
from processing.domain.samples import Placement
from service.api.ports import Pairing, Subject
from service.cli.demo.system import GATEWAY_ID
from service.store.pool import open_pool
from service.store.service_store import PostgresServiceStore


@dataclass(frozen=True, slots=True)
class Wearer:
    """A person of the demo, their sensors, and how each is mounted where that is known."""

    subject_id: SubjectId
    sensors: tuple[tuple[SensorId, Placement], ...]
    mounts: Mapping[Placement, str]


async def seed_people(dsn: str, wearers: Sequence[Wearer]) -> None:
    """Make people known and pair their sensors through the demo's gateway; again, it changes nothing.

    Sessions that a demo left open when it was killed are ended: their sensors could be given to nobody else.

    Raises:
        StoreUnavailableError: the database does not answer.
    """
    async with open_pool(dsn, max_size=1, application="lumbar demo") as pool:
        store = PostgresServiceStore(pool)
        for session in await store.open_sessions():
            await store.end_session(session.session_id, time.time_ns())
        for wearer in wearers:
            label = wearer.subject_id.replace("-", " ").capitalize()
            await store.add_subject(Subject(wearer.subject_id, label))
            for sensor_id, placement in wearer.sensors:
                mount = wearer.mounts.get(placement)
                await store.pair(Pairing(sensor_id, wearer.subject_id, placement, GATEWAY_ID, mount))
