"""One call of an upstream on behalf of a request: asked like any exchange, its answer read whole and kept.

It goes over the same strict connections. Its time is that of the exchange's clock, its answer bounded in size, a
redirect is an answer like any other, and it ends with the request it is made for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.heads.framing import Malformed
from jwtgate.gateway.upstream import Question
from jwtgate.gateway.upstreams.reaching import may_repeat, reach, reach_again
from jwtgate.policy.calls.call import Called

if TYPE_CHECKING:
    from jwtgate.gateway.exchange import Exchange
    from jwtgate.gateway.heads.answer_head import AnswerHead
    from jwtgate.gateway.heads.framing import Framing
    from jwtgate.gateway.tunnels.tunnel import Tunnel
    from jwtgate.gateway.upstream import UpstreamConnection
    from jwtgate.policy.calls.call import NeedCall

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


class UpstreamCall:
    """A call that goes on. `done` is given a `Called`, or the fault in its place, once."""

    tunnel: Tunnel | None = None
    upgrading = False
    body_done = True

    def __init__(self, need: NeedCall, exchange: Exchange, done: Callable[[object], None]) -> None:
        self.head: Question = need
        self.name = need.call.name
        self._need = need
        self._exchange = exchange
        self._done = done
        self._balancer = exchange.generation.upstreams.call_balancers[need.call.upstream.name]
        self._connection: UpstreamConnection | None = None
        self.retries = 0
        self.finished = False
        self._status = 0
        self._fields: dict[str, tuple[str, ...]] = {}
        self._pieces: list[bytes] = []
        self._room = need.call.most_bytes

    def begin(self) -> None:
        """Ask. From now on the time of the call runs."""
        self._exchange.deadline = time.monotonic() + self._need.call.seconds
        try:
            pool = self._balancer.pick(self._exchange)
        except UpstreamFault as fault:
            self._refused(fault)
            return
        connection = pool.take()
        if connection is not None:
            self._send(connection)
        else:
            seconds = self._need.call.upstream.connect_seconds
            reaching = reach(self, self._balancer, pool, connect_seconds=seconds)
            self._exchange.worker.spawn(self._connected(reaching), self._exchange)

    def drop(self) -> None:
        """Nobody waits for the answer any more."""
        if self.finished:
            return
        self.finished = True
        self._balancer.roster.budget.give_back(self.retries)
        if self._connection is not None:
            self._connection.drop()
            self._connection = None

    def fail(self, fault: UpstreamFault) -> None:
        """There is no answer."""
        self._end(fault)

    async def _connected(self, reaching: Coroutine[None, None, UpstreamConnection | None]) -> None:
        try:
            connection = await reaching
        except UpstreamFault as fault:
            self._refused(fault)
            return
        if connection is not None:
            self._send(connection)

    def _refused(self, fault: UpstreamFault) -> None:
        detail = {**fault.detail, "call": self.name}
        self._end(UpstreamFault(fault.reason, retry_after_seconds=fault.retry_after_seconds, **detail))

    def _send(self, connection: UpstreamConnection) -> None:
        self._connection = connection
        need = self._need
        lines = [b"%b: %b\r\n" % field for field in need.fields]
        if need.call.passed_on:
            lines.append(self._passed_on())
        if need.body is not None or need.method not in _BODILESS:
            lines.append(b"Content-Length: %d\r\n" % len(need.body or b""))
        lines.append("{}: {}\r\n".format(*self._exchange.id_field).encode())
        asked = f"{need.method} {need.target} HTTP/1.1\r\n".encode("ascii")
        connection.send(self, b"".join((asked, connection.pool.host_line, *lines, b"\r\n", need.body or b"")))

    def _passed_on(self) -> bytes:
        """The lines of the request's own fields. Its answer is read here, so nothing is said of codings."""
        exchange, need = self._exchange, self._need
        assert exchange.route is not None  # noqa: S101
        ours = {name.lower() for name, _ in (*need.call.fields, *need.fields)}
        return exchange.head.forwarded_without(exchange.route.removed_fields | ours | {b"accept-encoding"})

    # What its connection does.

    def answer_head(self, head: AnswerHead, framing: Framing) -> bytes:
        """Keep what the head says. The empty text: nobody else is given it."""
        self._status, self._fields = head.status, head.fields
        return b""

    def deliver(self, head: bytes, body: bytes, *, last: bool) -> None:
        """Keep a piece of the body. `Malformed` when there is more of it than is allowed."""
        self._room -= len(body)
        if self._room < 0:
            raise Malformed("an answer larger than the call allows")
        self._pieces.append(body)

    def answered(self) -> None:
        """The answer is complete."""
        self._connection = None
        self._end(Called(self._status, self._fields, b"".join(self._pieces)))

    def upstream_failed(self, reason: str, cause: str, *, answered: bool) -> None:
        """The connection ended, or the answer is nonsense. Asked again when that cannot do anything twice (REL-12)."""
        ended, self._connection = self._connection, None
        assert ended is not None  # noqa: S101
        repeatable = self._need.method in _REPEATABLE and self._need.body is None
        if repeatable and not answered and may_repeat(self, self._balancer, ended):
            seconds = self._need.call.upstream.connect_seconds
            again = reach_again(self, self._balancer, self._exchange, connect_seconds=seconds)
            self._exchange.worker.spawn(self._connected(again), self._exchange)
            return
        self._end(UpstreamFault(reason, call=self.name, cause=cause))

    def hold_client(self) -> None:
        """The target takes the call slowly. All of it is written already, and its time runs."""

    def release_client(self) -> None:
        """The target takes more of it."""

    def switching_head(self, head: AnswerHead) -> bytes:
        """Nothing was asked to switch, so the connection refuses this before."""
        raise Malformed("an upgrade nobody asked for")

    def begin_tunnel(self, upstream: UpstreamConnection, head: bytes) -> None:
        """As `switching_head`."""
        raise Malformed("an upgrade nobody asked for")

    def _end(self, said: Called | UpstreamFault) -> None:
        if self.finished:
            return
        self.drop()
        self._exchange.call = None
        self._done(said)
