"""docker-compose.yml, the image, the gateway's unit and docs/deploy.md fit the code, as far as no engine is needed."""

from __future__ import annotations

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from gateway.settings import GatewaySettings
from processing.worker.settings import WorkerSettings
from service.cli.administration import DatabaseSettings
from service.cli.main import app
from service.cli.processes import BLE_VARIABLE
from service.cli.site import PORT, Secret, write_site
from service.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "lumbar")
OTHERS = sorted(set(SERVICES) - set(OURS))
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
UNIT_FILE = ROOT / "deploy" / "gateway" / "lumbar-gateway.service"

SETTINGS: dict[str, type[BaseSettings]] = {
    "gateway": GatewaySettings,
    "worker": WorkerSettings,
    "serve": ServiceSettings,
    "db": DatabaseSettings,
}
SECTIONS: dict[str, type[BaseSettings]] = {
    "Gateway": GatewaySettings,
    "Worker": WorkerSettings,
    "Service": ServiceSettings,
    "Administration": DatabaseSettings,
}
OUTSIDE_CLASSES = {"Gateway": {BLE_VARIABLE: "`system`"}}
"""Variables that the command line reads itself."""

_REFERENCE = re.compile(r"\$\{([A-Z_]+)(?::\?[^}]*)?\}")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Site as docs/deploy.md tells to make it."""
    write_site(tmp_path / "site", ["ward-1"], address="hub", force=False, draw=lambda: "a-secret-of-some-length")
    return tmp_path / "site"


def _filled(text: str) -> str:
    return _REFERENCE.sub("a-secret-of-some-length", text)


def _command(words: list[str]) -> Any:
    """Command of the CLI that these words name; a group of commands has ``commands``."""
    command: Any = typer.main.get_command(app)
    for word in words:
        assert word in getattr(command, "commands", {}), f"lumbar has no command {' '.join(words)}"
        command = command.commands[word]
    return command


@pytest.mark.parametrize("name", OURS)
def test_every_process_runs_a_command_that_exists(name: str) -> None:
    assert not hasattr(_command(SERVICES[name]["command"]), "commands")


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_of_the_process(name: str) -> None:
    settings = SETTINGS[SERVICES[name]["command"][0]]
    known = {f"LUMBAR_{field.upper()}" for field in settings.model_fields}

    assert {key for key in SERVICES[name].get("environment", {}) if key.startswith("LUMBAR_")} <= known


@pytest.mark.parametrize("name", [name for name in OURS if name != "gateway"])
def test_every_process_accepts_its_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(key, _filled(value))

    settings = SETTINGS[SERVICES[name]["command"][0]]
    loaded = settings().checked() if settings is ServiceSettings else settings.load()  # type: ignore[attr-defined]
    assert loaded.database_url.get_secret_value().endswith("@database:5432/lumbar")


def test_the_gateway_accepts_the_file_that_was_written_for_it(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (env_file,) = SERVICES["gateway"]["env_file"]
    for line in (site.parent / env_file).read_text().splitlines():
        monkeypatch.setenv(*line.split("=", 1))

    settings = GatewaySettings.load()
    assert settings.broker.username == "ward-1"
    assert settings.broker.port == PORT
    assert any(mount.endswith(f":{settings.gateway_log.parent}") for mount in SERVICES["gateway"]["volumes"])


@pytest.mark.parametrize("name", OTHERS)
def test_images_of_others_are_pinned_to_a_version(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")

    assert re.match(r"\d+\.\d+", tag), f"{SERVICES[name]['image']} may change under our feet"


def test_no_secret_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            where = f"{name}: {key}"
            if re.search("PASSWORD|TOKEN|SECRET", key):
                assert _REFERENCE.fullmatch(value), where
            if "://" in value:
                assert re.search(r"://[a-z]+:\$\{[A-Z_]+(:\?[^}]*)?\}@", value), where


def test_every_secret_is_one_that_broker_config_writes_and_the_other_way_round(site: Path) -> None:
    used = {match[1] for match in _REFERENCE.finditer(yaml.safe_dump(COMPOSE))}
    written = {line.partition("=")[0] for line in (site / ".env").read_text().splitlines()}

    assert used == written == set(Secret)


def test_the_broker_reads_the_configuration_that_was_written_and_keeps_what_it_stores(site: Path) -> None:
    broker = SERVICES["broker"]
    mounts = dict(mount.split(":")[:2] for mount in broker["volumes"])
    folder, inside = next((host, inside) for host, inside in mounts.items() if host.startswith("./"))

    assert broker["command"] == ["-c", f"{inside}/nats.conf"]
    config = (site.parent / folder / "nats.conf").read_text()
    assert 'server_name: "lumbar"' in config
    assert 'jetstream { store_dir: "/data"' in config
    assert mounts["broker"] == "/data"
    assert f"{PORT}:{PORT}" in broker["ports"]


@pytest.mark.parametrize(("name", "user"), [("worker", "worker"), ("service", "service")])
def test_processes_are_users_that_the_broker_knows(site: Path, name: str, user: str) -> None:
    config = (site / "broker" / "nats.conf").read_text()

    assert f"mqtt://{user}:" in SERVICES[name]["environment"]["LUMBAR_MQTT_URL"]
    assert f'{{ user: "{user}", password: "a-secret-of-some-length"' in config


def test_the_data_of_postgresql_18_is_kept() -> None:
    # images from PostgreSQL 18 on keep it in a folder per version; a volume at …/data would be left empty
    assert SERVICES["database"]["image"].endswith("-pg18")
    assert "database:/var/lib/postgresql" in SERVICES["database"]["volumes"]


def test_nothing_but_the_broker_is_reachable_from_outside() -> None:
    ports = {name: service.get("ports", []) for name, service in SERVICES.items()}

    assert [name for name, published in ports.items() for port in published if not port.startswith("127.0.0.1:")] == [
        "broker"
    ]


def test_processes_wait_for_what_they_need() -> None:
    for name in ("worker", "service"):
        assert SERVICES[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "broker": {"condition": "service_healthy"},
        }
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in ("broker", "database"):
        assert "healthcheck" in SERVICES[name]


def test_the_image_holds_every_package_and_the_builder_gets_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    ignore = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()

    for package in packages:
        assert f"COPY {package} {package}" in DOCKERFILE
    for needed in (*packages, "pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]):
        assert f"!{needed}" in ignore
    assert 'ENTRYPOINT ["lumbar"]' in DOCKERFILE


def test_the_unit_of_the_gateway_runs_it_with_its_settings_and_its_log(site: Path) -> None:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(UNIT_FILE, encoding="utf-8")
    service = unit["Service"]

    binary, *words = service["ExecStart"].split()
    assert binary.endswith("/lumbar")
    assert _command(words).name == "gateway"
    assert service["ExecStartPre"] == f"{service['ExecStart']} --check-config"
    assert service["EnvironmentFile"] in DEPLOY
    log_path = next(
        line.partition("=")[2]
        for line in (site / "gateways" / "ward-1.env").read_text().splitlines()
        if line.startswith("LUMBAR_GATEWAY_LOG=")
    )
    assert Path(log_path).parent == Path("/var/lib") / service["StateDirectory"]


def _default(settings: type[BaseSettings], field: str) -> str:
    info = settings.model_fields[field]
    if info.default_factory is not None:
        return "drawn"
    if info.default is PydanticUndefined:
        return "required"
    value = info.default.get_secret_value() if isinstance(info.default, SecretStr) else info.default
    return "none" if value is None else f"`{value}`"


@pytest.mark.parametrize("section", SECTIONS)
def test_the_document_lists_every_setting_with_its_default(section: str) -> None:
    _, _, rest = DEPLOY.partition(f"\n### {section}\n")
    rows = dict(re.findall(r"^\| `(LUMBAR_\w+)` \| ([^|]+?) \|", rest.partition("\n#")[0], re.MULTILINE))

    settings = SECTIONS[section]
    expected = {f"LUMBAR_{field.upper()}": _default(settings, field) for field in settings.model_fields}
    assert rows == {**expected, **OUTSIDE_CLASSES.get(section, {})}


def test_the_document_confesses_what_was_never_run() -> None:
    assert "was not run" in DEPLOY


def test_every_command_in_the_document_exists() -> None:
    found = set(re.findall(r"(?:^ *|`|URL=\S+ )lumbar ([a-z]+)(?: ([a-z]+))?", DEPLOY, re.MULTILINE))
    assert len(found) > 5
    for first, second in found:
        # `analyze` declares its options beside its code and joins the others when it is called
        if first != "analyze":
            _command([first, second] if first in {"db", "export", "broker"} else [first])
