"""The connections to one target of an upstream: those kept open, and new ones."""

from __future__ import annotations

import asyncio
import ssl
import time

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.heads.fields import FieldKinds
from jwtgate.gateway.memory import answer_memory
from jwtgate.gateway.upstream import UpstreamConnection
from jwtgate.policy.upstreams import Target, Upstream

_REST_SECONDS = 5.0


class Pool:
    """The connections to one target: idle ones, most recently used first."""

    def __init__(self, upstream: Upstream, target: Target, *, response_kinds: FieldKinds) -> None:
        self.target = target
        self.host_line = b"Host: %b\r\n" % (upstream.host or target.authority).encode("ascii")
        self.response_kinds = response_kinds
        self.upstream = upstream
        self.tells_more = upstream.is_told_more
        self.tls = _client_tls(upstream) if target.tls else None
        self.answers = answer_memory()
        self._idle: list[UpstreamConnection] = []
        self.closed = False
        self.rests_until = 0.0
        self.owed = 0

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

    def lost(self, connection: UpstreamConnection) -> None:
        """A connection has ended."""
        if connection in self._idle:
            self._idle.remove(connection)

    async def connect(self) -> UpstreamConnection:
        """A new connection. Raises `UpstreamFault`."""
        loop = asyncio.get_running_loop()
        server_name = (self.upstream.server_name or self.target.host) if self.tls else None
        try:
            async with asyncio.timeout(self.upstream.connect_seconds):
                _, connection = await loop.create_connection(
                    lambda: UpstreamConnection(self),
                    self.target.host,
                    self.target.port,
                    ssl=self.tls,
                    server_hostname=server_name,
                )
        except TimeoutError:
            self._rest()
            raise UpstreamFault("upstream_slow", target=self.target.authority, phase="connect") from None
        except OSError as error:  # TLS errors are OSErrors as well
            self._rest()
            cause = type(error).__name__
            raise UpstreamFault("upstream_unreachable", target=self.target.authority, cause=cause) from error
        self.rests_until = 0.0
        return connection

    def _rest(self) -> None:
        self.rests_until = time.monotonic() + _REST_SECONDS

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


def _client_tls(upstream: Upstream) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=upstream.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
