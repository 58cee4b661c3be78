"""MQTT topics of version 1. Nothing else in lumbar builds or takes apart a topic."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.ids import SHARDS, GatewayId, SubjectId, is_name, shard_of

ROOT = "lumbar/v1"


class GatewayTopic(StrEnum):
    """Last level of a topic below a gateway's name."""

    LOG = "log"
    """Up: a batch of log entries."""
    STATE = "state"
    """Up, retained: birth and last will."""
    SENSORS = "sensors"
    """Up, retained: health per sensor."""
    ACK = "ack"
    """Down: committed offset and the next one expected."""
    CONFIG = "config"
    """Down, retained: which sensors to read."""
    CONTROL = "control"
    """Down: commands for the log."""
    CUE = "cue"
    """Down: haptic cue."""


class GatewayAddress(NamedTuple):
    """What a gateway topic says."""

    gateway_id: GatewayId
    topic: GatewayTopic


def gateway_topic(gateway_id: GatewayId, topic: GatewayTopic) -> str:
    """Topic of a gateway: ``lumbar/v1/<shard>/<gateway>/<topic>``.

    Raises:
        DecodeError: ``gateway_id`` is not a name (see ``is_name``).
    """
    _require_name(gateway_id, "gateway id")
    return f"{ROOT}/{shard_of(gateway_id)}/{gateway_id}/{topic}"


def shard_filter(shard: int, topic: GatewayTopic) -> str:
    """Subscription filter for one topic of all gateways of a shard."""
    if not 0 <= shard < SHARDS:
        raise ValueError(f"shard {shard} is outside 0..{SHARDS - 1}")
    return f"{ROOT}/{shard}/+/{topic}"


def every_gateway_filter(topic: GatewayTopic) -> str:
    """Subscription filter for one topic of all gateways of all shards."""
    return f"{ROOT}/+/+/{topic}"


def live_topic(subject_id: SubjectId) -> str:
    """Topic with the provisional findings and live frames of one subject."""
    _require_name(subject_id, "subject id")
    return f"{ROOT}/live/{subject_id}"


def live_filter() -> str:
    """Subscription filter for the live topics of all subjects."""
    return f"{ROOT}/live/+"


def parse_gateway_topic(topic: str) -> GatewayAddress:
    """Gateway and kind of a topic.

    Raises:
        DecodeError: the topic is not one of a gateway, or stands in another shard than its gateway's.
    """
    levels = topic.split("/")
    if len(levels) != 5 or "/".join(levels[:2]) != ROOT:
        raise DecodeError(DecodeReason.UNKNOWN_TOPIC, "topic", f"{topic[:120]!r} is no gateway topic")
    shard, name, last = levels[2:]
    _require_name(name, "gateway id")
    gateway_id = GatewayId(name)
    if shard != str(shard_of(gateway_id)):
        raise DecodeError(
            DecodeReason.UNKNOWN_TOPIC,
            "topic",
            f"gateway {name!r} belongs to shard {shard_of(gateway_id)}, not {shard!r}",
        )
    try:
        return GatewayAddress(gateway_id, GatewayTopic(last))
    except ValueError as error:
        raise DecodeError(DecodeReason.UNKNOWN_TOPIC, "topic", f"{last[:48]!r} is no gateway topic") from error


def parse_live_topic(topic: str) -> SubjectId:
    """Subject of a live topic.

    Raises:
        DecodeError: the topic is not a live topic.
    """
    prefix, _, name = topic.rpartition("/")
    if prefix != f"{ROOT}/live":
        raise DecodeError(DecodeReason.UNKNOWN_TOPIC, "topic", f"{topic[:120]!r} is no live topic")
    _require_name(name, "subject id")
    return SubjectId(name)


def _require_name(text: str, what: str) -> None:
    if not is_name(text):
        raise DecodeError(DecodeReason.OUT_OF_RANGE, what, f"{text[:60]!r} is no name (1-48 letters, digits, '-', '_')")
