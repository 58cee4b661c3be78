"""Many wearables in one process, reached over HCI: each TCP client gets a central's controller of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from bumble import core
from bumble.transport.common import PacketParser

from firmware_sim.controller import RadioController
from firmware_sim.radio import Radio
from processing.domain.errors import SettingsError

_log = structlog.get_logger(__name__)

MAX_CENTRALS = 8
_SCHEME = "tcp-server:"


class Wearable(Protocol):
    """Anything that lives on the radio."""

    async def run(self, radio: Radio, epoch_s: float | None = None) -> None:
        """Be switched on until cancelled; second 0 of its samples is ``epoch_s`` on the event loop's clock."""
        ...


async def serve_wearables(
    wearables: Sequence[Wearable],
    hci_transport: str,
    *,
    radio: Radio | None = None,
    epoch_s: float | None = None,
    on_listening: Callable[[int], None] = lambda _port: None,
) -> None:
    """Run wearables, and controllers for centrals that connect, until cancelled.

    Args:
        wearables: what advertises.
        hci_transport: ``"tcp-server:HOST:PORT"``; port 0 takes a free one. A central in another process
            uses ``"tcp-client:HOST:PORT"``. HCI knows no passwords: stay on 127.0.0.1.
        radio: the air, a new one without loss if None.
        epoch_s: second 0 of all sources on the event loop's clock, now if None.
        on_listening: called once with the port when centrals can connect.

    Raises:
        SettingsError: the transport is not of this form.
        OSError: the port is taken.
    """
    host, port = _parse(hci_transport)
    air = radio or Radio()
    start_s = asyncio.get_running_loop().time() if epoch_s is None else epoch_s
    async with _hci_server(air, host, port) as bound_port, asyncio.TaskGroup() as group:
        for wearable in wearables:
            group.create_task(wearable.run(air, start_s))
        on_listening(bound_port)
        await asyncio.get_running_loop().create_future()  # also without a wearable: until cancelled


def _parse(hci_transport: str) -> tuple[str, int]:
    host, _, port = hci_transport.removeprefix(_SCHEME).rpartition(":")
    if not hci_transport.startswith(_SCHEME) or not host or not port.isdecimal() or int(port) > 65535:
        raise SettingsError(f"HCI transport {hci_transport!r}: write tcp-server:HOST:PORT, e.g. tcp-server:127.0.0.1:0")
    return host, int(port)


@asynccontextmanager
async def _hci_server(radio: Radio, host: str, port: int) -> AsyncIterator[int]:
    open_connections: set[_HciConnection] = set()
    server = await asyncio.get_running_loop().create_server(lambda: _HciConnection(radio, open_connections), host, port)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for connection in tuple(open_connections):
            connection.abort()
        await server.wait_closed()
        if open_connections:
            await asyncio.wait([connection.closed for connection in open_connections])


class _HciConnection(asyncio.Protocol):
    """One TCP client and its controller, which leaves the air when the client goes away."""

    def __init__(self, radio: Radio, open_connections: set[_HciConnection]) -> None:
        self._radio = radio
        self._open_connections = open_connections
        self._transport: asyncio.Transport | None = None
        self._controller: RadioController | None = None
        self._parser = PacketParser()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the client a controller, or turn it away if there are too many."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open_connections.add(self)
        if len(self._open_connections) > MAX_CENTRALS:
            _log.warning("virtual_hci.refused", clients=len(self._open_connections), most=MAX_CENTRALS)
            transport.abort()
            return
        self._controller = RadioController("central", self._radio)
        self._controller.host = self
        self._parser.set_packet_sink(self._controller)

    def connection_lost(self, _error: Exception | None) -> None:
        """Take the controller off the air; its peers notice by their supervision timeout."""
        self._open_connections.discard(self)
        self.closed.set_result(None)
        if self._controller is not None:
            self._controller.detach()

    def data_received(self, data: bytes) -> None:
        """Commands and data of the client's host."""
        try:
            self._parser.feed_data(data)
        except core.InvalidPacketError as error:
            _log.warning("virtual_hci.no_hci", error=str(error))
            self.abort()

    def pause_writing(self) -> None:
        """The client does not read: let data wait on the other side of the radio."""
        if self._controller is not None:
            self._controller.host_reads = False

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._controller is not None:
            self._controller.host_reads = True

    def on_packet(self, packet: bytes) -> None:
        """Events and data for the client's host."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packet)

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()
