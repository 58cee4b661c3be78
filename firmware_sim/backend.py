"""bleak on the virtual radio: backend classes for bleak's public ``backend=`` arguments."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner

from firmware_sim.ble_client import BumbleClient
from firmware_sim.ble_scanner import BumbleScanner
from firmware_sim.central import DEFAULT_SUPERVISION_TIMEOUT_S, Central
from firmware_sim.radio import Radio


@dataclass(frozen=True, slots=True)
class VirtualBle:
    """Classes to hand to ``BleakScanner(backend=…)`` and ``BleakClient(…, backend=…)``."""

    scanner: type[BaseBleakScanner]
    client: type[BaseBleakClient]


@asynccontextmanager
async def open_virtual_ble(
    transport: Radio | str, *, supervision_timeout_s: float = DEFAULT_SUPERVISION_TIMEOUT_S
) -> AsyncIterator[VirtualBle]:
    """A central on the virtual radio, shared by all scanners and clients made from the classes.

    A transport that is lost is opened again by the next scan or connection, and for running scans at once.

    Args:
        transport: a radio in this process, or the transport of a controller, e.g. ``"tcp-client:127.0.0.1:7001"``.
        supervision_timeout_s: silence after which a connection counts as lost.
    """
    async with Central(transport, supervision_timeout_s=supervision_timeout_s) as shared:

        class VirtualScanner(BumbleScanner):
            central = shared

        class VirtualClient(BumbleClient):
            central = shared

        yield VirtualBle(VirtualScanner, VirtualClient)
