from __future__ import annotations

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from processing.domain.commands import CapturePosture, EndSession, StartExercise, StartSession
from processing.domain.exercises import CATALOGUE
from processing.domain.posture_types import SittingPose
from processing.domain.rejections import RejectionReason
from processing.domain.sensor_findings import FaultKind
from processing.wire.messages import encode_finding
from service.api.ports import ControlState
from service.api.problems import MEDIA_TYPE
from tests.web.sample_findings import a_fault, a_hold, a_quality, a_rejection, a_set, a_stop, a_timed_set
from tests.web.service_twin import ANNA, HUB_1, World

START = {"subject_id": "anna-7"}


async def started(client: httpx.AsyncClient) -> str:
    answer = await client.post("/api/v1/sessions", json=START)
    assert answer.status_code == 201
    return str(answer.json()["session_id"])


def problem_of(answer: httpx.Response, status: int, name: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    body: dict[str, object] = answer.json()
    assert body["type"] == f"urn:lumbar:problem:{name}"
    assert body["status"] == status
    assert body["detail"]
    assert body["action"]
    assert body["instance"] == answer.request.url.path
    return body


async def test_a_person_shows_sensors_gateway_and_session(client: httpx.AsyncClient) -> None:
    assert [one["subject_id"] for one in (await client.get("/api/v1/subjects")).json()] == ["anna-7", "ben-3"]
    before = (await client.get("/api/v1/subjects/anna-7")).json()
    assert before["session"] is None
    assert before["gateway_online"] is True
    assert {s["placement"]: s["connected"] for s in before["sensors"]} == {"pelvis": True, "thorax": True}
    session_id = await started(client)
    assert (await client.get("/api/v1/subjects/anna-7")).json()["session"]["session_id"] == session_id


async def test_an_unknown_person_is_a_problem_that_says_what_to_do(client: httpx.AsyncClient) -> None:
    problem_of(await client.get("/api/v1/subjects/nobody"), 404, "not_found")
    problem_of(await client.post("/api/v1/sessions", json={"subject_id": "nobody"}), 404, "not_found")
    problem_of(await client.get("/api/v1/live/nobody"), 404, "not_found")
    problem_of(await client.get("/api/v1/sessions/not-a-uuid"), 404, "not_found")
    problem_of(await client.get("/api/v1/nothing"), 404, "not_found")


async def test_the_catalogue_states_evidence_and_sensors(client: httpx.AsyncClient) -> None:
    exercises = {one["code"]: one for one in (await client.get("/api/v1/exercises")).json()}
    assert exercises.keys() == CATALOGUE.keys()
    assert exercises["squat"]["evidence"] == "real people"
    assert exercises["squat"]["sensors_best"] == ["pelvis"]
    assert exercises["cat_cow"]["sensors_best"] == ["pelvis", "thorax"]
    assert exercises["cat_cow"]["sensors_enough"] == ["pelvis"]
    assert exercises["walking"]["counting"] == "timed"
    assert (exercises["squat"]["evidence_people"], exercises["squat"]["time_only"]) == (3, False)
    assert (exercises["side_plank"]["evidence"], exercises["side_plank"]["time_only"]) == ("simulation only", True)


async def test_a_session_takes_the_sensors_from_the_pairings(client: httpx.AsyncClient, world: World) -> None:
    session_id = await started(client)
    stored = world.store.sessions[session_id]
    assert stored.gateway_id == HUB_1
    start = world.store.messages[session_id].message.command
    assert isinstance(start, StartSession)
    assert [(s.sensor_id, s.placement) for s in start.sensors] == [("imu-s1", "pelvis"), ("imu-t12", "thorax")]


async def test_a_second_session_is_refused_while_one_is_open(client: httpx.AsyncClient) -> None:
    await started(client)
    problem_of(await client.post("/api/v1/sessions", json=START), 409, "session_open")


async def test_a_session_that_no_gateway_took_can_be_replaced(client: httpx.AsyncClient, world: World) -> None:
    first = await started(client)
    world.clock.go_on(60)
    await world.look()
    assert world.store.messages[first].state is ControlState.EXPIRED
    second = await started(client)
    assert second != first
    assert world.store.sessions[first].ended_ns is not None


async def test_without_sensors_there_is_no_session(client: httpx.AsyncClient) -> None:
    problem_of(await client.post("/api/v1/sessions", json={"subject_id": "ben-3"}), 409, "no_sensor")


async def test_sensors_of_two_gateways_make_no_session(client: httpx.AsyncClient) -> None:
    body = {"sensor_id": "imu-t12", "subject_id": "anna-7", "placement": "thorax", "gateway_id": "hub-2"}
    assert (await client.post("/api/v1/pairings", json=body)).status_code == 201
    problem_of(await client.post("/api/v1/sessions", json=START), 409, "two_gateways")


async def test_a_pairing_makes_a_new_pseudonym_known(client: httpx.AsyncClient, world: World) -> None:
    body = {"sensor_id": "imu-9", "subject_id": "cleo-1", "placement": "pelvis", "gateway_id": "hub-1"}
    assert (await client.post("/api/v1/pairings", json=body)).status_code == 201
    await world.look()
    assert (await client.post("/api/v1/sessions", json={"subject_id": "cleo-1"})).status_code == 201


@pytest.mark.parametrize(
    ("sensor_id", "subject_id", "placement"), [("imu-s1", "ben-3", "pelvis"), ("imu-9", "anna-7", "thorax")]
)
async def test_the_sensors_and_places_of_an_open_session_cannot_be_paired_anew(
    client: httpx.AsyncClient, world: World, sensor_id: str, subject_id: str, placement: str
) -> None:
    body = {"sensor_id": sensor_id, "subject_id": subject_id, "placement": placement, "gateway_id": "hub-1"}
    session_id = await started(client)
    before = list(world.store.worn)
    problem_of(await client.post("/api/v1/pairings", json=body), 409, "session_open")
    assert world.store.worn == before
    await client.post(f"/api/v1/sessions/{session_id}/commands", json={"type": "end_session"})
    assert (await client.post("/api/v1/pairings", json=body)).status_code == 201


async def test_a_command_is_stored_before_it_is_answered(client: httpx.AsyncClient, world: World) -> None:
    session_id = await started(client)
    answer = await client.post(
        f"/api/v1/sessions/{session_id}/commands", json={"type": "start_exercise", "exercise": "squat"}
    )
    assert answer.status_code == 202
    body = answer.json()
    assert (body["state"], body["type"], body["gateway_online"]) == ("pending", "start_exercise", True)
    stored = world.store.messages[body["event_id"]].message
    assert stored.command == StartExercise(session_id=session_id, exercise="squat")
    assert stored.expires_ns - stored.issued_ns == 30_000_000_000


async def test_a_repeated_key_does_it_once(client: httpx.AsyncClient, world: World) -> None:
    headers = {"idempotency-key": "press-1"}
    sessions = [await client.post("/api/v1/sessions", json=START, headers=headers) for _ in range(2)]
    assert sessions[0].json() == sessions[1].json()
    path = f"/api/v1/sessions/{sessions[0].json()['session_id']}/commands"
    answers = [await client.post(path, json={"type": "report_pain", "score": 4}, headers=headers) for _ in range(3)]
    assert {answer.json()["event_id"] for answer in answers} == {answers[0].json()["event_id"]}
    assert len(world.store.messages) == 2
    other = await client.post(path, json={"type": "report_pain", "score": 5}, headers=headers)
    problem_of(other, 409, "key_reused")


async def test_a_repeated_end_is_answered_although_the_session_has_ended(client: httpx.AsyncClient) -> None:
    path = f"/api/v1/sessions/{await started(client)}/commands"
    headers = {"idempotency-key": "bye"}
    first = await client.post(path, json={"type": "end_session"}, headers=headers)
    again = await client.post(path, json={"type": "end_session"}, headers=headers)
    assert first.json()["event_id"] == again.json()["event_id"]
    problem_of(await client.post(path, json={"type": "calibrate"}), 409, "session_ended")


async def test_a_sitting_pose_is_asked_for_by_name(client: httpx.AsyncClient, world: World) -> None:
    session_id = await started(client)
    body = {"type": "capture_posture", "pose": "slump"}
    answer = await client.post(f"/api/v1/sessions/{session_id}/commands", json=body)
    asked = CapturePosture(session_id=session_id, pose=SittingPose.SLUMP)
    assert world.store.messages[answer.json()["event_id"]].message.command == asked


async def test_ending_a_session_closes_it_at_once(client: httpx.AsyncClient, world: World) -> None:
    session_id = await started(client)
    answer = await client.post(f"/api/v1/sessions/{session_id}/commands", json={"type": "end_session"})
    assert world.store.messages[answer.json()["event_id"]].message.command == EndSession(session_id=session_id)
    assert world.store.sessions[session_id].ended_ns == world.clock()
    assert (await client.post("/api/v1/sessions", json=START)).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"type": "start_exercise", "exercise": "moonwalk"},
        {"type": "start_exercise"},
        {"type": "report_pain", "score": 11},
        {"type": "report_pain", "score": 4, "extra": 1},
        {"type": "capture_posture", "pose": "lounging"},
        {"type": "explode"},
        {},
        [],
    ],
)
async def test_a_bad_command_is_refused_by_field(client: httpx.AsyncClient, world: World, body: object) -> None:
    session_id = await started(client)
    answer = await client.post(f"/api/v1/sessions/{session_id}/commands", json=body)
    assert problem_of(answer, 422, "bad_request")["errors"]
    assert list(world.store.messages) == [session_id]


