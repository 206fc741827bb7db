"""The connections to one target of an upstream: those kept open, and new ones."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from hashlib import blake2b
from typing import TYPE_CHECKING, Self, TypeVar

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.heads.fields import FieldKinds
from jwtgate.gateway.memory import answer_memory
from jwtgate.gateway.upstream import UpstreamConnection
from jwtgate.gateway.upstreams.standing import MISSES_TO_DOUBT
from jwtgate.policy.traffic.upstreams import Target

if TYPE_CHECKING:
    from jwtgate.gateway.upstreams.roster import Roster

_RETRY_AFTER_SECONDS = 1
OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
Made = TypeVar("Made", bound=asyncio.Protocol)


class Pool:
    """The connections to one target: idle ones, most recently used first.

    `watch` is told of answers and of failures, where anybody wants to know. `share` is how many requests it takes where
    one of share 1 takes one, `seed` what sets it apart from other targets.
    """

    def __init__(self, roster: Roster, target: Target, *, response_kinds: FieldKinds) -> None:
        upstream = roster.upstream
        self.roster = roster
        self.target = target
        self.host_line = b"Host: %b\r\n" % (upstream.host or target.authority).encode("ascii")
        self.response_kinds = response_kinds
        self.upstream = upstream
        self.tells_more = upstream.is_told_more
        self.tls = roster.tls(upstream.ca_file, upstream.protocol) if target.tls else None
        self.answers = answer_memory()
        self.standing = roster.standings[target]
        self.watch = roster.watch(target)
        self.share = float(target.weight)
        self.owed = 0.0
        self.seed = blake2b(f"{target.tls}{target.authority}".encode(), digest_size=16).digest()
        self.closed = False
        self.connections: set[UpstreamConnection] = set()
        self.pending = 0
        self._idle: list[UpstreamConnection] = []

    def aside(self) -> Self:
        """The same way to the same target, for what is no request: nobody counts, watches or keeps connections."""
        aside = copy(self)
        aside.watch, aside.connections, aside._idle = None, set(), []
        aside.closed = True
        return aside

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self.connections)

    @property
    def busy(self) -> int:
        """How many requests are on their way to this target: every connection that is not idle has one."""
        return len(self.connections) + self.pending - len(self._idle)

    def take(self) -> UpstreamConnection | None:
        """An idle connection, or None."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    def put(self, connection: UpstreamConnection) -> None:
        """Keep a connection for the next request, unless there are enough."""
        if self.closed or len(self._idle) >= self.upstream.most_idle_connections:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)

    def opened(self, connection: UpstreamConnection) -> None:
        """A connection is there."""
        self.connections.add(connection)

    def lost(self, connection: UpstreamConnection) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def failed(self) -> None:
        """A request got no answer here that could be read, or none in time."""
        if self.watch is not None:
            self.watch.failed()

    async def connect(self, seconds: float) -> UpstreamConnection:
        """A new connection, within so many seconds. Raises `UpstreamFault`."""
        roster, now = self.roster, self.roster.clock()
        pools = roster.pools()
        pending = sum(pool.pending for pool in pools)
        # Many may have been sent here at once, before the first of them counted.
        roster.breaker.check_request(roster.requests, now)
        roster.breaker.check_connection(sum(pool.open for pool in pools) + pending, pending, now=now)
        with self._trial():
            return await self._connect(seconds)

    @contextmanager
    def _trial(self) -> Iterator[None]:
        """Counts a connection to be made. To a target that rested it is a trial, and after some misses the only one."""
        standing = self.standing
        if standing.on_trial and standing.misses >= MISSES_TO_DOUBT:
            raise UpstreamFault("upstream_down", retry_after_seconds=_RETRY_AFTER_SECONDS, target=self._name)
        trial = bool(standing.rest.times) and not standing.on_trial
        if trial:
            standing.on_trial = True
            self.roster.refresh()
        self.pending += 1
        try:
            yield
        finally:
            self.pending -= 1
            if trial:
                standing.on_trial = False

    async def _connect(self, seconds: float) -> UpstreamConnection:
        try:
            async with asyncio.timeout(seconds):
                connection = await self.dial(seconds)
        except TimeoutError:
            self._unreachable()
            raise UpstreamFault("upstream_slow", target=self._name, phase="connect") from None
        except OSError as error:  # TLS errors are OSErrors as well, and so is a name nobody knows
            if error.errno in OUT_OF_DESCRIPTORS:  # says nothing about the target (REL-20)
                raise UpstreamFault(
                    "upstream_busy", retry_after_seconds=_RETRY_AFTER_SECONDS, target=self._name, limit="descriptors"
                ) from error
            self._unreachable()
            raise UpstreamFault("upstream_unreachable", target=self._name, cause=type(error).__name__) from error
        if self.standing.rest.times:
            self.standing.connected()
            self.roster.refresh()
        return connection

    async def dial(self, seconds: float) -> UpstreamConnection:
        """A new connection, within so many seconds, whatever the breaker says. Raises `OSError`."""
        return await self.open_one(lambda: UpstreamConnection(self), seconds)

    async def open_one(self, made: Callable[[], Made], seconds: float) -> Made:
        """What was made for it, connected to the first address that allows it: each has its part of the seconds.

        Raises `OSError`.
        """
        loop = asyncio.get_running_loop()
        server_name = (self.upstream.server_name or self.target.host) if self.tls else None
        addresses = await self.roster.names[self.target].in_turn()
        failure: OSError = OSError()
        for address in addresses:
            try:
                async with asyncio.timeout(seconds / len(addresses)):
                    _, connection = await loop.create_connection(
                        made,
                        address,
                        self.target.port,
                        ssl=self.tls,
                        server_hostname=server_name,
                    )
            except OSError as error:
                failure = error
                continue
            return connection
        raise failure

    def _unreachable(self) -> None:
        self.standing.unreachable(self.roster.clock())
        self.roster.refresh()

    @property
    def _name(self) -> str:
        return self.target.authority

    def close_idle(self, older_than: float) -> None:
        """Close the connections idle since before this instant (monotonic), or to where the name leads no longer."""
        name = self.roster.names[self.target]
        keep: list[UpstreamConnection] = []
        for connection in self._idle:
            if connection.idle_since < older_than or not name.leads_to(connection.transport):
                connection.transport.close()
            else:
                keep.append(connection)
        self._idle = keep

    def close(self) -> None:
        """Keep no connection from now on."""
        self.closed = True
        self.close_idle(float("inf"))
