"""``lumbar broker config``: the files of a site that runs lumbar with docker compose.

DIR/.env                   secrets of docker-compose.yml
DIR/broker/nats.conf       users of the broker and what each may write and read; follows from the secrets
DIR/gateways/<name>.env    settings of one gateway, to be copied to it
DIR/.gitignore             keeps all of it out of repositories
"""

from __future__ import annotations

import re
import secrets
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from processing.domain.errors import LumbarError, SettingsError
from processing.domain.ids import GatewayId, is_name
from processing.wire.broker_address import parse_broker_url
from service.embedded.access import SERVICE, WORKER, BrokerUser, gateway_user, nats_config, service_user, worker_user
from service.embedded.process import write_private

PORT = 1883

_HEADER = "# Written by `lumbar broker config`: changes are lost when it runs again.\n"
_LINE = re.compile(r"(LUMBAR_[A-Z_]+)=(.*)")
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - inside the broker's container; docker-compose.yml says what is reached from outside
_PID_FILE = "/tmp/nats.pid"  # noqa: S108 - inside the broker's container, where nobody else lives
_GATEWAY_LOG = "/var/lib/lumbar/gateway.sqlite"
"""Below the StateDirectory of deploy/gateway/lumbar-gateway.service, and in the volume of docker-compose.yml."""


class SiteError(LumbarError):
    """Files of a site that cannot be read or must not be replaced."""


class Secret(StrEnum):
    """Names of the secrets in ``.env``."""

    DATABASE = "LUMBAR_DATABASE_PASSWORD"
    WORKER = "LUMBAR_WORKER_PASSWORD"
    SERVICE = "LUMBAR_SERVICE_PASSWORD"
    TOKEN = "LUMBAR_SERVICE_TOKEN"  # noqa: S105 - the name of a variable, not its value


def write_site(
    directory: Path,
    gateways: Sequence[str],
    *,
    address: str | None,
    force: bool,
    draw: Callable[[], str] = lambda: secrets.token_urlsafe(24),
) -> Sequence[str]:
    """Write what is missing and keep what is there; ``nats.conf`` is made anew from the secrets each time.

    Returns what was done, a line per file, for people.

    Args:
        directory: of the site; made if need be.
        gateways: names of gateways that the site shall know, beside those that it knows.
        address: host name under which gateways reach the broker; None takes the name of this machine.
        force: draw every secret anew (except the database's, which lives in the database), and replace a ``nats.conf``
            that somebody else wrote.
        draw: makes a secret.

    Raises:
        SettingsError: a gateway's name or the address cannot be used.
        SiteError: a file cannot be read or was written by somebody else.
    """
    for name in gateways:
        if not is_name(name) or name in {WORKER, SERVICE}:
            raise SettingsError(
                f"a gateway cannot be called {name!r}: use 1-48 letters, digits, '-' and '_', not worker or service"
            )
    host = address or socket.gethostname()
    parse_broker_url(f"mqtt://{host}:{PORT}")
    try:
        return _write_site(directory, gateways, host, force=force, draw=draw)
    except OSError as error:
        raise SiteError(f"{error.filename}: {error.strerror}") from error


def broker_config_command(directory: Path, gateways: Sequence[str], *, address: str | None, force: bool) -> None:
    """Write the site and say on standard output what was done."""
    for line in write_site(directory, gateways, address=address, force=force):
        sys.stdout.write(f"{line}\n")


def _write_site(
    directory: Path, gateways: Sequence[str], host: str, *, force: bool, draw: Callable[[], str]
) -> Sequence[str]:
    config = directory / "broker" / "nats.conf"
    _refuse_foreign(config, force=force)
    for folder in (directory, config.parent, directory / "gateways"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / ".gitignore").write_text("*\n", encoding="utf-8")
    values, secrets_line = _secrets(directory / ".env", force=force, draw=draw)
    passwords, gateway_lines = _gateways(directory / "gateways", gateways, host, force=force, draw=draw)
    return [secrets_line, *gateway_lines, _write_nats_config(config, values, passwords)]


