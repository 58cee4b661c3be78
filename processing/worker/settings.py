"""Settings of the worker process, from the environment (prefix ``LUMBAR_``)."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from processing.domain.errors import SettingsError
from processing.wire.broker_address import BrokerAddress, parse_broker_url


class WorkerSettings(BaseSettings):
    """Settings of ``lumbar worker``.

    Attributes:
        metrics_host: address that Prometheus metrics are served on, if ``metrics_port`` is given.
        worker_id: name of this process in claims; drawn at the start unless given.
        checkpoint_interval_s: longest time that work stays unacknowledged.
        command_checkpoint_s: the same after a command, whose effect somebody waits to see.
        checkpoint_bytes: entries of this size are checkpointed earlier.
        claim_interval_s: how often claims are checked and shared anew.
        max_waiting_batches: batches of one gateway that may wait; more become a hole that it fills again.
        live_interval_s: shortest time between two live frames of a session.
        repeat_ack_s: an idle gateway is told again what is expected after this time, then ever more rarely.
        hole_ack_s: shortest time between two answers to batches that do not continue the log.
    """

    model_config = SettingsConfigDict(env_prefix="LUMBAR_", extra="ignore", frozen=True)

    mqtt_url: SecretStr = SecretStr("mqtt://127.0.0.1:1883")
    database_url: SecretStr = SecretStr("postgresql://127.0.0.1/lumbar")
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    worker_id: Annotated[str, Field(max_length=80)] = Field(
        default_factory=lambda: f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(3)}"
    )
    checkpoint_interval_s: Annotated[float, Field(ge=0.05, le=60)] = 2.0
    command_checkpoint_s: Annotated[float, Field(ge=0.0, le=60)] = 0.2
    checkpoint_bytes: Annotated[int, Field(ge=1_000)] = 1_000_000
    claim_interval_s: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    max_waiting_batches: Annotated[int, Field(ge=1, le=10_000)] = 64
    live_interval_s: Annotated[float, Field(ge=0.0, le=10)] = 0.1
    repeat_ack_s: Annotated[float, Field(ge=0.05, le=60)] = 2.0
    hole_ack_s: Annotated[float, Field(ge=0.0, le=10)] = 0.5

    @property
    def broker(self) -> BrokerAddress:
        """Address of the broker.

        Raises:
            SettingsError: the URL cannot be used. The text never holds the password.
        """
        return parse_broker_url(self.mqtt_url.get_secret_value())

    @classmethod
    def load(cls) -> Self:
        """Settings of the environment, checked.

        Raises:
            SettingsError: one of them cannot be used; says which and why.
        """
        try:
            settings = cls()
        except ValidationError as error:
            problems = "; ".join(f"LUMBAR_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
            raise SettingsError(problems) from None
        parse_broker_url(settings.mqtt_url.get_secret_value())
        return settings
