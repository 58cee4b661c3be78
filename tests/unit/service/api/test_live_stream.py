from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
import pytest

from processing.domain.findings import LiveFrame, kind_of
from processing.domain.ids import SubjectId
from processing.domain.sensor_findings import FaultKind
from processing.wire.messages import SensorsReport, encode_message
from processing.wire.topics import GatewayTopic, gateway_topic, live_topic
from service.api.events import Liveness
from service.api.hub import QUEUE_EVENTS, RING_EVENTS, Hub
from service.api.ports import ControlState
from service.api.problems import ProblemError
from service.api.stream import RESYNC, events, open_stream
from tests.web.sample_findings import SHALLOW, a_fault, a_rep, a_set, one_of_each
from tests.web.service_twin import ANNA, BEN, HUB_1, World


@dataclass
class Event:
    event_id: int
    name: str
    data: dict[str, object]


def parsed(chunk: bytes) -> list[Event]:
    found = []
    for block in chunk.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append(Event(int(fields.get("id", 0)), fields["event"], msgspec.json.decode(fields["data"])))
    return found


class Reader:
    """A screen: opens a stream and takes chunk after chunk."""

    def __init__(self, world: World, last_event_id: str | None = None) -> None:
        response = open_stream(
            world.board.hub,
            ANNA,
            last_event_id,
            lambda: [("snapshot", world.board.snapshot(ANNA, world.clock()))],
        )
        self._chunks: AsyncIterator[bytes] = response.body_iterator  # type: ignore[assignment]

    async def chunk(self) -> bytes:
        async with asyncio.timeout(5):
            return await anext(self._chunks)

    async def event(self) -> Event:
        (event,) = parsed(await self.chunk())
        return event


async def session_of(world: World) -> str:
    return (await world.desk.start_session(ANNA, None)).session_id


async def test_a_screen_gets_a_snapshot_and_then_what_changes(world: World) -> None:
    session_id = await session_of(world)
    world.frame(session_id, 3, flexion=31.26)
    reader = Reader(world)
    first = await reader.chunk()
    assert first.startswith(b"retry: ")
    (snapshot,) = parsed(first)
    assert snapshot.name == "snapshot"
    frame = snapshot.data["frame"]
    assert frame["reps"] == {"flexion": 3}  # type: ignore[index]
    assert frame["lumbar"] == [31.3, 2.0, -3.1]  # type: ignore[index]
    assert frame["age_ms"] == 100  # type: ignore[index]
    assert snapshot.data["session"]["session_id"] == session_id  # type: ignore[index]
    world.clock.go_on(0.1)
    world.frame(session_id, 4)
    event = await reader.event()
    assert (event.name, event.data["reps"]) == ("frame", {"flexion": 4})
    assert event.event_id > snapshot.event_id


async def test_findings_are_marked_provisional_and_keep_their_id(world: World) -> None:
    session_id = await session_of(world)
    reader = Reader(world)
    await reader.chunk()
    finding = a_set(session_id)[-1]
    world.finding(finding)
    event = await reader.event()
    assert event.data["provisional"] is True
    assert event.data["finding"]["finding_id"] == finding.finding_id  # type: ignore[index]


async def test_what_the_patient_shall_hear_at_once_comes_in_words(world: World) -> None:
    session_id = await session_of(world)
    reader = Reader(world)
    await reader.chunk()
    for finding, words in (
        (a_rep(session_id, 1), []),
        (a_rep(session_id, 2, SHALLOW), ["The movement was only 31°; usually it is 55°."]),
        (
            a_fault(session_id, 0, FaultKind.UPSIDE_DOWN, 3),
            ["The upper back sensor is upside down. Turn it round, then calibrate again."],
        ),
    ):
        world.finding(finding)
        assert (await reader.event()).data["words"] == words


async def test_a_repetition_that_has_turned_and_a_hold_under_way_are_shown(world: World) -> None:
    session_id = await session_of(world)
    world.frame(session_id, 3)
    reader = Reader(world)
    (snapshot,) = parsed(await reader.chunk())
    frame = snapshot.data["frame"]
    assert (frame["reps_provisional"], frame["held_s"]) == ({"flexion": 3}, None)  # type: ignore[index]
    world.clock.go_on(0.1)
    world.frame(session_id, 3, reps_provisional={"flexion": 4}, held_s=2.3456)
    data = (await reader.event()).data
    assert (data["reps"], data["reps_provisional"], data["held_s"]) == ({"flexion": 3}, {"flexion": 4}, 2.3)


