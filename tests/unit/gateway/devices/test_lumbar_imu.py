from __future__ import annotations

from math import radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.devices import imu_codec, imu_profile
from gateway.devices.driver import (
    AwaitNotification,
    BatteryLevel,
    Driver,
    Read,
    SampleBatch,
    Step,
    StreamInfo,
    Subscribe,
    TimeEcho,
    Write,
)
from gateway.devices.imu_profile import Answer, DataMessage, Info, Opcode, Started, StartRequest, Status
from gateway.devices.lumbar_imu import LumbarImuDriver
from gateway.devices.registry import DRIVERS, advertised_services, recognise
from processing.domain.errors import DecodeError
from processing.domain.samples import ClockQuality

INFO = Info(0xA1B2, 77, (1, 2, 3), (50, 100, 200), (16,), (2000,))
STARTED = Answer(Opcode.START, Status.OK, Started(10_000_000, 16.0, 2000.0, 5))
DRIVER: Driver = LumbarImuDriver()


def _start(rate_hz: int, info: bytes, battery: bytes, answer: bytes) -> tuple[list[Step], StreamInfo]:
    steps: list[Step] = []
    generator = DRIVER.start(rate_hz)
    reply = b""
    try:
        step = next(generator)
        while True:
            steps.append(step)
            match step:
                case Read(imu_profile.INFO):
                    reply = info
                case Read(imu_profile.BATTERY_LEVEL):
                    reply = battery
                case AwaitNotification(imu_profile.CONTROL):
                    reply = answer
                case _:
                    reply = b""
            step = generator.send(reply)
    except StopIteration as stop:
        return steps, stop.value


def _started(rate_hz: int = 100, answer: Answer = STARTED) -> tuple[list[Step], StreamInfo]:
    return _start(rate_hz, imu_codec.encode_info(INFO), b"\x57", imu_codec.encode_answer(answer))


def test_a_started_stream_says_what_its_samples_mean() -> None:
    _, info = _started()
    assert info == StreamInfo(
        period_ns=10_000_000,
        acc_scale=16 * 9.80665 / 32768,
        gyr_scale=radians(2000) / 32768,
        clock=ClockQuality.DEVICE,
        boot_id=77,
        sequence_modulus=65536,
        tick_modulus=2**32,
        tick_ns=1000,
        driver="lumbar-imu/1",
        firmware="1.2.3",
        battery_percent=87,
    )


def test_everything_is_subscribed_before_the_stream_starts() -> None:
    steps, _ = _started()
    start = next(index for index, step in enumerate(steps) if isinstance(step, Write))
    subscribed = {step.characteristic for step in steps[:start] if isinstance(step, Subscribe)}
    assert subscribed == {imu_profile.CONTROL, imu_profile.DATA, imu_profile.BATTERY_LEVEL}


@pytest.mark.parametrize(("asked_hz", "device_hz"), [(100, 100), (60, 100), (10, 50), (400, 200)])
def test_the_lowest_sufficient_rate_of_the_device_is_started(asked_hz: int, device_hz: int) -> None:
    steps, _ = _started(asked_hz)
    (write,) = (step for step in steps if isinstance(step, Write))
    assert imu_codec.decode_request(write.data) == StartRequest(device_hz)


@pytest.mark.parametrize(
    "answer", [Answer(Opcode.START, Status.UNSUPPORTED_RATE), Answer(Opcode.STOP, Status.OK)], ids=["refused", "stop"]
)
def test_a_start_that_is_not_accepted_is_a_decode_error(answer: Answer) -> None:
    with pytest.raises(DecodeError):
        _started(answer=answer)


@given(st.binary(max_size=40), st.binary(max_size=2), st.binary(max_size=20))
def test_a_device_that_answers_anything_starts_or_is_refused(info: bytes, battery: bytes, answer: bytes) -> None:
    try:
        _start(100, info, battery, answer)
    except DecodeError as error:
        assert error.what


@given(
    st.sampled_from([imu_profile.DATA, imu_profile.CONTROL, imu_profile.TIME, imu_profile.BATTERY_LEVEL, "2a00"]),
    st.binary(max_size=260),
)
def test_any_notification_gives_events_or_a_decode_error(characteristic: str, data: bytes) -> None:
    try:
        events = DRIVER.decode(characteristic, data)
    except DecodeError as error:
        assert error.what
    else:
        assert all(isinstance(event, SampleBatch | BatteryLevel | TimeEcho) for event in events)


def test_notifications_become_events() -> None:
    packed = bytes(range(24))
    data = imu_codec.encode_data(DataMessage(sequence=9, tick=123, period_ns=10_000_000, packed=packed))
    assert DRIVER.decode(imu_profile.DATA, data) == (SampleBatch(9, 123, packed, 10_000_000),)
    assert DRIVER.decode(imu_profile.BATTERY_LEVEL, b"\x10") == (BatteryLevel(16),)
    echo = TimeEcho(host_ns=5, tick=6)
    assert DRIVER.decode(imu_profile.TIME, imu_codec.encode_time(echo)) == (echo,)
    assert DRIVER.decode(imu_profile.CONTROL, imu_codec.encode_answer(Answer(Opcode.STOP, Status.OK))) == ()


def test_a_stop_is_one_write() -> None:
    (step,) = DRIVER.stop()
    assert step == Write(imu_profile.CONTROL, b"\x02")


@pytest.mark.parametrize(
    ("name", "services", "sensor_id"),
    [
        ("LUMBAR-00A1B2", [imu_profile.SERVICE], "LUMBAR-00A1B2"),
        ("LUMBAR-00A1B2", [imu_profile.SERVICE.upper()], "LUMBAR-00A1B2"),
        ("LUMBAR-00A1B2", [], None),
        (None, [imu_profile.SERVICE], None),
        ("LUMBAR-00a1b2", [imu_profile.SERVICE], None),
        ("LUMBAR-00A1B2/#", [imu_profile.SERVICE], None),
        ("WT901", ["0000ffe5-0000-1000-8000-00805f9a34fb"], None),
    ],
)
def test_a_wearable_is_recognised_by_its_service_and_name(
    name: str | None, services: list[str], sensor_id: str | None
) -> None:
    found = recognise(name, services)
    assert (None if found is None else found.sensor_id) == sensor_id


def test_no_two_drivers_claim_the_same_service() -> None:
    services = advertised_services()
    assert len(set(services)) == len(DRIVERS)
    assert all(uuid == uuid.lower() and len(uuid) == 36 for uuid in services)
