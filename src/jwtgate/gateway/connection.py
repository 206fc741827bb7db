"""One client connection: bytes in, exchanges one after the other, bytes back (RFC 9112).

Requests sent ahead of their turn wait theirs, and reading stops while they do, so a connection holds no more than one
read of them. A head that cannot be read in exactly one way ends the connection.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from jwtgate.errors import DependencyFault, Fault, Refusal, RequestRefused
from jwtgate.gateway.exchange import Exchange
from jwtgate.gateway.request_head import RequestHead
from jwtgate.gateway.upstream import WRITE_BUFFER_BYTES

if TYPE_CHECKING:
    from jwtgate.gateway.worker import Worker

_REFUSED_METHODS = frozenset({"CONNECT", "TRACE", "TRACK", "PRI"})
_CHUNK_OVERHEAD_BYTES = 24
_FRAMING_EXTRA_BYTES = 4 * 1024
"""What chunk extensions and trailers of one request may add up to (SEC-92)."""
_LINGER_SECONDS = 2.0


class ClientConnection(asyncio.Protocol):
    """A client's connection."""

    BODY, UPSTREAM, QUEUE = 1, 2, 4
    """Why reading is on hold: nobody to take the body yet, the upstream is slow, a request waits its turn."""

    def __init__(self, worker: Worker, *, scheme: str, status_only: bool) -> None:
        self.worker = worker
        self.scheme = scheme
        self.status_only = status_only
        self.transport: asyncio.Transport = None  # type: ignore[assignment] # set before anything else happens
        self.client = ""
        self.keep_alive = True
        self._http_11 = True
        self.write_paused = False
        self._parser = HttpRequestParser(self)
        self._exchange: Exchange | None = None
        self._receiving: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._holds = 0
        self._target = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._framing_bytes = 0
        self._early: list[bytes] | None = None
        self._refused: Refusal | None = None
        self._deaf = False
        self.deadline = 0.0

    # What the transport does.

    # A stream protocol is only ever given a stream transport; the event loop's own are not subclasses of asyncio's.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        peer = transport.get_extra_info("peername")
        self.client = peer[0] if isinstance(peer, tuple) else ""
        self.trusted = self.worker.generation.is_trusted(self.client)
        self.deadline = time.monotonic() + self.worker.limits.head_seconds
        self.worker.opened(self)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is not None and exchange.tunnel is not None:
            exchange.tunnel.from_client(data, exchange.touch())
            return
        if self._deaf:
            self._head_bytes += len(data)
            if self._head_bytes > self.worker.limits.head_bytes:
                self.abort()
            return
        if self._early is not None:
            self._early.append(data)
            self.hold(self.QUEUE)
            return
        if self._receiving is None:
            self._head_bytes += len(data)
        elif self._receiving.head.chunked:
            self._framing_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._early = [data[upgrade.args[0] :]]
        except HttpParserError as error:
            self._unreadable(error)
            return
        if self._refused is not None:
            self._refuse_head(self._refused)
        elif self._receiving is None and not self._fields and not self._target:
            self._head_bytes = 0
        elif self._receiving is None and self._head_bytes > self.worker.limits.head_bytes:
            self._refuse_head(RequestRefused("request_head_too_large"))
        elif self._framing_bytes > _FRAMING_EXTRA_BYTES:
            self._refuse_head(RequestRefused("request_malformed", cause="chunk extensions"))

    def eof_received(self) -> bool:
        exchange = self._exchange
        if exchange is None or not exchange.body_done or exchange.tunnel is not None:
            return False
        # A client that has said all it wants to say may still be waiting for its answer.
        exchange.close = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._deaf = True
        self.worker.closed(self)
        exchange, self._exchange = self._exchange, None
        self._waiting.clear()
        if exchange is not None:
            exchange.client_lost()

    def pause_writing(self) -> None:
        self.write_paused = True
        if self._exchange is not None and self._exchange.upstream is not None:
            self._exchange.upstream.pause()

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._exchange is not None and self._exchange.upstream is not None:
            self._exchange.upstream.resume()

    # What the parser does. Nothing is raised in here: the parser would swallow it.

    def on_message_begin(self) -> None:
        self._fields = []
        self._target = b""

    def on_url(self, piece: bytes) -> None:
        self._target += piece
        if len(self._target) > self.worker.limits.request_line_bytes:
            self._refused = self._refused or RequestRefused("request_head_too_large", cause="the request line")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._receiving is None:
            self._fields.append((name, value))
        # Fields behind a chunked body are dropped: nothing in there may look like a field of the head.

    def on_headers_complete(self) -> None:
        if self._refused is not None or self._deaf:
            return
        method = self._parser.get_method().decode("ascii")
        refusal = self._head_refusal(method)
        fields, self._fields = self._fields, []
        exchange = Exchange(self, RequestHead(method, self._target, fields=fields, http_11=self._http_11))
        self._target = b""
        self._framing_bytes = 0
        self._receiving = exchange
        if refusal is not None:
            self._refused = refusal
            return
        if self._exchange is None:
            self._start(exchange)
        else:
            self._waiting.append(exchange)
            self.hold(self.QUEUE)

    def _start(self, exchange: Exchange) -> None:
        self._exchange = exchange
        exchange.begin()

    def _head_refusal(self, method: str) -> Refusal | None:
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            return RequestRefused("request_malformed", cause="the version")
        limits = self.worker.limits
        if self._head_bytes > limits.head_bytes and self._head_size() > limits.head_bytes:
            return RequestRefused("request_head_too_large")
        self._http_11 = version == "1.1"
        self.keep_alive = self._parser.should_keep_alive()
        if method in _REFUSED_METHODS:
            return RequestRefused("method_refused", method=method)
        if len(self._fields) > limits.fields:
            return RequestRefused("request_head_too_large", cause="too many fields")
        return None

    def _head_size(self) -> int:
        # What was read so far may hold a body or a request behind this one as well, so the head is measured itself.
        return len(self._target) + sum(len(name) + len(value) + 4 for name, value in self._fields)

    def on_chunk_header(self) -> None:
        self._framing_bytes -= _CHUNK_OVERHEAD_BYTES

    def on_body(self, data: bytes) -> None:
        if self._receiving is not None and not self._deaf:
            self._framing_bytes -= len(data)
            self._receiving.body(data)

    def on_message_complete(self) -> None:
        exchange, self._receiving = self._receiving, None
        self._head_bytes = 0
        self._framing_bytes = 0
        if exchange is not None and not self._deaf:
            exchange.body_end()

    # What exchanges do.

    @property
    def kinds(self) -> dict[bytes, int]:
        """The table of field names that holds for this client."""
        generation = self.worker.generation
        return generation.trusted_kinds if self.trusted else generation.kinds

    def forwarded_lines(self, host_value: bytes) -> bytes:
        """What we tell the upstream about the client (SEC-114). A trusted client's own words stay and get longer."""
        if not self.trusted:
            return b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\n" % (
                self.client.encode(),
                self.scheme.encode(),
                host_value,
            )
        # Its own `X-Forwarded-For` was passed on as it came; a second line lengthens the list (RFC 9110 5.3).
        return b"X-Forwarded-For: %b\r\n" % self.client.encode()

    def write(self, data: bytes) -> None:
        """Bytes for the client."""
        self.transport.write(data)

    def hold(self, cause: int) -> None:
        """Read nothing more for this cause."""
        if not self._holds and not self.transport.is_closing():
            self.transport.pause_reading()
        self._holds |= cause

    def release(self, cause: int) -> None:
        """This cause no longer holds; read on when none does."""
        if self._holds & cause:
            self._holds &= ~cause
            if not self._holds and not self.transport.is_closing():
                self.transport.resume_reading()

    def take_early_bytes(self) -> bytes:
        """What the client sent behind a request to switch protocols."""
        early, self._early = self._early, None
        self.release(self.QUEUE)
        return b"".join(early or ())

    def exchange_over(self, exchange: Exchange) -> None:
        """An exchange has ended in both directions, or ends the connection."""
        if exchange is not self._exchange:
            return
        if exchange.close:
            self._exchange = None
            self._close_gently(exchange)
            return
        self._exchange = None
        self.deadline = time.monotonic() + self.worker.limits.keep_alive_seconds
        if self._waiting:
            following = self._waiting.popleft()
            if not self._waiting:
                self.release(self.QUEUE)
            self._start(following)
        elif self.worker.draining:
            self.transport.close()

    def abort(self) -> None:
        """Break the connection so that nothing on it can look complete."""
        self._deaf = True
        self.transport.abort()

    def abandon(self) -> None:
        """Close: the rest of the request is not worth reading."""
        self._deaf = True
        self.transport.close()

    def check_time(self, now: float) -> None:
        """End what has taken too long at `now` (monotonic)."""
        if self._exchange is not None:
            self._exchange.check_time(now)
        elif now > self.deadline:
            if self._target or self._fields:
                self._refuse_head(RequestRefused("request_slow"))
            else:
                self.transport.close()
        elif self._head_bytes and self.deadline > now + self.worker.limits.head_seconds:
            self.deadline = now + self.worker.limits.head_seconds

    def close_if_idle(self) -> None:
        """Close unless an exchange is going on."""
        if self._exchange is None:
            self.transport.close()

    # The rest.

    def _unreadable(self, error: HttpParserError) -> None:
        if isinstance(error, HttpParserCallbackError):
            self.worker.failed(error.__context__ or error)
            self._refuse_head(DependencyFault("internal"))
        elif isinstance(error, HttpParserInvalidMethodError):
            self._refuse_head(RequestRefused("method_refused"))
        else:
            self._refuse_head(self._refused or RequestRefused("request_malformed", cause=str(error)))

    def _refuse_head(self, refusal: Refusal | Fault) -> None:
        """Answer a request whose head, or whose framing, cannot be gone on with; then close."""
        self._refused = None
        broken, self._receiving = self._receiving, None
        self._waiting.clear()
        current = self._exchange
        if current is not None and current is not broken:
            # An earlier request is still being answered; its answer is the last on this connection.
            current.close = True
            self._deaf = True
            return
        head = RequestHead("GET", self._target, fields=self._fields, http_11=self._http_11)
        exchange = broken or Exchange(self, head)
        self._deaf = True
        self._exchange = exchange
        exchange.close = True
        if exchange.finished or exchange.head_sent:
            self.abort()
        else:
            exchange.refuse(refusal)

    def _close_gently(self, exchange: Exchange) -> None:
        """Close; where bytes may still be coming, read and drop them for a moment, so that the answer is not lost."""
        self._deaf = True
        self._head_bytes = 0
        if exchange.body_done or self.transport.is_closing():
            self.transport.close()
            return
        self._holds = 0
        self.transport.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._target, self._fields = b"", []
        self.deadline = time.monotonic() + _LINGER_SECONDS
