"""The service's store on a real PostgreSQL."""

from __future__ import annotations

from uuid import uuid5

import pytest

from processing.domain.commands import ControlMessage, EndSession, SensorPlacement
from processing.domain.ids import EventId, GatewayId, SensorId, SubjectId
from processing.domain.samples import Placement
from processing.worker.ports import OwnedFinding
from service.api.ports import (
    ControlState,
    CursorError,
    Pairing,
    PairingChangedError,
    SensorInUseError,
    ServiceStore,
    Session,
    StoreUnavailableError,
    Subject,
)
from service.store.pool import Pool, open_pool
from service.store.service_store import PostgresServiceStore
from service.store.worker_store import PostgresWorkerStore
from tests.integration.worker_parts import NAMESPACE, T0_NS, expected_findings, log_of, session_named, start_session

GW1, GW2 = GatewayId("gw1"), GatewayId("gw2")
P1, P2 = SubjectId("p1"), SubjectId("p2")
S1, S2 = SensorId("S1"), SensorId("S2")
SESSION = session_named("one")


def session(name: str = "one", started_ns: int = T0_NS) -> Session:
    return Session(
        session_id=session_named(name),
        subject_id=P1,
        gateway_id=GW1,
        sensors=(SensorPlacement(sensor_id=S1, placement=Placement.PELVIS, mount="up:+x,forward:-z"),),
        started_ns=started_ns,
    )


def start(name: str = "one") -> ControlMessage:
    command = start_session(session_named(name), S1)
    return ControlMessage(event_id=session_named(name), issued_ns=T0_NS, expires_ns=T0_NS + 30, command=command)


@pytest.fixture
async def store(pool: Pool) -> ServiceStore:
    store = PostgresServiceStore(pool)
    await store.pair(Pairing(S1, P1, Placement.PELVIS, GW1))
    return store


async def test_people_are_listed_with_their_labels_which_live_in_a_schema_of_their_own(pool: Pool) -> None:
    store = PostgresServiceStore(pool)
    await store.add_subject(Subject(P2, "Berta"))
    await store.add_subject(Subject(P1, "Anton"))
    await store.add_subject(Subject(P1, None))
    assert await store.subjects() == [Subject(P1, None), Subject(P2, "Berta")]
    assert await pool.fetchval("SELECT label FROM identity.person WHERE subject_id = 'p2'") == "Berta"


async def test_pairing_a_sensor_anew_ends_the_pairing_it_had_and_the_one_of_its_new_place(store: ServiceStore) -> None:
    await store.pair(Pairing(S2, P2, Placement.PELVIS, GW2))
    await store.pair(Pairing(S1, P2, Placement.PELVIS, GW2, "up:+x,forward:-z"))
    assert await store.pairings() == [Pairing(S1, P2, Placement.PELVIS, GW2, "up:+x,forward:-z")]


async def test_a_gateways_configuration_follows_the_pairings_and_its_version_grows(store: ServiceStore) -> None:
    await store.pair(Pairing(S2, P1, Placement.THORAX, GW1))
    ((gateway_id, before),) = await store.gateway_configs()
    assert (gateway_id, [sensor.sensor_id for sensor in before.sensors]) == (GW1, [S1, S2])
    await store.pair(Pairing(S2, P1, Placement.THORAX, GW1))
    assert await store.gateway_configs() == [(GW1, before)]
    await store.pair(Pairing(S2, P2, Placement.THORAX, GW2))
    configs = dict(await store.gateway_configs())
    assert [sensor.sensor_id for sensor in configs[GW1].sensors] == [S1]
    assert [(sensor.sensor_id, sensor.placement) for sensor in configs[GW2].sensors] == [(S2, Placement.THORAX)]
    assert configs[GW1].version > before.version


async def test_a_session_is_created_once_with_the_command_that_opens_it(store: ServiceStore) -> None:
    assert await store.create_session(session(), start())
    assert not await store.create_session(session(), start())
    assert await store.session(SESSION) == session()
    assert await store.session(session_named("nobody's")) is None
    (pending,) = await store.pending_controls()
    assert (pending.gateway_id, pending.message, pending.state) == (GW1, start(), ControlState.PENDING)


