"""One connection to one target: a request out, an answer strictly read back (RFC 9112).

An answer is parsed as strictly as a request. What cannot be read is never passed on and its connection never used
again; an answer that breaks off after its head has left for the client breaks the client's connection too, so that it
cannot look complete.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from jwtgate.gateway.heads.answer_head import AnswerHead
from jwtgate.gateway.heads.fields import FORWARD
from jwtgate.gateway.heads.framing import ChunkedBody, Framing, Malformed, ResponseReader

if TYPE_CHECKING:
    from jwtgate.gateway.tunnels.tunnel import Tunnel
    from jwtgate.gateway.upstreams.pool import Pool

WRITE_BUFFER_BYTES = 128 * 1024
_HEAD_LIMIT_BYTES = 64 * 1024
_LINGER_SECONDS = 10.0


class StreamRefused(Exception):
    """A request that reached the target, which says it has not looked at it (RFC 9113 section 8.7)."""


class Question(Protocol):
    """The head of a request that was sent."""

    @property
    def method(self) -> str:
        """Its method."""


class Asker(Protocol):
    """Who asked: what an answer is given to, piece by piece, or why there is none."""

    tunnel: Tunnel | None
    upgrading: bool
    body_done: bool

    @property
    def head(self) -> Question:
        """What was asked."""

    def answer_head(self, head: AnswerHead, framing: Framing) -> bytes:
        """The head of the answer as it is delivered."""

    def deliver(self, head: bytes, body: bytes, *, last: bool) -> None:
        """A piece of the answer: its head, if it is the first, and some of its body."""

    def answered(self) -> None:
        """The answer is complete."""

    def upstream_failed(self, reason: str, cause: str, *, answered: bool) -> None:
        """The target ended or answered nonsense."""

    def hold_client(self) -> None:
        """The target is slow to take the request."""

    def release_client(self) -> None:
        """The target takes more."""

    def switching_head(self, head: AnswerHead) -> bytes:
        """The head of an answer that switches protocols, as it is delivered."""

    def begin_tunnel(self, upstream: UpstreamConnection, head: bytes) -> None:
        """The target has switched protocols."""


class UpstreamConnection(asyncio.Protocol):
    """A connection to a target, idle in its pool or busy with one exchange."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.exchange: Asker | None = None
        self.transport: asyncio.Transport = None  # type: ignore[assignment] # set before anything else happens
        self.idle_since = 0.0
        self._reader = ResponseReader()
        self._paused = False
        self._full = False
        self._answered = False
        self._keep_alive = False
        self._framing: Framing | None = None
        self._left = 0
        self._chunks: ChunkedBody | None = None

    @property
    def was_used(self) -> bool:
        """Whether it was kept after an answer: its target may then end it at any moment and mean nothing by it."""
        return self.idle_since > 0.0

    @property
    def trailers(self) -> list[tuple[bytes, bytes]]:
        """The fields behind the body of the answer that may go on at all; their names are in lower case (SEC-112)."""
        kinds, fields = self.pool.response_kinds, self._chunks.trailers if self._chunks is not None else ()
        return [field for field in fields if kinds[field[0]] == FORWARD]

    # What the exchange does.

    def send(self, exchange: Asker, head: bytes) -> None:
        """Begin an exchange with its head."""
        self.exchange = exchange
        self._answered = False
        self._framing = None
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

    def close(self) -> None:
        """Close once what was written has left; when the target does not take it, after a while."""
        self.transport.close()
        if self.transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(_LINGER_SECONDS, self.transport.abort)

    # What the transport does.

    # A stream protocol is only ever given a stream transport; the event loop's own are not subclasses of asyncio's.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self.pool.opened(self)

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None:  # nobody asked
            self.transport.abort()
            return
        if exchange.tunnel is not None:
            exchange.tunnel.from_upstream(data)
            return
        self._answered = True
        try:
            self._read(exchange, data)
        except Malformed as error:
            self.drop()
            self.pool.failed()
            exchange.upstream_failed("upstream_malformed", str(error), answered=True)

    def eof_received(self) -> None:
        exchange = self.exchange
        if exchange is not None and self._framing is Framing.CLOSE:
            exchange.deliver(b"", b"", last=True)
            self._finish(exchange, reusable=False)

    def connection_lost(self, exc: Exception | None) -> None:
        exchange = self.exchange
        if exchange is not None and exchange.tunnel is None and exc is not None and not self.pool.tls:
            self._read_what_is_left()
        self.pool.lost(self)
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            return
        if exchange.tunnel is not None:
            exchange.tunnel.upstream_lost()
            return
        if isinstance(exc, StreamRefused) and not self._answered:
            exchange.upstream_failed("upstream_refused", "the stream was refused", answered=False)
            return
        answered = self._answered or isinstance(exc, Malformed)
        if answered or not self.was_used:
            self.pool.failed()
        exchange.upstream_failed("upstream_malformed", "the connection ended early", answered=answered)

    def _read_what_is_left(self) -> None:
        """Take the answer of a target that gave it before the whole body, and then took no more."""
        plug = self.transport.get_extra_info("socket")
        if plug is None:  # a stream of HTTP/2, which gives what it has by itself
            return
        with suppress(OSError):
            data = os.read(plug.fileno(), WRITE_BUFFER_BYTES)
            if data:
                self.data_received(data)

    def pause_writing(self) -> None:
        self._full = True
        if self.exchange is not None:
            self.exchange.hold_client()

    def resume_writing(self) -> None:
        self._full = False
        if self.exchange is not None:
            self.exchange.release_client()

    # Reading.

    def _read(self, exchange: Asker, data: bytes) -> None:
        at, head = 0, b""
        if self._framing is None:
            if self._read_known_answer(exchange, data):
                return
            at, answer = self._read_heads(data)
            if answer is None:
                return
            if answer.status == 101:
                self._switch(exchange, answer, data[at:])
                return
            if self.pool.watch is not None:
                self.pool.watch.answered(answer.status)
            self._framing = answer.framing(exchange.head.method)
            self._left = answer.length or 0
            self._chunks = ChunkedBody() if self._framing is Framing.CHUNKED else None
            head = exchange.answer_head(answer, self._framing)
        body, at, done = self._take_body(data, at)
        if head or body or done:
            exchange.deliver(head, body, last=done)
        if done:
            self._finish(exchange, reusable=self._keep_alive and at == len(data))

    def _read_known_answer(self, exchange: Asker, data: bytes) -> bool:
        """Whether this is a whole answer whose head was read before, byte for byte, as nearly all are. It is given."""
        end = data.find(b"\r\n\r\n") + 4
        known = self.pool.answers.recall(data[:end]) if end > 3 and not self._reader.begun else None
        if known is None or known.length != len(data) - end:
            return False
        framing = known.framing(exchange.head.method)
        if framing is not Framing.LENGTH:
            return False
        if self.pool.watch is not None:
            self.pool.watch.answered(known.status)
        self._framing = framing
        exchange.deliver(exchange.answer_head(known, framing), data[end:], last=True)
        self._finish(exchange, reusable=True)
        return True

    def _read_heads(self, data: bytes) -> tuple[int, AnswerHead | None]:
        """The position behind the head of the answer, and the head; None while it is not there.

        What comes before it is not for the client, who was told to go on by us.
        """
        at = 0
        while at < len(data):
            reader, start = self._reader, at
            if not reader.begun and (end := data.find(b"\r\n\r\n", at) + 4) > 3:
                known = self.pool.answers.recall(data[at:end])
                if known is not None:
                    self._keep_alive = True
                    return end, known
            fresh = not reader.begun
            at = reader.read(data, at, limit_bytes=_HEAD_LIMIT_BYTES)
            if not at:
                break
            answer = AnswerHead(reader.status, reader.fields, self.pool.response_kinds)
            if answer.chunked and not reader.http_11:
                raise Malformed("Transfer-Encoding in HTTP/1.0")
            if not answer.is_interim:
                self._keep_alive = reader.keep_alive
                if fresh and reader.keep_alive and answer.length is not None and answer.status != 101:
                    self.pool.answers.remember(data[start:at], answer)
                return at, answer
        return 0, None

    def _take_body(self, data: bytes, at: int) -> tuple[bytes, int, bool]:
        """What of the body stands in `data` from `at` on, the position behind it, and whether that is all."""
        if self._framing is Framing.NONE:
            return b"", at, True
        if self._framing is Framing.LENGTH:
            body = data[at : at + self._left]
            self._left -= len(body)
            return body, at + len(body), not self._left
        if self._chunks is not None:
            body, at = self._chunks.take(data, at)
            return body, at, self._chunks.done
        return data[at:], len(data), False

    def _switch(self, exchange: Asker, answer: AnswerHead, rest: bytes) -> None:
        if not exchange.upgrading or not answer.is_websocket:
            raise Malformed("an upgrade nobody asked for")
        exchange.begin_tunnel(self, exchange.switching_head(answer))
        if rest and exchange.tunnel is not None:
            exchange.tunnel.from_upstream(rest)

    def _finish(self, exchange: Asker, *, reusable: bool) -> None:
        self.exchange = None
        if self._paused:
            self.resume()
        if not exchange.body_done:
            self.transport.abort()
        elif reusable and not self._full and self._framing is not Framing.CLOSE:
            self.pool.put(self)  # one that is full would take the next body whole, and tell nobody to stop
        else:
            self.close()
        exchange.answered()
