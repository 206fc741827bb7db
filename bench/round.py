"""A request and its answer through the whole of our gateway, without a socket: what a hot request costs in Python."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import cast

from jwtgate.config.compile.document import compile_document
from jwtgate.config.load import load_document
from jwtgate.gateway.connection import ClientConnection
from jwtgate.gateway.generation import Generation
from jwtgate.gateway.heads.reading import PLAIN_HEADS
from jwtgate.gateway.upstream import UpstreamConnection
from jwtgate.gateway.worker import Worker
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import sign_token
from jwtgate.state.answers import Snapshot
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.issued_tokens import IssuedTokens
from jwtgate.state.keys.keyring import Signer

from .ours import document, prefixes
from .tokens import claims

TOKENS = 1000
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: 17\r\nConnection: keep-alive\r\n\r\n"
    b'{"status":"good"}'
)


class _Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    sent = b""

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.sent = data

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("127.0.0.1", 40000) if name in ("peername", "sockname") else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever held back."""


class Round:
    """One client and one upstream on a worker of their own; `play` is a request and its answer."""

    def __init__(self, routes: int = 100) -> None:
        key = generate_key("ES256", kid="bench-1")
        written = document(Path("/"), 8080, upstream=9020, routes=routes, alg="ES256")
        cast(dict[str, dict[str, dict[str, object]]], written)["issuers"]["bench"]["algorithms"] = ["ES256"]
        plan = compile_document(load_document(json_bytes(written), name="gate.json", folder=Path(), resolve=str))
        generation = Generation(
            1,
            plan,
            Snapshot({"bench": KeySet((key.public(),)).bound(frozenset({"ES256"}))}),
            issued_tokens=IssuedTokens({"default": Signer(key, "ES256")}),
            claim_generators=ClaimGenerators(()),
            keys_document=b"",
            metadata_document=None,
        )
        now = int(time.time())
        tokens = (sign_token(claims(number, now), key, alg="ES256") for number in range(TOKENS))
        paths = prefixes(routes)
        host = b"Host: 127.0.0.1:8080\r\n"
        self._requests = [
            (f"GET {paths[number % routes]}/".encode(), host + f"Authorization: Bearer {token}\r\n\r\n".encode())
            for number, token in enumerate(tokens)
        ]
        self._next = 0
        self._upstream = _Wire()
        self.client = _Wire()
        self._log = os.open(os.devnull, os.O_WRONLY)
        self._open(generation)

    def _open(self, generation: Generation) -> None:
        loop = asyncio.new_event_loop()

        async def made() -> Worker:
            return Worker(generation, answer=_nothing, report=_nothing, log_descriptor=self._log)  # type: ignore[arg-type]

        self.worker = loop.run_until_complete(made())
        pool = generation.balancers["echo"].pools[0]
        connection = UpstreamConnection(pool)
        connection.connection_made(self._upstream)
        pool.put(connection)
        self._connection = connection
        self._client = ClientConnection(self.worker, scheme="http", status_only=False)
        self._client.connection_made(self.client)

    def play(self, tail: bytes = b"1", lines: bytes = b"") -> None:
        """The next of the requests, and its answer. `tail` is the end of its path, `lines` are more of its fields."""
        start, rest = self._requests[self._next]
        self._next = (self._next + 1) % len(self._requests)
        if not self._next:
            self.worker._log.flush()  # as the clock of the worker does
        self._client.data_received(b"%b%b HTTP/1.1\r\n%b%b" % (start, tail, lines, rest))
        self._connection.data_received(b"%b" % ANSWER)


async def _nothing(*_: object) -> None:
    """Nobody is asked: all is in memory."""


def hot_requests() -> Iterator[tuple[str, Callable[[], object]]]:
    """Requests whose outcome is remembered, by what of them was there before."""
    whole, numbers = Round(), count()
    for _ in range(3 * TOKENS):
        whole.play()
    if not whole.client.sent.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not answered: {whole.client.sent!r}")
    yield "a hot request and its answer, without a socket: all of it as before", whole.play
    yield "  the same fields, another path each time", lambda: whole.play(b"%d" % next(numbers))
    yield (
        f"  another field each time, heads read in {PLAIN_HEADS.name}",
        lambda: whole.play(lines=b"X-Trace: %d\r\n" % next(numbers)),
    )
