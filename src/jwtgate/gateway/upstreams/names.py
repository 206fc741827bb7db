"""The addresses behind the name of a target: looked up ahead of time, and the last good ones kept (REL-15).

They are looked up again when the shortest TTL of the answer ends, in the background. Meanwhile, and while that fails,
those that are known are used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_address

from jwtgate.gateway.logs.episode import say
from jwtgate.gateway.upstreams.name_servers import LOOK_UP_SECONDS, Found, LookUp

_FIRST_RETRY_SECONDS = 1.0
_LEAST_SECONDS = 1.0


class Name:
    """One name. `addresses` are those of its last good answer, which are forgotten when they are too old.

    It is looked up again after at most `every_seconds`, which is when an answer without a TTL is.
    """

    def __init__(
        self,
        host: str,
        *,
        every_seconds: float,
        stale_seconds: float,
        clock: Callable[[], float],
        look_up: LookUp,
    ) -> None:
        self.host = host
        self.is_literal = _is_address(host)
        self.addresses: tuple[str, ...] = (host,) if self.is_literal else ()
        self.is_stale = False
        self._every_seconds = every_seconds
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._look_up = look_up
        self._good_at = float("-inf")
        self._due = float("-inf")
        self._failures = 0
        self._turn = 0
        self._flight: asyncio.Task[None] | None = None

    def take_over(self, previous: Name) -> None:
        """Know what was known before; when it is looked up next is for this one to say."""
        self.addresses, self.is_stale = previous.addresses, previous.is_stale
        self._good_at, self._failures = previous._good_at, previous._failures

    async def in_turn(self) -> tuple[str, ...]:
        """All addresses, each time another one first. Raises `OSError` while there are none."""
        if not self.addresses:
            await asyncio.shield(self._begin())
        if not self.addresses:
            raise OSError("a name without an address")
        self._turn = (self._turn + 1) % len(self.addresses)
        return self.addresses[self._turn :] + self.addresses[: self._turn]

    def look(self, now: float) -> None:
        """Have the name looked up again if it is time, and forget an answer that is too old."""
        if self.is_literal:
            return
        if self.is_stale and self.addresses and now >= self._good_at + self._stale_seconds:
            self.addresses = ()
            say("name_state", name=self.host, state="unknown")
        if now >= self._due:
            self._begin()

    def leads_to(self, transport: asyncio.BaseTransport) -> bool:
        """Whether the other end of this connection is still one of the addresses, as far as is known."""
        if self.is_literal or not self.addresses:
            return True
        peer = transport.get_extra_info("peername")
        return not peer or peer[0] in self.addresses

    def _begin(self) -> asyncio.Task[None]:
        if self._flight is None:
            self._flight = asyncio.get_running_loop().create_task(self._resolve())
        return self._flight

    async def _resolve(self) -> None:
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                found = await self._look_up(self.host)
        except (OSError, UnicodeError):  # `TimeoutError` is an `OSError`; `UnicodeError`: no such name can be
            self._failed(self._clock())
        else:
            self._found(found, self._clock())
        finally:
            self._flight = None

    def _found(self, found: Found, now: float) -> None:
        if self.is_stale:
            say("name_state", name=self.host, state="known")
        self.addresses, self.is_stale, self._failures = found.addresses, False, 0
        seconds = self._every_seconds if found.ttl is None else min(found.ttl, self._every_seconds)
        self._good_at, self._due = now, now + max(seconds, _LEAST_SECONDS)

    def _failed(self, now: float) -> None:
        self._failures += 1
        self._due = now + min(_FIRST_RETRY_SECONDS * 2.0 ** min(self._failures - 1, 16), self._every_seconds)
        if not self.is_stale:
            self.is_stale = True
            say("name_state", name=self.host, state="stale" if self.addresses else "unknown")


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
