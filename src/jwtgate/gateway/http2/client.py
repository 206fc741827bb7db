"""Our connection to a target that speaks HTTP/2: each request is a stream of it, and an upstream connection of its own.

A stream the target refused, or left when it went away, was not looked at, and may be asked for again (RFC 9113 section
8.7). A target that says nothing at all is doubted: requests go elsewhere, and if it stays so, those that wait are lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from h2.events import Event, InformationalResponseReceived, RemoteSettingsChanged, ResponseReceived

from jwtgate.gateway.heads.framing import Malformed
from jwtgate.gateway.http2.fields import answer_head
from jwtgate.gateway.http2.frames import CANCEL, LAST_STREAM, NO_ERROR, REFUSED_STREAM
from jwtgate.gateway.http2.session import Session
from jwtgate.gateway.http2.stream import Stream
from jwtgate.gateway.upstream import StreamRefused, UpstreamConnection

if TYPE_CHECKING:
    from jwtgate.gateway.http2.fields import Fields
    from jwtgate.gateway.upstreams.pool import Pool

_HEAD_BYTES = 64 * 1024
_MOST_STREAMS = 1000
DOUBT_SECONDS = 2.0
"""How long a target may take to answer a PING."""
_ARE_YOU_THERE = b"question"


class ClientStream(Stream):
    """A stream we open. It has a number once the head of its request is sent."""

    _session: ClientSession
    outlives_its_end = True
    is_head = False
    began = 0.0

    def __init__(self, session: ClientSession) -> None:
        super().__init__(session, 0, broken=CANCEL)

    @property
    def session(self) -> ClientSession:
        """The connection it is on."""
        return self._session

    def send_head(self, fields: Fields, *, last: bool) -> None:
        """The head of a request. Trailer fields of its answer are welcome (RFC 9110 section 10.1.4)."""
        if self.is_closing() or not self._session.begin(self):
            return
        self.began = time.monotonic()
        self.is_head = (b":method", b"HEAD") in fields
        scheme = (b":scheme", self._session.scheme)
        said = [scheme if field[0] == b":scheme" else field for field in fields]
        super().send_head([*said, (b"te", b"trailers")], last=last)


class ClientSession(Session):
    """A connection to a target. `ready` once the target has said what it takes.

    One that is not `shared` ends with its only request.
    """

    shared = False

    def __init__(self, pool: Pool) -> None:
        super().__init__(client=True, streams=_MOST_STREAMS, head_bytes=_HEAD_BYTES)
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.idle_since = time.monotonic()
        self.scheme = b"https" if pool.tls else b"http"
        self._pool = pool
        self._since = time.monotonic()
        self._heard = self._woken = 0.0
        self._doubted: asyncio.TimerHandle | None = None
        self._leaving = False
        self._expected: set[Stream] = set()

    # What the transport does.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        secure = transport.get_extra_info("ssl_object")
        if secure is not None and secure.selected_alpn_protocol() != "h2":
            self.end(NO_ERROR, "upstream_malformed", cause="no HTTP/2")

    def data_received(self, data: bytes) -> None:
        self._heard = time.monotonic()
        if self._doubted is not None:
            self._doubted.cancel()
            self._doubted = None
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._charge_losses()
        super().connection_lost(exc)
        self._settle(exc or ConnectionResetError())
        if self._doubted is not None:
            self._doubted.cancel()

    # What the target does.

    def _on_answer(self, event: ResponseReceived) -> None:
        stream = self.streams.get(event.stream_id)
        if isinstance(stream, ClientStream):
            ended = event.stream_ended is not None
            try:
                head = answer_head(event.headers, ended=ended, bodiless=stream.is_head)
            except Malformed as error:
                self.malformed(stream, error)
            else:
                stream.begin(head.text, head.length, ended=ended)

    def _on_interim(self, event: InformationalResponseReceived) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            try:
                stream.take_interim(answer_head(event.headers, ended=False, bodiless=True).text)
            except Malformed as error:
                self.malformed(stream, error)

    def _on_settings(self, event: RemoteSettingsChanged) -> None:
        super()._on_settings(event)
        if not self.ready.done():
            self.ready.set_result(None)

    _acts: ClassVar[dict[type[Event], Callable[..., None]]] = {
        **Session._acts,
        ResponseReceived: _on_answer,
        InformationalResponseReceived: _on_interim,
        RemoteSettingsChanged: _on_settings,
    }

    def was_reset(self, stream: Stream, code: int) -> None:
        """The target gives this request no answer, or no more of one.

        It says so on a connection that lives: what is repeated then is no race, and there is no end to it.
        """
        _charge(stream)
        stream.lose(StreamRefused() if code == REFUSED_STREAM else ConnectionResetError())

    def peer_leaves(self, last_stream: int, code: int) -> None:
        """The target has not looked at streams after this one, and takes no more."""
        self._leaving = True
        for stream in [*self.streams.values(), *self._expected]:
            if not 0 < stream.number <= last_stream:
                stream.lose(StreamRefused())
        self._close_if_done()

    def end(self, code: int, reason: str, *, cause: str) -> None:
        """End the connection: its requests have no answer that could be read."""
        self._settle(ConnectionError(cause))
        self._charge_losses()
        self.end_all(code, cause)

    def forgotten(self) -> None:
        """One request less."""
        self.idle_since = time.monotonic()
        self._leaving = self._leaving or self._pool.closed or not self.shared
        self._close_if_done()

    # What its pool does.

    @property
    def has_room(self) -> bool:
        """Whether one more request may be sent on it."""
        return self._doubted is None and self._takes(self.busy)

    def _takes(self, busy: int) -> bool:
        """Whether a target with so many of our requests takes one more."""
        if self._leaving or self.is_over or self._library.highest_outbound_stream_id >= LAST_STREAM - 2:
            return False
        return busy < self._library.remote_settings.max_concurrent_streams

    @property
    def busy(self) -> int:
        """How many requests are on it."""
        return len(self.streams) + len(self._expected)

    @property
    def is_over(self) -> bool:
        """Whether it is of no more use to anybody."""
        return self._over or self.transport.is_closing()

    def open(self) -> UpstreamConnection:
        """A connection for one request."""
        stream = ClientStream(self)
        connection = UpstreamConnection(self._pool)
        if not self.busy:
            self._woken = time.monotonic()
        if self._heard > self._since and self.idle_since > self._since:
            connection.idle_since = self.idle_since  # the target may end it at any moment and mean nothing by it
        stream.protocol = connection
        self._expected.add(stream)
        connection.connection_made(stream)
        return connection

    def leave(self) -> None:
        """Take no more requests, and close when those that are under way are answered."""
        self._leaving = True
        self._close_if_done()

    # What its streams do.

    def begin(self, stream: ClientStream) -> bool:
        """Give it a number, if it may begin; it is refused otherwise."""
        self._expected.discard(stream)
        if not self._takes(len(self.streams)):
            stream.lose(StreamRefused())
            return False
        stream.number = self._library.get_next_available_stream_id()
        self.streams[stream.number] = stream
        return True

    def reset(self, number: int, code: int) -> None:
        """End a stream. One that waited in vain makes us ask whether anybody is there at all."""
        stream = self.streams.get(number)
        if not number:
            return
        super().reset(number, code)
        if isinstance(stream, ClientStream) and code == CANCEL and self._is_silent_since(stream.began):
            self._ask()

    def forget(self, stream: Stream, held: int) -> None:
        """A stream has ended, or will never begin."""
        self._expected.discard(stream)
        super().forget(stream, held)

    def _is_silent_since(self, began: float) -> bool:
        """Whether nothing was heard for half of the time since then; a target that lives acknowledges this and that."""
        return not self._over and self._heard < (began + time.monotonic()) / 2

    def _ask(self) -> None:
        if self._doubted is None:
            self._library.ping(_ARE_YOU_THERE)
            self.flush()
            self._doubted = asyncio.get_running_loop().call_later(DOUBT_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self.end(NO_ERROR, "upstream_slow", cause="nothing is heard")
        self.transport.abort()

    def _charge_losses(self) -> None:
        """A target that was heard since it had nothing to do was at work: what it breaks off is repeated at a price."""
        if self._heard > self._woken:
            for stream in self.streams.values():
                _charge(stream)

    def _settle(self, error: Exception) -> None:
        if not self.ready.done():
            self.ready.set_exception(error if isinstance(error, OSError) else ConnectionError(str(error)))

    def _close_if_done(self) -> None:
        if self._leaving and not self.busy:
            self.end_all(NO_ERROR, "")


def _charge(stream: Stream) -> None:
    """Count it as no race with a target that leaves: to repeat its request costs the budget."""
    if isinstance(stream.protocol, UpstreamConnection):
        stream.protocol.idle_since = 0.0
