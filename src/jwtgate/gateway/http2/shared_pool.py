"""The connections to one target that speaks HTTP/2: as few as will do, each with many requests on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jwtgate.gateway.http2.client import ClientSession, ClientStream
from jwtgate.gateway.upstreams.pool import Pool

if TYPE_CHECKING:
    from jwtgate.gateway.heads.fields import FieldKinds
    from jwtgate.gateway.upstream import UpstreamConnection
    from jwtgate.gateway.upstreams.roster import Roster
    from jwtgate.policy.traffic.upstreams import Target


class SharedPool(Pool):
    """The connections to one target. What it gives out is one stream, which is never kept."""

    def __init__(self, roster: Roster, target: Target, *, response_kinds: FieldKinds) -> None:
        super().__init__(roster, target, response_kinds=response_kinds)
        self.sessions: list[ClientSession] = []
        self._opening: asyncio.Task[None] | None = None
        self._first: UpstreamConnection | None = None

    def take(self) -> UpstreamConnection | None:
        """A stream of a connection that has room for one, or None."""
        first, self._first = self._first, None
        if first is not None and not first.transport.is_closing():
            return first
        for session in self.sessions:
            if session.has_room:
                return session.open()
        return None

    def put(self, connection: UpstreamConnection) -> None:
        """Its request is answered. What of that has not left by then is not waited for long."""
        connection.close()

    @property
    def open(self) -> int:
        """How many connections there are, whatever number of requests is on them."""
        return sum(not session.is_over for session in self.sessions)

    @property
    def busy(self) -> int:
        """How many requests are on their way to this target; the first stream of a new connection waits for one."""
        return len(self.connections) - (self._first in self.connections)

    async def connect(self, seconds: float) -> UpstreamConnection:
        """A stream: of a new connection where there is none with room. One is opened at a time, for all who wait.

        Raises `UpstreamFault`.
        """
        while True:
            self.roster.breaker.check_request(self.roster.requests, self.roster.clock())
            connection = self.take()
            if connection is not None:
                return connection
            if self._opening is None:
                self._opening = asyncio.get_running_loop().create_task(self._reach(seconds))
                self._opening.add_done_callback(self._opened)
            await asyncio.shield(self._opening)

    async def _reach(self, seconds: float) -> None:
        first = await super().connect(seconds)
        assert isinstance(first.transport, ClientStream)  # noqa: S101
        first.transport.session.shared = True
        self.sessions.append(first.transport.session)
        self._first = first

    async def dial(self, seconds: float) -> UpstreamConnection:
        """The stream of a new connection, whatever the breaker says. Raises `OSError`."""
        async with asyncio.timeout(seconds):
            session = await self.open_one(lambda: ClientSession(self), seconds)
            try:
                await session.ready
            except BaseException:
                session.transport.abort()
                raise
        if not session.has_room:
            session.leave()
            raise ConnectionRefusedError("a target that takes no requests")
        return session.open()

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening = None
        if not task.cancelled():
            task.exception()  # whoever waits for it has it as well

    def close_idle(self, older_than: float) -> None:
        """Close the connections without a request since before this instant (monotonic), or to where no name leads."""
        self._drop_first()
        name = self.roster.names[self.target]
        for session in self.sessions:
            if (not session.busy and session.idle_since < older_than) or not name.leads_to(session.transport):
                session.leave()
        self.sessions = [session for session in self.sessions if not session.is_over]

    def close(self) -> None:
        """Keep no connection from now on; requests that are under way are still answered."""
        self.closed = True
        self._drop_first()
        for session in self.sessions:
            session.leave()

    def _drop_first(self) -> None:
        """Whoever it was opened for may have been refused before it came; those who still wait open another."""
        first, self._first = self._first, None
        if first is not None:
            first.drop()
