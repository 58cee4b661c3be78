"""docs/asyncapi.yaml says what the code does: every topic, every message, every field, every size cap."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from processing.domain.ids import GatewayId, SubjectId, shard_of
from processing.wire.log import MAX_BATCH_BYTES, LogBatch
from processing.wire.messages import MAX_MESSAGE_BYTES
from processing.wire.topics import GatewayTopic, gateway_topic, live_topic

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "docs" / "asyncapi.yaml").read_text())
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]


def _class(name: str) -> type[msgspec.Struct]:
    module, _, attribute = MESSAGES[name]["x-class"].rpartition(".")
    found: type[msgspec.Struct] = getattr(importlib.import_module(module), attribute)
    return found


def test_every_topic_of_the_code_is_documented_with_the_address_that_the_code_builds() -> None:
    gateway = GatewayId("gw1")
    built = {topic.value: gateway_topic(gateway, topic) for topic in GatewayTopic}
    built["live"] = live_topic(SubjectId("s1"))

    documented = {
        channel["x-topic"]: channel["address"].format(shard=shard_of(gateway), gateway="gw1", subject="s1")
        for channel in DOCUMENT["channels"].values()
    }

    assert documented == built


def test_every_channel_has_one_operation() -> None:
    used = [operation["channel"]["$ref"].rsplit("/", 1)[1] for operation in DOCUMENT["operations"].values()]

    assert sorted(used) == sorted(DOCUMENT["channels"])


def test_every_message_is_used_by_a_channel() -> None:
    used = {
        message["$ref"].rsplit("/", 1)[1]
        for channel in DOCUMENT["channels"].values()
        for message in channel["messages"].values()
    }

    assert used == set(MESSAGES)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_message_has_the_fields_and_the_size_cap_of_its_class(name: str) -> None:
    struct = _class(name)
    payload = MESSAGES[name]["payload"]
    fields = {field.name: field.required for field in msgspec.structs.fields(struct)}

    assert MESSAGES[name]["x-max-bytes"] == (MAX_BATCH_BYTES if struct is LogBatch else MAX_MESSAGE_BYTES)
    if struct is LogBatch:
        assert [item["title"] for item in payload["prefixItems"]] == list(fields)
    else:
        assert set(payload["properties"]) == set(fields)
        assert set(payload["required"]) == {field for field, required in fields.items() if required}
