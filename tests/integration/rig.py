"""A gateway on a thread of its own, an upstream that writes down what it gets, and a client that sends exact bytes."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self, TypeVar
from unittest.mock import patch

import uvloop

from jwtgate.control.administration.administration import Administration
from jwtgate.control.embedded import EmbeddedGateway
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import sign_token

Document = dict[str, Any]
Result = TypeVar("Result")

PIECE = b"\x00" * (256 * 1024)
PATIENCE_SECONDS = 30.0
"""How long a test waits for what must come. Nothing is judged by how long it took."""
ISS, AUDIENCE, OUR_ISS = "https://idp.example", "https://orders.example", "https://gate.example"
KEY = generate_key("ES256", kid="k1")
OTHER_KEY = generate_key("ES256", kid="k1")
LATER = int(time.time()) + 86_400
"""The `exp` of tokens that are made before the first test runs."""


def token(*, key: Key = KEY, alg: str = "ES256", **changes: Any) -> str:
    """A good token with these claims changed; None takes a claim away."""
    now = int(time.time())
    claims = {"iss": ISS, "aud": AUDIENCE, "sub": "alice", "scope": "orders:read", "iat": now, "exp": now + 300}
    claims.update(changes)
    return sign_token({name: value for name, value in claims.items() if value is not None}, key, alg=alg)


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """Inside, the clock is so many seconds ahead, and that of a gateway in this process with it."""
    clock = time.time
    with patch("time.time", lambda: clock() + seconds):
        yield


def document(upstream: str | Sequence[str], **changes: Any) -> Document:
    """A document with the route `/orders/*` that asks for a token, and `/open/*` that does not."""
    targets = [upstream] if isinstance(upstream, str) else list(upstream)
    whole: Document = {
        "listen": ["127.0.0.1:0"],
        "issuers": {
            "main": {
                "issuer": ISS,
                "keys": {"jwks": {"keys": [KEY.public().to_jwk()]}},
                "algorithms": ["ES256"],
                "audience": AUDIENCE,
                "leeway_seconds": 0,
            }
        },
        "signing": {"issuer": OUR_ISS},
        "upstreams": {"echo": {"targets": targets}},
        "routes": {
            "orders": {
                "path": "/orders/*",
                "auth": "required",
                "issuers": ["main"],
                "issue": {"audience": "https://orders.internal", "copy": ["sub", "scope"]},
                "headers": {"X-User-Id": {"claim": "sub"}},
                "upstream": "echo",
            },
            "open": {"path": "/open/*", "auth": "none", "upstream": "echo"},
        },
    }
    return merged(whole, changes)


def merged(whole: Document, changes: Document) -> Document:
    """A document with these parts replaced, mapping by mapping; None takes a part away."""
    result = deepcopy(whole)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


class Gateway:
    """A gateway with this document, running inside `with`."""

    def __init__(self, document: Document) -> None:
        self.embedded: EmbeddedGateway
        self.addresses: tuple[tuple[str, int], ...] = ()
        self.document = document
        self._log = TemporaryFile()  # noqa: SIM115 - closed on the way out
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="gateway")

    @property
    def port(self) -> int:
        return self.addresses[0][1]

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._ready.result(PATIENCE_SECONDS)
        except BaseException:
            self._thread.join()
            self._log.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._log.close()
        bugs = [key for key in self.embedded.worker.counters.requests if "internal" in key]
        assert error is not None or bugs == []

    def stop(self) -> None:
        """Stop as a gateway does that is told to: what is going on may end. Stopping twice is fine."""
        if self._thread.is_alive():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def call(self, function: Callable[[], Result]) -> Result:
        """What this gives in the gateway's own thread."""

        async def called() -> Result:
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(PATIENCE_SECONDS)

    def administer(self, act: Callable[[Administration], Coroutine[None, None, Result]]) -> Result:
        """What comes of this, done by an operator."""
        acting = act(Administration(self.embedded))
        return asyncio.run_coroutine_threadsafe(acting, self._loop).result(PATIENCE_SECONDS)

    def reload(self, document: Document) -> None:
        """Serve another document."""
        reloading = self.embedded.reload(json.dumps(document), name="gate.json")
        asyncio.run_coroutine_threadsafe(reloading, self._loop).result(PATIENCE_SECONDS)

    def log(self, lines: int = 1) -> list[Document]:
        """The lines of the access log so far, as soon as there are this many."""
        until(lambda: self.raw_log().count(b"\n") >= lines)
        return [json.loads(line) for line in self.raw_log().splitlines()]

    def line_of(self, answer: Message) -> Document:
        """The line of the access log about this answer of the gateway's own."""
        name = f'"id":"{answer.value("X-Request-Id")}"'.encode()
        until(lambda: name in self.raw_log())
        line: Document = json.loads(next(line for line in self.raw_log().splitlines() if name in line))
        return line

    def raw_log(self) -> bytes:
        """The access log as it stands."""
        return os.pread(self._log.fileno(), 1 << 24, 0)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.embedded = EmbeddedGateway(
            json.dumps(self.document), name="gate.json", log_descriptor=self._log.fileno(), environ={}
        )
        try:
            async with self.embedded:
                self.addresses = self.embedded.addresses
                self._ready.set_result(None)
                await self._stop.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
                return
            raise


