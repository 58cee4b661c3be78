"""Settings of the worker."""

from __future__ import annotations

import socket
from typing import cast

import pytest

from processing.domain.errors import SettingsError
from processing.wire.broker_address import BrokerAddress
from processing.worker.app import run_worker
from processing.worker.ports import WorkerStore
from processing.worker.settings import WorkerSettings


def test_the_environment_is_read_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBAR_MQTT_URL", "mqtts://worker:p%40ss@broker")
    monkeypatch.setenv("LUMBAR_CHECKPOINT_INTERVAL_S", "1.5")
    settings = WorkerSettings.load()
    assert settings.broker == BrokerAddress("broker", 8883, "worker", "p@ss", tls=True)
    assert settings.checkpoint_interval_s == 1.5
    assert "p%40ss" not in repr(settings)


@pytest.mark.parametrize("url", ["http://broker", "mqtt://", "broker:1883"])
def test_a_broker_url_that_cannot_be_used_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LUMBAR_MQTT_URL", url)
    with pytest.raises(SettingsError, match="LUMBAR_MQTT_URL"):
        WorkerSettings.load()


def test_a_setting_out_of_range_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBAR_METRICS_PORT", "70000")
    with pytest.raises(SettingsError, match="LUMBAR_METRICS_PORT"):
        WorkerSettings.load()


async def test_a_metrics_port_that_is_taken_is_a_setting_to_correct() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = WorkerSettings(metrics_port=taken.getsockname()[1])
        assert settings.metrics_host == "127.0.0.1"
        with pytest.raises(SettingsError, match="LUMBAR_METRICS_PORT"):
            await run_worker(settings, cast("WorkerStore", object()))
