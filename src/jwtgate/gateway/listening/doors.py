"""The listening sockets of one worker, and when they accept nobody (REL-20).

A process may hold so many descriptors. A quarter of them is kept for connections to upstreams and for files: once a
client got one beyond the rest, no more clients are accepted until some have gone. They wait in the kernel meanwhile,
and may meet another worker. An address for health and metrics goes on accepting.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jwtgate.gateway.listening.admission import DESCRIPTORS, Admission

BACKLOG = 4096
_RESERVED_SHARE = 4
_NO_LIMIT = 1 << 30


def descriptor_limit() -> int:
    """How many descriptors this process may hold."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _NO_LIMIT if soft == resource.RLIM_INFINITY else soft


def for_clients(limit: int) -> int:
    """How many descriptors of so many may be in use when a client is accepted."""
    return limit - limit // _RESERVED_SHARE


@dataclass(slots=True)
class _Door:
    bound: socket.socket
    factory: Callable[[], asyncio.Protocol]
    always_open: bool
    options: dict[str, Any] = field(default_factory=dict)
    server: asyncio.Server | None = None


class Doors:
    """Accepts with what each socket was opened with. `paused` while descriptors are short.

    `limit` is asked each time: it may be changed while a process runs.
    """

    def __init__(self, admission: Admission, *, limit: Callable[[], int] = descriptor_limit) -> None:
        self._admission = admission
        self._limit = limit
        self._doors: list[_Door] = []
        self._opening: asyncio.Task[None] | None = None
        self.paused = False
        self._closed = False

    async def open(
        self, bound: socket.socket, factory: Callable[[], asyncio.Protocol], *, always_open: bool, **options: Any
    ) -> None:
        """Accept connections at this socket, each with a protocol that `factory` makes. It is ours from now on."""
        door = _Door(bound, factory, always_open, options)
        self._doors.append(door)
        await self._serve(door)

    def look(self) -> None:
        """Accept again where there is room for it; called now and then."""
        if not self.paused:
            return
        if self._is_full():
            self._admission.reach(DESCRIPTORS, self._limit())
        elif self._opening is None or self._opening.done():
            self._opening = asyncio.get_running_loop().create_task(self._resume())

    def close(self) -> None:
        """Accept nobody from now on."""
        self._closed = True
        for door in self._doors:
            if door.server is not None:
                door.server.close()
            door.bound.close()

    async def _serve(self, door: _Door) -> None:
        # The loop closes what it is given to listen at, and a copy of it is as good.
        copy = door.bound.dup()
        made = door.factory if door.always_open else lambda: self._made(door)
        server = await asyncio.get_running_loop().create_server(made, sock=copy, backlog=BACKLOG, **door.options)
        if self._closed:
            server.close()
        door.server = server

    def _made(self, door: _Door) -> asyncio.Protocol:
        """The protocol of a connection that was accepted just now."""
        if not self.paused and self._is_full():
            self.paused = True
            self._admission.reach(DESCRIPTORS, self._limit())
            asyncio.get_running_loop().call_soon(self._pause)
        return door.factory()

    def _pause(self) -> None:
        for door in self._doors:
            if not door.always_open and door.server is not None:
                door.server.close()
                door.server = None

    async def _resume(self) -> None:
        try:
            for door in self._doors:
                if door.server is None and not self._closed:
                    await self._serve(door)
        except OSError:  # not yet, then; nobody looks at how full it is behind a door that is open alone
            self._pause()
            return
        self.paused = False

    def _is_full(self) -> bool:
        """Whether the next descriptor is one of those kept for others: the lowest that is free is the next."""
        try:
            lowest = os.dup(self._doors[0].bound.fileno())
        except OSError:
            return True
        os.close(lowest)
        return lowest >= for_clients(self._limit())