def until(
    condition: Callable[[], object],
    *,
    seconds: float = PATIENCE_SECONDS,
    told: Callable[[], str] = lambda: "waited in vain",
) -> None:
    """Wait for what must come to be; `told` says more where it does not in time."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, told()
        time.sleep(0.01)


@dataclass(frozen=True)
class Message:
    """One message as it stood on the wire, and what it says. `complete`: its body ended as its framing told."""

    raw_head: bytes
    start: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    complete: bool = True
    trailers: bytes = b""

    @property
    def status(self) -> int:
        return int(self.start.split()[1])

    def values(self, name: str) -> list[str]:
        """The values of every field of this name."""
        return [value.decode("latin-1") for field, value in self.fields if field.lower() == name.lower().encode()]

    def value(self, name: str) -> str | None:
        """The value of the one field of this name, or None."""
        values = self.values(name)
        assert len(values) < 2, f"{name} stands there {len(values)} times"
        return values[0] if values else None


def refusal_of(answer: Message) -> tuple[int, str]:
    """The status and the reason of a refusal."""
    return answer.status, json.loads(answer.body)["error"]


class Wire:
    """A socket and what was read from it ahead."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.ahead = b""
        self.end = ""
        """How the other side ended it, once it did: `eof` or `reset`."""
        sock.settimeout(PATIENCE_SECONDS)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def more(self) -> bool:
        """Read on; False at the end."""
        try:
            data = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            self.end = self.end or "reset"
            return False
        self.ahead += data
        if not data:
            self.end = self.end or "eof"
        return bool(data)

    def upto(self, mark: bytes) -> bytes | None:
        """What comes up to this mark, with it; None when the end comes first."""
        while mark not in self.ahead:
            if not self.more():
                return None
        end = self.ahead.index(mark) + len(mark)
        found, self.ahead = self.ahead[:end], self.ahead[end:]
        return found

    def exactly(self, count: int) -> tuple[bytes, bool]:
        """This many bytes, or those before the end and False."""
        while len(self.ahead) < count and self.more():
            pass
        found, self.ahead = self.ahead[:count], self.ahead[count:]
        return found, len(found) == count

    def to_end(self) -> bytes:
        """All there is to come."""
        while self.more():
            pass
        found, self.ahead = self.ahead, b""
        return found

    def message(self, *, bodiless: bool = False) -> Message | None:
        """The next message, read strictly; None at the end."""
        head = self.upto(b"\r\n\r\n")
        if head is None:
            return None
        start, *lines = head[:-4].split(b"\r\n")
        fields = tuple((name, value.strip()) for name, _, value in (line.partition(b":") for line in lines))
        lowered = {name.lower(): value for name, value in fields}
        is_answer = start.startswith(b"HTTP/")
        bodiless = bodiless or (is_answer and start.split()[1] in (b"204", b"304", b"101", b"100", b"103"))
        if bodiless:
            return Message(head, start, fields, b"")
        if lowered.get(b"transfer-encoding") == b"chunked":
            return self._chunked(head, start, fields)
        if b"content-length" in lowered:
            body, complete = self.exactly(int(lowered[b"content-length"]))
            return Message(head, start, fields, body, complete)
        body = self.to_end() if is_answer else b""
        return Message(head, start, fields, body, self.end != "reset")

    def _chunked(self, head: bytes, start: bytes, fields: tuple[tuple[bytes, bytes], ...]) -> Message:
        body = b""
        while (line := self.upto(b"\r\n")) is not None:
            assert set(line[:-2]) <= set(b"0123456789abcdefABCDEF"), line
            if int(line, 16) == 0:
                trailers = b""
                while (trailer := self.upto(b"\r\n")) not in (b"\r\n", None):
                    trailers += trailer or b""
                return Message(head, start, fields, body, trailer is not None, trailers)
            chunk, complete = self.exactly(int(line, 16))
            body += chunk
            if not complete or self.exactly(2)[0] != b"\r\n":
                break
        return Message(head, start, fields, body, complete=False)

    def close(self) -> None:
        """Close."""
        self.sock.close()

    def reset(self) -> None:
        """Close with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Client(Wire):
    """A client's connection, open inside `with`."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None, server_name: str = "localhost") -> None:
        sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        super().__init__(
            tls.wrap_socket(sock, server_hostname=server_name, suppress_ragged_eofs=False) if tls else sock
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, data: bytes, *cuts: int) -> None:
        """Send these bytes, in pieces cut at these places, each on its way before the next."""
        places = [0, *cuts, len(data)]
        for at, end in pairwise(places):
            if at:
                time.sleep(0.002)
            with suppress(ConnectionError):
                self.sock.sendall(data[at:end])

    def ask(self, data: bytes, *cuts: int) -> Message:
        """Send a request and read its answer."""
        self.send(data, *cuts)
        return self.answer(bodiless=data.startswith(b"HEAD "))

    def answer(self, *, bodiless: bool = False) -> Message:
        """The next answer."""
        message = self.message(bodiless=bodiless)
        assert message is not None, f"no answer, but {self.end} after {self.ahead!r}"
        return message

    def has_news(self) -> bool:
        """Whether there is something to read, be it the end."""
        return bool(self.ahead) or bool(select.select([self.sock], [], [], 0)[0])

    def ended(self) -> str:
        """How the gateway ends the connection, when nothing more comes before."""
        rest = self.to_end()
        assert rest == b"", rest
        return self.end