@pytest.mark.parametrize("other", [Pairing(S1, P2, Placement.PELVIS, GW1), Pairing(S2, P1, Placement.PELVIS, GW1)])
async def test_what_an_open_session_uses_cannot_be_paired_anew(store: ServiceStore, other: Pairing) -> None:
    worn = Pairing(S1, P1, Placement.PELVIS, GW1)
    await store.create_session(session(), start())
    with pytest.raises(SensorInUseError) as refused:
        await store.pair(other)
    assert (refused.value.session_id, refused.value.subject_id) == (SESSION, P1)
    assert await store.pairings() == [worn]
    await store.pair(worn)
    await store.pair(Pairing(S2, P2, Placement.PELVIS, GW1))
    await store.end_session(SESSION, T0_NS + 9)
    await store.pair(other)
    assert other in await store.pairings()


async def test_no_session_is_created_with_a_sensor_that_somebody_else_wears_by_now(store: ServiceStore) -> None:
    await store.pair(Pairing(S1, P2, Placement.PELVIS, GW1))
    with pytest.raises(PairingChangedError):
        await store.create_session(session(), start())
    assert await store.session(SESSION) is None


async def test_a_session_that_no_gateway_opened_does_not_hold_its_sensors(store: ServiceStore) -> None:
    await store.create_session(session(), start())
    await store.expire_controls([EventId(SESSION)])
    await store.pair(Pairing(S1, P2, Placement.PELVIS, GW1))
    ended = await store.session(SESSION)
    assert ended is not None
    assert ended.ended_ns is not None


async def test_a_session_ends_once(store: ServiceStore) -> None:
    await store.create_session(session(), start())
    await store.create_session(session("two", T0_NS + 5), start("two"))
    assert [each.session_id for each in await store.open_sessions()] == [SESSION, session_named("two")]
    await store.end_session(SESSION, T0_NS + 9)
    await store.end_session(SESSION, T0_NS + 99)
    ended = await store.session(SESSION)
    assert ended is not None
    assert ended.ended_ns == T0_NS + 9
    assert [each.session_id for each in await store.open_sessions()] == [session_named("two")]
    latest = await store.latest_session(P1)
    assert latest is not None
    assert latest.session_id == session_named("two")
    assert await store.latest_session(P2) is None


async def test_commands_are_stored_once_and_expire_only_while_pending(store: ServiceStore) -> None:
    await store.create_session(session(), start())
    event_id = EventId(str(uuid5(NAMESPACE, "end")))
    end = ControlMessage(
        event_id=event_id, issued_ns=T0_NS, expires_ns=T0_NS + 1, command=EndSession(session_id=SESSION)
    )
    assert await store.add_control(GW1, end)
    assert not await store.add_control(GW1, end)
    assert [each.message for each in await store.pending_controls()] == [start(), end]
    await store.expire_controls([event_id])
    found = await store.control(event_id)
    assert found is not None
    assert found.state is ControlState.EXPIRED
    assert [each.message.event_id for each in await store.pending_controls()] == [SESSION]
    assert len(await store.controls([event_id, EventId(SESSION), EventId(session_named("none"))])) == 2


async def test_a_reader_who_follows_the_cursor_sees_every_finding_once(
    store: ServiceStore, pool: Pool, dsn: str
) -> None:
    await store.create_session(session(), start())
    worker = PostgresWorkerStore(pool, dsn)
    findings = expected_findings(log_of(SESSION, 40))
    owned = [OwnedFinding(P1, GW1, finding) for finding in findings]
    await worker.add_findings(owned[:15])
    seen = []
    cursor = None
    while True:
        page = await store.findings(SESSION, cursor, 7)
        seen += page.findings
        if len(seen) == 14:
            await worker.add_findings(owned)
        if page.cursor is None:
            break
        cursor = page.cursor
    assert seen == findings
    assert await store.findings_of_kind(SESSION, ["step_bout"]) == findings
    assert await store.findings_of_kind(SESSION, ["rep_completed"]) == []


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "9" * 30, "٣"])
async def test_a_foreign_cursor_is_refused(store: ServiceStore, cursor: str) -> None:
    with pytest.raises(CursorError):
        await store.findings(SESSION, cursor, 5)


async def test_an_outage_is_told_in_the_words_of_the_services_port() -> None:
    async with open_pool("postgresql://lumbar:x@127.0.0.1:1/lumbar") as pool:
        with pytest.raises(StoreUnavailableError):
            await PostgresServiceStore(pool).subjects()
