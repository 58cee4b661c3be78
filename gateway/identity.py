"""Who a gateway process is, and how it says so."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.log import LogPosition
from processing.domain.ids import GatewayId
from processing.wire.messages import GatewayState, encode_message
from processing.wire.topics import GatewayTopic, gateway_topic


@dataclass(frozen=True, slots=True)
class Identity:
    """Who speaks; ``boot_id`` is drawn at each start of the process."""

    gateway_id: GatewayId
    boot_id: int
    version: str

    def topic(self, kind: GatewayTopic) -> str:
        """Topic of this gateway."""
        return gateway_topic(self.gateway_id, kind)

    def birth(self, log_id: int, position: LogPosition, *, online: bool) -> tuple[str, bytes]:
        """Topic and payload of the retained state: birth (``online``) or last word."""
        state = GatewayState(
            online=online,
            boot_id=self.boot_id,
            log_id=log_id,
            first_offset=position.first_offset,
            next_offset=position.next_offset,
            version=self.version,
        )
        return self.topic(GatewayTopic.STATE), encode_message(state)
