"""Address of an MQTT broker as every process reads it from its settings."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from processing.domain.errors import SettingsError

_EXPECTED = "LUMBAR_MQTT_URL must look like mqtt://user:password@host:1883 (mqtts:// for TLS)"


class BrokerAddress(NamedTuple):
    """Where the broker is and who we are there."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool

    def __repr__(self) -> str:
        """Without the password: this ends up in logs."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.username or ''}@{self.host}:{self.port}"


def parse_broker_url(url: str) -> BrokerAddress:
    """Parts of ``mqtt[s]://[user:password@]host[:port]``; the default ports are 1883 and 8883.

    Raises:
        SettingsError: it is no such URL. The text never holds the password.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise SettingsError(f"{_EXPECTED}, not scheme {parts.scheme!r} and host {parts.hostname!r}")
    try:
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"{_EXPECTED}: {error}") from None
    tls = parts.scheme == "mqtts"
    return BrokerAddress(
        host=parts.hostname,
        port=port or (8883 if tls else 1883),
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        tls=tls,
    )
