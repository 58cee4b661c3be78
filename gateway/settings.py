"""Settings of the gateway: environment variables ``LUMBAR_…`` or arguments, checked before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from processing.domain.errors import SettingsError
from processing.domain.ids import is_name
from processing.wire.broker_address import BrokerAddress, parse_broker_url


class GatewaySettings(BaseSettings):
    """What a gateway needs to know.

    Attributes:
        gateway_id: name of this gateway, also its MQTT user name.
        mqtt_url: broker, ``mqtt://user:password@host:port``.
        gateway_log: path of the SQLite file.
        gateway_log_max_mb: above this the oldest unacknowledged entries are dropped; two sensors write 10 MB an hour.
        gateway_flush_s: time between two commits of the log; the price of a shorter one is wear of an SD card
            and more envelope per sample.
        metrics_port: serve Prometheus metrics there; none, no server.
    """

    model_config = SettingsConfigDict(env_prefix="LUMBAR_", frozen=True, extra="ignore")

    gateway_id: str
    mqtt_url: str = Field(repr=False)
    gateway_log: Path
    gateway_log_max_mb: int = Field(default=512, ge=1)
    gateway_flush_s: float = Field(default=0.15, gt=0, le=5)
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=1, le=65_535)

    @field_validator("gateway_id")
    @classmethod
    def _name(cls, value: str) -> str:
        if not is_name(value):
            raise ValueError("write 1-48 letters, digits, '-' and '_', beginning with a letter or digit")
        return value

    @field_validator("mqtt_url")
    @classmethod
    def _url(cls, value: str) -> str:
        try:
            parse_broker_url(value)
        except SettingsError as error:
            # pydantic collects ValueErrors, so that every wrong setting is named at once
            raise ValueError(str(error).removeprefix("LUMBAR_MQTT_URL ")) from None
        return value

    @property
    def broker(self) -> BrokerAddress:
        """Broker of ``mqtt_url``."""
        return parse_broker_url(self.mqtt_url)

    @classmethod
    def load(cls, overrides: Mapping[str, Any] | None = None) -> Self:
        """Settings from the environment; ``overrides`` (by field name) win.

        Raises:
            SettingsError: one is missing or wrong; names every one and says what to write.
        """
        try:
            return cls(**(overrides or {}))
        except ValidationError as error:
            # Never the input itself: it may hold a password.
            problems = error.errors(include_input=False, include_url=False)
            raise SettingsError(
                "; ".join(_advice(problem["loc"], problem["type"], problem["msg"]) for problem in problems)
            ) from None


def _advice(field: tuple[int | str, ...], kind: str, message: str) -> str:
    name = "LUMBAR_" + "_".join(str(part) for part in field).upper()
    return f"{name}: {'is not set' if kind == 'missing' else message.removeprefix('Value error, ')}"
