"""bleak's scanner on the virtual radio."""

from __future__ import annotations

from typing import ClassVar

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.uuids import normalize_uuid_str
from bumble import core
from bumble.core import AdvertisingData
from bumble.device import Advertisement

from firmware_sim.central import Central

_UUID_BYTES = {
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
}


class BumbleScanner(BaseBleakScanner):
    """Scanner on the virtual radio; always active."""

    central: ClassVar[Central]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        _scanning_mode: str,
        **_kwargs: object,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        """Start scanning.

        Raises:
            BleakBluetoothNotAvailableError: there is no controller.
        """
        self.seen_devices = {}
        await self.central.add_listener(self._on_advertisement)

    async def stop(self) -> None:
        """Stop scanning."""
        await self.central.remove_listener(self._on_advertisement)

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        data = _advertisement_data(advertisement)
        if not self.is_allowed_uuid(data.service_uuids):
            return
        address = advertisement.address.to_string(with_type_qualifier=False)
        device = self.create_or_update_device(address, address, data.local_name, advertisement.address, data)
        self.call_detection_callbacks(device, data)


def _advertisement_data(advertisement: Advertisement) -> AdvertisementData:
    local_name: str | None = None
    service_uuids: list[str] = []
    manufacturer_data: dict[int, bytes] = {}
    for kind, value in advertisement.data.ad_structures:
        if kind in (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME):
            local_name = value.decode("utf-8", errors="replace")
        elif kind in _UUID_BYTES:
            size = _UUID_BYTES[kind]
            service_uuids += [
                uuid_text(core.UUID.from_bytes(value[start : start + size]))
                for start in range(0, len(value) - size + 1, size)
            ]
        elif kind == AdvertisingData.MANUFACTURER_SPECIFIC_DATA and len(value) >= 2:
            manufacturer_data[int.from_bytes(value[:2], "little")] = value[2:]
    return AdvertisementData(
        local_name=local_name,
        manufacturer_data=manufacturer_data,
        service_data={},
        service_uuids=service_uuids,
        tx_power=None,
        rssi=advertisement.rssi,
        platform_data=(advertisement,),
    )


def uuid_text(uuid: core.UUID) -> str:
    """UUID as bleak writes it: 128 bit, lower case."""
    return normalize_uuid_str(uuid.to_hex_str("-"))
