"""The command that a stranger types."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import msgspec

from processing.domain.findings import Finding
from processing.wire.messages import decode_finding
from service.cli.demo.conductor import DoneSet
from service.cli.demo.run import DemoResult
from tests.e2e.chain import assert_truth


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
    findings: list[Finding] = [decode_finding(line) for line in output.splitlines()]
    done = [msgspec.convert(json.loads(line), DoneSet) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]

    assert len({finding.finding_id for finding in findings}) == len(findings)
    assert len({item.subject_id for item in done}) == 3
    assert_truth(DemoResult(done, findings), at_least_sets=3)