async def test_every_kind_of_finding_passes_through_the_stream(world: World) -> None:
    session_id = await session_of(world)
    reader = Reader(world)
    await reader.chunk()
    for finding in one_of_each(session_id):
        world.finding(finding)
        event = await reader.event()
        assert event.data["finding"]["type"] == kind_of(finding)  # type: ignore[index]
        assert all(isinstance(one, str) and one for one in event.data["words"])  # type: ignore[attr-defined]


async def test_a_screen_that_comes_back_gets_what_it_missed(world: World) -> None:
    session_id = await session_of(world)
    reader = Reader(world)
    (snapshot,) = parsed(await reader.chunk())
    for step, finding in enumerate(a_set(session_id, reps=3)):
        world.clock.go_on(1)
        world.frame(session_id, step)
        world.finding(finding)
    missed = parsed(await Reader(world, str(snapshot.event_id)).chunk())
    assert [e.data["finding"]["type"] for e in missed if e.name == "finding"] == [  # type: ignore[index]
        "set_started",
        "rep_completed",
        "rep_completed",
        "rep_completed",
        "rom_measured",
        "rom_measured",
        "set_completed",
    ]
    assert [e.data["reps"] for e in missed if e.name == "frame"] == [{"flexion": 6}], "old frames are superseded"


@pytest.mark.parametrize("last_event_id", ["0", "999", "99999999", "nonsense", "", "-1"])
async def test_an_id_that_is_not_ours_brings_a_snapshot(world: World, last_event_id: str) -> None:
    (event,) = parsed(await Reader(world, last_event_id).chunk())
    assert event.name == "snapshot"


async def test_an_id_that_left_the_ring_brings_a_snapshot(world: World) -> None:
    session_id = await session_of(world)
    (snapshot,) = parsed(await Reader(world).chunk())
    for finding in a_set(session_id, reps=RING_EVENTS):
        world.finding(finding)
    (event,) = parsed(await Reader(world, str(snapshot.event_id)).chunk())
    assert event.name == "snapshot"


async def test_a_slow_screen_is_cut_and_told_to_start_afresh(world: World) -> None:
    session_id = await session_of(world)
    slow = Reader(world)
    quick = Reader(world)
    await slow.chunk()
    await quick.chunk()
    for _ in range(QUEUE_EVENTS + 1):
        world.clock.go_on(0.1)
        world.frame(session_id, 1)
        await quick.event()
    assert await slow.chunk() == RESYNC
    with pytest.raises(StopAsyncIteration):
        await slow.chunk()
    world.clock.go_on(0.1)
    world.frame(session_id, 2)
    assert (await quick.event()).data["reps"] == {"flexion": 2}


async def test_a_silent_stream_is_kept_open_by_a_heartbeat() -> None:
    hub = Hub(first_id=1)
    subscription = hub.subscribe("quiet", None)
    assert subscription is not None
    stream = events(subscription, (), retry_ms=3000, heartbeat_s=0.01)
    assert await anext(stream) == b"retry: 3000\n\n"
    assert await anext(stream) == b": still here\n\n"
    hub.publish("quiet", "frame", b"{}")
    assert b"event: frame" in await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]


async def test_there_is_room_again_when_a_screen_leaves() -> None:
    hub = Hub(first_id=1, max_readers=1)
    first = open_stream(hub, "a", None, list)
    await anext(first.body_iterator)  # type: ignore[arg-type]
    with pytest.raises(ProblemError) as refused:
        open_stream(hub, "a", None, list)
    assert refused.value.status == 503
    await first.body_iterator.aclose()  # type: ignore[attr-defined]
    open_stream(hub, "b", None, list)


async def test_all_streams_end_when_the_service_stops(world: World) -> None:
    reader = Reader(world)
    await reader.chunk()
    world.board.hub.close()
    assert await reader.chunk() == RESYNC
    assert world.board.hub.subscribe(ANNA, None) is None


async def test_frames_of_another_session_or_too_fast_are_left_out(world: World) -> None:
    session_id = await session_of(world)
    reader = Reader(world)
    await reader.chunk()
    world.frame("00000000-0000-0000-0000-000000000000", 9)
    for reps in (1, 2, 3):
        world.clock.go_on(0.03)
        world.frame(session_id, reps)
    world.clock.go_on(0.03)
    world.frame(session_id, 4)
    assert [(await reader.event()).data["reps"] for _ in range(2)] == [{"flexion": 1}, {"flexion": 4}]


async def test_ending_a_session_clears_what_was_live(world: World) -> None:
    session_id = await session_of(world)
    world.frame(session_id, 5)
    world.board.set_session(ANNA, None, None, world.clock())
    world.clock.go_on(1)
    world.frame(session_id, 6)
    assert world.board.snapshot(ANNA, world.clock()).frame is None


