"""Prometheus metrics of a process over HTTP, the same for gateway and worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from processing.domain.errors import SettingsError


@contextmanager
def served_metrics(registry: CollectorRegistry, host: str, port: int | None) -> Iterator[None]:
    """Serve the metrics over HTTP while the block runs; no port, no server.

    Raises:
        SettingsError: the port cannot be used.
    """
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise SettingsError(
            f"LUMBAR_METRICS_PORT: cannot listen on {host}:{port} ({error}); choose a free port"
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
