"""What could not be had is tried again when somebody needs it: at most once a second, and never twice at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

LEAST_INTERVAL_SECONDS = 1.0
MOST_WAITING = 256
MOST_SECONDS = 3.0


class TryingAgain:
    """Tries `act`, with the texts of all who wait for it. Whoever comes meanwhile waits for the next try.

    So what somebody put there before asking is found, however shortly before.
    """

    def __init__(
        self, act: Callable[[Iterable[str]], Awaitable[None]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._act = act
        self._clock = clock
        self._one = asyncio.Lock()
        self._coming: asyncio.Task[None] | None = None
        self._due = 0.0
        self._texts: dict[str, None] = {}
        self._waiting = 0

    async def again(self, texts: Iterable[str]) -> None:
        """Return after these were tried once more; sooner when that takes too long, or too many wait already."""
        if self._waiting >= MOST_WAITING:
            return
        self._texts.update(dict.fromkeys(texts))
        if self._coming is None:
            self._coming = asyncio.create_task(self._try())
        self._waiting += 1
        try:
            await asyncio.wait([self._coming], timeout=MOST_SECONDS)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Try no more."""
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.wait([self._coming])

    async def _try(self) -> None:
        async with self._one:
            await asyncio.sleep(max(0.0, self._due - self._clock()))
            texts, self._texts, self._coming = tuple(self._texts), {}, None
            self._due = self._clock() + LEAST_INTERVAL_SECONDS
            await self._act(texts)