def _refuse_foreign(path: Path, *, force: bool) -> None:
    if path.exists() and not force and not _read(path).startswith(_HEADER):
        raise SiteError(f"{path} was not written by this command; move it away, or replace it with --force")


def _secrets(path: Path, *, force: bool, draw: Callable[[], str]) -> tuple[Mapping[Secret, str], str]:
    """Values of ``.env`` after writing what was missing; lines of the site's own are kept."""
    old = _read(path).splitlines() if path.exists() else []
    found = _settings(old)
    kept = {name: found[name] for name in Secret if found.get(name) and not (force and name is not Secret.DATABASE)}
    if len(kept) == len(Secret):
        return kept, f"{path}: kept"
    values = {name: kept.get(name) or draw() for name in Secret}
    own = [line for line in old if line.split("=")[0].strip() not in set(Secret)]
    write_private(path, "\n".join([*own, *(f"{name}={value}" for name, value in values.items())]) + "\n")
    drawn = ", ".join(name for name in Secret if name not in kept)
    return values, f"{path}: drew {drawn}"


def _gateways(
    folder: Path, names: Sequence[str], host: str, *, force: bool, draw: Callable[[], str]
) -> tuple[Mapping[GatewayId, str], list[str]]:
    """Passwords of all gateways of the site, after writing the files of new ones."""
    known = {GatewayId(path.stem): path for path in sorted(folder.glob("*.env"))}
    passwords: dict[GatewayId, str] = {}
    lines: list[str] = []
    for gateway_id in dict.fromkeys([*known, *map(GatewayId, names)]):
        path = folder / f"{gateway_id}.env"
        if gateway_id in known and not force:
            passwords[gateway_id] = _password(path, gateway_id)
            lines.append(f"{path}: kept")
            continue
        passwords[gateway_id] = draw()
        write_private(path, _gateway_settings(gateway_id, passwords[gateway_id], host))
        lines.append(f"{path}: new password; copy the file to the gateway as /etc/lumbar/gateway.env")
    return passwords, lines


def _gateway_settings(gateway_id: GatewayId, password: str, host: str) -> str:
    return (
        f"LUMBAR_GATEWAY_ID={gateway_id}\n"
        f"LUMBAR_MQTT_URL=mqtt://{gateway_id}:{password}@{host}:{PORT}\n"
        f"LUMBAR_GATEWAY_LOG={_GATEWAY_LOG}\n"
    )


def _password(path: Path, gateway_id: GatewayId) -> str:
    """Password in a gateway's file."""
    url = _settings(_read(path).splitlines()).get("LUMBAR_MQTT_URL")
    broker = None if url is None else parse_broker_url(url)
    if broker is None or broker.password is None or broker.username != gateway_id:
        raise SiteError(f"{path} holds no LUMBAR_MQTT_URL=mqtt://{gateway_id}:password@host; delete it or use --force")
    return broker.password


def _settings(lines: Sequence[str]) -> Mapping[str, str]:
    matches = (_LINE.fullmatch(line.strip()) for line in lines)
    return {match[1]: match[2].strip() for match in matches if match is not None}


def _write_nats_config(path: Path, values: Mapping[Secret, str], gateways: Mapping[GatewayId, str]) -> str:
    users: list[BrokerUser] = [worker_user(values[Secret.WORKER]), service_user(values[Secret.SERVICE])]
    users += [gateway_user(gateway_id, password) for gateway_id, password in sorted(gateways.items())]
    text = nats_config(host=_EVERYWHERE, port=PORT, store_dir="/data", pid_file=_PID_FILE, users=users)
    write_private(path, _HEADER + text)
    return f"{path}: {len(users)} users"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SiteError(f"{path} is not text: {error}") from error
