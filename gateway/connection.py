"""One Bluetooth connection: its lifetime, the steps of a driver, and what the wearable notifies."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, assert_never

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakError

from gateway.devices.driver import AwaitNotification, Driver, Read, Step, StreamInfo, Subscribe, Write
from processing.domain.errors import DecodeError, LumbarError

_CONNECT_S = 20.0
"""bleak-retry-connector's time per attempt; below 15 s BlueZ aborts connections that would have come."""
_START_S = 20.0
_ANSWER_S = 5.0
_FAREWELL_S = 2.0
_INBOX = 512
"""Notifications that wait for decoding: 25 s of one wearable at 20 a second."""


class BleBackend(NamedTuple):
    """Classes for bleak's public ``backend=``."""

    scanner: type[BaseBleakScanner]
    client: type[BaseBleakClient]


class LinkLostError(LumbarError):
    """The connection ended; the text says why."""


LINK_ERRORS = (BleakError, OSError, EOFError, DecodeError, LinkLostError)
"""What a radio link may fail with: BlueZ closes its bus with EOFError; TimeoutError is an OSError."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A notified value and when it came (steady clock); ``after_loss`` if others were dropped just before it."""

    characteristic: str
    data: bytes
    arrival_ns: int
    after_loss: bool


class Inbox:
    """Bounded queue between bleak's callbacks and our task: when it is full the new notification is dropped."""

    def __init__(self, capacity: int = _INBOX) -> None:
        self._waiting: deque[Notification] = deque()
        self._capacity = capacity
        self._stirred = asyncio.Event()
        self._end: str | None = None
        self._loss = False
        self.dropped = 0

    def put(self, characteristic: str, _sender: BleakGATTCharacteristic, data: bytearray) -> None:
        """Callback of a subscription."""
        if len(self._waiting) >= self._capacity:
            self.dropped += 1
            self._loss = True
            return
        self._waiting.append(Notification(characteristic, bytes(data), time.monotonic_ns(), self._loss))
        self._loss = False
        self._stirred.set()

    def close(self, why: str) -> None:
        """No more notifications will come; those that wait are still delivered."""
        self._end = self._end or why
        self._stirred.set()

    async def get(self, characteristic: str | None = None) -> Notification:
        """Next notification, of one characteristic if given; the others keep waiting.

        Raises:
            LinkLostError: there is none and none will come.
        """
        while True:
            for place, found in enumerate(self._waiting):
                if characteristic in {None, found.characteristic}:
                    del self._waiting[place]
                    return found
            if self._end is not None:
                raise LinkLostError(self._end)
            self._stirred.clear()
            await self._stirred.wait()


@asynccontextmanager
async def connected(
    device: BLEDevice, driver: Driver, inbox: Inbox, backend: BleBackend | None
) -> AsyncIterator[BleakClient]:
    """A connection for as long as the block runs; always disconnects, also after the wearable went away.

    BlueZ delivers every notification twice to the next client if the old one was not disconnected.
    """
    client = BleakClient(
        device,
        disconnected_callback=lambda _: inbox.close("disconnected"),
        timeout=_CONNECT_S,
        backend=None if backend is None else backend.client,
    )
    try:
        async with asyncio.timeout(_CONNECT_S + _ANSWER_S):
            await client.connect()
        yield client
    finally:
        with suppress(*LINK_ERRORS):
            if client.is_connected:
                async with asyncio.timeout(_FAREWELL_S):
                    for step in driver.stop():
                        await perform(client, step, inbox)
        with suppress(*LINK_ERRORS):
            async with asyncio.timeout(_FAREWELL_S):
                await client.disconnect()


async def start_stream(client: BleakClient, driver: Driver, rate_hz: int, inbox: Inbox) -> StreamInfo:
    """Go through the driver's steps.

    Raises:
        BleakError, OSError, EOFError, LinkLostError: the link failed.
        DecodeError: the device answered something that its specification does not allow.
    """
    steps = driver.start(rate_hz)
    async with asyncio.timeout(_START_S):
        try:
            step = next(steps)
            while True:
                step = steps.send(await perform(client, step, inbox))
        except StopIteration as done:
            info = done.value
            assert isinstance(info, StreamInfo)
            return info


async def perform(client: BleakClient, step: Step, inbox: Inbox) -> bytes:
    """One step of a driver over the link; gives what the driver gets back."""
    match step:
        case Read():
            return bytes(await client.read_gatt_char(step.characteristic))
        case Write():
            await client.write_gatt_char(step.characteristic, step.data, response=step.response)
        case Subscribe():
            await client.start_notify(step.characteristic, partial(inbox.put, step.characteristic))
        case AwaitNotification():
            async with asyncio.timeout(_ANSWER_S):
                return (await inbox.get(step.characteristic)).data
        case _:
            assert_never(step)
    return b""
