from __future__ import annotations

import os
import subprocess
import sys

HEAVY = ("numpy", "scipy", "vqf", "matplotlib", "asyncpg", "fastapi", "bumble")

ENTRY = f"""
import sys, gateway.app

async def say_what_is_loaded(*_):
    print(*sorted({{name.partition('.')[0] for name in sys.modules}} & set({HEAVY!r})), "reached")

gateway.app.run_gateway = say_what_is_loaded
sys.argv = ["lumbar", "gateway"]
from service.cli.main import run
run()
"""


def test_a_gateway_process_loads_nothing_heavy() -> None:
    """On a small computer near the patient every one of these costs tens of megabytes, and none is used there."""
    program = (
        "import sys, gateway, gateway.app, gateway.devices.registry\n"
        f"print(*sorted({{name.partition('.')[0] for name in sys.modules}} & set({HEAVY!r})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


def test_the_command_that_starts_a_gateway_loads_nothing_heavy_either() -> None:
    settings = {
        "LUMBAR_GATEWAY_ID": "ward-1",
        "LUMBAR_MQTT_URL": "mqtt://127.0.0.1",
        "LUMBAR_GATEWAY_LOG": "never-opened.sqlite",
        "LUMBAR_BLE": "system",
    }
    environment = os.environ | settings
    done = subprocess.run(
        [sys.executable, "-c", ENTRY], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["reached"]
