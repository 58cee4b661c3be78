"""Running Bumble operations so that they neither hang nor break the next one when the other side goes away.

Bumble pairs commands and answers by order. A cancelled operation leaves an answer on its way that would meet the next
command, so operations get a moment to end by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core

_PATIENCE_S = 1.0

_T = TypeVar("_T")


async def while_open(operation: Coroutine[Any, Any, _T], *ends: asyncio.Future[None]) -> _T:
    """Run a Bumble operation; Bumble cancels it or leaves it hanging when the other side goes away.

    Args:
        operation: what to run.
        ends: futures of which any means that no answer will come.

    Raises:
        BleakError: an end came first, or Bumble failed.
        BleakGATTProtocolError: the peripheral refused.
    """
    task = asyncio.ensure_future(operation)
    first: list[asyncio.Future[Any]] = [task, *ends]
    try:
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() or task.cancelled():
            raise BleakError("disconnected")
        return task.result()
    except att.ATT_Error as error:
        raise BleakGATTProtocolError(error.error_code) from error
    except core.BaseBumbleError as error:
        raise BleakError(f"{type(error).__name__}: {error}") from error
    finally:
        await let_end(task, *ends)


async def uninterrupted(operation: Coroutine[Any, Any, _T]) -> _T:
    """Run a short Bumble operation; a cancellation of the caller is felt when it has ended."""
    task = asyncio.ensure_future(operation)
    try:
        return await asyncio.shield(task)
    finally:
        await let_end(task)


async def let_end(task: asyncio.Future[Any], *ends: asyncio.Future[None]) -> None:
    """Give an operation that is no longer waited for a moment to end by itself, then cancel it."""
    if not task.done():
        await asyncio.wait({task, *ends}, timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # taken, so that asyncio does not report it as forgotten
