"""What a simulated wearable says about itself: address, advertisement, Device Information."""

from __future__ import annotations

from bumble import core, hci
from bumble.core import AdvertisingData
from bumble.gatt import Characteristic, Service

from firmware_sim.source import SampleSource
from gateway.devices.imu_profile import SERVICE, Info, local_name

FIRMWARE_VERSION = (1, 0, 0)
_GENERAL_DISCOVERABLE_LE_ONLY = b"\x06"


def static_address(serial: int) -> hci.Address:
    """Static random address (its two upper bits are set) made from the serial number."""
    upper, middle, lower = serial.to_bytes(3, "big")
    return hci.Address(f"F0:4C:42:{upper:02X}:{middle:02X}:{lower:02X}")


def advertising_data() -> bytes:
    """Flags and the UUID of the IMU service; the name does not fit the 31 bytes."""
    return bytes(
        AdvertisingData(
            [
                (AdvertisingData.FLAGS, _GENERAL_DISCOVERABLE_LE_ONLY),
                (AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, core.UUID(SERVICE).to_pdu_bytes()),
            ]
        )
    )


def scan_response_data(serial: int) -> bytes:
    """The name, which is the sensor id."""
    return bytes(AdvertisingData([(AdvertisingData.COMPLETE_LOCAL_NAME, local_name(serial).encode())]))


def device_info(serial: int, boot_id: int, source: SampleSource) -> Info:
    """The one rate and range that a source has, rounded where they are not whole: the start answer is exact."""
    return Info(
        serial=serial,
        boot_id=boot_id,
        firmware=FIRMWARE_VERSION,
        rates_hz=(max(1, round(1e6 / source.period_us)),),
        acc_ranges_g=(max(1, min(255, round(source.acc_range_g))),),
        gyr_ranges_dps=(max(1, min(65535, round(source.gyr_range_dps))),),
    )


def information_service(serial: int) -> Service:
    """Device Information (Bluetooth SIG, 0x180A): manufacturer, model, serial number, firmware revision."""
    texts = {
        "2A29": "lumbar",
        "2A24": "simulated IMU",
        "2A25": f"{serial:06X}",
        "2A26": ".".join(map(str, FIRMWARE_VERSION)),
    }
    return Service(
        "180A",
        [
            Characteristic(uuid, Characteristic.Properties.READ, Characteristic.READABLE, text.encode())
            for uuid, text in texts.items()
        ],
    )