async def test_findings_are_paged_bit_for_bit(client: httpx.AsyncClient, world: World) -> None:
    session_id = await started(client)
    world.store.committed = a_set(session_id, reps=7)
    texts: list[bytes] = []
    cursor: str | None = None
    for _ in range(10):
        query = {"limit": "4"} | ({"cursor": cursor} if cursor else {})
        page = await client.get(f"/api/v1/sessions/{session_id}/findings", params=query)
        texts.append(page.content)
        cursor = page.json()["next"]
        if cursor is None:
            break
    together = b"".join(texts)
    assert all(encode_finding(finding) in together for finding in world.store.committed)
    assert len(texts) == 3
    answer = await client.get(f"/api/v1/sessions/{session_id}/findings", params={"cursor": "moon"})
    problem_of(answer, 400, "bad_cursor")


async def test_a_session_lists_its_committed_sets(client: httpx.AsyncClient, world: World) -> None:
    session_id = await started(client)
    world.store.committed = [*a_set(session_id, 2, 5, refused=True), *a_set(session_id, 1, 8), a_stop(session_id, 1)]
    sets = (await client.get(f"/api/v1/sessions/{session_id}")).json()["sets"]
    assert [one["set_number"] for one in sets] == [1, 2]
    assert sets[0]["counts"] == [{"channel": "flexion", "reps": 8, "valid_reps": 7}]
    assert [(r["direction"], r["angle_deg"]) for r in sets[0]["rom"]] == [("flexion", 52.4), ("extension", 18.6)]
    assert sets[1]["rom"] == []
    assert sets[1]["rom_refused"] == ["no_data"]
    assert [one["counting_stopped"] for one in sets] == [True, False]


