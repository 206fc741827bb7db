"""One request of a client and its answer: read, decided, forwarded, relayed.

The usual path is a row of plain calls without a task or a wait: the head is read, the route found, the outcome
remembered, a connection idle. Whatever has to wait (a key, a slow signature, a new connection) leaves that path for
a task and comes back to the same calls.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import TYPE_CHECKING

from jwtgate.errors import DependencyFault, Fault, Refusal, RequestRefused, RouteUnknown, UpstreamFault
from jwtgate.gateway.answer_head import Framing, answer_lines, framing_lines
from jwtgate.gateway.fields import FORWARD
from jwtgate.gateway.memory import FOR_EVER, Remembered
from jwtgate.gateway.respond import refusal_body, refusal_fields, response
from jwtgate.gateway.tunnel import Tunnel
from jwtgate.policy.decide import decide
from jwtgate.policy.outcome import Allowed, Failed, Outcome, Refused
from jwtgate.policy.request import RequestView

if TYPE_CHECKING:
    from jwtgate.gateway.balancer import Pool
    from jwtgate.gateway.connection import ClientConnection
    from jwtgate.gateway.request_head import RequestHead
    from jwtgate.gateway.upstream import UpstreamConnection
    from jwtgate.policy.facts import Need, Steps
    from jwtgate.policy.plan import Route

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_DRAINED_BYTES = 64 * 1024
"""How much of a refused body is read and dropped so that the connection can be used again."""
TUNNEL_IDLE_SECONDS = 3600.0
_RATE_GRACE_SECONDS = 10.0
NEED_SECONDS = 15.0
"""The longest a request waits for a key or a signature; what it waits for has shorter limits of its own."""


class Exchange:
    """One request and its answer."""

    route: Route | None = None
    reason = ""
    issuer = ""
    status = 0
    upstream: UpstreamConnection | None = None
    tunnel: Tunnel | None = None
    upgrading = False
    on_used_connection = False
    retried = False
    body_done = False
    response_chunked = False
    head_sent = False
    finished = False
    close = False
    received_bytes = 0
    deadline = float("inf")
    body_deadline = float("inf")
    _upstream_head = b""
    _lines = b""

    def __init__(self, connection: ClientConnection, head: RequestHead) -> None:
        self.connection = connection
        self.worker = connection.worker
        self.generation = connection.worker.generation
        self.head = head
        self.started = time.monotonic()
        self.request_id = connection.worker.new_request_id()
        self._pending: list[bytes] = []

    def begin(self) -> None:
        """Read the head and do what it asks for."""
        try:
            generation = self.generation
            self.head.read(self.connection.kinds, self.worker.host_names, paths=generation.plan.paths)
            self.request_id = self.head.request_id or self.request_id
            own = generation.own_addresses.get(self.head.path)
            if own is not None and self.worker.is_own(own, self.connection):
                self._answer_ourselves(own)
                return
            if self.connection.status_only:
                raise RouteUnknown("route_unknown")
            self._find_route()
        except (Refusal, Fault) as error:
            self.refuse(error)

    # Deciding.

    def _find_route(self) -> None:
        generation = self.generation
        route = generation.plan.router.find(self.head.method, self.head.host, self.head.path)
        if route is None:
            raise RouteUnknown("route_unknown", method=self.head.method)
        self.route = route
        if self.head.length is not None and self.head.length > route.body_limit_bytes:
            raise RequestRefused("request_too_large", limit_bytes=route.body_limit_bytes)
        key = self._memory_key(route)
        if key is not None:
            remembered = generation.memory.recall(key, int(time.time()))
            if remembered is not None:
                self.worker.counters.remembered_hits += 1
                self.issuer = remembered.issuer
                self._forward(remembered.lines)
                return
        self._decide(key)

    def _memory_key(self, route: Route) -> Hashable | None:
        """Everything of this request the decision reads besides the route, or None when it cannot be told."""
        if not route.remembered or self.head.authorization_repeated:
            return None
        if route.forward_cors_preflight and self.head.method == "OPTIONS":
            return None  # a preflight passes without what the same route asks of everybody else
        places = self.generation.places[route.name]
        if places.only_authorization:
            return (id(route), self.head.authorization)
        values = tuple(
            field for name, value in self.head.fields if (field := (name.lower(), value))[0] in places.fields
        )
        cookie = self.head.cookie if places.cookies else None
        return (id(route), self.head.authorization, values, cookie, self.head.query if places.query else b"")

    def _decide(self, key: Hashable | None) -> None:
        view = RequestView(
            method=self.head.method,
            scheme=self.connection.scheme,
            host=self.head.host,
            path=self.head.path,
            query=self.head.query.decode("ascii"),
            fields=tuple((name.lower(), value) for name, value in self.head.fields),
            client=self.connection.client,
        )
        generation, now = self.generation, int(time.time())
        epoch = generation.epoch
        walk = decide(generation.plan, view, generation.facts, now)
        try:
            need = next(walk)
            while (answer := generation.answer_now(need, now)) is not None:
                need = walk.send(answer)
        except StopIteration as end:
            self._carry_out(end.value, key, epoch=epoch)
            return
        self._wait(NEED_SECONDS)
        self.worker.spawn(self._decide_later(walk, need, key=key, epoch=epoch), self)

    async def _decide_later(self, walk: Steps[Outcome], need: Need, *, key: Hashable | None, epoch: int) -> None:
        outcome = await self.worker.drive(self.generation, walk, need)
        if not self.finished:
            self._carry_out(outcome, key, epoch=epoch)

    def _carry_out(self, outcome: Outcome, key: Hashable | None, *, epoch: int) -> None:
        if isinstance(outcome, Refused):
            self.refuse(outcome.refusal)
            return
        if isinstance(outcome, Failed):
            self.refuse(outcome.fault)
            return
        assert isinstance(outcome, Allowed)  # noqa: S101
        lines = b"".join(b"%b: %b\r\n" % field for field in outcome.rewrite.fields)
        self.issuer = ",".join(proven.issuer.name for proven in outcome.trail.proven.values())
        # What was decided with keys that have changed meanwhile is used once and not remembered.
        if key is not None and epoch == self.generation.epoch:
            until = outcome.good_until if outcome.good_until is not None else FOR_EVER
            self.generation.memory.remember(key, Remembered(lines, until, self.issuer))
        try:
            self._forward(lines)
        except (Refusal, Fault) as error:
            self.refuse(error)

    # Forwarding.

    def _forward(self, lines: bytes) -> None:
        route = self.route
        assert route is not None  # noqa: S101
        self.upgrading = self._is_upgrade(route)
        self._lines = lines
        self._wait(route.upstream.connect_seconds + route.upstream.first_byte_seconds)
        pool = self.generation.balancers[route.upstream.name].pick()
        connection = pool.take()
        if connection is not None:
            self._send(connection)
        else:
            self.worker.spawn(self._connect(pool), self)

    def _is_upgrade(self, route: Route) -> bool:
        if self.head.upgrade is None or b"upgrade" not in self.head.nominated:
            return False
        if route.upgrade and self.head.upgrade == b"websocket" and self.head.method == "GET" and self.head.http_11:
            return True
        self.close = True  # the parser takes what follows for another protocol
        return False

    async def _connect(self, pool: Pool) -> None:
        try:
            connection = await pool.connect()
        except UpstreamFault as fault:
            pools = self.generation.balancers[self.route.upstream.name].pools  # type: ignore[union-attr]
            if len(pools) > 1 and not self.retried and not self.finished:
                self.retried = True
                self.worker.counters.upstream_retries += 1
                await self._connect(pools[(pools.index(pool) + 1) % len(pools)])
            elif not self.finished:
                self.refuse(fault)
            return
        if self.finished:
            connection.drop()
            return
        self._send(connection)

    def _send(self, connection: UpstreamConnection) -> None:
        self.upstream = connection
        connection.send(self, self._head(connection.pool))
        if self.head.expects_continue and not self.body_done and not self.received_bytes:
            self.connection.write(_CONTINUE)
        if self._pending:
            pending, self._pending = self._pending, []
            for data in pending:
                connection.transport.write(data)
        self.connection.release(self.connection.BODY)

    def _head(self, pool: Pool) -> bytes:
        assert self.route is not None  # noqa: S101
        told = self.connection.forwarded_lines(self.head.host_value)
        ours = b"%b%bX-Request-Id: %b\r\n" % (self._lines, told, self.request_id.encode())
        return self.head.written_for(self.route, host_line=pool.host_line, ours=ours, upgrading=self.upgrading)

    # The body of the request.

    def body(self, data: bytes) -> None:
        """A piece of the body, out of its framing."""
        self.received_bytes += len(data)
        if self.finished or (self.head_sent and self.upstream is None):
            if self.received_bytes > _DRAINED_BYTES:
                self.connection.abandon()
            return
        if self.route is not None and self.received_bytes > self.route.body_limit_bytes:
            self._cut(RequestRefused("request_too_large", limit_bytes=self.route.body_limit_bytes))
            return
        self.body_deadline = time.monotonic() + self.generation.plan.limits.body_idle_seconds
        piece = b"%x\r\n%b\r\n" % (len(data), data) if self.head.chunked else data
        if self.upstream is None:
            self._pending.append(piece)
            self.connection.hold(self.connection.BODY)
        else:
            self.upstream.transport.write(piece)

    def body_end(self) -> None:
        """The request is complete."""
        self.body_done = True
        self.body_deadline = float("inf")
        if self.head.chunked and not self.finished:
            if self.upstream is not None:
                self.upstream.transport.write(b"0\r\n\r\n")
            elif not self.head_sent:
                self._pending.append(b"0\r\n\r\n")
        if self.finished:
            self.connection.exchange_over(self)

    # The answer.

    def answer_head(self, status: int, fields: list[tuple[bytes, bytes]], framing: Framing) -> bytes:
        """The head of the upstream's answer as the client gets it."""
        route = self.route
        assert route is not None  # noqa: S101
        self.status = status
        self.head_sent = True
        private = route.private_responses and bool(route.slots)
        lines = answer_lines(status, fields, kinds=self.generation.response_kinds, private=private)
        framing_line, self.response_chunked, only_close_ends = framing_lines(framing, http_11=self.head.http_11)
        self.close = self.close or only_close_ends or not self.connection.keep_alive or self.worker.draining
        lines.append(framing_line)
        if self.close:
            lines.append(b"Connection: close\r\n")
        elif not self.head.http_11:
            lines.append(b"Connection: keep-alive\r\n")
        lines += (b"X-Request-Id: ", self.request_id.encode(), b"\r\n\r\n")
        return b"".join(lines)

    def deliver(self, data: bytes) -> None:
        """Bytes of the answer, ready for the client."""
        self.deadline = self.touch() + self.route.upstream.idle_seconds  # type: ignore[union-attr]
        self.connection.write(data)
        if self.connection.write_paused and self.upstream is not None:
            self.upstream.pause()

    def touch(self) -> float:
        """The instant of the monotonic clock, in seconds."""
        return time.monotonic()

    def answered(self) -> None:
        """The upstream's answer is complete."""
        self.upstream = None
        self._finish()

    def upstream_failed(self, reason: str, cause: str, *, answered: bool) -> None:
        """The upstream ended or answered nonsense. Retried once when that cannot do anything twice (REL-12)."""
        self.upstream = None
        if self.finished:
            return
        if self.head_sent:
            self.reason = reason
            self._finish()
            self.connection.abort()
            return
        replayable = self.head.method in _IDEMPOTENT and self.head.length in (None, 0) and not self.head.chunked
        if self.on_used_connection and not answered and replayable and not self.retried:
            self.retried = True
            self.worker.counters.upstream_retries += 1
            pool = self.generation.balancers[self.route.upstream.name].pick()  # type: ignore[union-attr]
            self.worker.spawn(self._connect(pool), self)
            return
        self.refuse(UpstreamFault(reason, cause=cause))

    def refuse(self, error: Refusal | Fault) -> None:
        """Answer with a refusal or a fault."""
        self.reason = error.reason
        body = refusal_body(error, self.request_id)
        fields = [*refusal_fields(error, self.route), ("X-Request-Id", self.request_id)]
        self.answer(error.status, fields, body)

    def answer(self, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
        """Answer on our own, whatever the upstream may still do."""
        if self.upstream is not None:
            self.upstream.drop()
            self.upstream = None
        self.status = status
        self.head_sent = True
        self._pending = []
        has_body = not self.body_done and self.head.has_body
        drained = (
            has_body
            and not self.head.chunked
            and not self.head.expects_continue
            and (self.head.length or 0) <= _DRAINED_BYTES
        )
        unreadable = self.reason in ("request_malformed", "request_head_too_large", "request_slow")
        self.close = (
            self.close or unreadable or not self.connection.keep_alive or self.worker.draining
            or self.head.upgrade is not None or (has_body and not drained)
        )  # fmt: skip
        head_only = self.head.method == "HEAD"
        self.connection.write(response(status, fields, body, close=self.close, head_only=head_only))
        self.connection.release(self.connection.BODY)
        self._finish()

    def _answer_ourselves(self, own: str) -> None:
        if self.head.method not in ("GET", "HEAD"):
            raise RequestRefused("method_refused", method=self.head.method)
        self._wait(NEED_SECONDS)
        self.worker.spawn(self._answer_own(own), self)

    async def _answer_own(self, own: str) -> None:
        status, fields, body = await self.worker.own_answer(own, self.generation)
        if not self.finished:
            self.answer(status, fields, body)

    # Ends.

    def begin_tunnel(self, fields: list[tuple[bytes, bytes]], rest: bytes) -> None:
        """The upstream has switched protocols: from now on bytes go both ways untouched."""
        assert self.upstream is not None  # noqa: S101
        self.status = 101
        self.head_sent = True
        kinds = self.generation.response_kinds
        passed = b"".join(b"%b: %b\r\n" % field for field in fields if kinds[field[0]] == FORWARD)
        head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n%b\r\n" % passed
        self.tunnel = Tunnel(self.connection.transport, self.upstream.transport, now=self.touch())
        self.connection.write(head + rest)
        early = self.connection.take_early_bytes()
        if early:
            self.upstream.transport.write(early)

    def hold_client(self) -> None:
        """The upstream is slow to take the body: read no more of it for now."""
        self.connection.hold(self.connection.UPSTREAM)

    def release_client(self) -> None:
        """The upstream takes more of the body."""
        self.connection.release(self.connection.UPSTREAM)

    def client_lost(self) -> None:
        """The client is gone: so is its request (REL-22)."""
        if self.tunnel is not None:
            self.tunnel.close()
        elif self.upstream is not None:
            self.upstream.drop()
        self.upstream = None
        if not self.finished:
            self.reason = self.reason or ("" if self.tunnel else "client_gone")
            self.status = self.status or 499
            self._finish()

    def check_time(self, now: float) -> None:
        """End this exchange if one of its limits has passed at `now` (monotonic)."""
        if self.tunnel is not None:
            if now - self.tunnel.last_use > TUNNEL_IDLE_SECONDS:
                self.tunnel.close()
            return
        if not self.body_done and (now > self.body_deadline or self._too_slow(now)):
            self._cut(RequestRefused("request_slow"))
            return
        whole = self.route.request_seconds if self.route is not None else None
        if now > self.deadline or (whole is not None and now > self.started + whole):
            self._cut(UpstreamFault("upstream_slow") if self.upstream else DependencyFault("overloaded"))

    def _too_slow(self, now: float) -> bool:
        elapsed = now - self.started
        least = self.generation.plan.limits.body_least_bytes_per_second
        return elapsed > _RATE_GRACE_SECONDS and self.received_bytes < least * (elapsed - _RATE_GRACE_SECONDS)

    def _cut(self, error: Refusal | Fault) -> None:
        """End with this error: as an answer while there is none yet, else by breaking the connection."""
        if self.finished:
            self.connection.abandon()
            return
        if not self.head_sent:
            self.refuse(error)
            return
        self.reason = error.reason
        if self.upstream is not None:
            self.upstream.drop()
            self.upstream = None
        self._finish()
        self.connection.abort()

    def _wait(self, seconds: float) -> None:
        now = time.monotonic()
        self.deadline = now + seconds
        if not self.body_done:
            self.body_deadline = now + self.generation.plan.limits.body_idle_seconds

    def _finish(self) -> None:
        self.finished = True
        self.deadline = float("inf")
        self.connection.release(self.connection.UPSTREAM)
        self.worker.finished(self)
        if self.body_done or self.close:
            self.connection.exchange_over(self)
        else:
            self.body_deadline = time.monotonic() + 2.0
