"""The addresses of a name and how long they hold, from `/etc/hosts` or the name servers of this machine (REL-15)."""

from __future__ import annotations

import asyncio
import select
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pycares

LOOK_UP_SECONDS = 5.0
_TURN_SECONDS = 0.1
_UNKNOWN = {pycares.errno.ARES_ENOTFOUND, pycares.errno.ARES_ENODATA}


@dataclass(frozen=True, slots=True)
class Found:
    """The addresses of a name, each once. `ttl`: the seconds they may be kept; None: nobody has said."""

    addresses: tuple[str, ...]
    ttl: int | None = None


LookUp = Callable[[str], Awaitable[Found]]
"""Gives the addresses of a name. Raises `OSError`, and `UnicodeError` for what cannot be a name."""


async def system_look_up(host: str) -> Found:
    """What the system tells of this name, which is never for how long. It is asked on a thread of the event loop's."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return Found(tuple(dict.fromkeys(str(address[0]) for *_, address in found)))


class NameServers:
    """Those to ask, as `127.0.0.1:53`; without any, those of `/etc/resolv.conf`, with its search list.

    What they do not know the system may: it can be set up with more (`/etc/nsswitch.conf`).
    """

    def __init__(
        self, servers: tuple[str, ...] = (), *, seconds: float = LOOK_UP_SECONDS, system: LookUp = system_look_up
    ) -> None:
        self._servers = servers
        self._seconds = seconds
        self._system = system

    async def look_up(self, host: str) -> Found:
        """A `LookUp`. It waits on a thread of the event loop's, since `/etc/hosts` may be long."""
        if _is_this_machine(host):
            return await self._system(host)
        try:
            return await asyncio.to_thread(self._ask, host.encode("idna").decode())
        except socket.gaierror:
            return await self._system(host)

    def _ask(self, host: str) -> Found:
        try:
            return _Question(host, self._servers).answered(self._seconds)
        except pycares.AresError as error:
            raise OSError(str(error)) from error


class _Question:
    """One name, asked for once, with a channel of its own.

    A channel remembers answers, and that a name has no address for an hour, whatever its SOA says; nor is there a way
    to have it not do so. It takes a fraction of a millisecond to make.
    """

    def __init__(self, host: str, servers: tuple[str, ...]) -> None:
        self._results: list[tuple[pycares.AddrInfoResult | None, int | None]] = []
        self._sockets: dict[int, int] = {}
        self._was_sent = False
        self._channel = pycares.Channel(servers=servers, sock_state_cb=self._use)
        self._channel.getaddrinfo(host, None, type=socket.SOCK_STREAM, callback=self._take)

    def answered(self, seconds: float) -> Found:
        """The answer, within so many seconds. Raises `OSError`; `gaierror` when there is no address."""
        until = time.monotonic() + seconds
        try:
            while not self._results and time.monotonic() < until:
                self._turn()
        finally:
            self._channel.close()
        result, error = self._results[0] if self._results else (None, pycares.errno.ARES_ETIMEOUT)
        if result is not None:
            return self._found(result)
        if error in _UNKNOWN:
            raise socket.gaierror(socket.EAI_NONAME, "no such name, or one without an address")
        raise OSError(str(pycares.errno.strerror(error or pycares.errno.ARES_EOF)))

    def _found(self, result: pycares.AddrInfoResult) -> Found:
        addresses = dict.fromkeys(node.addr[0].decode() for node in result.nodes)
        ttls = [*(node.ttl for node in result.nodes), *(alias.ttl for alias in result.cnames)]
        # A file tells no TTL, which looks like one of 0.
        return Found(tuple(addresses), min(ttls) if self._was_sent else None)

    def _turn(self) -> None:
        poll = select.poll()
        for descriptor, events in self._sockets.items():
            poll.register(descriptor, events)
        ready = poll.poll(_TURN_SECONDS * 1000)
        for descriptor, events in ready or [(pycares.ARES_SOCKET_BAD, 0)]:
            readable = descriptor if events & ~select.POLLOUT else pycares.ARES_SOCKET_BAD
            writable = descriptor if events & select.POLLOUT else pycares.ARES_SOCKET_BAD
            self._channel.process_fd(readable, writable)

    def _use(self, descriptor: int, readable: bool, writable: bool) -> None:
        self._was_sent = True
        self._sockets[descriptor] = select.POLLIN * readable | select.POLLOUT * writable
        if not readable and not writable:
            del self._sockets[descriptor]

    def _take(self, result: pycares.AddrInfoResult | None, error: int | None) -> None:
        self._results.append((result, error))


def _is_this_machine(host: str) -> bool:
    """Whether it is a name of the loopback (RFC 6761, section 6.3), which no name server is asked for."""
    return f".{host.lower().rstrip('.')}".endswith(".localhost")