async def test_a_set_tells_faults_holds_and_what_was_not_counted(client: httpx.AsyncClient, world: World) -> None:
    session_id = await started(client)
    world.store.committed = [
        *a_set(session_id),
        a_quality(session_id, judged=8, faulty=2),
        a_rejection(session_id, 0, RejectionReason.TOO_SMALL),
        a_hold(session_id, seconds=24.4),
        a_fault(session_id, 0, FaultKind.SLIPPED, 3),
    ]
    session = (await client.get(f"/api/v1/sessions/{session_id}")).json()
    (one,) = session["sets"]
    assert one["judged"] == 8
    assert one["faulty"][0] == {"fault": "shallow", "reps": 2, "words": "smaller than usual"}
    assert (one["rejected"]["movements"], one["rejected"]["reason"]) == (1, "too_small")
    assert one["holds"] == [{"number": 1, "seconds": 24.4, "sag_deg": 3.2, "breaks": 0, "whole": True}]
    assert (one["walked"], one["pedalled"], one["notes"]) == (None, None, [])
    assert [(fault["placement"], fault["fault"]) for fault in session["sensor_faults"]] == [("thorax", "slipped")]


async def test_a_fault_that_passes_is_gone_with_the_next_set(client: httpx.AsyncClient, world: World) -> None:
    session_id = await started(client)
    world.store.committed = [*a_set(session_id), a_fault(session_id, 0, FaultKind.LOSSY, 3)]
    later = a_timed_set(session_id, "walking")
    path = f"/api/v1/sessions/{session_id}"
    assert len((await client.get(path)).json()["sensor_faults"]) == 1
    world.store.committed.append(
        msgspec.structs.replace(later, set_number=2, t0_ns=later.t0_ns + 10**10, t1_ns=later.t1_ns + 10**10)
    )
    assert (await client.get(path)).json()["sensor_faults"] == []


