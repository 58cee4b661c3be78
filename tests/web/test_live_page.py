from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, expect

from processing.domain.commands import EndSet, ReportPain, StartExercise
from processing.domain.rejections import RejectionReason
from processing.domain.sensor_findings import FaultKind
from service.api.ports import ControlState
from tests.web.conftest import Site
from tests.web.sample_findings import (
    SHALLOW,
    a_fault,
    a_hold,
    a_quality,
    a_rejection,
    a_rep,
    a_set,
    a_timed_set,
    one_of_each,
)
from tests.web.service_twin import ANNA, World


async def opened(world: World) -> str:
    """An open session whose start the gateway took."""
    session = await world.desk.start_session(ANNA, None)
    world.store.apply(session.session_id)
    await world.look()
    return session.session_id


@asynccontextmanager
async def moving(world: World, session_id: str, reps: list[int]) -> AsyncIterator[None]:
    """Frames ten times a second; the count is whatever stands in ``reps``."""

    async def feed() -> None:
        for step in range(10_000):
            world.frame(session_id, reps[0], flexion=30 + 30 * math.sin(step / 3))
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(feed())
        try:
            yield
        finally:
            task.cancel()


async def width_is_kept(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def test_count_and_needle_follow_the_back_and_never_look_live_when_stale(site: Site) -> None:
    session_id = await opened(site.world)
    page = await site.open("/subjects/anna-7/live")
    reps = [3]
    async with moving(site.world, session_id, reps):
        await expect(page.locator("#count")).to_have_text("3")
        await expect(page.locator("#exercise")).to_have_text("Bend forward and back, standing")
        await expect(page.locator("#link")).to_have_text("live")
        await expect(page.locator('[data-chip="sensor-pelvis"]')).to_contain_text("receiving")
        box = await page.locator("#count").bounding_box()
        assert box is not None
        assert box["height"] >= 0.25 * 780
        angles = set()
        for _ in range(20):
            angles.add(await page.locator("#needle").get_attribute("data-angle"))
            await page.wait_for_timeout(50)
        assert len(angles) >= 4, "the needle moves"
        reps[0] = 4
        await expect(page.locator("#count")).to_have_text("4")
        await expect(page.locator("#spoken")).to_have_text("4 repetitions")
        await expect(page.locator("#banner")).to_be_hidden()
    await expect(page.locator("#banner")).to_contain_text("Not live: the values are")
    await expect(page.locator("#live")).to_have_class("live is-stale")
    await expect(page.locator("#figure-note")).to_contain_text("last known")
    site.world.gateway(online=False)
    await expect(page.locator("#banner")).to_contain_text("the gateway is off or out of reach")
    async with moving(site.world, session_id, reps):
        await expect(page.locator("#banner")).to_be_hidden()
    assert site.complaints == []


async def test_old_samples_that_arrive_late_do_not_look_live(site: Site) -> None:
    session_id = await opened(site.world)
    page = await site.open("/subjects/anna-7/live")
    await expect(page.locator("#link")).to_have_text("not live")
    site.world.frame(session_id, 2, t_ns=site.world.clock() - 60_000_000_000)
    await expect(page.locator("#count")).to_have_text("2")
    await expect(page.locator("#banner")).to_contain_text("Not live: the values are 6")


async def test_every_button_stores_its_command(site: Site) -> None:
    world = site.world
    page = await site.open("/subjects/anna-7/live")
    await expect(page.locator("#link")).to_have_text("no session")
    await page.get_by_role("button", name="Start session").click()
    await expect(page.get_by_role("button", name="Start exercise")).to_be_visible()
    (session_id,) = world.store.sessions
    await expect(page.locator("#order-note")).to_have_text("Starting the session…")
    world.store.apply(session_id)
    await world.look()
    await expect(page.locator("#order-note")).to_have_text("The session is open.")

    await page.get_by_role("combobox", name="Exercise").select_option("squat")
    await page.get_by_role("button", name="Start exercise").click()
    await expect(page.locator("#order-note")).to_have_text("Starting the exercise…")
    await page.get_by_role("button", name="Pain 6 of 10").click()
    await expect(page.locator("#order-note")).to_have_text("Sending…")
    await page.get_by_role("button", name="End set").click()
    await expect(page.locator("#order-note")).to_have_text("Ending the set…")
    commands = [control.message.command for control in world.store.messages.values()][1:]
    assert commands == [
        StartExercise(session_id=session_id, exercise="squat"),
        ReportPain(session_id=session_id, score=6),
        EndSet(session_id=session_id),
    ]
    await world.store.expire_controls([list(world.store.messages)[-1]])  # type: ignore[list-item]
    assert list(world.store.messages.values())[-1].state is ControlState.EXPIRED
    await world.look()
    await expect(page.locator("#order-note")).to_contain_text("The gateway did not answer")
    await page.get_by_role("button", name="Pain 5 of 10").click()
    await expect(page.locator("#order-note")).to_have_text("Sending…")
    world.store.apply(list(world.store.messages)[-1], ControlState.REFUSED)
    await world.look()
    await expect(page.locator("#order-note")).to_contain_text("was not possible")

    await page.get_by_role("button", name="End session").click()
    await expect(page.get_by_role("button", name="Start session")).to_be_visible()
    assert world.store.sessions[session_id].ended_ns is not None
    assert site.complaints == []


async def test_a_finished_set_is_saving_until_it_is_committed(site: Site) -> None:
    world = site.world
    session_id = await opened(world)
    page = await site.open("/subjects/anna-7/live")
    await expect(page.locator("#target-note")).to_contain_text("appears after")
    world.frame(session_id, 8)
    await expect(page.locator("#count")).to_have_text("8")
    findings = a_set(session_id)
    await asyncio.sleep(0.1)  # frames that come faster are thinned out
    world.frame(session_id, 0, exercise=None)
    world.finding(findings[-1])
    await expect(page.locator("#figure-note")).to_have_text("Set 1, saving…")
    world.store.committed += findings
    await expect(page.locator("#figure-note")).to_have_text("Set 1, saved")
    await expect(page.locator("#count")).to_have_text("8")
    await expect(page.locator("#results")).to_contain_text("52°")
    await expect(page.locator("#target-right")).to_have_attribute("visibility", "visible")
    await page.reload()
    await expect(page.locator("#count")).to_have_text("8")
    await expect(page.locator("#figure-note")).to_have_text("Set 1, saved")
    assert site.complaints == []


async def test_a_repetition_shows_from_its_turn_on_but_is_not_yet_certain(site: Site) -> None:
    session_id = await opened(site.world)
    page = await site.open("/subjects/anna-7/live")
    site.world.frame(session_id, 3, reps_provisional={"flexion": 4})
    await expect(page.locator("#count")).to_have_text("4")
    await expect(page.locator("#count")).to_have_attribute("data-certain", "no")
    await expect(page.locator("#spoken")).to_have_text("3 repetitions")
    await asyncio.sleep(0.1)  # frames that come faster are thinned out
    site.world.frame(session_id, 4)
    await expect(page.locator("#count")).to_have_attribute("data-certain", "yes")
    await expect(page.locator("#spoken")).to_have_text("4 repetitions")
    assert site.complaints == []


async def test_a_fault_is_said_until_the_next_repetition(site: Site) -> None:
    session_id = await opened(site.world)
    page = await site.open("/subjects/anna-7/live")
    site.world.frame(session_id, 1)
    await expect(page.locator("#count")).to_have_text("1")
    site.world.finding(a_rep(session_id, 1, SHALLOW))
    await expect(page.locator("#remark")).to_have_text("The movement was only 31°; usually it is 55°.")
    site.world.finding(a_rep(session_id, 2))
    await expect(page.locator("#remark")).to_be_hidden()
    assert site.complaints == []


async def test_a_held_pose_shows_its_seconds_now_and_the_last_hold_when_it_is_over(site: Site) -> None:
    world = site.world
    session_id = await opened(world)
    page = await site.open("/subjects/anna-7/live")

    async def held(held_s: float | None, later_s: float = 0.0) -> None:
        await asyncio.sleep(0.1)  # frames that come faster are thinned out
        t_ns = world.clock() + int(later_s * 1e9)
        world.frame(session_id, 0, exercise="high_plank", held_s=held_s, t_ns=t_ns)

    await held(None)
    await expect(page.locator("#unit")).to_have_text("seconds held now")
    await held(7.9)
    await expect(page.locator("#count")).to_have_text("7")
    await expect(page.locator("#unit")).to_have_text("seconds, holding")
    await held(20.1)
    await expect(page.locator("#spoken")).to_have_text("20 seconds")
    await held(None)
    await expect(page.locator("#count")).to_have_text("20", timeout=2_000)  # it may be a break
    world.finding(a_hold(session_id, seconds=19.6))
    await held(None)
    await expect(page.locator("#unit")).to_have_text("seconds, hold 1")
    await expect(page.locator("#spoken")).to_have_text("held 20 seconds")
    await held(3.0)
    await expect(page.locator("#count")).to_have_text("3")
    await held(None, later_s=2.0)  # that was no hold
    await expect(page.locator("#count")).to_have_text("20")
    finished = a_timed_set(session_id, "high_plank")
    world.store.committed += [a_hold(session_id, seconds=19.6), finished]
    world.frame(session_id, 0, exercise=None)
    world.finding(finished)
    await expect(page.locator("#figure-note")).to_have_text("Set 1, saved")
    await expect(page.locator("#count")).to_have_text("20")
    await expect(page.locator("#results")).to_contain_text("sagged by 3°")
    assert site.complaints == []


async def test_a_counted_exercise_shows_its_holds_below_the_count(site: Site) -> None:
    session_id = await opened(site.world)
    page = await site.open("/subjects/anna-7/live")
    await expect(page.locator("#held")).to_be_hidden()
    site.world.frame(session_id, 2, exercise="bird_dog", held_s=4.2)
    await expect(page.locator("#count")).to_have_text("2")
    await expect(page.locator("#held")).to_have_text("holding 4 s")
    site.world.finding(a_hold(session_id, seconds=6.4, exercise="bird_dog"))
    await expect(page.locator("#held")).to_have_text("last hold 6 s")
    assert site.complaints == []


async def test_a_sensor_fault_is_said_at_once_with_what_to_do(site: Site) -> None:
    world = site.world
    session_id = await opened(world)
    page = await site.open("/subjects/anna-7/live")
    await expect(page.locator("#notices")).to_be_hidden()
    faults = [a_fault(session_id, ordinal, FaultKind.SLIPPED, 3) for ordinal in range(2)]
    for fault in faults:
        world.finding(fault, commit=True)
    await expect(page.locator("#notices .note")).to_have_text(
        ["The upper back sensor seems to have slipped. Fasten it, then calibrate again."]
    )
    await page.reload()
    await expect(page.locator("#notices .note")).to_have_count(1)
    assert site.complaints == []


async def test_every_kind_of_finding_passes_through_the_page(site: Site) -> None:
    session_id = await opened(site.world)
    page = await site.open("/subjects/anna-7/live")
    for exercise in ("squat", "high_plank", "walking", None):
        site.world.frame(session_id, 1, exercise=exercise)
        for finding in one_of_each(session_id):
            site.world.finding(finding)
        await page.wait_for_timeout(200)
    await expect(page.locator("#link")).to_have_text("live")
    assert site.complaints == []


async def test_a_phone_shows_everything_without_scrolling_sideways(site: Site) -> None:
    world = site.world
    session_id = await opened(world)
    world.store.committed = [
        *a_set(session_id, refused=True),
        a_quality(session_id, judged=8, faulty=2),
        a_hold(session_id, seconds=188.4, exercise="standing_flexion_extension", breaks=3, whole=False),
        *(a_rejection(session_id, ordinal, RejectionReason.OTHER_PLANE) for ordinal in range(12)),
        a_fault(session_id, 0, FaultKind.BIASED, 3),
    ]
    for path in ("/", "/subjects/anna-7/live"):
        for width in (320, 360):
            page = await site.open(path, width=width)
            world.frame(session_id, 188, lumbar=(-88.8, 44.4, -59.9), held_s=188.4)
            world.finding(a_rep(session_id, 188, SHALLOW))
            await page.wait_for_timeout(300)
            assert await width_is_kept(page), f"{path} at {width}"
            small = await page.evaluate(
                """[...document.querySelectorAll('button, select, .button, .planes label, .back')]
                    .filter((one) => one.checkVisibility() && one.offsetHeight > 0)
                    .filter((one) => one.offsetHeight < 48 || one.offsetWidth < 48)
                    .map((one) => one.outerHTML.slice(0, 80))"""
            )
            assert small == []
            await page.context.close()
    assert site.complaints == []


async def test_the_keyboard_reaches_every_action(site: Site) -> None:
    await opened(site.world)
    page = await site.open("/subjects/anna-7/live", width=1366, height=850)
    await expect(page.locator("#link")).to_have_text("not live")
    reached = []
    for _ in range(30):
        await page.keyboard.press("Tab")
        reached.append(
            await page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name || ''")
        )
    assert {"Skip to content", "Start exercise", "Calibrate", "End set", "0", "10", "End session"} <= set(reached)
    await page.get_by_role("radio", name="Bend").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="Side")).to_be_checked()
    await expect(page.locator("#end-right")).to_have_text("right")


