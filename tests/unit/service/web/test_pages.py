from __future__ import annotations

import re

import httpx
import msgspec
import pytest

from processing.domain.exercises import CATALOGUE
from processing.domain.findings import RomMeasured
from processing.domain.found import RefusalReason
from processing.domain.hold_findings import HoldRefused
from processing.domain.rejections import RejectionReason
from processing.domain.rep_faults import RepFault
from processing.domain.sensor_findings import FaultKind
from service.api.results import set_results
from service.api.wording import FAULT_WORDS, FAULTY_WORDS
from tests.web.sample_findings import (
    a_calibration,
    a_fault,
    a_hold,
    a_quality,
    a_rejection,
    a_ride,
    a_set,
    a_stop,
    a_timed_set,
    a_walk,
    base,
)
from tests.web.service_twin import ANNA, World

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


async def test_the_live_page_promises_no_count_or_hold_that_nobody_checked(client: httpx.AsyncClient) -> None:
    page = (await client.get("/subjects/anna-7/live", headers=HTML)).text
    for code, dose, words in (
        ("squat", "count", "Squat<"),
        ("bridge", "count", "Bridge (tried in simulation only)<"),
        ("bird_dog", "count", "Bird dog (tried in simulation only)<"),
        ("side_plank", "hold", "Side plank (tried in simulation only)<"),
        ("calf_stretch", "time", "Calf stretch (time only)<"),
        ("walking", "time", "Walking (time and steps)<"),
    ):
        (option,) = re.findall(rf'<option value="{code}".*?/option>', page)
        assert f'data-dose="{dose}"' in option
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


async def results_of(client: httpx.AsyncClient) -> str:
    """The part with what was committed, without line breaks."""
    return " ".join((await client.get("/subjects/anna-7/results", headers=HTML)).text.split())


async def test_what_is_wrong_with_a_sensor_is_said_once_with_what_to_do_until_it_is_calibrated(
    client: httpx.AsyncClient, world: World
) -> None:
    session_id = (await world.desk.start_session(ANNA, None)).session_id
    words = "The upper back sensor seems to have slipped. Fasten it, then calibrate again."
    world.store.committed = [
        a_calibration(session_id, 0),
        *(a_fault(session_id, ordinal, FaultKind.SLIPPED, 20) for ordinal in range(2)),
        *a_set(session_id),
    ]
    assert (await client.get("/subjects/anna-7/live", headers=HTML)).text.count(words) == 1
    assert (await results_of(client)).count(words) == 1
    world.store.committed.append(a_calibration(session_id, 40))
    assert words not in await results_of(client)


async def test_repetitions_with_faults_are_summed_up_by_kind(client: httpx.AsyncClient, world: World) -> None:
    session_id = (await world.desk.start_session(ANNA, None)).session_id
    world.store.committed = [*a_set(session_id), a_quality(session_id, judged=8, faulty=2)]
    part = await results_of(client)
    assert "<b>2 of 8</b>: smaller than usual" in part
    assert "<b>1 of 8</b>: trunk turned more than usual" in part
    assert "not counted" not in part
    world.store.committed += [
        a_rejection(session_id, 0, RejectionReason.TOO_SMALL),
        a_rejection(session_id, 1, RejectionReason.OTHER_PLANE),
        a_rejection(session_id, 2, RejectionReason.OTHER_PLANE),
    ]
    assert (
        "3 movements were not counted. The most frequent reason: most of the movement went in another direction."
        in await results_of(client)
    )


async def test_angles_come_with_their_noise_rounded_up(client: httpx.AsyncClient, world: World) -> None:
    session_id = (await world.desk.start_session(ANNA, None)).session_id
    world.store.committed = [
        msgspec.structs.replace(one, noise_deg=1.2) if isinstance(one, RomMeasured) else one
        for one in a_set(session_id)
    ]
    assert '52° <span class="band">± 2°</span>' in await results_of(client)


async def test_holds_show_how_long_and_how_steady(client: httpx.AsyncClient, world: World) -> None:
    session_id = (await world.desk.start_session(ANNA, None)).session_id
    world.store.committed = [
        a_timed_set(session_id, "high_plank"),
        a_hold(session_id, 2, 30.6, sag_deg=0.2, breaks=1, whole=False),
        a_hold(session_id, 1, 24.4),
    ]
    part = await results_of(client)
    assert 'data-figure="31"' in part
    assert '<th scope="row">Hold 1</th><td>24 s</td><td class="how">sagged by 3°</td>' in part
    assert (
        '<th scope="row">Hold 2</th><td>at least 31 s</td><td class="how">steady, left once for a moment</td>' in part
    )
    page = (await client.get("/subjects/anna-7/live", headers=HTML)).text
    assert '<span id="unit">seconds held</span>' in page


async def test_no_hold_is_said_with_its_reason_and_no_number(client: httpx.AsyncClient, world: World) -> None:
    session_id = (await world.desk.start_session(ANNA, None)).session_id
    refused = HoldRefused(
        **base(session_id, "hold_refused", 0, 0, 300),
        exercise="high_plank",
        set_number=1,
        reason=RefusalReason.NO_AXIS,
        detail="",
    )
    world.store.committed = [a_timed_set(session_id, "high_plank"), refused]
    part = await results_of(client)
    assert "No hold. It is not known how the sensor sits." in part
    assert 'data-figure="—"' in part


async def test_walks_and_rides_show_what_is_known_of_them(client: httpx.AsyncClient, world: World) -> None:
    session_id = (await world.desk.start_session(ANNA, None)).session_id
    world.store.committed = [
        a_timed_set(session_id, "walking"),
        a_walk(session_id, 0, 150, 60),
        a_walk(session_id, 1, 70, 25),
        a_walk(session_id, 9, 999, 99),  # after the set
    ]
    part = await results_of(client)
    assert "<dt>Steps</dt><dd>220</dd>" in part
    assert "<dt>Brisk walking</dt><dd>1:25</dd>" in part
    world.store.committed = [
        a_timed_set(session_id, "stationary_bike"),
        a_ride(session_id, 0, 30, 50),
        a_ride(session_id, 1, 90, 70),
    ]
    part = await results_of(client)
    assert "<dt>Pedalling</dt><dd>2:00</dd>" in part
    assert "<dt>Turns per minute, low confidence</dt><dd>65</dd>" in part


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
    assert set(FAULTY_WORDS) == set(RepFault)
