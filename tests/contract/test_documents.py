"""What README and docs tell people to type and to open exists."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from firmware_sim.instructions import Perform, decode_event, decode_instruction
from firmware_sim.motion.movements import MOVEMENTS
from processing.domain.exercises import CATALOGUE
from service.cli.exercises import COMMAND, markdown_catalogue
from service.cli.marked_page import with_part

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
SIMULATOR = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")

COMMAND_TREE = """
import json, click, typer
from service.cli import main
main._add_analyze()
main._add_evaluate()
tree = {}
def walk(command, path):
    subcommands = getattr(command, "commands", {})
    if not subcommands:
        tree[" ".join(path)] = [option for one in command.params for option in one.opts] + ["--help"]
    for name, one in subcommands.items():
        walk(one, (*path, name))
walk(typer.main.get_command(main.app), ())
print(json.dumps(tree))
"""


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@cache
def command_tree() -> dict[str, list[str]]:
    """Options of every command; in a process of its own, because adding commands changes the application."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND_TREE], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    return json.loads(done.stdout)


def code_of(text: str) -> list[str]:
    """Lines of fenced and indented blocks, and what stands between backticks."""
    fenced = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^ *```\w*\n.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^    (\S.*)$", rest, re.MULTILINE)
    inline = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", rest)]
    return [line for block in fenced for line in block.splitlines()] + indented + inline


def typed_commands(text: str) -> list[str]:
    found = (re.search(r"(?:^|[\s/])lumbar ([a-z][^#]*)$", line.partition(" # ")[0].strip()) for line in code_of(text))
    return [match.group(1).strip() for match in found if match]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_that_a_document_shows_exists(document: Path) -> None:
    for typed in typed_commands(document.read_text(encoding="utf-8")):
        command = next((name for name in command_tree() if f"{typed} ".startswith(f"{name} ")), None)
        assert command is not None, f"lumbar {typed}"
        for option in re.findall(r"(?<=\s)--[a-z-]+", typed):
            assert option in command_tree()[command], f"lumbar {typed}"


def test_the_readme_shows_commands_at_all() -> None:
    shown = typed_commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert {"demo", "analyze", "evaluate", "doctor", "bench"} <= {typed.split()[0] for typed in shown}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_of_a_document_leads_to_a_file(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    local = [link for link in links if not urlsplit(link).scheme and not link.startswith("#")]
    missing = [link for link in local if not (document.parent / link.partition("#")[0]).exists()]
    assert not missing


def test_the_instructions_that_the_simulators_document_shows_are_followed() -> None:
    lines = re.findall(r'`(\{"do":[^`]*\})`', SIMULATOR)
    instructions = [decode_instruction(line.encode()) for line in lines]
    assert {type(one).__name__ for one in instructions} == {"Settle", "Perform", "Replay", "Vanish"}
    for one in instructions:
        if isinstance(one, Perform):
            assert one.exercise in MOVEMENTS


def test_the_events_that_the_simulators_document_shows_are_read() -> None:
    lines = re.findall(r'`(\{"event":[^`]*\})`', SIMULATOR)
    shown = {json.loads(re.sub(r"[,:\[]?…", fill_in, line))["event"] for line in lines}
    assert shown == {"ready", "settled", "performing", "replaying", "refused"}
    settled = next(line for line in lines if '"settled"' in line).replace("…", "1")
    assert decode_event(settled.encode())


def fill_in(dots: re.Match[str]) -> str:
    return ":1" if dots.group().startswith(":") else ""


def test_activities_beside_the_catalogue_are_all_named() -> None:
    assert [name for name in MOVEMENTS.keys() - CATALOGUE.keys() if f"`{name}`" not in SIMULATOR] == []


def test_the_page_of_exercises_is_the_catalogue() -> None:
    page = ROOT / "docs" / "exercises.md"
    text = page.read_text(encoding="utf-8")

    assert with_part(text, page, COMMAND, markdown_catalogue()) == text, (
        "run: lumbar exercises --page docs/exercises.md"
    )


def test_every_file_with_figures_from_memory_is_named_in_the_list_of_what_is_to_be_checked() -> None:
    text = (ROOT / "docs" / "signal-core.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(processing/\S+\.py)` \|", text, re.MULTILINE))
    marked = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "processing").rglob("*.py")
        if "from memory" in " ".join(path.read_text(encoding="utf-8").split())
    }

    assert named == marked
