"""Counters of the gateway for Prometheus; one registry per gateway, so that several fit in one process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """Everything that the gateway counts."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.samples = Counter("lumbar_gateway_samples", "Samples received", ["sensor"], registry=registry)
        self.lost_samples = Counter("lumbar_gateway_lost_samples", "Samples lost", ["sensor"], registry=registry)
        self.duplicates = Counter(
            "lumbar_gateway_duplicate_notifications", "Notifications received twice", ["sensor"], registry=registry
        )
        self.dropped_samples = Counter(
            "lumbar_gateway_dropped_samples", "Samples dropped by the gateway", ["queue"], registry=registry
        )
        self.dropped_notifications = Counter(
            "lumbar_gateway_dropped_notifications", "Notifications dropped, queue full", ["sensor"], registry=registry
        )
        self.refused_notifications = Counter(
            "lumbar_gateway_refused_notifications", "Notifications not understood", ["sensor"], registry=registry
        )
        self.link_errors = Counter(
            "lumbar_gateway_link_errors", "Failed or lost connections", ["error"], registry=registry
        )
        self.connections = Counter("lumbar_gateway_connections", "Streams started", ["sensor"], registry=registry)
        self.clock_steps = Counter(
            "lumbar_gateway_clock_steps", "Jumps of a sensor's clock", ["sensor"], registry=registry
        )
        self.missed_echoes = Counter(
            "lumbar_gateway_missed_echoes",
            "Failed measurements of a sensor's clock",
            ["sensor"],
            registry=registry,
        )
        self.clock_corrections = Counter(
            "lumbar_gateway_clock_corrections", "Times that the machine's clock was set", registry=registry
        )
        self.clock_error = Gauge(
            "lumbar_gateway_clock_error_seconds", "Machine's clock minus that of the stamps", registry=registry
        )
        self.appended_entries = Counter("lumbar_gateway_appended_entries", "Entries committed", registry=registry)
        self.dropped_entries = Counter(
            "lumbar_gateway_dropped_entries", "Unacknowledged entries dropped, log full", registry=registry
        )
        self.log_write_errors = Counter("lumbar_gateway_log_write_errors", "Refused commits", registry=registry)
        self.log_errors = Counter(
            "lumbar_gateway_log_errors", "Refused work on the log other than commits", ["work"], registry=registry
        )
        self.damaged_logs = Counter("lumbar_gateway_damaged_logs", "Damaged logs moved aside", registry=registry)
        self.log_entries = Gauge("lumbar_gateway_log_entries", "Entries not acknowledged", registry=registry)
        self.log_bytes = Gauge("lumbar_gateway_log_bytes", "Bytes not acknowledged", registry=registry)
        self.sent_entries = Counter("lumbar_gateway_sent_entries", "Entries sent, repeats included", registry=registry)
        self.rewinds = Counter("lumbar_gateway_rewinds", "Rewinds of the uplink", ["why"], registry=registry)
        self.broker_errors = Counter(
            "lumbar_gateway_broker_errors", "Failed or lost broker connections", registry=registry
        )
        self.refused_messages = Counter(
            "lumbar_gateway_refused_messages", "Messages from the broker not taken", ["reason"], registry=registry
        )
        self.controls = Counter("lumbar_gateway_controls", "Commands received", ["fate"], registry=registry)