async def test_the_list_lives_and_opens_a_person(site: Site) -> None:
    world = site.world
    session_id = await opened(world)
    page = await site.open("/", width=1366, height=850)
    row = page.locator('[data-subject="anna-7"]')
    await expect(row.locator('[data-field="state"]')).to_have_text("No samples")
    async with moving(world, session_id, [11]):
        await expect(row.locator('[data-field="state"]')).to_have_text("Exercising")
        await expect(row.locator('[data-field="reps"]')).to_have_text("11")
        await row.get_by_role("link", name="Anna", exact=True).click()
        await expect(page.locator("#count")).to_have_text("11")
    assert site.complaints == []


async def test_without_javascript_the_page_and_its_buttons_work(site: Site) -> None:
    page = await site.open("/subjects/anna-7/live", java_script_enabled=False)
    await expect(page.locator("#link")).to_have_text("not live")
    await page.get_by_role("button", name="Start session").click()
    await expect(page.get_by_role("button", name="Start exercise")).to_be_visible()
    await page.get_by_role("button", name="Start exercise").click()
    await expect(page.get_by_role("button", name="Start exercise")).to_be_visible()
    assert len(site.world.store.messages) == 2


async def test_a_screen_that_lost_the_service_says_so(site: Site) -> None:
    session_id = await opened(site.world)
    page = await site.open("/subjects/anna-7/live")
    site.world.frame(session_id, 5)
    await expect(page.locator("#count")).to_have_text("5")
    site.world.board.hub.close()
    await expect(page.locator("#link")).to_have_text("reconnecting")
    await expect(page.locator("#banner")).to_contain_text("This screen lost its connection")
