"""Counters of a worker process, in a registry of their own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class WorkerMetrics:
    """What ``lumbar worker`` counts. Labels are closed sets: no ids, nothing that a payload could invent."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.messages_refused = self._counter(
            "messages_refused", "Messages that could not be read, by reason.", "reason"
        )
        self.messages_dropped = self._counter(
            "messages_dropped", "Messages dropped because a queue was full, by queue.", "queue"
        )
        self.batches = self._counter("batches", "Log batches, by verdict.", "verdict")
        self.entries = self._counter("entries", "Log entries fed to an analyzer.")
        self.entries_refused = self._counter(
            "entries_refused", "Log entries that could not be read, by reason.", "reason"
        )
        self.entries_lost = self._counter("entries_lost", "Log entries that a gateway had dropped before they came.")
        self.findings = self._counter("findings", "Findings stored.")
        self.findings_dropped = self._counter("findings_dropped", "Findings without an owner, by reason.", "reason")
        self.samples_unrouted = self._counter("samples_unrouted", "Samples that belong to no open session.")
        self.commands_refused = self._counter("commands_refused", "Commands that an analyzer could not follow.")
        self.checkpoints = self._counter("checkpoints", "Checkpoint transactions, by outcome.", "outcome")
        self.checkpoints_unreadable = self._counter(
            "checkpoints_unreadable", "Checkpoints that could not be read, by how work went on.", "outcome"
        )
        self.partition_failures = self._counter("partition_failures", "Partitions dropped after an unexpected error.")
        self.store_retries = self._counter("store_retries", "Store operations repeated because of an outage.")
        self.shifts = self._counter("shifts", "Times that work began (broker and claims connected).")
        self.outages = self._counter("outages", "Times that work stopped, by reason.", "reason")
        self.shards = Gauge("lumbar_worker_shards", "Shards held.", registry=self.registry)
        self.gateways = Gauge("lumbar_worker_gateways", "Gateways in memory.", registry=self.registry)
        self.checkpoint_s = Histogram(
            "lumbar_worker_checkpoint_seconds",
            "Duration of a checkpoint transaction.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
            registry=self.registry,
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"lumbar_worker_{name}", text, labels, registry=self.registry)
