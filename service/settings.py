"""Settings of the service process, from the environment (prefix ``LUMBAR_``)."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from processing.domain.errors import SettingsError
from processing.wire.broker_address import BrokerAddress, parse_broker_url


class ServiceSettings(BaseSettings):
    """Settings of ``lumbar serve``.

    Attributes:
        service_token: when set, every page and request needs it; needed as soon as the service listens
            on anything but this machine (``checked``).
    """

    model_config = SettingsConfigDict(env_prefix="LUMBAR_", extra="ignore", frozen=True)

    mqtt_url: SecretStr = SecretStr("mqtt://127.0.0.1:1883")
    database_url: SecretStr = SecretStr("postgresql://127.0.0.1/lumbar")
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8000
    service_token: SecretStr | None = None

    @property
    def token(self) -> str | None:
        """The token in clear, None when none is asked for."""
        secret = self.service_token.get_secret_value() if self.service_token else ""
        return secret or None

    @property
    def mqtt(self) -> BrokerAddress:
        """Address of the broker.

        Raises:
            SettingsError: the URL cannot be used.
        """
        return parse_broker_url(self.mqtt_url.get_secret_value())

    def checked(self) -> ServiceSettings:
        """These settings, if they can be used together.

        Raises:
            SettingsError: the service would be open to the network without a token, or the broker's URL is wrong.
        """
        if not is_loopback(self.http_host) and self.token is None:
            raise SettingsError(
                f"LUMBAR_HTTP_HOST={self.http_host} lets others reach the service without a login: "
                "set LUMBAR_SERVICE_TOKEN to a long random text, or keep 127.0.0.1"
            )
        if self.token is not None and len(self.token) < 16:
            raise SettingsError("LUMBAR_SERVICE_TOKEN is too short to be safe: use at least 16 random characters")
        parse_broker_url(self.mqtt_url.get_secret_value())
        return self


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address only ever means this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
