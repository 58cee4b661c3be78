"""The gateway process: one task group around the radio, the log and the uplink."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from importlib.metadata import version

import structlog

from gateway.connection import BleBackend
from gateway.devices.driver import Driver
from gateway.devices.registry import DRIVERS
from gateway.host_clock import HostClock
from gateway.identity import Identity
from gateway.journal import Journal, open_journal
from gateway.link import LinkTimings, Radio
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.uplink import CONFIG_NOTE, Uplink
from processing.domain.errors import DecodeError, LumbarError
from processing.domain.ids import GatewayId
from processing.metrics_server import served_metrics
from processing.wire.messages import GatewayConfig, decode_message

_log = structlog.get_logger("gateway")

_MAX_PENDING = 4_000
"""Entries that may wait for the disk: with two sensors and a stuck disk about five minutes."""


async def run_gateway(
    settings: GatewaySettings,
    backend: BleBackend | None = None,
    *,
    drivers: Sequence[Driver] = DRIVERS,
    timings: LinkTimings | None = None,
    clock: HostClock | None = None,
) -> None:
    """Run until cancelled; then disconnects the wearables, commits what waits and says that it is offline.

    Args:
        settings: what to connect to and where to keep the log.
        backend: classes for bleak's ``backend=``, None for the platform's own Bluetooth.
        drivers: wearables to understand.
        timings: patience of the radio.
        clock: time of all stamps, None for the machine's.

    Raises:
        LogError: the log cannot be opened or written.
        SettingsError: the metrics port cannot be used.
    """
    metrics = Metrics()
    clock = clock or HostClock()
    identity = Identity(GatewayId(settings.gateway_id), secrets.randbits(32), version("lumbar"))
    async with open_journal(
        settings.gateway_log,
        metrics,
        max_bytes=settings.gateway_log_max_mb * 1_000_000,
        flush_s=settings.gateway_flush_s,
        max_pending=_MAX_PENDING,
    ) as journal:
        with served_metrics(metrics.registry, settings.metrics_host, settings.metrics_port):
            radio = Radio(journal, metrics, clock, drivers, backend, timings)
            await _apply_last_config(journal, radio)
            uplink = Uplink(identity, settings.broker, journal, radio, metrics, clock)
            _log.info("gateway starts", gateway=identity.gateway_id, log_id=journal.log_id, position=journal.position)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(journal.run(), name="gateway.journal")
                    group.create_task(radio.run(), name="gateway.radio")
                    group.create_task(uplink.run(), name="gateway.uplink")
            except ExceptionGroup as failed:
                # A log that cannot be written ends the process: let its text reach the operator without the group.
                if isinstance(failed.exceptions[0], LumbarError):
                    raise failed.exceptions[0] from None
                raise


async def _apply_last_config(journal: Journal, radio: Radio) -> None:
    """Read the sensors of the last configuration at once: the broker may be away."""
    note = await journal.load_note(CONFIG_NOTE)
    if note is None:
        return
    try:
        radio.apply(decode_message(note, GatewayConfig))
    except DecodeError as error:
        _log.warning("stored configuration is of another version", error=str(error))
