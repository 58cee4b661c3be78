"""Any part may be killed at any moment: nothing is lost, nothing is counted twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

from processing.domain.findings import GapSeen, RepCompleted
from service.cli.demo.run import play, running_demo
from tests.e2e.chain import (
    appended,
    assert_committed_equals_offline,
    assert_truth,
    committed,
    exported_log,
    kill,
    options,
)


async def test_killing_broker_worker_and_database_changes_nothing(tmp_path: Path) -> None:
    chosen = options(seed=11, for_s=80.0)
    async with running_demo(chosen, tmp_path) as demo, asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(play(demo, chosen))
        for victim in ("broker", "worker", "postgres"):
            await asyncio.sleep(14.0)
            kill(demo.system.pids()[victim])
        result = await playing

        assert_truth(result, at_least_sets=4)
        assert demo.system.worker.restarts == 1
        assert sum(isinstance(finding, GapSeen) for finding in result.findings) == 0
        await assert_committed_equals_offline(demo, tmp_path / "export.log")


async def test_a_killed_gateway_loses_nothing_it_appended_and_its_silence_is_a_gap(tmp_path: Path) -> None:
    chosen = options(seed=12, for_s=55.0, patients=1)
    async with running_demo(chosen, tmp_path) as demo, asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(play(demo, chosen))
        await asyncio.sleep(16.0)
        kill(demo.system.gateway.pid)
        on_disk = appended(demo.system.gateway_log)
        result = await playing
        entries = await exported_log(demo, tmp_path / "export.log")

        assert on_disk > 0
        assert entries[-1].offset > on_disk
        assert any(isinstance(finding, GapSeen) for finding in result.findings)
        await assert_committed_equals_offline(demo, tmp_path / "again.log")


async def test_the_same_run_passes_against_mosquitto(tmp_path: Path, mosquitto_installed: None) -> None:
    chosen = options(seed=13, for_s=45.0, broker="mosquitto")
    async with running_demo(chosen, tmp_path) as demo, asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(play(demo, chosen))
        for victim in ("broker", "worker"):
            await asyncio.sleep(12.0)
            kill(demo.system.pids()[victim])
        result = await playing

        assert_truth(result, at_least_sets=1)
        assert any(isinstance(finding, RepCompleted) for finding in result.findings)
        assert len(await committed(demo)) == len(result.findings)
        await assert_committed_equals_offline(demo, tmp_path / "export.log")
