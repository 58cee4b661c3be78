"""`lumbar broker config` writes a site that is safe to write again."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pytest

from processing.domain.errors import SettingsError
from service.cli.site import SiteError, write_site
from service.embedded.broker import find_nats_server


def _numbered() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"secret-{next(numbers)}"


def _write(
    directory: Path, *gateways: str, force: bool = False, draw: Callable[[], str] | None = None
) -> Sequence[str]:
    return write_site(directory, gateways, address="hub.example", force=force, draw=draw or _numbered())


def _env(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def test_a_new_site_has_secrets_users_and_a_file_per_gateway(tmp_path: Path) -> None:
    _write(tmp_path, "ward-1", "ward-2")

    assert set(_env(tmp_path / ".env")) == {
        "LUMBAR_DATABASE_PASSWORD",
        "LUMBAR_WORKER_PASSWORD",
        "LUMBAR_SERVICE_PASSWORD",
        "LUMBAR_SERVICE_TOKEN",
    }
    gateway = _env(tmp_path / "gateways" / "ward-2.env")
    assert gateway["LUMBAR_GATEWAY_ID"] == "ward-2"
    assert gateway["LUMBAR_MQTT_URL"] == "mqtt://ward-2:secret-6@hub.example:1883"
    config = (tmp_path / "broker" / "nats.conf").read_text()
    assert '{ user: "ward-2", password: "secret-6"' in config
    assert 'mqtt { host: "0.0.0.0", port: 1883 }' in config


def test_only_the_owner_may_read_secrets(tmp_path: Path) -> None:
    site = tmp_path / "site"
    _write(site, "ward-1")

    for path in (site / ".env", site / "broker" / "nats.conf", site / "gateways" / "ward-1.env"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(site.stat().st_mode) == 0o700
    assert (site / ".gitignore").read_text() == "*\n"


def test_adding_a_gateway_keeps_every_secret(tmp_path: Path) -> None:
    _write(tmp_path, "ward-1")
    before = {path: path.read_text() for path in (tmp_path / ".env", tmp_path / "gateways" / "ward-1.env")}

    lines = _write(tmp_path, "ward-2", draw=lambda: "later")

    assert {path: path.read_text() for path in before} == before
    config = (tmp_path / "broker" / "nats.conf").read_text()
    assert '{ user: "ward-1", password: "secret-5"' in config
    assert '{ user: "ward-2", password: "later"' in config
    assert any("ward-1.env: kept" in line for line in lines)


def test_force_draws_everything_but_the_database_password(tmp_path: Path) -> None:
    _write(tmp_path, "ward-1")
    before = _env(tmp_path / ".env")

    _write(tmp_path, force=True, draw=lambda: "new")

    after = _env(tmp_path / ".env")
    assert after.pop("LUMBAR_DATABASE_PASSWORD") == before["LUMBAR_DATABASE_PASSWORD"]
    assert set(after.values()) == {"new"}
    assert "ward-1:new@" in _env(tmp_path / "gateways" / "ward-1.env")["LUMBAR_MQTT_URL"]


def test_lines_of_the_site_itself_stay_in_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# ours\nTZ=Europe/Vienna\nLUMBAR_SERVICE_TOKEN=chosen\n")

    _write(tmp_path)

    lines = (tmp_path / ".env").read_text().splitlines()
    assert lines[:2] == ["# ours", "TZ=Europe/Vienna"]
    assert "LUMBAR_SERVICE_TOKEN=chosen" in lines
    assert len(lines) == 6


def test_a_broker_configuration_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    config = tmp_path / "broker" / "nats.conf"
    config.parent.mkdir()
    config.write_text("port: 4222\n")

    with pytest.raises(SiteError, match="--force"):
        _write(tmp_path)
    assert config.read_text() == "port: 4222\n"
    assert not (tmp_path / ".env").exists()

    _write(tmp_path, force=True)
    assert "mqtt {" in config.read_text()


@pytest.mark.parametrize("name", ["worker", "service", "a b", "", "x/y"])
def test_a_gateway_needs_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="gateway cannot be called"):
        _write(tmp_path / "site", name)
    assert not (tmp_path / "site").exists()


def test_a_gateway_file_without_a_password_is_an_error(tmp_path: Path) -> None:
    _write(tmp_path, "ward-1")
    (tmp_path / "gateways" / "ward-1.env").write_text("LUMBAR_GATEWAY_ID=ward-1\n")

    with pytest.raises(SiteError, match=r"ward-1\.env"):
        _write(tmp_path)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SiteError, match="file"):
        _write(tmp_path / "file" / "site")


def test_the_broker_accepts_its_configuration(tmp_path: Path) -> None:
    _write(tmp_path, "ward-1", "ward-2")

    done = subprocess.run(
        [find_nats_server(), "-t", "-c", tmp_path / "broker" / "nats.conf"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
