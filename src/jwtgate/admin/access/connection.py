"""One connection to the Admin API: uvicorn's, with the limits it lacks, and the certificate of the client."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from jwtgate.admin.access.guard import CERTIFICATE
from jwtgate.admin.exchange.problems import unreadable

MOST_CONNECTIONS = 200
HEAD_SECONDS = 10.0
HEAD_BYTES = 64 * 1024


class Connection(H11Protocol):
    """A connection over which requests are read by h11, which is strict."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Note the verified certificate of the client, or end what is one connection too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        certificate = transport.get_extra_info("peercert")
        if certificate:
            self.app_state = {**self.app_state, CERTIFICATE: certificate}
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read, and begin or end the time a head may take."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any longer."""
        self._unwatch()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        if not self._is_idle():
            self.transport.abort()
            return
        answer = unreadable("it is not HTTP/1.1").response()
        fields = b"".join(b"%s: %s\r\n" % field for field in answer.raw_headers)
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\n%sconnection: close\r\n\r\n%s" % (fields, bytes(answer.body))
        )
        self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        if not self._is_idle():
            self._unwatch()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _unwatch(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
