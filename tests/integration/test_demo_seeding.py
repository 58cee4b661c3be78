"""What the demo puts into its database before it begins."""

from __future__ import annotations

from processing.domain.commands import ControlMessage, SensorPlacement, StartSession
from processing.domain.ids import SensorId, SubjectId
from processing.domain.samples import Placement
from service.api.ports import Session
from service.cli.demo.seeding import GATEWAY_ID, Wearer, seed_people
from service.store.pool import Pool
from service.store.service_store import PostgresServiceStore
from tests.integration.worker_parts import T0_NS, session_named

SESSION = session_named("killed")
SENSOR = SensorId("S1")


async def test_a_session_left_open_by_a_killed_demo_does_not_hold_its_sensor(pool: Pool, dsn: str) -> None:
    store = PostgresServiceStore(pool)
    first, second = (Wearer(SubjectId(name), ((SENSOR, Placement.PELVIS),), {}) for name in ("one", "two"))
    await seed_people(dsn, [first])
    worn = (SensorPlacement(sensor_id=SENSOR, placement=Placement.PELVIS),)
    start = ControlMessage(
        event_id=SESSION,
        issued_ns=T0_NS,
        expires_ns=T0_NS + 1,
        command=StartSession(session_id=SESSION, sensors=worn),
    )
    await store.create_session(Session(SESSION, first.subject_id, GATEWAY_ID, worn, T0_NS), start)
    await seed_people(dsn, [second])
    assert await store.open_sessions() == []
    assert [pairing.subject_id for pairing in await store.pairings()] == [second.subject_id]
