from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.ids import SHARDS, GatewayId, SubjectId, shard_of
from processing.wire.topics import (
    GatewayTopic,
    gateway_topic,
    live_topic,
    parse_gateway_topic,
    parse_live_topic,
    shard_filter,
)

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,47}", fullmatch=True)


@given(names, st.sampled_from(GatewayTopic))
def test_a_gateway_topic_reads_back(name: str, kind: GatewayTopic) -> None:
    topic = gateway_topic(GatewayId(name), kind)

    assert parse_gateway_topic(topic) == (name, kind)
    assert topic.startswith(shard_filter(shard_of(GatewayId(name)), kind).split("+")[0])


@given(names)
def test_a_live_topic_reads_back(name: str) -> None:
    assert parse_live_topic(live_topic(SubjectId(name))) == name


@given(st.text(max_size=80))
def test_any_other_text_is_an_unknown_topic_or_a_bad_name(topic: str) -> None:
    try:
        address = parse_gateway_topic(topic)
    except DecodeError as error:
        assert error.reason in {DecodeReason.UNKNOWN_TOPIC, DecodeReason.OUT_OF_RANGE}
        return
    assert gateway_topic(*address) == topic


def test_a_gateway_in_a_foreign_shard_is_refused() -> None:
    shard = (shard_of(GatewayId("gw1")) + 1) % SHARDS

    with pytest.raises(DecodeError, match="belongs to shard"):
        parse_gateway_topic(f"lumbar/v1/{shard}/gw1/log")


@pytest.mark.parametrize("name", ["", "a/b", "a+", "#", "a b", "ä", "-x", "x" * 49, "a.b", "a*", ">"])
def test_a_name_that_means_something_to_a_broker_is_refused(name: str) -> None:
    with pytest.raises(DecodeError):
        gateway_topic(GatewayId(name), GatewayTopic.LOG)


def test_the_shard_of_a_gateway_never_changes() -> None:
    assert [shard_of(GatewayId(name)) for name in ("gw1", "clinic-a", "hub_07")] == [60, 15, 18]
