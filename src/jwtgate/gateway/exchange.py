"""One request of a client and its answer: read, decided, forwarded, relayed.

The usual path is a row of plain calls without a task or a wait: the head is read, the route found, the outcome
remembered, a connection idle. Whatever has to wait (a key, a slow signature, a new connection) leaves that path for
a task and comes back to the same calls.
"""

from __future__ import annotations

import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING

from jwtgate.errors import Fault, Refusal, RequestRefused, RouteUnknown, UpstreamFault
from jwtgate.gateway.deciding import NEED_SECONDS, find_route
from jwtgate.gateway.grpc import LATE_END, call_answer, is_call
from jwtgate.gateway.heads.framing import Framing
from jwtgate.gateway.lateness import end_if_late
from jwtgate.gateway.listening.admission import REQUESTS
from jwtgate.gateway.memory import FOR_EVER
from jwtgate.gateway.relay import Upload, body_end
from jwtgate.gateway.respond import response
from jwtgate.gateway.saying_no import answer_to
from jwtgate.gateway.tunnels.tunnel import Tunnel
from jwtgate.gateway.upstreams.reaching import may_repeat, reach, reach_again
from jwtgate.policy.rooms.identify import ANONYMOUS, Principal

if TYPE_CHECKING:
    from jwtgate.gateway.calls.upstream_call import UpstreamCall
    from jwtgate.gateway.connection import ClientConnection
    from jwtgate.gateway.heads.answer_head import AnswerHead
    from jwtgate.gateway.heads.request_head import RequestHead
    from jwtgate.gateway.upstream import UpstreamConnection
    from jwtgate.policy.plan import Route
    from jwtgate.policy.request import RequestView
    from jwtgate.policy.value import Known

