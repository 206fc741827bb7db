"""A client's connection that speaks HTTP/2: each of its streams is an ordinary client connection of one request.

What a stream asks for is written to that connection as HTTP/1.1, and so read by the one strict reader, held to the
same limits, refused, logged and forwarded by the same code (SEC-96).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from h2.events import Event, PingAckReceived, RequestReceived

from jwtgate.errors import RequestRefused
from jwtgate.gateway.connection import ClientConnection
from jwtgate.gateway.heads.framing import Malformed
from jwtgate.gateway.http2.allowance import EARNED_BY_MESSAGE, GIVEN_UP
from jwtgate.gateway.http2.fields import request_head
from jwtgate.gateway.http2.frames import (
    ENHANCE_YOUR_CALM,
    INTERNAL_ERROR,
    LAST_STREAM,
    NO_ERROR,
    PREFACE,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
)
from jwtgate.gateway.http2.session import Session
from jwtgate.gateway.http2.stream import Stream

if TYPE_CHECKING:
    from jwtgate.gateway.http2.front import Front
    from jwtgate.gateway.worker import Worker

_FAREWELL = b"farewell"
_FAREWELL_SECONDS = 1.0
"""How long a client may take to hear that we are leaving; what it sent until then is still answered."""
_PARTING_SECONDS = 5.0
"""How long a client may be silent that has got all its answers and not closed: it may still be reading the last one."""
_MOST_PARTING_SECONDS = 60.0
_LINGER_SECONDS = 2.0
"""How long a client that is told of its fault may take to hear of it."""
_LINGER_BYTES = 1024 * 1024
"""How much of what it says meanwhile is read and dropped."""
_STALLED_SECONDS = 10.0
"""How long whole answers may wait on a connection that is open while its client takes nothing of any of them."""


class ServerSession(Session):
    """A client's connection."""

    most_queued_bytes = 1024 * 1024

    def __init__(self, worker: Worker, *, scheme: str, status_only: bool, home: Front) -> None:
        limits = worker.limits
        super().__init__(client=False, streams=limits.streams, head_bytes=limits.head_bytes)
        self.worker = worker
        self.scheme = scheme
        self.status_only = status_only
        self.deadline = time.monotonic() + limits.head_seconds
        self._home = home
        self._preface = PREFACE
        self._leaving_since = 0.0
        self._last_stream = LAST_STREAM
        self._linger_until = 0.0
        self._dropped_bytes = 0

    # What the transport does.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._home.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._over:
            self._drop(data)
            return
        if self._preface:
            begun, rest = data[: len(self._preface)], data[len(self._preface) :]
            if not self._preface.startswith(begun):
                self.end(PROTOCOL_ERROR, "request_malformed", cause="the preface")
                return
            self._preface, data = self._preface[len(begun) :], rest
            if not self._preface:
                self._library.receive_data(PREFACE)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._home.closed(self)

    def eof_received(self) -> None:
        """A client that has ended its side is gone, and its requests with it (REL-22)."""

    # What clients do.

    def _on_request(self, event: RequestReceived) -> None:
        number = event.stream_id
        if number > self._last_stream or len(self.streams) >= self.worker.limits.streams:
            self.reset(number, REFUSED_STREAM)
            self.spend(GIVEN_UP)
            return
        stream = self.streams[number] = Stream(self, number, broken=INTERNAL_ERROR)
        self._client_on(stream)
        stream.outgoing.bodiless = (b":method", b"HEAD") in event.headers
        ended = event.stream_ended is not None
        try:
            head = request_head(event.headers, ended=ended)
        except Malformed as error:
            self.malformed(stream, error)
            return
        stream.begin(head.text, head.length, ended=ended)
        if self.is_full:
            stream.pause_writer()

    def _client_on(self, stream: Stream) -> ClientConnection:
        client = ClientConnection(self.worker, scheme=self.scheme, status_only=self.status_only, home=self)
        stream.protocol = client
        client.connection_made(stream)
        return client

    def _on_ping_answered(self, event: PingAckReceived) -> None:
        if event.ping_data == _FAREWELL:
            self._stay_for(self._library.highest_inbound_stream_id)

    _acts: ClassVar[dict[type[Event], Callable[..., None]]] = {
        **Session._acts,
        RequestReceived: _on_request,
        PingAckReceived: _on_ping_answered,
    }

    def malformed(self, stream: Stream, error: Malformed) -> None:
        """Refuse a request that cannot be read, once."""
        if stream.wants_nothing:
            self.spend(GIVEN_UP)
            return
        client = stream.protocol
        assert isinstance(client, ClientConnection)  # noqa: S101
        client.refuse(RequestRefused("request_malformed", cause=str(error)))
        self.spend(GIVEN_UP + EARNED_BY_MESSAGE)

    def was_reset(self, stream: Stream, code: int) -> None:
        """The client no longer wants an answer."""
        stream.lose(ConnectionResetError())

    def peer_leaves(self, last_stream: int, code: int) -> None:
        """The client asks for nothing more."""
        self._stay_for(self._library.highest_inbound_stream_id)

    def end(self, code: int, reason: str, *, cause: str) -> None:
        """End the connection, and log why."""
        if self._over:
            return
        self.end_all(code, reason)
        nowhere = Stream(self, 0, broken=NO_ERROR)
        client = self._client_on(nowhere)
        nowhere.lose(None)
        client.refuse(RequestRefused(reason, cause=cause))

    def forgotten(self) -> None:
        """One request less."""
        self.deadline = time.monotonic() + self.worker.limits.keep_alive_seconds
        self._close_if_done()

    # What the worker does, and streams as they come and go.

    def opened(self, connection: object) -> None:
        """A stream has begun. The connection it is on is what counts."""

    def closed(self, connection: object) -> None:
        """A stream has ended. What was answered on it has earned its part already."""

    def turn_away(self, answer: bytes) -> None:
        """Answer nothing that may be asked, and close."""
        self.end_all(ENHANCE_YOUR_CALM, "overloaded")

    def check_time(self, now: float) -> None:
        """End what has taken too long at `now` (monotonic)."""
        if self._over:
            self._close_if_silent(now)
            return
        for stream in list(self.streams.values()):
            stream.protocol.check_time(now)  # type: ignore[attr-defined] # a client connection, as made above
        self._end_stalled(now)
        if self.head_since and now > self.head_since + self.worker.limits.head_seconds:
            self.end(ENHANCE_YOUR_CALM, "request_slow", cause="a head that does not end")
        elif self._leaving_since and now > self._leaving_since + _FAREWELL_SECONDS:
            self._stay_for(self._library.highest_inbound_stream_id)
        elif not self.streams and now > self.deadline:
            self._part("idle")

    def _end_stalled(self, now: float) -> None:
        """End streams whose answers are whole, and have waited too long for their client to take them."""
        if self._write_paused or now <= self.waits_since + _STALLED_SECONDS:
            return
        for stream in [each for each in self._waiting.values() if each.is_written]:
            stream.abort()

    def leave(self) -> None:
        """Leave: answer what is asked until the client knows, then what is under way, then close."""
        if not self._leaving_since and not self._over:
            self._leaving_since = time.monotonic()
            self.say_goaway(LAST_STREAM, NO_ERROR)
            self._library.ping(_FAREWELL)
            self.flush()

    def abort(self) -> None:
        """End at once."""
        self.end_all(NO_ERROR, "stopped")
        self.transport.abort()

    def _stay_for(self, last_stream: int) -> None:
        """Answer streams up to this one, and close then."""
        if self._last_stream == LAST_STREAM and not self._over:
            self._last_stream = last_stream
            self.say_goaway(last_stream, NO_ERROR)
            self._close_if_done()

    def _close_if_done(self) -> None:
        if self._last_stream != LAST_STREAM and not self.streams and not self._over:
            self._part("")

    def _part(self, reason: str) -> None:
        """Say that this is all, and let the client close.

        A connection that is closed while its client still says what it has read takes what was not read along.
        """
        self.say_goaway(self._library.highest_inbound_stream_id, NO_ERROR, reason=reason)
        self._over = True
        self._let_close(_PARTING_SECONDS, most_seconds=_MOST_PARTING_SECONDS)

    def hang_up(self) -> None:
        """Let the client hear why, which may well be in the middle of saying something."""
        if not self.transport.is_closing():
            self._let_close(_LINGER_SECONDS, most_seconds=_LINGER_SECONDS)

    def _let_close(self, seconds: float, *, most_seconds: float) -> None:
        now = time.monotonic()
        self.deadline, self._linger_until = now + seconds, now + most_seconds
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _drop(self, data: bytes) -> None:
        """Read what nobody wants, so that what was said last is not lost. A client that is busy reading says so."""
        self.deadline = min(time.monotonic() + _PARTING_SECONDS, self._linger_until)
        before = self._dropped_bytes
        self._dropped_bytes += len(data)
        if before <= _LINGER_BYTES < self._dropped_bytes and not self.transport.is_closing():
            self.transport.pause_reading()

    def _close_if_silent(self, now: float) -> None:
        if now > self.deadline and not self.transport.is_closing():
            super().hang_up()
