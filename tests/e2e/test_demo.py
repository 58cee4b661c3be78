"""The command that a stranger types."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import msgspec
import psutil

from processing.domain.findings import Finding
from processing.wire.messages import decode_finding
from service.cli.demo.conductor import DoneSet
from service.cli.demo.run import DemoResult, running_demo
from tests.e2e.chain import assert_truth, committed, options


async def test_the_headless_demo_prints_findings_that_equal_the_simulators_truth(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service.cli.main",
        *("demo", "--headless", "--for", "60", "--json", "--patients", "3", "--port", "0"),
        *("--directory", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    *lines, last = output.splitlines()
    findings: list[Finding] = [decode_finding(line) for line in lines]
    summary = json.loads(last)
    done = [msgspec.convert(json.loads(line), DoneSet) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]

    assert len({finding.finding_id for finding in findings}) == len(findings)
    assert len({item.subject_id for item in done}) == 3
    assert_truth(DemoResult(done, findings), at_least_sets=3)
    assert summary["type"] == "summary"
    assert summary["counts_agree"] is True
    assert [one["exercise"] for one in summary["sets"]] == [item.truth.exercise for item in done]
    assert any(one["measured_rom_deg"] for one in summary["sets"])


async def test_a_stopped_demo_leaves_no_process_and_the_next_one_has_its_findings(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "service").mkdir(parents=True)
    (elsewhere / "service" / "__init__.py").write_text("raise RuntimeError('not the service of lumbar')")
    data = tmp_path / "data"
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("lumbar")),
        *("demo", "--json", "--patients", "1", "--port", "0", "--directory", str(data)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=elsewhere,
    )
    assert process.stdout is not None
    async for line in process.stdout:
        if b'"rep_completed"' in line:
            break
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    _, errors = await process.communicate()

    assert process.returncode == 0, errors.decode()
    assert len(family) > 6
    assert [child for child in family if child.is_running()] == []

    first = decode_finding(line)
    async with running_demo(options(patients=1), data) as demo:
        assert any(first.finding_id in text for text in await committed(demo))
