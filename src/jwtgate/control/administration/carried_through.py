"""Work that is not left half-way: whoever asked for it may go, the change is finished or taken back all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

Result = TypeVar("Result")


async def carried_through(work: Coroutine[Any, Any, Result]) -> Result:
    """What this comes to. Whoever is cancelled meanwhile is so once it has ended, so a lock held around it holds."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # nobody is left to be told
        raise
