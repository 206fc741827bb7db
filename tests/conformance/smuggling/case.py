"""One case of the corpus: bytes a client sends, and everything that may come of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

HOST_NAME = b"gate.example"
HOST = b"Host: gate.example"
TARGET = b"/open/a"
CHUNKED = b"Transfer-Encoding: chunked"
ABC = b"3\r\nabc\r\n0\r\n\r\n"
INNER = b"GET /open/smuggled HTTP/1.1\r\nHost: gate.example\r\n\r\n"
PROBE = b"GET /open/probe HTTP/1.1\r\nHost: gate.example\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as the upstream gets it. `lines`: the client's own field lines in order, that of its framing last."""

    target: bytes = TARGET
    method: bytes = b"GET"
    lines: tuple[bytes, ...] = ()
    body: bytes = b""
    host: bytes = HOST_NAME

    def head(self, upstream: bytes, request_id: bytes) -> bytes:
        """The very bytes of its head, at an upstream of this authority."""
        told = (b"X-Forwarded-For: 127.0.0.1", b"X-Forwarded-Proto: http", b"X-Forwarded-Host: " + self.host)
        start = b"%b %b HTTP/1.1" % (self.method, self.target)
        lines = (start, b"Host: " + upstream, *self.lines, *told, b"X-Request-Id: " + request_id)
        return b"\r\n".join(lines) + b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Case:
    """What a client sends, the statuses of the answers, and the requests that reach the upstream.

    `open`: the connection goes on afterwards, and the next request on it is that of the client.
    """

    id: str
    raw: bytes
    answers: tuple[int, ...]
    sent: tuple[Sent, ...] = ()
    open: bool = False


def refused(name: str, raw: bytes, status: int = 400) -> Case:
    """Answered with this status and the end of the connection; nothing of it reaches the upstream."""
    return Case(name, raw, (status,))


def passed(name: str, raw: bytes, *sent: Sent) -> Case:
    """Each of these requests reaches the upstream, and the connection goes on."""
    return Case(name, raw, (200,) * len(sent), sent, open=True)


def family(
    prefix: str,
    table: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
    make: Callable[[bytes], bytes],
    status: int = 400,
) -> list[Case]:
    """A refused case for each entry of a table."""
    entries = table.items() if isinstance(table, Mapping) else table
    return [refused(f"{prefix}-{name}", make(value), status) for name, value in entries]


def head(*lines: bytes, start: bytes = b"GET " + TARGET + b" HTTP/1.1", host: bytes = HOST) -> bytes:
    """A head with these lines behind its `Host`."""
    return b"".join(line + b"\r\n" for line in (start, host, *lines)) + b"\r\n"


def post(*lines: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    """A POST with these lines and this body."""
    return head(*lines, start=b"POST " + TARGET + b" HTTP/" + version) + body


def in_chunks(body: bytes) -> bytes:
    """A POST with this behind a head that says chunked."""
    return post(CHUNKED, body=body)


def start(line: bytes) -> bytes:
    """A request with this first line."""
    return head(start=line)


def named(data: Iterable[int]) -> list[tuple[str, bytes]]:
    """Single bytes under their hexadecimal numbers."""
    return [(f"{byte:02x}", bytes([byte])) for byte in data]
