"""Permissions on the broker as configuration text."""

from __future__ import annotations

import base64
import hashlib

import pytest

from processing.domain.errors import DecodeError
from processing.domain.ids import GatewayId
from service.embedded.access import (
    BrokerUser,
    gateway_user,
    mosquitto_acl,
    mosquitto_password,
    nats_authorization,
    nats_config,
    nats_subject,
    service_user,
    worker_user,
)

GATEWAY = gateway_user(GatewayId("gw1"), "secret")
USERS = (worker_user("w"), service_user("s"), GATEWAY)


def test_every_permission_of_a_gateway_names_the_gateway_and_holds_no_wildcard() -> None:
    for topic in (*GATEWAY.publish, *GATEWAY.subscribe):
        assert topic.startswith("lumbar/v1/60/gw1/")
        assert not set("+#") & set(topic)
    assert {topic.rsplit("/", 1)[1] for topic in GATEWAY.publish} == {"log", "state", "sensors"}
    assert {topic.rsplit("/", 1)[1] for topic in GATEWAY.subscribe} == {"ack", "config", "control", "cue"}


def test_what_one_side_may_send_the_other_may_read() -> None:
    worker, service, gateway = USERS
    sent_up = {topic.rsplit("/", 1)[1] for topic in gateway.publish}
    assert sent_up == {topic.rsplit("/", 1)[1] for topic in (*worker.subscribe, *service.subscribe)} - {"+"}
    sent_down = {topic.rsplit("/", 1)[1] for topic in (*worker.publish, *service.publish)} - {"+"}
    assert sent_down == {topic.rsplit("/", 1)[1] for topic in gateway.subscribe}


@pytest.mark.parametrize("name", ["worker", "service"])
def test_a_gateway_cannot_take_our_own_names(name: str) -> None:
    with pytest.raises(ValueError, match="is ours"):
        gateway_user(GatewayId(name), "x")


@pytest.mark.parametrize("name", ["gw.1", "gw>", "*", "a/b", ""])
def test_a_gateway_cannot_have_a_name_that_means_something_to_a_broker(name: str) -> None:
    with pytest.raises(DecodeError):
        gateway_user(GatewayId(name), "x")


def test_topic_filters_become_nats_subjects() -> None:
    assert nats_subject("lumbar/v1/+/+/log") == "lumbar.v1.*.*.log"
    assert nats_subject("lumbar/v1/live/#") == "lumbar.v1.live.>"


def test_the_nats_block_gives_each_user_its_subjects_and_its_deliveries() -> None:
    block = nats_authorization([GATEWAY])
    assert 'publish: ["lumbar.v1.60.gw1.log", "lumbar.v1.60.gw1.state", "lumbar.v1.60.gw1.sensors"]' in block
    assert '"lumbar.v1.60.gw1.cue", "$MQTT.sub.>"]' in block


def test_text_in_a_nats_configuration_is_quoted() -> None:
    text = nats_config(host="127.0.0.1", port=1, store_dir='/a "b"', pid_file="/p", users=[_user('pass"word')])
    assert 'store_dir: "/a \\"b\\""' in text
    assert 'password: "pass\\"word"' in text


def test_users_must_be_unique_names() -> None:
    for users in ([_user("x"), _user("y")], [BrokerUser("a b", "x", (), ())]):
        with pytest.raises(ValueError, match="unique names"):
            nats_authorization(users)
        with pytest.raises(ValueError, match="unique names"):
            mosquitto_acl(users)


def test_a_mosquitto_password_can_be_verified_from_its_line() -> None:
    name, _, rest = mosquitto_password(GATEWAY, b"salt").partition(":")
    _, version, iterations, salt, key = rest.split("$")
    expected = hashlib.pbkdf2_hmac("sha512", b"secret", base64.b64decode(salt), int(iterations))
    assert (name, version, base64.b64decode(key)) == ("gw1", "7", expected)


def test_the_mosquitto_list_has_the_same_topics() -> None:
    lines = mosquitto_acl([GATEWAY]).splitlines()
    assert lines[0] == "user gw1"
    assert lines[1:4] == [f"topic write {topic}" for topic in GATEWAY.publish]
    assert lines[4:8] == [f"topic read {topic}" for topic in GATEWAY.subscribe]


def _user(password: str) -> BrokerUser:
    return BrokerUser("gw1", password, (), ())
