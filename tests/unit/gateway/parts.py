"""A gateway without sockets: transports that write down what happens to them, and small plans with real keys.

A `Gate` is one client connection with everything behind it. Nothing happens by itself: `settle` does what an event
loop would do next, until nothing is left to do.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tests.unit.gateway.messages import whole_request

from jwtgate.config.compile.document import compile_document
from jwtgate.config.load import load_document
from jwtgate.errors import UpstreamFault
from jwtgate.gateway.connection import ClientConnection
from jwtgate.gateway.exchange import Exchange
from jwtgate.gateway.generation import Generation
from jwtgate.gateway.listening.admission import Admission
from jwtgate.gateway.observe import Counters, Report
from jwtgate.gateway.respond import OwnAnswer, own_answer
from jwtgate.gateway.upstream import UpstreamConnection
from jwtgate.gateway.upstreams.balancer import Balancer
from jwtgate.gateway.upstreams.pool import Pool
from jwtgate.gateway.upstreams.roster import Roster
from jwtgate.gateway.worker import HostNames
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import sign_token
from jwtgate.policy.facts import Need
from jwtgate.policy.plan import Plan
from jwtgate.state.answers import Snapshot
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.issued_tokens import IssuedTokens
from jwtgate.state.keys.keyring import Signer

ISS, AUDIENCE = "https://idp.example", "orders"
KEY, OTHER_KEY = generate_key("ES256", kid="k1"), generate_key("ES256", kid="k1")
SIGNER = generate_key("ES256", kid="ours")
SLOW_SIGNER = generate_key("RS256", kid="ours")
KEYS = KeySet((KEY.public(),)).bound(frozenset({"ES256"}))
CLIENT = "192.0.2.7"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

DOCUMENT: dict[str, Any] = {
    "listen": "127.0.0.1:8080",
    "issuers": {
        "main": {
            "issuer": ISS,
            "keys": {"url": "http://127.0.0.1:9010/jwks"},
            "algorithms": ["ES256"],
            "audience": AUDIENCE,
        }
    },
    "signing": {"issuer": "https://gate.example"},
    "upstreams": {"echo": {"targets": ["http://127.0.0.1:9020"]}},
    "routes": {
        "orders": {
            "path": "/orders/*",
            "auth": "required",
            "issuers": ["main"],
            "issue": {"audience": "internal", "copy": ["sub"]},
            "headers": {"X-User-Id": {"claim": "sub"}},
            "upstream": "echo",
        },
        "open": {"path": "/open/*", "auth": "none", "upstream": "echo"},
    },
}


def a_plan(**changes: Any) -> Plan:
    """The plan of the small document with these sections changed, member by member; None takes one away."""
    document = dict(DOCUMENT)
    for name, value in changes.items():
        held = document.get(name)
        document[name] = {**held, **value} if isinstance(held, dict) and isinstance(value, dict) else value
    data = json_bytes({name: value for name, value in document.items() if value is not None})
    return compile_document(load_document(data, name="gate.json", folder=Path(), resolve=lambda text: text))


def a_route(**changes: Any) -> dict[str, Any]:
    """The route `orders`, changed; None takes a member away."""
    route = {**DOCUMENT["routes"]["orders"], **changes}
    return {"orders": {name: value for name, value in route.items() if value is not None}}


ISSUED = IssuedTokens({"default": Signer(SIGNER, "ES256")})
SLOWLY_ISSUED = IssuedTokens({"default": Signer(SLOW_SIGNER, "RS256")})


def a_generation(
    plan: Plan | None = None, *, keys: KeySet | None = KEYS, issued: IssuedTokens = ISSUED, number: int = 1
) -> Generation:
    held = {"main": keys} if keys is not None else {}
    generation = Generation(
        number,
        plan or a_plan(),
        Snapshot(held),
        issued_tokens=issued,
        claim_generators=ClaimGenerators(()),
        keys_document=b'{"keys":[]}',
        metadata_document=b'{"issuer":"https://gate.example"}',
    )
    for name, balancer in generation.balancers.items():
        generation.balancers[name] = ScriptedBalancer(balancer)
    return generation


def a_token(*, key: Any = KEY, **changes: Any) -> str:
    """A good token with these claims changed; None takes a claim away."""
    now = int(time.time())
    claims = {"iss": ISS, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 86_400, **changes}
    return sign_token({name: value for name, value in claims.items() if value is not None}, key, alg="ES256")


TOKEN = a_token()
BEARER = f"Authorization: Bearer {TOKEN}\r\n".encode()


def a_request(*lines: bytes, start: bytes = b"GET /open/a", body: bytes = b"") -> bytes:
    """A request with these field lines behind its `Host`."""
    return b"".join((start, b" HTTP/1.1\r\nHost: gate.example\r\n", *(line + b"\r\n" for line in lines), b"\r\n", body))


def an_order(*lines: bytes, start: bytes = b"GET /orders/1", token: str = TOKEN, body: bytes = b"") -> bytes:
    """A request with a token."""
    return a_request(b"Authorization: Bearer " + token.encode(), *lines, start=start, body=body)


class Socket:
    """What is set on a connection's socket."""

    def __init__(self) -> None:
        self.options: list[tuple[object, ...]] = []

    def setsockopt(self, *option: object) -> None:
        self.options.append(option)

    def fileno(self) -> int:
        return -1


