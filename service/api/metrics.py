"""Counters of the service, for ``GET /metrics``."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

LIVE_MESSAGES = Counter("lumbar_service_live_messages", "MQTT messages taken, by kind", ["kind"])
LIVE_REFUSED = Counter("lumbar_service_live_refused", "MQTT messages refused, by reason", ["reason"])
BROKER_CONNECTED = Gauge("lumbar_service_broker_connected", "1 while the client is connected", ["client"])
BROKER_RECONNECTS = Counter("lumbar_service_broker_reconnects", "Connections to the broker that ended", ["client"])
STREAMS_OPEN = Gauge("lumbar_service_streams_open", "Live streams being served")
STREAMS_EVICTED = Counter("lumbar_service_streams_evicted", "Live streams cut because the client was too slow")
STREAMS_REFUSED = Counter("lumbar_service_streams_refused", "Live streams refused because too many were open")
CONTROLS = Counter("lumbar_service_controls", "Commands by what became of them", ["outcome"])
STORE_FAILURES = Counter("lumbar_service_store_failures", "Times the database did not answer a background task")
REQUESTS_REFUSED = Counter("lumbar_service_requests_refused", "HTTP requests refused before routing", ["reason"])
