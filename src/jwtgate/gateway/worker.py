"""One process of the data plane: its sockets, its connections, the current generation, and the way out."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count

from jwtgate.errors import DependencyFault, RequestRefused
from jwtgate.gateway.calls.upstream_call import UpstreamCall
from jwtgate.gateway.connection import ClientConnection
from jwtgate.gateway.exchange import Exchange
from jwtgate.gateway.generation import HEALTHZ, Generation
from jwtgate.gateway.heads.fields import MOST_NAMES, host_name
from jwtgate.gateway.http2.front import Front
from jwtgate.gateway.listening.admission import CONNECTIONS, STATUS_CONNECTIONS, Admission
from jwtgate.gateway.listening.certificates import Shown
from jwtgate.gateway.listening.doors import Doors
from jwtgate.gateway.logs.access_log import AccessLog
from jwtgate.gateway.memory import let_go
from jwtgate.gateway.mint import NeedMinted
from jwtgate.gateway.observe import Counters, Report
from jwtgate.gateway.respond import STATUS_ONLY, OwnAnswer, own_answer, refusal_body, refusal_fields, response
from jwtgate.gateway.upstreams.counts import TargetCount, counts_of
from jwtgate.policy.calls.call import NeedCall
from jwtgate.policy.facts import Need, NeedClaims, NeedIssuedToken, NeedKeys, NeedSigned
from jwtgate.policy.plan import Listener
from jwtgate.state.signers import Signers

_log = logging.getLogger("jwtgate.gateway")
_TICK_SECONDS = 0.25
_HERE = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
_OF_PROXIES = frozenset({b"x-forwarded-for", b"forwarded", b"via"})
_OUTCOMES = "outcomes"
_LAST_DIGITS = tuple(f"{number:03x}" for number in range(0x1000))
_SIGNING_THREADS = 2
_PLUG_IN_THREADS = 4


class HostNames(dict[bytes, str]):
    """The host behind each raw `Host` value, worked out once. Refuses what is not valid."""

    def __missing__(self, value: bytes) -> str:
        host = host_name(value)
        if host is None:
            raise RequestRefused("request_malformed", cause="Host")
        if len(self) < MOST_NAMES:
            self[value] = host
        return host


class Worker:
    """Serves the current generation on the sockets it is given.

    `answer` meets a need of a generation that has to wait and raises `DependencyFault` when it cannot; `report` tells
    the state of the whole node. Both are function calls in one process, and messages to the supervisor where there are
    several.
    """

    def __init__(
        self,
        generation: Generation,
        *,
        answer: Callable[[Need | NeedMinted, Generation], Awaitable[object]],
        report: Callable[[], Awaitable[Report]],
        log_descriptor: int,
    ) -> None:
        self.generation = generation
        self.limits = generation.plan.limits
        self.counters = Counters()
        self.in_flight = 0
        self.admission = Admission()
        self.draining = False
        self._evicted_before = Counter[str]()
        self.host_names = HostNames()
        self._answer = answer
        self._report = report
        self._connections: set[ClientConnection | Front] = set()
        self._turned_away: set[ClientConnection | Front] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._doors = Doors(self.admission)
        self._shown: list[Shown | None] = []
        self._log = AccessLog(log_descriptor)
        self._ids = _request_ids(secrets.randbits(51))
        self._signers = Signers(_SIGNING_THREADS, wake=asyncio.get_running_loop().call_soon_threadsafe)
        self._plug_ins: Signers | None = None
        self._status_listener = False
        self._left_alone = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    # Life.

    async def listen(self, sockets: Sequence[tuple[Listener, socket.socket]]) -> None:
        """Begin to accept connections."""
        self._status_listener = any(listener.status_only for listener, _ in sockets)
        for listener, bound in sockets:
            shown = None if listener.tls is None else Shown(self.generation.contexts[listener])
            self._shown.append(shown)
            await self._doors.open(
                bound,
                self._protocol_for(listener),
                always_open=listener.status_only,
                ssl=shown.context if shown else None,
                ssl_handshake_timeout=self.limits.head_seconds if shown else None,
            )
        self.generation.upstreams.begin(None)
        self._timer = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _protocol_for(self, listener: Listener) -> Callable[[], ClientConnection | Front]:
        scheme = "http" if listener.tls is None else "https"
        made = Front if listener.http2 else ClientConnection
        return lambda: made(self, scheme=scheme, status_only=listener.status_only)

    def adopt(self, generation: Generation) -> None:
        """Serve this generation from the next request on."""
        previous, self.generation = self.generation, generation
        self._evicted_before[_OUTCOMES] += previous.memory.evicted
        for cache, (_, evicted) in previous.caches().items():
            self._evicted_before[cache] += evicted
        self.limits = generation.plan.limits
        for shown, listener in zip(self._shown, generation.plan.listeners, strict=False):
            if shown is not None:
                shown.show(generation.contexts[listener])
        generation.upstreams.begin(previous.upstreams)
        previous.upstreams.close()
        previous.memory.forget_all()
        # Whoever is the last to hold it, its routes go little by little.
        weakref.finalize(previous, let_go, dict(enumerate(previous.plan.routes)))

    async def drain(self, seconds: float) -> None:
        """Accept nothing more, let requests finish for this long, close what is left."""
        self.draining = True
        self._doors.close()
        for connection in list(self._connections):
            connection.leave()
        if self._connections:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._left_alone.wait()
        for connection in (*self._connections, *self._turned_away):
            connection.abort()
        await self._end()

    async def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.sleep(0)
        self.generation.upstreams.close()
        self._signers.close()
        if self._plug_ins is not None:
            self._plug_ins.close()
        self._log.close()

    def _tick(self) -> None:
        now = time.monotonic()
        for connection in (*self._connections, *self._turned_away):
            try:
                connection.check_time(now)
            except Exception as error:  # a bug at one connection must not stop the clock of all
                self.failed(error)
                connection.abort()
        self._doors.look()
        self.admission.look(now)
        self.generation.upstreams.look(now)
        self._log.flush()
        self._timer = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def count_now(self) -> Counters:
        """The counters as of now."""
        counters = self.counters
        counters.connections_open = len(self._connections)
        counters.requests_in_flight = self.in_flight
        counters.overloads = self.admission.began
        counters.overloaded = int(self.admission.overloaded)
        counters.remembered_entries = len(self.generation.memory)
        counters.log_lines_lost = self._log.lost
        counters.upstreams = counts_of(self.generation.upstreams.rosters.values())
        before = self._evicted_before
        counters.remembered_evictions = before[_OUTCOMES] + self.generation.memory.evicted
        for cache, (entries, evicted) in self.generation.caches().items():
            counters.cache_entries[cache] = entries
            counters.cache_evictions[cache] = before[cache] + evicted
        return counters

    # Connections.

    def opened(self, connection: ClientConnection | Front) -> None:
        """A client has connected. Over the limit it is told to come back later (REL-17)."""
        self.counters.connections += 1
        most = self.limits.connections + (STATUS_CONNECTIONS if connection.status_only else 0)
        if len(self._connections) >= most:
            self.counters.connections_refused += 1
            fault = self.admission.refusal(CONNECTIONS, self.limits.connections)
            body = refusal_body(fault, self.new_request_id())
            answer = response(fault.status, refusal_fields(fault, None), body, close=True, head_only=False)
            self._turned_away.add(connection)
            connection.turn_away(answer)
            return
        self._connections.add(connection)

    def closed(self, connection: ClientConnection | Front) -> None:
        """A client's connection is gone."""
        self._connections.discard(connection)
        self._turned_away.discard(connection)
        if self.draining and not self._connections:
            self._left_alone.set()

    def finished(self, exchange: Exchange) -> None:
        """Count and log an exchange that has ended."""
        self.in_flight -= 1
        seconds = time.monotonic() - exchange.started
        route = exchange.route.name if exchange.route is not None else ""
        self.counters.count(route, exchange.status, exchange.reason, seconds=seconds)
        self._log.line(exchange, route, seconds)

    # What exchanges ask for.

    def new_request_id(self) -> str:
        """An id no other request of this process has."""
        return next(self._ids)

    def spawn(self, work: Coroutine[None, None, None], exchange: Exchange) -> None:
        """Run what has to wait. A bug in it is a 500 for its exchange, never silence."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._done(done, exchange))

    def _done(self, task: asyncio.Task[None], exchange: Exchange) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error)
            if not exchange.finished:
                exchange.cut(DependencyFault("internal"))

    def failed(self, error: BaseException) -> None:
        """Note a bug: something other than a refusal or a fault left a room."""
        _log.error("internal", exc_info=error)

    def meet(self, exchange: Exchange, need: Need | NeedMinted, done: Callable[[object], None]) -> None:
        """Meet a need that has to be waited for, and go on with its answer or with the fault in its place."""
        generation = exchange.generation
        if isinstance(need, NeedIssuedToken):
            token = partial(generation.issued_tokens.issue, need, time.time())
            self._have_done(self._signers, exchange, token, done=done)
        elif isinstance(need, NeedSigned):
            self._have_done(self._signers, exchange, partial(generation.signed_tokens.sign, need), done=done)
        elif isinstance(need, NeedClaims):
            # A plug-in is somebody else's code, and may take its time, or never end: no signature waits behind it.
            if self._plug_ins is None:
                self._plug_ins = Signers(_PLUG_IN_THREADS, wake=asyncio.get_running_loop().call_soon_threadsafe)
            claims = partial(generation.claim_generators.generate, need)
            self._have_done(self._plug_ins, exchange, claims, done=done)
        elif isinstance(need, NeedCall):
            exchange.call = UpstreamCall(need, exchange, partial(self._go_on, exchange, done))
            exchange.call.begin()
        else:
            self.spawn(self._ask(generation, need, done), exchange)

    def _have_done(
        self, threads: Signers, exchange: Exchange, work: Callable[[], object], *, done: Callable[[object], None]
    ) -> None:
        """Have this done on a thread, unless nobody waits for it any more when its turn comes."""
        threads.submit(lambda: None if exchange.finished else work(), partial(self._go_on, exchange, done))

    async def _ask(self, generation: Generation, need: Need | NeedMinted, done: Callable[[object], None]) -> None:
        if isinstance(need, NeedKeys) and generation is not self.generation:
            # Nobody tells an old generation of new keys; whoever tries again is judged by today's document.
            done(DependencyFault("issuer_unreachable", retry_after_seconds=1, cause="the document has changed"))
            return
        try:
            answer = await self._answer(need, generation)
        except DependencyFault as fault:
            done(fault)
        else:
            done(answer)

    def _go_on(self, exchange: Exchange, done: Callable[[object], None], answer: object) -> None:
        try:
            done(answer)
        except Exception as error:
            self.failed(error)
            exchange.cut(DependencyFault("internal"))

    def is_own(self, name: str, connection: ClientConnection) -> bool:
        """Whether this address of ours is served on the listener of this connection."""
        if connection.status_only:
            return name in STATUS_ONLY
        if name == HEALTHZ and not connection.generation.plan.own.health:
            return False
        return name not in STATUS_ONLY or not self._status_listener

    async def own_answer(self, name: str, exchange: Exchange) -> OwnAnswer:
        """The answer of one of our own addresses. Where targets are is not for every client to know (SEC-140)."""
        told = self._report if _is_within(exchange) else self._report_for_everybody
        return await own_answer(name, exchange.generation, told)

    async def _report_for_everybody(self) -> Report:
        report = await self._report()
        counts = tuple(each for each in report.counters.upstreams if not isinstance(each, TargetCount))
        return replace(report, counters=replace(report.counters, upstreams=counts))


def _request_ids(first: int) -> Iterator[str]:
    """Ids of 16 digits, those of one block after the other from this one on: most of their digits are written once."""
    for block in count(first):
        begun = f"{block:013x}"
        for end in _LAST_DIGITS:
            yield begun + end


def _is_within(exchange: Exchange) -> bool:
    """Whether somebody asks at an address for that alone, or on this machine and not through a proxy."""
    if exchange.connection.status_only:
        return True
    through_a_proxy = any(name.lower() in _OF_PROXIES for name, _ in exchange.head.fields)
    return exchange.connection.client in _HERE and not through_a_proxy
