"""One connection to one target: a request out, an answer strictly read back (RFC 9112).

An answer is parsed as strictly as a request. What cannot be read is never passed on and its connection never used
again; an answer that breaks off after its head has left for the client breaks the client's connection too, so that it
cannot look complete.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from jwtgate.gateway.answer_head import Framing
from jwtgate.gateway.fields import CODING, CONNECTION, LENGTH, content_length

if TYPE_CHECKING:
    from jwtgate.gateway.balancer import Pool
    from jwtgate.gateway.exchange import Exchange

WRITE_BUFFER_BYTES = 128 * 1024
_MOST_FIELDS = 200
_HEAD_LIMIT_BYTES = 64 * 1024


class UpstreamConnection(asyncio.Protocol):
    """A connection to a target, idle in its pool or busy with one exchange."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.exchange: Exchange | None = None
        self.transport: asyncio.Transport = None  # type: ignore[assignment] # set before anything else happens
        self.idle_since = 0.0
        self._used = False
        self._paused = False
        self._parser = HttpResponseParser(self)
        self._out: list[bytes] = []
        self._reset()

    def _reset(self) -> None:
        self.answered = False
        self._fields: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._head_done = False
        self._complete = False
        self._reusable = False
        self._framed = True
        self._chunked = False
        self._bad = ""

    # What the exchange does.

    def send(self, exchange: Exchange, head: bytes) -> None:
        """Begin an exchange with its head."""
        self.exchange = exchange
        exchange.on_used_connection = self._used
        self._used = True
        self.transport.write(head)

    def pause(self) -> None:
        """Read no more of the answer for now."""
        if not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._paused and not self.transport.is_closing():
            self.transport.resume_reading()
        self._paused = False

    def drop(self) -> None:
        """End this connection at once; whatever it was busy with no longer matters."""
        self.exchange = None
        self.transport.abort()

    # What the transport does.

    # A stream protocol is only ever given a stream transport; the event loop's own are not subclasses of asyncio's.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None:  # nobody asked
            self.transport.abort()
            return
        if exchange.tunnel is not None:
            exchange.tunnel.from_upstream(data, exchange.touch())
            return
        self.answered = True
        if not self._head_done:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._upgraded(exchange, data[upgrade.args[0] :])
            return
        except HttpParserError as error:
            self._bad = self._bad or str(error)
        if self._bad or (not self._head_done and self._head_bytes > _HEAD_LIMIT_BYTES):
            if not self._complete:
                self._fail(exchange, "upstream_malformed", self._bad or "the head is too large")
                return
            self._reusable = False
        if self._out:
            exchange.deliver(b"".join(self._out) if len(self._out) > 1 else self._out[0])
            self._out.clear()
        if self._complete:
            self._finish(exchange)

    def eof_received(self) -> None:
        exchange = self.exchange
        if exchange is not None and self._head_done and not self._framed and not self._complete:
            self._complete = True
            if exchange.response_chunked:
                exchange.deliver(b"0\r\n\r\n")
            self._finish(exchange)

    def connection_lost(self, exc: Exception | None) -> None:
        self.pool.lost(self)
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            return
        if exchange.tunnel is not None:
            exchange.tunnel.close()
            return
        exchange.upstream_failed("upstream_malformed", "the connection ended early", answered=self.answered)

    def pause_writing(self) -> None:
        if self.exchange is not None:
            self.exchange.hold_client()

    def resume_writing(self) -> None:
        if self.exchange is not None:
            self.exchange.release_client()

    # What the parser does.

    def on_message_begin(self) -> None:
        if self._complete:
            self._bad = "more than one answer"

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_done:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        exchange = self.exchange
        if exchange is None or self._bad:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            return
        self._head_done = True
        if len(self._fields) > _MOST_FIELDS or not self._read_framing(status, exchange.head.method):
            self._bad = self._bad or "more fields than is sane"
            return
        bodiless = exchange.head.method == "HEAD" or status in (204, 304)
        framing = Framing(chunked=self._chunked, framed=self._framed, bodiless=bodiless)
        self._out.append(exchange.answer_head(status, self._fields, framing))
        if exchange.head.method == "HEAD":
            # The parser now waits for a body that never comes; the next answer gets a parser of its own.
            self._complete = True
            self._reusable = self._parser.should_keep_alive()
            self._parser = HttpResponseParser(self)

    def on_body(self, body: bytes) -> None:
        if self._complete:
            self._bad = "a body where none may be"
        elif self.exchange is not None and not self._bad:
            if self.exchange.response_chunked:
                self._out += (b"%x\r\n" % len(body), body, b"\r\n")
            else:
                self._out.append(body)

    def on_message_complete(self) -> None:
        if self._complete or self._bad:
            return
        if not self._head_done:  # an interim answer: not for the client, who was told to go on by us
            self._fields = []
            return
        self._complete = True
        self._reusable = self._framed and self._parser.should_keep_alive()
        if self.exchange is not None and self.exchange.response_chunked:
            self._out.append(b"0\r\n\r\n")

    # The rest.

    def _read_framing(self, status: int, method: str) -> bool:
        """Find how the body ends; False (with the cause kept) when that is not told in exactly one way."""
        kinds = self.pool.response_kinds
        lengths = [value for name, value in self._fields if kinds[name] == LENGTH]
        codings = [value for name, value in self._fields if kinds[name] == CODING]
        if len(lengths) > 1 or (lengths and content_length(lengths[0]) is None):
            self._bad = "Content-Length"
        elif codings and (len(codings) > 1 or codings[0].lower() != b"chunked" or lengths):
            self._bad = "Transfer-Encoding"
        self._chunked = bool(codings)
        self._framed = bool(lengths or codings) or method == "HEAD" or status in (204, 304)
        return not self._bad

    def _upgraded(self, exchange: Exchange, rest: bytes) -> None:
        connection = [value.lower() for name, value in self._fields if self.pool.response_kinds[name] == CONNECTION]
        if self._parser.get_status_code() != 101 or not exchange.upgrading or b"upgrade" not in connection:
            self._fail(exchange, "upstream_malformed", "an upgrade nobody asked for")
            return
        exchange.begin_tunnel(self._fields, rest)

    def _fail(self, exchange: Exchange, reason: str, cause: str) -> None:
        self.drop()
        exchange.upstream_failed(reason, cause, answered=True)

    def _finish(self, exchange: Exchange) -> None:
        self.exchange = None
        self.resume()
        if self._reusable and exchange.body_done:
            self._reset()
            self.pool.put(self)
        else:
            self.transport.close()
        exchange.answered()
