"""Which target of an upstream takes the next request, and the connections kept open to each."""

from __future__ import annotations

import asyncio
import ssl
import time
from itertools import cycle

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.fields import ResponseFieldKinds
from jwtgate.gateway.upstream import UpstreamConnection
from jwtgate.policy.plan import Target, Upstream


class Pool:
    """The connections to one target: idle ones, most recently used first."""

    def __init__(self, upstream: Upstream, target: Target, *, response_kinds: ResponseFieldKinds) -> None:
        self.target = target
        self.host_line = b"Host: %b\r\n" % target.authority.encode("ascii")
        self.response_kinds = response_kinds
        self._upstream = upstream
        self._tls = _client_tls(upstream) if target.tls else None
        self._idle: list[UpstreamConnection] = []
        self.closed = False

    def take(self) -> UpstreamConnection | None:
        """An idle connection, or None."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    def put(self, connection: UpstreamConnection) -> None:
        """Keep a connection for the next request, unless there are enough."""
        if self.closed or len(self._idle) >= self._upstream.most_idle_connections:
            connection.transport.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)

    def lost(self, connection: UpstreamConnection) -> None:
        """A connection has ended."""
        if connection in self._idle:
            self._idle.remove(connection)

    async def connect(self) -> UpstreamConnection:
        """A new connection. Raises `UpstreamFault`."""
        loop = asyncio.get_running_loop()
        server_name = (self._upstream.server_name or self.target.host) if self._tls else None
        try:
            async with asyncio.timeout(self._upstream.connect_seconds):
                _, connection = await loop.create_connection(
                    lambda: UpstreamConnection(self),
                    self.target.host,
                    self.target.port,
                    ssl=self._tls,
                    server_hostname=server_name,
                )
        except TimeoutError:
            raise UpstreamFault("upstream_slow", target=self.target.authority, phase="connect") from None
        except OSError as error:  # TLS errors are OSErrors as well
            cause = type(error).__name__
            raise UpstreamFault("upstream_unreachable", target=self.target.authority, cause=cause) from error
        return connection

    def close_idle(self, older_than: float) -> None:
        """Close the connections idle since before this instant of the monotonic clock."""
        keep: list[UpstreamConnection] = []
        for connection in self._idle:
            if connection.idle_since < older_than:
                connection.transport.close()
            else:
                keep.append(connection)
        self._idle = keep

    def close(self) -> None:
        """Keep no connection from now on."""
        self.closed = True
        self.close_idle(float("inf"))


class Balancer:
    """The targets of one upstream, in turn."""

    def __init__(self, upstream: Upstream, *, response_kinds: ResponseFieldKinds) -> None:
        self.upstream = upstream
        self.pools = [Pool(upstream, target, response_kinds=response_kinds) for target in upstream.targets]
        self._turn = cycle(self.pools)

    def pick(self) -> Pool:
        """The pool whose turn it is."""
        return next(self._turn)


def _client_tls(upstream: Upstream) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=upstream.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