async def test_a_lost_sensor_and_a_lost_gateway_reach_the_screen(world: World) -> None:
    reader = Reader(world)
    await reader.chunk()
    world.follower.take(
        gateway_topic(HUB_1, GatewayTopic.SENSORS), encode_message(SensorsReport(t_ns=world.clock(), sensors=()))
    )
    event = await reader.event()
    assert [sensor["connected"] for sensor in event.data["sensors"]] == [None, None]  # type: ignore[attr-defined]
    world.gateway(online=False)
    assert (await reader.event()).data["gateway"]["online"] is False  # type: ignore[index]
    world.board.set_following(following=False, now_ns=world.clock())
    assert (await reader.event()).data["following"] is False


async def test_a_command_shows_how_far_it_came(world: World) -> None:
    session_id = await session_of(world)
    reader = Reader(world)
    (snapshot,) = parsed(await reader.chunk())
    assert snapshot.data["controls"][0]["state"] == "pending"  # type: ignore[index]
    world.store.apply(session_id)
    await world.look()
    told = [await reader.event(), await reader.event()]
    assert {event.name for event in told} == {"session", "control"}
    assert all("applied" in str(event.data) for event in told)


async def test_the_list_follows_who_exercises(world: World) -> None:
    session_id = await session_of(world)
    rows = {row.subject_id: row.liveness for row in world.board.overviews(world.clock())}
    assert rows == {ANNA: Liveness.SILENT, BEN: Liveness.NO_SENSOR}
    world.frame(session_id, 7)
    row = world.board.overview(ANNA, world.clock())
    assert (row.liveness, row.reps, row.exercise) == (Liveness.EXERCISING, 7, "standing_flexion_extension")
    world.clock.go_on(1)
    world.frame(session_id, 7, exercise=None)
    assert world.board.overview(ANNA, world.clock()).liveness is Liveness.RESTING
    world.clock.go_on(2)
    before = world.board.hub.last_id
    world.board.refresh_overviews(world.clock())
    assert world.board.hub.last_id == before + 1, "silence is news"
    assert world.board.overview(ANNA, world.clock()).liveness is Liveness.SILENT
    world.gateway(online=False)
    assert world.board.overview(ANNA, world.clock()).liveness is Liveness.OFFLINE


async def test_people_the_store_does_not_know_take_no_memory(world: World) -> None:
    before = world.board.hub.last_id
    frame = LiveFrame(
        session_id="00000000-0000-0000-0000-000000000000",
        t_ns=world.clock(),
        exercise=None,
        set_number=0,
        reps={},
        lumbar=None,
        trunk=None,
        calibrated=False,
        sensors={},
    )
    world.follower.take(live_topic(SubjectId("stranger")), encode_message(frame))
    assert world.board.hub.last_id == before
    assert {row.subject_id for row in world.board.overviews(world.clock())} == {ANNA, BEN}


async def test_the_number_of_recent_commands_is_bounded(world: World) -> None:
    session_id = await session_of(world)
    template = world.store.messages[session_id]
    for index in range(50):
        message = msgspec.structs.replace(template.message, event_id=f"{index:08d}-0000-0000-0000-000000000000")
        world.board.set_control(ANNA, type(template)(HUB_1, message, ControlState.APPLIED))
    assert len(world.board.snapshot(ANNA, world.clock()).controls) == 8


async def test_a_clock_that_was_set_back_does_not_freeze_the_page(world: World) -> None:
    session_id = await session_of(world)
    world.frame(session_id, reps=1)
    world.clock.go_on(-3600)
    world.board.refresh_overviews(world.clock())
    assert world.board.overview(ANNA, world.clock()).liveness is not Liveness.EXERCISING
    world.frame(session_id, reps=2)
    frame = world.board.snapshot(ANNA, world.clock()).frame
    assert frame is not None
    assert frame.reps == {"flexion": 2}
    assert world.board.overview(ANNA, world.clock()).liveness is Liveness.EXERCISING


def test_a_channel_keeps_only_the_newest_of_what_is_superseded() -> None:
    hub = Hub(first_id=0)
    for data in (b"seen", b"first"):
        hub.publish("anna-7", "finding", data)
    for number in range(5 * RING_EVENTS):
        hub.publish("anna-7", "frame", b"%d" % number, superseded=True)
    hub.publish("anna-7", "finding", b"last")
    reader = hub.subscribe("anna-7", 1)
    assert reader is not None
    assert reader.backlog is not None
    assert [event.data for event in reader.backlog] == [b"first", b"%d" % (5 * RING_EVENTS - 1), b"last"]