_NEVER = float("inf")
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_answer_lines", "_id_line", "_lines", "_response_chunked", "_sent", "answer_fields", "body_done", "call",
        "close", "connection", "consumer", "deadline", "detail", "finished", "forwarding", "generation", "head",
        "head_sent", "issuer", "known", "principal", "reason", "request_id", "retries", "route", "seen", "started",
        "status", "token_until", "tunnel", "upgrading", "upload", "upstream", "worker",
    )  # fmt: skip

    def __init__(self, connection: ClientConnection, head: RequestHead) -> None:
        self.connection = connection
        self.worker = connection.worker
        self.generation = connection.generation
        self.head = head
        self.started = time.monotonic()
        self.worker.in_flight += 1
        self.request_id = connection.worker.new_request_id()
        self.route: Route | None = None
        self.known: Known | None = None
        self.principal: Principal = ANONYMOUS
        """The caller, where the outcome was remembered and somebody may have to be told of it."""
        self.reason = self.issuer = self.consumer = self.detail = ""
        """What the log has of the caller and of a refusal, as it stands there."""
        self.token_until = FOR_EVER
        self.answer_fields: tuple[tuple[str, str], ...] = ()
        """What every answer says besides, whoever gives it."""
        self.status = self.retries = 0
        self.upstream: UpstreamConnection | None = None
        self.call: UpstreamCall | None = None
        self.tunnel: Tunnel | None = None
        self.upload: Upload | None = None
        self.forwarding = self.upgrading = self.body_done = self.head_sent = self.finished = self.close = False
        self.deadline = _NEVER
        """Until when the upstream, or what is needed to decide, may take."""
        self._response_chunked = False
        self._lines = self._answer_lines = self._id_line = b""
        self._sent: tuple[str, str] | None = None
        self.seen: RequestView | None = None

    def begin(self) -> None:
        """Read the head and do what it asks for."""
        try:
            self.connection.read_head(self.head)
        except Refusal as refusal:
            self.close = True  # where its body ends was not settled
            self.refuse(refusal)
            return
        if self.head.has_body:
            self.upload = Upload(self, self.head)
        else:
            self.body_done = True
        self._go()

    def begin_again(self) -> None:
        """As `begin`, for a head whose fields were read before, in another request."""
        if not self.head.path:
            try:
                self.head.read_target(self.generation.plan.paths)
            except Refusal as refusal:
                self.close = True
                self.refuse(refusal)
                return
        self.body_done = True
        self._go()

    def _go(self) -> None:
        self.request_id = self.head.request_id or self.request_id
        try:
            own = self.generation.own_addresses.get(self.head.path)
            if own is not None and self.worker.is_own(own, self.connection):
                self._answer_ourselves(own)
                return
            if self.connection.status_only:
                raise RouteUnknown("route_unknown")
            if self.worker.in_flight > self.worker.limits.requests:
                raise self.worker.admission.refusal(REQUESTS, self.worker.limits.requests)
            find_route(self)
        except (Refusal, Fault) as error:
            self.refuse(error)

    @property
    def id_field(self) -> tuple[str, str]:
        """The header field that tells the request's id."""
        return self.generation.plan.request_id_field, self.request_id

    def view(self) -> RequestView:
        """The request as the decision sees it."""
        if self.seen is None:
            of = self.connection
            fields = self.head.fields_told(of.kinds, self.generation.fields_read)
            self.seen = self.head.view(
                of.scheme, of.client, fields=fields, request_id=self.request_id, trusted=of.trusted, port=of.port
            )
        return self.seen

    @property
    def is_call(self) -> bool:
        """Whether this is a call of gRPC."""
        return self.route is not None and self.route.grpc and is_call(self.head)

    def note_body(self, body: bytes) -> None:
        """From now on the decision sees this body, which is all of it."""
        self.seen = replace(self.view(), body=body)

    # Forwarding.

    def forward(self, lines: bytes, answer_lines: bytes = b"", *, sent: tuple[str, str] | None = None) -> None:
        """Send the request on, with these lines of ours in its head, and others in that of its answer.

        `sent` is the method and the path that are asked for; None: the client's own.
        """
        route = self.route
        assert route is not None  # noqa: S101
        upstream = route.upstream
        self.forwarding = True
        self.upgrading = route.upgrade and self.head.asks_for_websocket
        self._lines, self._answer_lines, self._sent = lines, answer_lines, sent
        balancer = self.generation.balancers[upstream.name]
        pool = balancer.only
        if pool is None:
            try:
                pool = balancer.pick(self)
            except UpstreamFault as fault:
                self.refuse(fault)
                return
        connection = pool.take()
        if connection is not None:
            self._send(connection)
        else:
            self.deadline = time.monotonic() + upstream.connect_seconds + upstream.first_byte_seconds
            reaching = reach(self, balancer, pool, connect_seconds=upstream.connect_seconds)
            self.worker.spawn(self._connected(reaching), self)

    async def _connected(self, reaching: Coroutine[None, None, UpstreamConnection | None]) -> None:
        try:
            connection = await reaching
        except UpstreamFault as fault:
            if not self.finished:
                self.refuse(fault)
            return
        if connection is not None:
            self._send(connection)

    def _send(self, connection: UpstreamConnection) -> None:
        assert self.route is not None  # noqa: S101
        self.upstream = connection
        self.wait_for_upstream()
        told = self.connection.forwarded_lines(self.head.host_value)
        if connection.pool.tells_more:
            told += self.connection.more_lines(self.route, self.head)
        self._id_line = b"%b%b\r\n" % (self.generation.request_id_begun, self.request_id.encode())
        ours = b"".join((self._lines, told, self._id_line))
        head = self.head.written_for(
            self.route, host_line=connection.pool.host_line, ours=ours, upgrading=self.upgrading, sent=self._sent
        )
        connection.send(self, head)
        if self.connection.write_paused:
            connection.pause()
        if self.upload is not None:
            self.upload.start(connection)

    # The answer.

    def answer_head(self, head: AnswerHead, framing: Framing) -> bytes:
        """The head of the upstream's answer as the client gets it."""
        route = self.route
        assert route is not None  # noqa: S101
        self.status = head.status
        ours = b"".join((self._answer_lines, self._id_line, self.generation.told_lines))
        removed = route.answer_removed
        if self.answer_fields:
            ours += b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in self.answer_fields)
            removed |= {name.lower().encode() for name, _ in self.answer_fields}
        if framing is Framing.CHUNKED or framing is Framing.CLOSE:
            if self.head.http_11:
                self._response_chunked = True
                ours += b"Transfer-Encoding: chunked\r\n"
            else:
                self.close = True
        if self.close or self.worker.draining:
            self.close = True
            ours += b"Connection: close\r\n"
        elif not self.head.http_11:
            ours += b"Connection: keep-alive\r\n"
        return head.written(ours, private=route.private_responses and bool(route.slots), removed=removed)

    def wait_for_upstream(self) -> None:
        """From now on it is the upstream's turn, and its time runs."""
        self.deadline = time.monotonic() + self.route.upstream.first_byte_seconds  # type: ignore[union-attr]

    def deliver(self, head: bytes, body: bytes, *, last: bool) -> None:
        """A piece of the answer for the client: its head, if it is the first, and some of its body."""
        if self._response_chunked:
            end = body_end(self.route, self.upstream) if last else b""
            body = b"%x\r\n%b\r\n%b" % (len(body), body, end) if body else end
        self.head_sent = True
        self.connection.write(head + body)
        if last:
            return
        self._end_retries()
        self.deadline = time.monotonic() + self.route.upstream.idle_seconds  # type: ignore[union-attr]
        if self.connection.write_paused and self.upstream is not None:
            self.upstream.pause()

    def answered(self) -> None:
        """The upstream's answer is complete."""
        self.upstream = None
        if not self.body_done:
            self.close = self.close or not self._is_rest_small()
        self._finish()

    def upstream_failed(self, reason: str, cause: str, *, answered: bool) -> None:
        """The upstream ended or answered nonsense. Retried when that cannot do anything twice (REL-12)."""
        ended, self.upstream = self.upstream, None
        if self.finished:
            return
        assert self.route is not None and ended is not None  # noqa: S101, PT018
        balancer = self.generation.balancers[self.route.upstream.name]
        method = self.head.method if self._sent is None else self._sent[0]
        replayable = (method in _IDEMPOTENT or reason == "upstream_refused") and not self.head.has_body
        if replayable and not answered and may_repeat(self, balancer, ended):
            seconds = self.route.upstream.connect_seconds
            self.worker.spawn(self._connected(reach_again(self, balancer, self, connect_seconds=seconds)), self)
            return
        self.cut(UpstreamFault(reason, cause=cause))

    def refuse(self, error: Refusal | Fault) -> None:
        """Answer with a refusal or a fault."""
        self.reason = error.reason
        status, fields, body = answer_to(error, self)
        self.answer(status, [*fields, self.id_field], body)

    def answer(self, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
        """Answer on our own, whatever the upstream may still do."""
        self._leave_upstream()
        self.status = status
        self.head_sent = True
        self.close = self.close or self.worker.draining or not self._is_rest_small()
        said = [*fields, *self.answer_fields, *self.generation.told_fields]
        if self.is_call:
            status, said = call_answer(status, said, self.reason)
            body = b""
        self.connection.write(response(status, said, body, close=self.close, head_only=self.head.method == "HEAD"))
        self.connection.release(self.connection.BODY)
        self._finish()

    def _is_rest_small(self) -> bool:
        return self.body_done or (self.upload is not None and self.upload.is_rest_small)

    def _answer_ourselves(self, own: str) -> None:
        if self.head.method not in ("GET", "HEAD"):
            raise RequestRefused("method_refused", method=self.head.method)
        self.deadline = time.monotonic() + NEED_SECONDS
        self.worker.spawn(self._answer_own(own), self)

    async def _answer_own(self, own: str) -> None:
        status, fields, body = await self.worker.own_answer(own, self)
        if not self.finished:
            self.answer(status, fields, body)

    # Ends.

    def switching_head(self, head: AnswerHead) -> bytes:
        """The head of an upstream's answer that switches protocols, as the client gets it."""
        assert self.route is not None  # noqa: S101
        return head.switching(self._answer_lines, removed=self.route.answer_removed)

    def begin_tunnel(self, upstream: UpstreamConnection, head: bytes) -> None:
        """The upstream has switched protocols: from now on frames go both ways, and no request is in flight."""
        self.worker.in_flight -= 1
        self._end_retries()
        self.status = 101
        self.head_sent = True
        self.connection.write(head)
        closes = self.route is not None and self.route.close_on_expiry
        self.tunnel = Tunnel(self.connection, upstream, until=self.token_until if closes else FOR_EVER)
        if early := self.connection.take_ahead():
            self.tunnel.from_client(early)
        if self.worker.draining:
            self.tunnel.leave()

    def hold_client(self) -> None:
        """The upstream is slow to take what the client sends: read no more of it for now."""
        if self.upload is not None:
            self.upload.held()
        self.connection.hold(self.connection.UPSTREAM)

    def release_client(self) -> None:
        """The upstream takes more of what the client sends."""
        if self.upload is not None:
            self.upload.released()
        self.connection.release(self.connection.UPSTREAM)

    def client_lost(self) -> None:
        """The client is gone: so is its request (REL-22)."""
        if self.tunnel is not None:
            self.tunnel.close()
            self.worker.in_flight += 1
        else:
            self._leave_upstream()
        self.upstream = None
        if not self.finished:
            self.reason = self.reason or ("" if self.tunnel else "client_gone")
            self.status = self.status or 499
            self._finish()

    def check_time(self, now: float) -> None:
        """End this exchange if one of its limits has passed at `now` (monotonic)."""
        end_if_late(self, now)

    def cut(self, error: Refusal | Fault) -> None:
        """End with this error: as an answer while there is none yet, else by breaking the connection."""
        # What is the client's fault leaves nobody sure of where its next request begins.
        self.close = self.close or isinstance(error, Refusal) or self.finished
        if self.finished:
            self.connection.exchange_over(self)
        elif not self.head_sent:
            self.refuse(error)
        else:
            self.reason = "client_slow" if self.connection.write_paused else error.reason
            self._leave_upstream()
            if self.reason == "deadline_passed" and self._response_chunked:
                self.close = self.close or not self.body_done
                self.connection.write(LATE_END)
            else:
                self.connection.abort()
            self._finish()

    def _leave_upstream(self) -> None:
        if self.call is not None:
            self.call.drop()
            self.call = None
        if self.upstream is not None:
            self.upstream.drop()
            self.upstream = None

    def _end_retries(self) -> None:
        """An answer that has begun, and may go on for days, is not tried again."""
        if self.retries:
            balancer = self.generation.balancers[self.route.upstream.name]  # type: ignore[union-attr]
            balancer.roster.budget.give_back(self.retries)
            self.retries = 0

    def _finish(self) -> None:
        self.finished = True
        if self.retries:
            self._end_retries()
        self.deadline = _NEVER
        if self.connection.holds:
            self.connection.release(self.connection.UPSTREAM)
        self.worker.finished(self)
        if self.upload is None or self.body_done or self.close:
            self.connection.exchange_over(self)
        else:
            self.upload.abandon()