def request(
    target: str = "/open/a",
    *fields: str,
    method: str = "GET",
    bearer: str | None = None,
    body: bytes | None = None,
    host: str = "gate.example",
) -> bytes:
    """A request as bytes. With a body comes its `Content-Length`."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]
    if bearer is not None:
        lines.append(f"Authorization: Bearer {bearer}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def response(
    body: bytes = b"ok", *fields: str, status: str = "200 OK", length: int | None = None, version: str = "1.1"
) -> bytes:
    """An answer as bytes, with the length of its body, or with another."""
    said = len(body) if length is None else length
    lines = [f"HTTP/{version} {status}", f"Content-Length: {said}", *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(*pieces: bytes) -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


class Served(Wire):
    """A connection the upstream accepted."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        super().__init__(sock)
        self.number = number
        self.requests: list[Message] = []

    def send(self, data: bytes) -> None:
        """Send these bytes, unless nobody is there any more."""
        with suppress(OSError):
            self.sock.sendall(data)


Script = Callable[[Served, Message], object]


def say(*pieces: bytes) -> Script:
    """Answer with these bytes, and go on with the connection."""

    def script(served: Served, _: Message) -> None:
        for piece in pieces:
            served.send(piece)

    return script


def say_and_close(data: bytes) -> Script:
    """Answer with these bytes and end the connection."""

    def script(served: Served, _: Message) -> None:
        served.send(data)
        served.close()

    return script


