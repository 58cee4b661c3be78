from __future__ import annotations

from itertools import pairwise

import pytest
from pydantic import SecretStr

from processing.domain.errors import SettingsError
from processing.domain.ids import GatewayId
from processing.wire.broker_address import BrokerAddress, parse_broker_url
from processing.wire.messages import GatewayConfig
from service.api.desk import ExerciseOrder
from service.api.ports import ControlState
from service.control import DeliverySchedule, changed_configs, overdue
from service.settings import ServiceSettings
from tests.web.service_twin import ANNA, World


async def test_a_command_is_sent_again_every_two_seconds_until_it_expires(world: World) -> None:
    await world.desk.start_session(ANNA, None)
    pending = await world.store.pending_controls()
    schedule = DeliverySchedule()
    sent_at = []
    start_ns = world.clock()
    for _ in range(80):
        for control in schedule.due(pending, world.clock()):
            schedule.sent(control, world.clock())
            sent_at.append((world.clock() - start_ns) / 1e9)
        world.clock.go_on(0.5)
    assert sent_at == [2.0 * turn for turn in range(15)]


async def test_the_end_of_a_session_never_expires_and_is_repeated_ever_more_rarely(world: World) -> None:
    session = await world.desk.start_session(ANNA, None)
    world.store.apply(session.session_id)
    await world.desk.order(session.session_id, ExerciseOrder("end_session"), None)
    schedule = DeliverySchedule()
    sent_at = []
    start_ns = world.clock()
    for _ in range(7200):
        pending = await world.store.pending_controls()
        assert overdue(pending, world.clock()) == ()
        for control in schedule.due(pending, world.clock()):
            schedule.sent(control, world.clock())
            sent_at.append((world.clock() - start_ns) / 1e9)
        world.clock.go_on(0.5)
    pauses = [after - before for before, after in pairwise(sent_at)]
    assert pauses[:15] == [2.0] * 15
    assert set(pauses[100:]) == {15.0}


async def test_a_clock_that_was_set_back_does_not_keep_a_command_waiting(world: World) -> None:
    await world.desk.start_session(ANNA, None)
    pending = await world.store.pending_controls()
    schedule = DeliverySchedule()
    schedule.sent(pending[0], world.clock())
    world.clock.go_on(-3600)
    assert schedule.due(pending, world.clock()) == tuple(pending)


async def test_a_command_waits_until_the_one_before_it_is_settled(world: World) -> None:
    session = await world.desk.start_session(ANNA, None)
    kinds = ("calibrate", "end_set", "end_session")
    for kind in kinds:
        await world.desk.order(session.session_id, ExerciseOrder(kind), None)
    schedule = DeliverySchedule()
    sent = []
    for _ in range(5):
        for control in schedule.due(await world.store.pending_controls(), world.clock()):
            sent.append(str(control.message.command.__struct_config__.tag))
            world.store.apply(control.message.event_id)
    assert sent == ["start_session", *kinds]


async def test_a_command_that_may_have_arrived_in_its_last_moment_is_still_waited_for(world: World) -> None:
    session = await world.desk.start_session(ANNA, None)
    world.clock.go_on(29)
    await world.desk.order(session.session_id, ExerciseOrder("calibrate"), None)
    world.clock.go_on(3)
    assert DeliverySchedule().due(await world.store.pending_controls(), world.clock()) == ()


async def test_a_session_that_was_not_possible_can_be_started_again(world: World) -> None:
    session = await world.desk.start_session(ANNA, None)
    world.store.apply(session.session_id, ControlState.REFUSED)
    await world.look()
    assert world.board.snapshot(ANNA, world.clock()).controls[0].state is ControlState.REFUSED
    assert (await world.desk.start_session(ANNA, None)).session_id != session.session_id


async def test_after_a_lost_connection_everything_is_sent_again(world: World) -> None:
    await world.desk.start_session(ANNA, None)
    pending = await world.store.pending_controls()
    schedule = DeliverySchedule()
    schedule.sent(pending[0], world.clock())
    assert schedule.due(pending, world.clock()) == ()
    schedule.lost_connection()
    assert schedule.due(pending, world.clock()) == tuple(pending)


async def test_a_command_is_given_up_only_after_the_grace_time(world: World) -> None:
    session = await world.desk.start_session(ANNA, None)
    world.clock.go_on(34)
    assert overdue(await world.store.pending_controls(), world.clock()) == ()
    world.clock.go_on(1)
    assert overdue(await world.store.pending_controls(), world.clock()) == (session.session_id,)
    await world.look()
    assert world.store.messages[session.session_id].state is ControlState.EXPIRED
    assert world.board.snapshot(ANNA, world.clock()).controls[0].state is ControlState.EXPIRED


async def test_a_command_applied_between_two_looks_is_still_shown(world: World) -> None:
    session = await world.desk.start_session(ANNA, None)
    order = await world.desk.order(session.session_id, ExerciseOrder("calibrate"), None)
    world.store.apply(order.message.event_id)
    world.store.apply(session.session_id)
    await world.look()
    assert {c.state for c in world.board.snapshot(ANNA, world.clock()).controls} == {ControlState.APPLIED}


def test_only_configurations_that_changed_are_published() -> None:
    gateway_id = GatewayId("hub-1")
    old, new = GatewayConfig(version=1, sensors=()), GatewayConfig(version=2, sensors=())
    assert changed_configs([(gateway_id, old)], {}) == ((gateway_id, old),)
    assert changed_configs([(gateway_id, old)], {gateway_id: old}) == ()
    assert changed_configs([(gateway_id, new)], {gateway_id: old}) == ((gateway_id, new),)


def test_a_broker_address_is_taken_apart() -> None:
    address = parse_broker_url("mqtt://service:p%40ss@broker.lan")
    assert address == BrokerAddress("broker.lan", 1883, "service", "p@ss", tls=False)
    assert parse_broker_url("mqtts://h").port == 8883


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "mqtt://h:99999", "broker", "mqtt://h:secret:1"])
def test_a_bad_broker_address_says_how_it_must_look(url: str) -> None:
    with pytest.raises(SettingsError, match="LUMBAR_MQTT_URL must look like") as refused:
        parse_broker_url(url)
    assert "secret" not in str(refused.value) or "port" in str(refused.value).lower()


def test_the_service_does_not_open_itself_to_the_network_without_a_token() -> None:
    with pytest.raises(SettingsError, match="LUMBAR_SERVICE_TOKEN"):
        ServiceSettings(http_host="0.0.0.0").checked()
    with pytest.raises(SettingsError, match="too short"):
        ServiceSettings(service_token=SecretStr("short")).checked()
    token = SecretStr("long enough to be safe")
    assert ServiceSettings(http_host="0.0.0.0", service_token=token).checked().token == "long enough to be safe"


def test_settings_come_from_the_environment_and_hide_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBAR_MQTT_URL", "mqtt://u:hidden@h")
    monkeypatch.setenv("LUMBAR_HTTP_PORT", "0")
    settings = ServiceSettings()
    assert (settings.mqtt.password, settings.http_port) == ("hidden", 0)
    assert "hidden" not in repr(settings)
