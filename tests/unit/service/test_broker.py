"""Staying connected, and stopping all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiomqtt
import pytest

from service.api import metrics
from service.broker import _Incoming, stay_connected


async def _stopped(task: asyncio.Task[None]) -> bool:
    async with asyncio.timeout(20):
        await asyncio.wait([task])
    return task.cancelled()


async def test_a_connection_that_breaks_while_it_is_being_stopped_is_not_made_anew() -> None:
    conversations = 0
    running = asyncio.Event()

    async def break_when_stopped(connected: Callable[[], None]) -> None:
        nonlocal conversations
        conversations += 1
        connected()

        async def fail() -> None:
            running.set()
            try:
                await asyncio.Event().wait()
            finally:
                raise aiomqtt.MqttError("the broker went away at the same moment")

        async with asyncio.TaskGroup() as group:
            group.create_task(fail())

    task = asyncio.get_running_loop().create_task(stay_connected("test", break_when_stopped))
    await running.wait()
    task.cancel()
    assert await _stopped(task)
    assert conversations == 1


async def test_a_cancellation_that_gets_lost_is_repeated() -> None:
    lost = 0

    async def lose_one(connected: Callable[[], None]) -> None:
        nonlocal lost
        while True:
            try:
                connected()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    task = asyncio.get_running_loop().create_task(stay_connected("test", lose_one))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    assert await _stopped(task)
    assert lost == 2


async def test_an_error_that_is_not_the_brokers_ends_it() -> None:
    async def mistake(_connected: Callable[[], None]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await stay_connected("test", mistake)


async def test_a_broker_that_went_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.broker.FIRST_PAUSE_S", 0.0)
    tries = 0

    async def fail_twice(_connected: Callable[[], None]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ExceptionGroup("group", [aiomqtt.MqttError("gone"), OSError("gone")])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await stay_connected("test", fail_twice)
    assert tries == 3


async def test_a_message_that_does_not_fit_is_counted() -> None:
    refused = metrics.LIVE_REFUSED.labels("queue_full")
    before = refused._value.get()
    queue = _Incoming(maxsize=1)
    message = aiomqtt.Message(topic="a", payload=b"", qos=0, retain=False, mid=1, properties=None)
    queue.put_nowait(message)
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(message)
    assert refused._value.get() - before == 1
