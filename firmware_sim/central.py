"""The central's side of the virtual radio: one Bumble device shared by all scanners and clients of a process.

The device hangs on a controller in the same process or, over a transport such as ``tcp-client:127.0.0.1:7001``,
in the simulator's. When the transport is lost everybody is told, and it is opened again when somebody next needs it;
running scans go on by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakError,
)
from bumble import core, hci
from bumble.device import Advertisement, Connection, ConnectionParametersPreferences, Device
from bumble.host import Host
from bumble.transport import open_transport
from bumble.transport.common import AsyncPipeSink

from firmware_sim.controller import RadioController
from firmware_sim.operations import let_end, while_open
from firmware_sim.radio import Radio

_log = structlog.get_logger(__name__)

DEFAULT_SUPERVISION_TIMEOUT_S = 2.0
"""Long enough for a person who turns around; Linux proposes 0.42 s (devices.md §2.2)."""
_CONNECTION_INTERVAL_MS = 15.0
_POWER_ON_TIMEOUT_S = 5.0
_REOPEN_DELAY_S = 0.5
_CLOSE_TIMEOUT_S = 1.0

_T = TypeVar("_T")
AdvertisementListener = Callable[[Advertisement], None]


@dataclass(frozen=True, slots=True)
class _Adapter:
    """A device that is switched on; of no use any more when ``lost`` is done."""

    device: Device
    lost: asyncio.Future[None]
    close: Callable[[], Awaitable[None]]


class Central:
    """Scans and connects for everybody in the process. Use as an async context manager.

    Args:
        transport: the radio if it is in this process, else Bumble's name of a transport to a controller.
        supervision_timeout_s: silence after which a connection counts as lost, 0.1 to 32 s.
    """

    def __init__(self, transport: Radio | str, *, supervision_timeout_s: float = DEFAULT_SUPERVISION_TIMEOUT_S) -> None:
        self._transport = transport
        self._parameters = ConnectionParametersPreferences(
            connection_interval_min=_CONNECTION_INTERVAL_MS,
            connection_interval_max=_CONNECTION_INTERVAL_MS,
            supervision_timeout=round(supervision_timeout_s * 1000),
        )
        self._opening = asyncio.Lock()
        self._connecting = asyncio.Lock()
        self._scanning = asyncio.Lock()
        self._adapter: _Adapter | None = None
        self._listeners: list[AdvertisementListener] = []
        self._rescue: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()

    async def __aenter__(self) -> Self:
        # Not a task group: that would wrap the errors of the block in an exception group.
        self._rescue = asyncio.create_task(self._rescue_scans(), name="virtual central")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._rescue is not None:
                self._rescue.cancel()
                await asyncio.wait([self._rescue])
        finally:
            if self._adapter is not None:
                await self._adapter.close()
        if self._rescue is not None and not self._rescue.cancelled():
            self._rescue.result()

    async def add_listener(self, listener: AdvertisementListener) -> None:
        """Scan for this listener too.

        Raises:
            BleakBluetoothNotAvailableError: the transport cannot be opened.
        """
        async with self._scanning:
            await self._scan()
            self._listeners.append(listener)

    async def remove_listener(self, listener: AdvertisementListener) -> None:
        """Stop scanning for this listener; the last one stops the scan."""
        async with self._scanning:
            if listener in self._listeners:
                self._listeners.remove(listener)
            adapter = self._adapter
            if self._listeners or adapter is None or adapter.lost.done() or not adapter.device.is_scanning:
                return
            with suppress(BleakError):
                await while_open(adapter.device.stop_scanning(), adapter.lost)

    async def connect(self, peer: hci.Address, timeout_s: float) -> Connection:
        """Connect to a peripheral that advertises now or before the timeout; one at a time, like a real controller.

        Raises:
            BleakError: the transport is or gets lost, or the controller refuses.
            TimeoutError: not seen in time; the next attempt is not harmed.
        """
        async with asyncio.timeout(timeout_s), self._connecting:
            adapter = await self._open()
            device = adapter.device
            preferences = {hci.Phy.LE_1M: self._parameters}
            task = asyncio.ensure_future(
                device.connect_le(peer, preferences, own_address_type=hci.OwnAddressType.RANDOM, timeout=None)
            )
            first: list[asyncio.Future[Any]] = [task, adapter.lost]
            try:
                await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                await self._withdraw(adapter, task)
                raise
            return await while_open(_result(task), adapter.lost)

    async def disconnect(self, connection: Connection) -> None:
        """End a connection; does nothing if it has ended."""
        adapter = self._adapter
        if adapter is not None and connection.device is adapter.device and not adapter.lost.done():
            with suppress(BleakError):
                await while_open(connection.disconnect(), adapter.lost)

    async def _withdraw(self, adapter: _Adapter, task: asyncio.Future[Connection]) -> None:
        """Take a pending connection back, so that the controller is free for the next one."""
        with suppress(BleakError):
            await while_open(
                adapter.device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command()), adapter.lost
            )
        await let_end(task, adapter.lost)
        if not task.cancelled() and task.exception() is None:
            await self.disconnect(task.result())

    async def _open(self) -> _Adapter:
        async with self._opening:
            if self._adapter is not None and self._adapter.lost.done():
                await self._adapter.close()
                self._adapter = None
            if self._adapter is None:
                adapter = await self._switch_on()
                adapter.device.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
                adapter.lost.add_done_callback(lambda _: self._lost.set())
                self._adapter = adapter
            return self._adapter

    async def _switch_on(self) -> _Adapter:
        adapter: _Adapter | None = None
        try:
            async with asyncio.timeout(_POWER_ON_TIMEOUT_S):
                adapter = await _attach(self._transport)
                await while_open(adapter.device.power_on(), adapter.lost)
        except (OSError, BleakError, core.BaseBumbleError) as error:
            if adapter is not None:
                await adapter.close()
            raise BleakBluetoothNotAvailableError(
                f"no controller behind {self._transport}: {error}", BleakBluetoothNotAvailableReason.NO_BLUETOOTH
            ) from error
        return adapter

    async def _scan(self) -> None:
        adapter = await self._open()
        if not adapter.device.is_scanning:
            await while_open(adapter.device.start_scanning(), adapter.lost)

    async def _rescue_scans(self) -> None:
        """Go on scanning on a new transport after the old one was lost."""
        while True:
            await self._lost.wait()
            self._lost.clear()
            while self._listeners:
                try:
                    async with self._scanning:
                        await self._scan()
                    break
                except BleakError as error:
                    _log.info("virtual_central.not_available", error=str(error))
                    await asyncio.sleep(_REOPEN_DELAY_S)

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        for listener in tuple(self._listeners):
            listener(advertisement)


async def _result(task: asyncio.Future[_T]) -> _T:
    return await task


async def _attach(transport: Radio | str) -> _Adapter:
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    address = hci.Address.generate_static_address()
    if isinstance(transport, Radio):
        controller = RadioController("central", transport)
        host = Host(controller, AsyncPipeSink(controller))

        async def detach() -> None:
            host.on_transport_lost()  # type: ignore[no-untyped-call]  # Bumble does not annotate it
            controller.detach()

        return _Adapter(Device("lumbar central", address=address, host=host), lost, detach)

    stream = await open_transport(transport)

    async def close() -> None:
        await stream.close()
        await asyncio.wait({stream.source.terminated}, timeout=_CLOSE_TIMEOUT_S)

    device = Device.with_hci("lumbar central", address, stream.source, stream.sink)
    return _Adapter(device, stream.source.terminated, close)
