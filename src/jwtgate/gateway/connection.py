"""One client connection: bytes in, exchanges one after the other, bytes back (RFC 9112).

Requests sent ahead of their turn stay bytes until it comes, and reading stops while they do, so a connection holds no
more than one read of them. A head that cannot be read in exactly one way ends the connection.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
from typing import TYPE_CHECKING, Protocol

from jwtgate.errors import DependencyFault, Fault, Refusal, RequestRefused
from jwtgate.gateway.exchange import Exchange
from jwtgate.gateway.heads.framing import ChunkedBody, HeadTooLarge, Malformed, MethodUnknown, RequestReader
from jwtgate.gateway.heads.request_head import RequestHead
from jwtgate.gateway.listening.hanging_up import is_lost
from jwtgate.gateway.upstream import WRITE_BUFFER_BYTES

if TYPE_CHECKING:
    from jwtgate.gateway.generation import Generation
    from jwtgate.gateway.memory import Recent
    from jwtgate.gateway.relay import Upload
    from jwtgate.gateway.worker import Worker
    from jwtgate.policy.plan import Route

_REFUSED_METHODS = frozenset({"CONNECT", "TRACE"})
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 * 1024
_CR = 13
_BLANK_LINES = re.compile(rb"(?:\r\n)*").match
_RESET = struct.pack("ii", 1, 0)


class Home(Protocol):
    """Who is told of a connection that comes, and goes."""

    def opened(self, connection: ClientConnection) -> None:
        """It has begun."""

    def closed(self, connection: ClientConnection) -> None:
        """It has ended."""


class ClientConnection(asyncio.Protocol):
    """A client's connection. `home`: who is told of it in place of the worker."""

    BODY, UPSTREAM, QUEUE, CLOSING = 1, 2, 4, 8
    """Why reading is on hold: nobody to take the body yet, the upstream is slow, bytes wait their turn, no use."""

    generation: Generation
    trusted = False
    kinds: dict[bytes, int]
    heads: Recent[bytes, RequestHead]
    _fields_block = b""
    _told_host = b""
    _told = b""

    def __init__(self, worker: Worker, *, scheme: str, status_only: bool, home: Home | None = None) -> None:
        self.worker = worker
        self._home = home or worker
        self.scheme = scheme
        self.status_only = status_only
        self.transport: asyncio.Transport = None  # type: ignore[assignment] # set before anything else happens
        self.client = ""
        self.port = 0
        self.write_paused = False
        self.holds = 0
        self.deadline = 0.0
        self._reader = RequestReader()
        self._exchange: Exchange | None = None
        self._upload: Upload | None = None
        self._left = 0
        self._chunks: ChunkedBody | None = None
        self._ahead = b""
        self._deaf = False
        self._dropped_bytes = 0

    # What the transport does.

    # A stream protocol is only ever given a stream transport; the event loop's own are not subclasses of asyncio's.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        peer = transport.get_extra_info("peername")
        self.client = peer[0] if isinstance(peer, tuple) else ""
        address = transport.get_extra_info("sockname")
        self.port = address[1] if isinstance(address, tuple) else 0
        self._follow(self.worker.generation)
        self.deadline = time.monotonic() + self.worker.limits.head_seconds
        self._home.opened(self)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is not None and exchange.tunnel is not None:
            exchange.tunnel.from_client(data)
            return
        if self._deaf:
            self._dropped_bytes += len(data)
            if self._dropped_bytes > _LINGER_BYTES:
                self.hold(self.CLOSING)
            return
        if self._ahead:
            data, self._ahead = self._ahead + data, b""
        self._read(data)

    def eof_received(self) -> None:
        """A client that has ended its side is gone (REL-22); what it was still sent has left when this returns."""
        self._deaf = True
        if self._exchange is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deaf = True
        self._home.closed(self)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.client_lost()

    def pause_writing(self) -> None:
        self.write_paused = True
        if self._exchange is not None and self._exchange.upstream is not None:
            self._exchange.upstream.pause()

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._exchange is None:
            self._go_on()
        elif self._exchange.upstream is not None:
            self._exchange.upstream.resume()

    # Reading.

    def _read(self, data: bytes) -> None:
        at = 0
        try:
            while at < len(data) and not self._deaf:
                if self._upload is not None:
                    at = self._read_body(self._upload, data, at)
                elif self._exchange is None and not self.write_paused:
                    at = self._read_head(data, at)
                else:
                    self._ahead = data[at:]
                    self.hold(self.QUEUE)
                    return
        except Exception as error:  # a bug: said to the log, and to the client without a word of what it is
            self.worker.failed(error)
            self.refuse(DependencyFault("internal"))

    def _read_head(self, data: bytes, at: int) -> int:
        reader = self._reader
        if not reader.begun:
            if data[at] == _CR:
                return self._skip_blank_lines(data, at)
            if self.worker.generation is not self.generation:
                self._follow(self.worker.generation)
            if end := self._read_known_head(data, at):
                return end
        try:
            at = reader.read(data, at, limit_bytes=self.worker.limits.head_bytes)
        except HeadTooLarge:
            self.refuse(RequestRefused("request_head_too_large"))
        except MethodUnknown:
            self.refuse(RequestRefused("method_refused"))
        except Malformed as error:
            self.refuse(RequestRefused("request_malformed", cause=str(error)))
        else:
            if at:
                self._begin()
                return at
        return len(data)

    def _skip_blank_lines(self, data: bytes, at: int) -> int:
        """The position behind blank lines ahead of a request, which mean nothing (RFC 9112 section 2.2)."""
        if len(data) == at + 1:
            self._ahead = data[at:]
            return len(data)
        behind = _BLANK_LINES(data, at).end()  # type: ignore[union-attr] # it matches nothing as well
        if behind == at:
            self.refuse(RequestRefused("request_malformed", cause="a bare CR"))
        return behind

    def _read_known_head(self, data: bytes, at: int) -> int:
        """The position behind a head whose fields have been read before, byte for byte; 0 for any other.

        A client sends the same fields over and over. What they mean is looked up then, and only the request line is
        read: one of plain characters, which has a single reading. Often even that is the one that came last with them.
        """
        line_end = data.find(b"\r\n", at) + 2
        end = data.find(b"\r\n\r\n", line_end - 2) + 4
        self._fields_block = block = data[line_end:end] if end > 4 else b""
        known = self.heads.recall(block)
        line = data[at:line_end]
        if known is not None and line != known.line:
            limits = self.worker.limits
            known = known.again(line, limits.request_line_bytes) if end - at <= limits.head_bytes else None
            if known is not None:
                self.heads.replace(block, known)
        if known is None:
            return 0
        exchange = self._exchange = Exchange(self, known)
        exchange.begin_again()
        return end

    def read_head(self, head: RequestHead) -> None:
        """Read a head by what is known of this client, and remember its fields where another may have the same."""
        head.read_fields(self.kinds, self.worker.host_names)
        if self._fields_block and head.is_plain and self._reader.keep_alive:
            self.heads.remember(self._fields_block, head)
        head.read_target(self.generation.plan.paths)

    def _begin(self) -> None:
        reader = self._reader
        head = RequestHead(reader.method, reader.target, fields=reader.fields, http_11=reader.http_11)
        exchange = self._exchange = Exchange(self, head)
        limits = self.generation.plan.limits
        exchange.close = not reader.keep_alive
        if reader.method in _REFUSED_METHODS:
            self.refuse(RequestRefused("method_refused", method=reader.method))
        elif len(reader.target) > limits.request_line_bytes or len(reader.fields) > limits.fields:
            self.refuse(RequestRefused("request_head_too_large"))
        else:
            exchange.begin()
            if exchange.upload is not None and not self._deaf:
                self._upload = exchange.upload
                self._left = head.length or 0
                self._chunks = ChunkedBody() if head.chunked else None

    def _read_body(self, upload: Upload, data: bytes, at: int) -> int:
        if self._chunks is None:
            piece = data[at : at + self._left]
            at += len(piece)
            self._left -= len(piece)
            done = not self._left
        else:
            try:
                piece, at = self._chunks.take(data, at)
            except Malformed as error:
                self.refuse(RequestRefused("request_malformed", cause=str(error)))
                return len(data)
            done = self._chunks.done
        if done:
            self._upload, self._chunks = None, None
        if piece:
            upload.take(piece)
        if done and not self._deaf:
            upload.end()
        return at

    def refuse(self, error: Refusal | Fault) -> None:
        """Answer what cannot be read, or not be gone on with, and close."""
        if self._exchange is None:
            self._exchange = Exchange(self, RequestHead("GET", b"", fields=[], http_11=True))
        self._exchange.close = True
        self._exchange.cut(error)

    def _go_on(self) -> None:
        """Take up the bytes that had to wait."""
        ahead, self._ahead = self._ahead, b""
        self.release(self.QUEUE)
        if ahead:
            self._read(ahead)

    def _follow(self, generation: Generation) -> None:
        """Take what this generation says of this client."""
        self.generation = generation
        self.trusted = generation.is_trusted(self.client)
        self._told_host = b""
        self.kinds = generation.trusted_kinds if self.trusted else generation.kinds
        self.heads = generation.trusted_heads if self.trusted else generation.heads

    # What exchanges do.

    def forwarded_lines(self, host_value: bytes) -> bytes:
        """What we tell the upstream about the client (SEC-114). A trusted client's own words stay and get longer."""
        if host_value != self._told_host:
            # A trusted client's own fields were passed on as they came; a line more lengthens the list (RFC 9110 5.3).
            self._told_host = host_value
            self._told = b"X-Forwarded-For: %b\r\n" % self.client.encode()
            if not self.trusted:
                self._told += b"X-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\n" % (self.scheme.encode(), host_value)
        return self._told

    def more_lines(self, route: Route, head: RequestHead) -> bytes:
        """What we tell an upstream of the client that asks for more. What a trusted client says of it stays."""
        upstream, path = route.upstream, head.path
        told: list[tuple[bytes, str]] = []
        if upstream.x_real_ip:
            told.append((b"X-Real-IP", self.client))
        if upstream.forwarded_port:
            told.append((b"X-Forwarded-Port", str(self.port)))
        if upstream.forwarded_path:
            told.append((b"X-Forwarded-Path", path))
            if route.rewriting is not None and (stripped := route.rewriting.strips(path)):
                told.append((b"X-Forwarded-Prefix", path[:stripped]))
        said = {name.lower() for name, _ in head.fields} if self.trusted else ()
        return b"".join(b"%b: %b\r\n" % (name, value.encode()) for name, value in told if name.lower() not in said)

    def write(self, data: bytes) -> None:
        """Bytes for the client."""
        self.transport.write(data)

    def hold(self, cause: int) -> None:
        """Read nothing more for this cause."""
        if not self.holds and not self.transport.is_closing():
            self.transport.pause_reading()
        self.holds |= cause

    def release(self, cause: int) -> None:
        """This cause no longer holds; read on when none does."""
        if self.holds & cause:
            self.holds &= ~cause
            if not self.holds and not self.transport.is_closing():
                self.transport.resume_reading()

    def take_ahead(self) -> bytes:
        """What the client sent behind a request to switch protocols."""
        ahead, self._ahead = self._ahead, b""
        self.release(self.QUEUE)
        return ahead

    def exchange_over(self, exchange: Exchange) -> None:
        """An exchange has ended in both directions, or ends the connection."""
        if exchange is not self._exchange:
            return
        self._exchange = None
        if exchange.close or self._deaf:
            self._upload = None
            self.close_gently(exchange.body_done)
            return
        self.deadline = time.monotonic() + self.worker.limits.keep_alive_seconds
        if self._ahead and not self.write_paused:
            self._go_on()
        elif self.worker.draining:
            self.close()

    def abort(self) -> None:
        """End the connection at once: with a reset where an answer was under way, so that it cannot look complete."""
        self._deaf = True
        exchange = self._exchange
        if exchange is not None and exchange.head_sent and exchange.tunnel is None:
            plug = self.transport.get_extra_info("socket")
            if plug is not None:  # a stream of HTTP/2 has none to itself
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def close(self) -> None:
        """Close once what was written has left; when the client does not take it, after a while."""
        self._deaf = True
        self.deadline = time.monotonic() + self.worker.limits.keep_alive_seconds
        self.transport.close()

    def turn_away(self, answer: bytes) -> None:
        """Answer before anything was asked, and close."""
        self.write(answer)
        self.close_gently(nothing_follows=False)

    def close_gently(self, nothing_follows: bool) -> None:
        """Close; where bytes may still be coming, read and drop them for a moment, so that the answer is not lost."""
        if nothing_follows or self.transport.is_closing():
            self.close()
            return
        self._deaf = True
        self.deadline = time.monotonic() + _LINGER_SECONDS
        self.holds, held = 0, self.holds
        if held:
            self.transport.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def check_time(self, now: float) -> None:
        """End what has taken too long at `now` (monotonic)."""
        if self._exchange is not None and not self.transport.is_closing():
            lost = self.holds and is_lost(self, self._exchange)
            self.transport.abort() if lost else self._exchange.check_time(now)
        elif now > self.deadline:
            if self.transport.is_closing():
                self.transport.abort()
            elif self._reader.begun and not self._deaf:
                self.refuse(RequestRefused("request_slow"))
            else:
                self.close()
        elif self._reader.begun and self.deadline > now + self.worker.limits.head_seconds:
            self.deadline = now + self.worker.limits.head_seconds

    def leave(self) -> None:
        """Close unless a request is going on; a tunnel is told to end."""
        if self._exchange is None:
            self.close()
        elif self._exchange.tunnel is not None:
            self._exchange.tunnel.leave()
