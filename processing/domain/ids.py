"""Identifiers, and the rules that text from outside must pass to become one."""

from __future__ import annotations

import re
import zlib
from typing import NewType
from uuid import UUID, uuid5

from processing.domain.errors import DecodeError, DecodeReason

GatewayId = NewType("GatewayId", str)
SensorId = NewType("SensorId", str)
SubjectId = NewType("SubjectId", str)
"""Pseudonym of a person. No row of a time series carries anything else about them."""
SessionId = NewType("SessionId", str)
"""Text form of a UUID."""
EventId = NewType("EventId", str)
"""Text form of a UUID; makes a command idempotent."""

SHARDS = 64
"""Number of partitions that workers share (architecture.md §7)."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,47}")


def is_name(text: str) -> bool:
    """Tell whether text may name a gateway, sensor or subject: 1-48 letters, digits, ``-`` and ``_``.

    Nothing in such a name is special in an MQTT topic, a NATS subject, a file name or a URL.
    """
    return _NAME.fullmatch(text) is not None


def shard_of(gateway_id: GatewayId) -> int:
    """Shard of a gateway: CRC-32 of its name modulo 64, the same on every machine and release."""
    return zlib.crc32(gateway_id.encode()) % SHARDS


def finding_uuid(session_id: SessionId, kind: str, ordinal: int) -> str:
    """UUIDv5 of a finding: the same log gives the same ids, so inserting twice changes nothing.

    Raises:
        DecodeError: ``session_id`` is not the text form of a UUID.
    """
    try:
        namespace = UUID(session_id)
    except ValueError as error:
        raise DecodeError(DecodeReason.MALFORMED, "session id", f"{session_id!r} is not a UUID") from error
    return str(uuid5(namespace, f"{kind}/{ordinal}"))