class Transport:
    """A transport as strict as the real ones: what they would raise at, or what makes no sense, fails here."""

    def __init__(self, peer: str = CLIENT) -> None:
        self.sent = b""
        self.closed = self.aborted = self.ended = self.told = False
        self.reading = True
        self.high = 0
        self.buffered = 0
        self.socket = Socket()
        self.known: dict[str, object] = {"peername": (peer, 40000), "socket": self.socket}

    def write(self, data: bytes) -> None:
        assert not self.ended, "written after the end"
        if not self.is_closing():
            self.sent += data

    def take(self) -> bytes:
        """What was written since this was asked last."""
        sent, self.sent = self.sent, b""
        return sent

    def pause_reading(self) -> None:
        assert self.reading
        assert not self.is_closing()
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        assert not self.is_closing()
        self.reading = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def get_extra_info(self, name: str) -> object:
        return self.known.get(name)

    def set_write_buffer_limits(self, *, high: int) -> None:
        self.high = high

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True


class ScriptedPool(Pool):
    """A pool whose new connections are made here. `failures` come first, in their order."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool.roster, pool.target, response_kinds=pool.response_kinds)
        self.failures: deque[UpstreamFault] = deque()
        self.made: list[UpstreamConnection] = []

    def new(self) -> UpstreamConnection:
        """A connection that is made."""
        connection = UpstreamConnection(self)
        connection.connection_made(Transport())  # type: ignore[arg-type]
        self.made.append(connection)
        return connection

    async def connect(self, seconds: float) -> UpstreamConnection:
        if self.failures:
            raise self.failures.popleft()
        return self.new()


class ScriptedBalancer(Balancer):
    """A balancer over such pools."""

    def __init__(self, balancer: Balancer) -> None:
        super().__init__(Roster(balancer.upstream, chance=lambda: 0.0), response_kinds=balancer.pools[0].response_kinds)
        self.pools: list[Any] = [ScriptedPool(pool) for pool in self.pools]
        self.roster.refresh()


class Desk:
    """In the place of a worker: keeps what it is asked for until the test looks at it."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self.limits = generation.plan.limits
        self.counters = Counters()
        self.in_flight = 0
        self.admission = Admission()
        self.draining = False
        self.owns = True
        self.host_names = HostNames()
        self.open: list[ClientConnection] = []
        self.done: list[Exchange] = []
        self.bugs: list[BaseException] = []
        self.needs: list[tuple[Need, Callable[[object], None]]] = []
        self.tasks: deque[Coroutine[None, None, None]] = deque()
        self._ids = 0

    def opened(self, connection: ClientConnection) -> None:
        self.open.append(connection)

    def closed(self, connection: ClientConnection) -> None:
        self.open.remove(connection)

    def finished(self, exchange: Exchange) -> None:
        self.in_flight -= 1
        self.done.append(exchange)

    def new_request_id(self) -> str:
        self._ids += 1
        return f"{self._ids:016x}"

    def spawn(self, work: Coroutine[None, None, None], exchange: Exchange) -> None:
        self.tasks.append(work)

    def failed(self, error: BaseException) -> None:
        self.bugs.append(error)

    def meet(self, exchange: Exchange, need: Need, done: Callable[[object], None]) -> None:
        self.needs.append((need, done))

    def is_own(self, name: str, connection: ClientConnection) -> bool:
        return self.owns

    async def own_answer(self, name: str, exchange: Exchange) -> OwnAnswer:
        async def report() -> Report:
            return Report(self.counters, exchange.generation.number, ready=True)

        return await own_answer(name, exchange.generation, report)

    def run_tasks(self) -> None:
        """Run what was spawned. None of it waits for anything here."""
        while self.tasks:
            try:
                self.tasks.popleft().send(None)
            except StopIteration:
                continue
            raise AssertionError("a task waits")


