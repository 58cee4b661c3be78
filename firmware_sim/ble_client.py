"""bleak's client on the virtual radio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

import structlog
from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError
from bumble import hci
from bumble.device import Connection, Peer
from bumble.gatt import Characteristic
from bumble.gatt_client import CharacteristicProxy

from firmware_sim.ble_scanner import uuid_text
from firmware_sim.central import Central
from firmware_sim.operations import while_open

_log = structlog.get_logger(__name__)

ATT_MTU = 247
"""Fits one LE data packet of 251 bytes."""
_ATT_WRITE_BYTES = 3

_PROPERTIES: tuple[tuple[Characteristic.Properties, CharacteristicPropertyName], ...] = (
    (Characteristic.Properties.BROADCAST, "broadcast"),
    (Characteristic.Properties.READ, "read"),
    (Characteristic.Properties.WRITE_WITHOUT_RESPONSE, "write-without-response"),
    (Characteristic.Properties.WRITE, "write"),
    (Characteristic.Properties.NOTIFY, "notify"),
    (Characteristic.Properties.INDICATE, "indicate"),
    (Characteristic.Properties.AUTHENTICATED_SIGNED_WRITES, "authenticated-signed-writes"),
    (Characteristic.Properties.EXTENDED_PROPERTIES, "extended-properties"),
)


class BumbleClient(BaseBleakClient):
    """Client on the virtual radio."""

    central: ClassVar[Central]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,  # bleak calls it so
        services: set[str] | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout, **kwargs)
        self._wanted_services = services
        self._name: str | None = None
        self._peer = hci.Address(self.address)
        if isinstance(address_or_ble_device, BLEDevice):
            self._name = address_or_ble_device.name
            if isinstance(address_or_ble_device.details, hci.Address):
                self._peer = address_or_ble_device.details
        self._connection: Connection | None = None
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._subscribers: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        """Advertised name, or the address with dashes."""
        return self._name or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """Negotiated ATT MTU, 23 before."""
        return 23 if self._connection is None else self._connection.att_mtu

    @property
    def is_connected(self) -> bool:
        """Whether the link is up and services are known."""
        return self._connection is not None and self.services is not None

    async def connect(self, pair: bool, **_kwargs: object) -> None:  # noqa: FBT001  # bleak's signature
        """Connect and discover the services.

        Raises:
            BleakError: already connected, refused or lost meanwhile.
            TimeoutError: not found or not answering in time.
        """
        if self._connection is not None:
            raise BleakError("already connected")
        if pair:
            _log.warning("virtual_ble.pairing_not_supported", address=self.address)
        timeout_s = self._timeout
        async with asyncio.timeout(timeout_s):
            connection = await self.central.connect(self._peer, timeout_s)
            gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            connection.on(Connection.EVENT_DISCONNECTION, lambda _reason: self._on_gone(connection, gone))
            self._connection, self._gone = connection, gone
            try:
                self.services = await while_open(self._discover(connection), gone)
            except BaseException:
                self._connection = None
                await self.central.disconnect(connection)
                raise

    async def disconnect(self) -> None:
        """Disconnect; does nothing when not connected."""
        if self._connection is not None:
            await self.central.disconnect(self._connection)

    async def pair(self, *_args: object, **_kwargs: object) -> None:
        """Not supported: nothing of the IMU profile asks for pairing."""
        raise BleakError("the virtual radio does not pair")

    async def unpair(self) -> None:
        """Not supported."""
        raise BleakError("the virtual radio does not pair")

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_kwargs: object
    ) -> bytearray:
        """Read a characteristic; nothing is cached."""
        del use_cached
        return bytearray(await while_open(characteristic.obj.read_value(), self._live()))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_kwargs: object
    ) -> bytearray:
        """Read a descriptor; nothing is cached."""
        del use_cached
        return bytearray(await while_open(descriptor.obj.read_value(), self._live()))

    async def write_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        data: SizedBuffer,
        response: bool,  # noqa: FBT001  # bleak's signature
    ) -> None:
        """Write a characteristic."""
        await while_open(characteristic.obj.write_value(bytes(data), with_response=response), self._live())

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor."""
        await while_open(descriptor.obj.write_value(bytes(data), with_response=True), self._live())

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_kwargs: object
    ) -> None:
        """Subscribe to notifications, or to indications where the characteristic has no notifications."""
        if characteristic.handle in self._subscribers:
            raise BleakError(f"notifications of {characteristic.uuid} are already enabled")

        def subscriber(value: bytes) -> None:
            callback(bytearray(value))

        self._subscribers[characteristic.handle] = subscriber
        try:
            await while_open(characteristic.obj.subscribe(subscriber), self._live())
        except BaseException:
            self._subscribers.pop(characteristic.handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe."""
        subscriber = self._subscribers.pop(characteristic.handle, None)
        if subscriber is not None:
            await while_open(characteristic.obj.unsubscribe(subscriber), self._live())

    def _live(self) -> asyncio.Future[None]:
        if self._connection is None:
            raise BleakError("not connected")
        return self._gone

    async def _discover(self, connection: Connection) -> BleakGATTServiceCollection:
        if connection.device.lookup_connection(connection.handle) is not connection:
            raise BleakError("disconnected")
        peer = Peer(connection)
        await peer.request_mtu(ATT_MTU)
        await peer.discover_all()  # type: ignore[no-untyped-call]  # Bumble does not annotate it
        collection = BleakGATTServiceCollection()
        for service_proxy in peer.services:
            uuid = uuid_text(service_proxy.uuid)
            if self._wanted_services is not None and uuid not in self._wanted_services:
                continue
            service = BleakGATTService(service_proxy, service_proxy.handle, uuid)
            collection.add_service(service)
            for proxy in service_proxy.characteristics:
                _add_characteristic(collection, service, proxy, connection)
        return collection

    def _on_gone(self, connection: Connection, gone: asyncio.Future[None]) -> None:
        if not gone.done():
            gone.set_result(None)
        if self._connection is not connection:
            return
        was_connected = self.is_connected
        self._connection = None
        self.services = None
        self._subscribers.clear()
        if was_connected and self._disconnected_callback is not None:
            self._disconnected_callback()


def _add_characteristic(
    collection: BleakGATTServiceCollection,
    service: BleakGATTService,
    proxy: CharacteristicProxy[bytes],
    connection: Connection,
) -> None:
    characteristic = BleakGATTCharacteristic(
        proxy,
        proxy.handle,
        uuid_text(proxy.uuid),
        [name for flag, name in _PROPERTIES if proxy.properties & flag],
        lambda: connection.att_mtu - _ATT_WRITE_BYTES,
        service,
    )
    collection.add_characteristic(characteristic)
    for descriptor in proxy.descriptors:
        collection.add_descriptor(
            BleakGATTDescriptor(descriptor, descriptor.handle, uuid_text(descriptor.type), characteristic)
        )
