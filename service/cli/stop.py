"""How a process of ours ends: SIGTERM and Ctrl-C cancel its work, and the work cleans up after itself."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def until_stopped(work: Coroutine[None, None, None]) -> None:
    """Run ``work`` until it is done or the process is told to stop; errors of the work come through."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work, name="work")
    for number in _SIGNALS:
        loop.add_signal_handler(number, task.cancel)
    try:
        await asyncio.wait([task])
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
    if not task.cancelled():
        task.result()