class Gate:
    """One client connection, the desk behind it, and the upstream connections it comes by."""

    def __init__(self, generation: Generation | None = None, *, peer: str = CLIENT, status_only: bool = False) -> None:
        self.generation = generation or a_generation()
        self.desk = Desk(self.generation)
        self.transport = Transport(peer)
        self.client = ClientConnection(self.desk, scheme="http", status_only=status_only)  # type: ignore[arg-type]
        self.client.connection_made(self.transport)  # type: ignore[arg-type]

    @property
    def pool(self) -> ScriptedPool:
        """The pool of the first target."""
        pool: ScriptedPool = self.generation.balancers["echo"].pools[0]  # type: ignore[assignment]
        return pool

    @property
    def upstream(self) -> UpstreamConnection:
        """The connection to the upstream that was made last."""
        return self.pool.made[-1]

    @property
    def wire(self) -> Transport:
        """The transport of that connection."""
        return wire(self.upstream)

    def idle(self) -> UpstreamConnection:
        """A connection to the upstream that waits to be used."""
        connection = self.pool.new()
        self.pool.put(connection)
        return connection

    def send(self, *pieces: bytes) -> Gate:
        """Bytes of the client."""
        for piece in pieces:
            if self.transport.reading and not self.transport.is_closing():
                self.client.data_received(piece)
            self.settle()
        return self

    def answer(self, *pieces: bytes) -> bytes:
        """Bytes of the upstream that was asked last; what the client got for them."""
        upstream = self.upstream
        for piece in pieces:
            if not wire(upstream).is_closing():
                upstream.data_received(piece)
            self.settle()
        return self.transport.take()

    def settle(self) -> None:
        """What an event loop would do next: run tasks, and tell of connections that have ended."""
        self.desk.run_tasks()
        for pool in self.generation.balancers["echo"].pools:
            for connection in pool.made:  # type: ignore[attr-defined]
                tell_of_the_end(wire(connection), connection)
        tell_of_the_end(self.transport, self.client)
        if self.desk.tasks:
            self.settle()

    def lose_upstream(self) -> None:
        """The upstream ends its connection."""
        if not self.wire.told:
            self.wire.told = True
            self.upstream.connection_lost(None)
        self.settle()

    def serve(self, pieces: list[bytes]) -> list[tuple[bytes, dict[bytes, bytes], bytes]]:
        """Send these pieces as reading allows, answer every request the upstream gets, and give those requests."""
        waiting, seen = deque(pieces), []
        while True:
            for connection in self.pool.made:
                found = whole_request(wire(connection).sent) if not wire(connection).is_closing() else None
                if found is not None:
                    seen.append(found[:3])
                    assert found[3] == b"", "one request at a time"
                    wire(connection).take()
                    connection.data_received(OK[:-2] if found[0].startswith(b"HEAD ") else OK)
                    self.settle()
                    break
            else:
                if not waiting or self.transport.is_closing() or not self.transport.reading:
                    break
                self.send(waiting.popleft())
        assert not waiting or self.transport.is_closing() or self.transport.ended, "reading never went on"
        assert self.desk.bugs == []
        return seen

    @property
    def outcomes(self) -> list[tuple[int, str]]:
        """Status and reason of every exchange that has ended."""
        return [(exchange.status, exchange.reason) for exchange in self.desk.done]


def wire(connection: UpstreamConnection) -> Transport:
    """The transport of this connection."""
    transport: Transport = connection.transport  # type: ignore[assignment]
    return transport


def tell_of_the_end(transport: Transport, protocol: ClientConnection | UpstreamConnection) -> None:
    """Tell a protocol once that its transport has ended."""
    if transport.is_closing() and not transport.told:
        transport.told = True
        protocol.connection_lost(None)