async def test_gateways_report_the_health_of_their_sensors(client: httpx.AsyncClient, world: World) -> None:
    (gateway,) = (await client.get("/api/v1/gateways")).json()
    assert (gateway["gateway_id"], gateway["online"]) == ("hub-1", True)
    assert {s["sensor_id"]: s["battery_percent"] for s in gateway["sensors"]} == {"imu-s1": 81, "imu-t12": 81}
    world.board.set_following(following=False, now_ns=world.clock())
    assert (await client.get("/api/v1/gateways")).json()[0]["online"] is None


async def test_health_names_the_part_that_is_away(client: httpx.AsyncClient, world: World) -> None:
    assert (await client.get("/healthz")).json() == {"ok": True, "broker": True, "store": True}
    world.store.down = True
    answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "broker": True, "store": False}


async def test_without_a_database_requests_get_a_problem(client: httpx.AsyncClient, world: World) -> None:
    world.store.down = True
    problem_of(await client.get("/api/v1/subjects"), 503, "store_unavailable")


async def test_metrics_count_what_was_refused(client: httpx.AsyncClient, world: World) -> None:
    world.follower.take("lumbar/v1/live/anna-7", b"\xff nonsense")
    world.follower.take("lumbar/v1/moon", b"")
    text = (await client.get("/metrics")).text
    assert 'lumbar_service_live_refused_total{reason="malformed"}' in text
    assert 'lumbar_service_live_refused_total{reason="unknown_topic"}' in text


async def test_openapi_describes_commands_findings_and_problems(client: httpx.AsyncClient) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    assert {"/api/v1/sessions/{session_id}/commands", "/api/v1/live/{subject_id}"} <= document["paths"].keys()
    schemas = document["components"]["schemas"]
    assert {"Finding", "RepCompleted", "RomMeasured", "StartExerciseIn"} <= schemas.keys()
    command = document["paths"]["/api/v1/sessions/{session_id}/commands"]["post"]
    assert MEDIA_TYPE in command["responses"]["4XX"]["content"]
    assert not any(path.startswith("/subjects") for path in document["paths"])


async def test_a_mistake_of_ours_is_a_problem_without_details(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(world.store, "subjects", broken)
    with capture_logs() as logs:
        answer = await client.get("/api/v1/subjects")
    assert [(line["event"], line["path"]) for line in logs] == [("request failed", "/api/v1/subjects")]
    assert "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    problem_of(answer, 500, "internal")
    assert ANNA not in answer.text
