from __future__ import annotations

import re

import httpx
import pytest

from processing.domain.exercises import CATALOGUE
from processing.domain.ids import SessionId, finding_uuid
from processing.domain.samples import Placement
from processing.domain.sensor_findings import FaultKind, SensorFault
from service.api.results import FAULT_WORDS, set_results
from tests.web.service_twin import ANNA, World, a_set, a_stop

HTML = {"accept": "text/html"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def test_the_list_shows_everybody_with_a_word_for_their_state(client: httpx.AsyncClient) -> None:
    page = (await client.get("/", headers=HTML)).text
    assert "Anna" in page
    assert '<span class="state" data-field="state" data-tone="good">Ready</span>' in page
    assert '<span class="state" data-field="state" data-tone="off">No sensor</span>' in page


async def test_a_page_without_people_says_how_to_begin(client: httpx.AsyncClient, world: World) -> None:
    world.store.people.clear()
    assert "Nobody is here yet" in (await client.get("/", headers=HTML)).text


async def test_the_live_page_offers_the_whole_catalogue(client: httpx.AsyncClient) -> None:
    page = (await client.get("/subjects/anna-7/live", headers=HTML)).text
    for exercise in CATALOGUE.values():
        assert f'<option value="{exercise.code}"' in page


async def test_the_live_page_promises_no_count_that_nobody_checked(client: httpx.AsyncClient) -> None:
    page = (await client.get("/subjects/anna-7/live", headers=HTML)).text
    for code, timed, words in (
        ("squat", "no", "Squat<"),
        ("bridge", "no", "Bridge (tried in simulation only)<"),
        ("bird_dog", "no", "Bird dog (tried in simulation only)<"),
        ("side_plank", "yes", "Side plank (time only)<"),
        ("calf_stretch", "yes", "Calf stretch (time only)<"),
        ("walking", "yes", "Walking (time and steps)<"),
    ):
        (option,) = re.findall(rf'<option value="{code}".*?/option>', page)
        assert f'data-timed="{timed}"' in option
        assert words in option


async def test_the_buttons_work_without_javascript(client: httpx.AsyncClient, world: World) -> None:
    page = (await client.get("/subjects/anna-7/live", headers=HTML)).text
    key = re.findall(r'name="key" value="([^"]+)"', page)[0]
    for _ in range(2):  # a double press
        answer = await client.post("/subjects/anna-7/session", content=f"key={key}", headers=HTML | FORM)
        assert (answer.status_code, answer.headers["location"]) == (303, "/subjects/anna-7/live")
    assert len(world.store.sessions) == 1
    answer = await client.post(
        "/subjects/anna-7/commands", content="key=2&type=start_exercise&exercise=squat", headers=HTML | FORM
    )
    assert answer.status_code == 303
    answer = await client.post("/subjects/anna-7/commands", content="type=report_pain&score=7", headers=HTML | FORM)
    assert answer.status_code == 303
    kinds = [str(control.message.command.__struct_config__.tag) for control in world.store.messages.values()]
    assert kinds == ["start_session", "start_exercise", "report_pain"]


async def test_an_open_session_shows_its_buttons_and_hides_start(client: httpx.AsyncClient, world: World) -> None:
    page = (await client.get("/subjects/anna-7/live", headers=HTML)).text
    assert '<div id="when-open" class="stack" hidden>' in page
    session = await world.desk.start_session(ANNA, None)
    page = (await client.get("/subjects/anna-7/live", headers=HTML)).text
    assert "Waiting for the gateway" in page
    assert '<div id="when-closed" hidden>' in page
    world.store.apply(session.session_id)
    await world.look()
    assert "Waiting for the gateway" not in (await client.get("/subjects/anna-7/live", headers=HTML)).text


async def test_a_gateway_that_does_not_answer_is_said_in_words(client: httpx.AsyncClient, world: World) -> None:
    await world.desk.start_session(ANNA, None)
    world.clock.go_on(60)
    await world.look()
    page = (await client.get("/subjects/anna-7/live", headers=HTML)).text
    assert "The gateway did not answer" in page
    assert '<div id="when-closed">' in page, "one can start again"


async def test_the_last_set_shows_whole_degrees_and_reasons_in_words(client: httpx.AsyncClient, world: World) -> None:
    session = await world.desk.start_session(ANNA, None)
    world.store.committed = a_set(session.session_id)
    part = (await client.get("/subjects/anna-7/results", headers=HTML)).text
    assert ">52°<" in part
    assert ">19°<" in part
    assert "52.4" not in part.replace("&#34;flexion&#34;:52.4", "")
    world.store.committed += a_set(session.session_id, 2, 5, refused=True)
    part = (await client.get("/subjects/anna-7/results", headers=HTML)).text
    assert "No range of motion. Samples were missing." in part
    assert f'data-finding="{set_results(world.store.committed)[-1].finding_id}"' in part


async def test_who_walked_off_is_told_to_start_again(client: httpx.AsyncClient, world: World) -> None:
    session = await world.desk.start_session(ANNA, None)
    world.store.committed = a_set(session.session_id)
    assert "walked off" not in (await client.get("/subjects/anna-7/results", headers=HTML)).text
    world.store.committed += [a_stop(session.session_id, 2), *a_set(session.session_id, 2, 1)]
    assert "Counting stopped when you walked off." in (await client.get("/subjects/anna-7/results", headers=HTML)).text


async def test_what_is_wrong_with_a_sensor_is_said_once_with_what_to_do(
    client: httpx.AsyncClient, world: World
) -> None:
    session = await world.desk.start_session(ANNA, None)
    faults = [
        SensorFault(
            finding_id=finding_uuid(SessionId(session.session_id), "sensor_fault", ordinal),
            session_id=session.session_id,
            ordinal=ordinal,
            t0_ns=1,
            t1_ns=2,
            algorithm="sensor_watch/1",
            quality=1.0,
            placement=Placement.THORAX,
            sensor_id="s",
            fault=FaultKind.SLIPPED,
            detail="20° off",
        )
        for ordinal in range(2)
    ]
    world.store.committed = [*a_set(session.session_id), *faults]
    part = (await client.get("/subjects/anna-7/results", headers=HTML)).text
    assert part.count("Sensor, upper back: The sensor seems to have slipped. Fasten it, then calibrate again.") == 1


async def test_names_cannot_become_markup(client: httpx.AsyncClient, world: World) -> None:
    world.store.people[ANNA] = type(world.store.people[ANNA])(ANNA, "<script>alert(1)</script>")
    for path in ("/", "/subjects/anna-7/live"):
        page = (await client.get(path, headers=HTML)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


async def test_pages_carry_no_inline_script_or_style(client: httpx.AsyncClient, world: World) -> None:
    await world.desk.start_session(ANNA, None)
    for path in ("/", "/subjects/anna-7/live", "/subjects/nobody/live"):
        page = (await client.get(path, headers=HTML)).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|https?://", page)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))


@pytest.mark.parametrize(
    ("content", "status"),
    [("", 422), ("&&", 400), ("type=explode", 422), ("type=report_pain&score=eleven", 422), ("type=%ff", 422)],
)
async def test_a_bad_form_gets_a_page_that_says_what_to_do(
    client: httpx.AsyncClient, world: World, content: str, status: int
) -> None:
    await world.desk.start_session(ANNA, None)
    answer = await client.post("/subjects/anna-7/commands", content=content, headers=HTML | FORM)
    assert answer.status_code == status
    assert "text/html" in answer.headers["content-type"]
    assert "Back to the list" in answer.text


async def test_a_command_without_a_session_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.post("/subjects/anna-7/commands", content="type=calibrate", headers=FORM)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:lumbar:problem:no_session")


def test_there_are_words_for_every_fault() -> None:
    assert set(FAULT_WORDS) == set(FaultKind)
