"""Which protocol a client speaks: by what TLS agreed on (RFC 7301), or by its first bytes (RFC 9113 section 3.3).

Until that is known, and for as long as the connection lasts, the worker counts and times this; the bytes go straight
to the connection behind it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from jwtgate.gateway.connection import ClientConnection
from jwtgate.gateway.http2.frames import PREFACE
from jwtgate.gateway.http2.server import ServerSession

if TYPE_CHECKING:
    from jwtgate.gateway.worker import Worker

HTTP_2 = "h2"


class Front(asyncio.Protocol):
    """A connection of HTTP/1.1 or HTTP/2."""

    transport: asyncio.Transport

    def __init__(self, worker: Worker, *, scheme: str, status_only: bool) -> None:
        self.worker = worker
        self.scheme = scheme
        self.status_only = status_only
        self._behind: ClientConnection | ServerSession | None = None
        self._first = b""
        self._counted = False
        self._deadline = time.monotonic() + worker.limits.head_seconds

    # What the transport does.

    # A stream protocol is only ever given a stream transport; the event loop's own are not subclasses of asyncio's.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        secure = transport.get_extra_info("ssl_object")
        if secure is None:
            self.opened(self)
        elif secure.selected_alpn_protocol() == HTTP_2:
            self._put(self._http_2())
        else:
            self._put(self._http_1())

    def data_received(self, data: bytes) -> None:
        self._first += data
        if self._first.startswith(PREFACE):
            self._put(self._http_2())
        elif not PREFACE.startswith(self._first):
            self._put(self._http_1())

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed(self)

    def _http_1(self) -> ClientConnection:
        return ClientConnection(self.worker, scheme=self.scheme, status_only=self.status_only, home=self)

    def _http_2(self) -> ServerSession:
        return ServerSession(self.worker, scheme=self.scheme, status_only=self.status_only, home=self)

    def _put(self, behind: ClientConnection | ServerSession) -> ClientConnection | ServerSession:
        self._behind = behind
        self.transport.set_protocol(behind)
        behind.connection_made(self.transport)
        if self._first:
            behind.data_received(self._first)
            self._first = b""
        return behind

    # What the connection behind it does, which is counted once.

    def opened(self, connection: object) -> None:
        """A connection has begun."""
        if not self._counted:
            self._counted = True
            self.worker.opened(self)

    def closed(self, connection: object) -> None:
        """A connection has ended."""
        self.worker.closed(self)

    # What the worker does.

    def turn_away(self, answer: bytes) -> None:
        """Answer before anything was asked, and close."""
        behind = self._behind or self._put(self._http_1())
        behind.turn_away(answer)

    def check_time(self, now: float) -> None:
        """End what has taken too long at `now` (monotonic)."""
        if self._behind is not None:
            self._behind.check_time(now)
        elif now > self._deadline:
            self.transport.abort()

    def leave(self) -> None:
        """Close as soon as nothing goes on."""
        if self._behind is not None:
            self._behind.leave()
        else:
            self.transport.close()

    def abort(self) -> None:
        """End at once."""
        (self._behind or self.transport).abort()
