"""The body of a request on its way through.

It is never held as a whole: a side that takes nothing stops the other from being read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from jwtgate.errors import RequestRefused

if TYPE_CHECKING:
    from jwtgate.gateway.exchange import Exchange
    from jwtgate.gateway.heads.request_head import RequestHead
    from jwtgate.gateway.upstream import UpstreamConnection
    from jwtgate.policy.plan import Route

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_DRAINED_BYTES = 64 * 1024
"""How much of an unwanted body is read and dropped so that the connection can be used again."""
_DRAIN_SECONDS = 2.0
_RATE_GRACE_SECONDS = 10.0


class Upload:
    """The body of one request. `deadline` (monotonic): until when the client must send more of it."""

    __slots__ = (
        "_collected",
        "_exchange",
        "_head",
        "_held_since",
        "_limits",
        "_most_bytes",
        "_pending",
        "_received_bytes",
        "_since",
        "_whole",
        "deadline",
    )

    def __init__(self, exchange: Exchange, head: RequestHead) -> None:
        self._exchange = exchange
        self._head = head
        self._limits = exchange.generation.plan.limits
        self._pending: list[bytes] = []
        self._received_bytes = 0
        self._since = 0.0
        self._held_since = 0.0
        self._collected: Callable[[bytes], None] | None = None
        self._whole = bytearray()
        self._most_bytes = 0
        self.deadline = float("inf")

    @property
    def is_rest_small(self) -> bool:
        """Whether what is still to come can be read and dropped."""
        # A client that waits for word to go on may send its body, or the next request in its place.
        length = self._head.length
        return (
            length is not None and length - self._received_bytes <= _DRAINED_BYTES and not self._head.expects_continue
        )

    def take(self, data: bytes) -> None:
        """A piece, out of its framing."""
        exchange = self._exchange
        self._received_bytes += len(data)
        if exchange.finished:
            return
        route = exchange.route
        if route is not None and self._received_bytes > route.body_limit_bytes:
            exchange.cut(RequestRefused("request_too_large", limit_bytes=route.body_limit_bytes))
        elif self._collected is not None:
            self._collect(data)
        elif exchange.upstream is None:
            self._pending.append(data)
            exchange.connection.hold(exchange.connection.BODY)
        else:
            self.deadline = time.monotonic() + self._limits.body_idle_seconds
            self._pass_on(exchange.upstream, data)

    def end(self) -> None:
        """The body is complete."""
        exchange = self._exchange
        exchange.body_done = True
        if exchange.finished:
            exchange.connection.exchange_over(exchange)
        elif self._collected is not None:
            self._give()
        elif exchange.upstream is not None:
            self._complete(exchange.upstream)

    def collect(self, most_bytes: int, done: Callable[[bytes], None]) -> None:
        """Give the whole body to `done` once it is there. A larger one is refused: `request_too_large`."""
        self._collected, self._most_bytes = done, most_bytes
        pending, self._pending = self._pending, []
        self._begin()
        for data in pending:
            self._collect(data)
        if self._exchange.finished:
            return
        self._exchange.connection.release(self._exchange.connection.BODY)
        if self._exchange.body_done:
            self._give()

    def start(self, upstream: UpstreamConnection) -> None:
        """Send what came so far, and let the rest come."""
        exchange = self._exchange
        for data in self._pending:
            self._pass_on(upstream, data)
        self._pending.clear()
        self._begin()
        if exchange.body_done:
            self._complete(upstream)
        exchange.connection.release(exchange.connection.BODY)

    def held(self) -> None:
        """The upstream takes no more of it for now, and its time runs."""
        self._held_since = time.monotonic()
        self._exchange.wait_for_upstream()

    def released(self) -> None:
        """The upstream takes more. The time it took is not the client's."""
        now = time.monotonic()
        self._since += now - self._held_since
        self.deadline = now + self._limits.body_idle_seconds

    def abandon(self) -> None:
        """Nobody wants the rest: the client has a moment to send it, or to stop."""
        self._pending.clear()
        self._whole.clear()
        self._since = time.monotonic()
        self.deadline = self._since + _DRAIN_SECONDS

    def awaits_client(self) -> bool:
        """Whether it is the client's turn: the body is not complete, and there is somebody to take it."""
        exchange = self._exchange
        if exchange.body_done or exchange.connection.holds & exchange.connection.UPSTREAM:
            return False
        return exchange.finished or exchange.upstream is not None or self._collected is not None

    def is_late(self, now: float) -> bool:
        """Whether the client takes too long at `now` (monotonic)."""
        if self._exchange.is_call and not self._exchange.finished:
            # Messages of a call come when there are any: a side may be silent for as long as the other one speaks.
            return now > max(self.deadline, self._exchange.deadline)
        seconds = now - self._since - _RATE_GRACE_SECONDS
        is_slow = seconds > 0 and self._received_bytes < self._limits.body_least_bytes_per_second * seconds
        return now > self.deadline or is_slow

    def _begin(self) -> None:
        """Ask for what is to come, where the client waits for that; from now on its time runs."""
        if self._head.expects_continue and not self._received_bytes and not self._exchange.body_done:
            self._exchange.connection.write(_CONTINUE)
        self._since = time.monotonic()
        self.deadline = self._since + self._limits.body_idle_seconds

    def _collect(self, data: bytes) -> None:
        self.deadline = time.monotonic() + self._limits.body_idle_seconds
        self._whole += data  # however small the pieces are, it takes no more room
        if self._received_bytes > self._most_bytes:
            self._exchange.cut(RequestRefused("request_too_large", limit_bytes=self._most_bytes))

    def _give(self) -> None:
        done, self._collected = self._collected, None
        assert done is not None  # noqa: S101
        body, self._whole = bytes(self._whole), bytearray()
        # Held once, should it go on; an empty piece would end what is sent in chunks.
        self._pending = [body] if body else []
        done(body)

    def _pass_on(self, upstream: UpstreamConnection, data: bytes) -> None:
        upstream.transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._head.chunked else data)

    def _complete(self, upstream: UpstreamConnection) -> None:
        self._exchange.wait_for_upstream()
        if self._head.chunked:
            upstream.transport.write(b"0\r\n\r\n")


def body_end(route: Route | None, upstream: UpstreamConnection | None) -> bytes:
    """The end of a body in chunks, with the trailer fields of the upstream's that the route lets pass (SEC-92)."""
    if route is None or upstream is None or not route.trailers:
        return b"0\r\n\r\n"
    passing = (field for field in upstream.trailers if field[0] in route.trailers)
    return b"0\r\n%b\r\n" % b"".join(b"%b: %b\r\n" % field for field in passing)
