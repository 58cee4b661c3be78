from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "scipy", "vqf", "matplotlib", "asyncpg", "fastapi", "bumble")


def test_a_gateway_process_loads_nothing_heavy() -> None:
    """On a small computer near the patient every one of these costs tens of megabytes, and none is used there."""
    program = (
        "import sys, gateway, gateway.app, gateway.devices.registry\n"
        f"print(*sorted({{name.partition('.')[0] for name in sys.modules}} & set({HEAVY!r})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