def say_and_reset(data: bytes) -> Script:
    """Answer with these bytes and end the connection with a reset."""

    def script(served: Served, _: Message) -> None:
        served.send(data)
        if data:
            time.sleep(0.1)  # a reset overtakes what was not read yet
        served.reset()

    return script


class Upstream:
    """A server that writes down every request and answers it with a script; runs inside `with`.

    `scripts` are used up one after the other, `script` for every request behind them.
    """

    def __init__(self, script: Script | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.script: Script = script or say(response())
        self.scripts: queue.SimpleQueue[Script] = queue.SimpleQueue()
        self.on_connect: Callable[[Served], object] | None = None
        self.connections: list[Served] = []
        self.requests: list[Message] = []
        self._tls = tls
        self._threads: list[threading.Thread] = []
        self._listening: socket.socket | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, on the same port each time."""
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listening.getsockname()[1]
        self._start(self._accept, self._listening)

    def stop(self) -> None:
        """Listen no more, and end every connection."""
        listening, self._listening = self._listening, None
        if listening is not None:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for served in self.connections:
            with suppress(OSError):
                served.sock.shutdown(socket.SHUT_RDWR)
            served.close()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        self._threads.clear()

    def forget(self) -> None:
        """Begin to write down anew."""
        self.requests.clear()
        while not self.scripts.empty():
            self.scripts.get()

    def play(self, *scripts: Script) -> None:
        """Answer the next requests with these scripts."""
        for script in scripts:
            self.scripts.put(script)

    def one_request(self) -> Message:
        """The only request so far."""
        until(lambda: self.requests)
        assert len(self.requests) == 1, [each.start for each in self.requests]
        return self.requests[0]

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name="upstream")
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        try:
            served = Served(self._tls.wrap_socket(sock, server_side=True) if self._tls else sock, len(self.connections))
        except OSError:
            sock.close()
            return
        self.connections.append(served)
        try:
            if self.on_connect is not None:
                self.on_connect(served)
            while (message := served.message()) is not None and message.complete:
                served.requests.append(message)
                self.requests.append(message)
                (self.script if self.scripts.empty() else self.scripts.get())(served, message)
        except OSError:
            served.end = served.end or "closed here"
        finally:
            served.close()


class Flow:
    """Bytes moved so far, perhaps by a thread that is stuck."""

    def __init__(self) -> None:
        self.moved = 0

    def stuck(self) -> bool:
        """Whether nothing has moved for a while."""
        before = self.moved
        time.sleep(0.3)
        return self.moved == before

    def pour(self, into: Wire, whole: int) -> None:
        """Send this many bytes."""
        while self.moved < whole:
            into.sock.sendall(PIECE[: whole - self.moved])
            self.moved += min(len(PIECE), whole - self.moved)

    def drink(self, wire: Wire, whole: int) -> None:
        """Read this many bytes and keep none."""
        buffer = memoryview(bytearray(len(PIECE)))
        self.moved += len(wire.ahead)
        wire.ahead = b""
        while self.moved < whole:
            count = wire.sock.recv_into(buffer, min(len(buffer), whole - self.moved))
            assert count, f"ended after {self.moved}"
            self.moved += count


@contextmanager
def gateway_and_upstream(script: Script | None = None, **changes: Any) -> Iterator[tuple[Gateway, Upstream]]:
    """A gateway before one upstream, with a document changed so."""
    with Upstream(script) as upstream, Gateway(document(upstream.url, **changes)) as gateway:
        yield gateway, upstream
