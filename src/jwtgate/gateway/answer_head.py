"""The head of an upstream's answer as the client gets it (RFC 9112 section 6, RFC 9111 section 5.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jwtgate.gateway.fields import CACHE, CONNECTION, FORWARD, LENGTH, nominated, status_line


@dataclass(frozen=True, slots=True)
class Framing:
    """How the body of an answer ends: told by a length or chunks, by the close of its connection, or not there."""

    chunked: bool
    framed: bool
    bodiless: bool


def framing_lines(framing: Framing, *, http_11: bool) -> tuple[bytes, bool, bool]:
    """The framing line for the client, whether we write chunks, and whether only a close can end the body."""
    if framing.bodiless or (framing.framed and not framing.chunked):
        return b"", False, False
    if http_11:
        return b"Transfer-Encoding: chunked\r\n", True, False
    return b"", False, True


def answer_lines(
    status: int, fields: list[tuple[bytes, bytes]], *, kinds: Mapping[bytes, int], private: bool
) -> list[bytes]:
    """The status line and the fields that go on. `private`: no shared cache may keep this answer."""
    lines: list[bytes] = []
    away: set[bytes] = set()
    for name, value in fields:
        kind = kinds[name]
        if kind == FORWARD:
            lines += (name, b": ", value, b"\r\n")
        elif kind == LENGTH and status != 204:
            lines += (b"Content-Length: ", value, b"\r\n")
        elif kind == CACHE:
            lines += (name, b": ", _private(value) if private else value, b"\r\n")
            private = False
        elif kind == CONNECTION:
            away |= nominated(value)
    if away:
        pairs = (lines[start : start + 4] for start in range(0, len(lines), 4))
        lines = [piece for pair in pairs if pair[0].lower() not in away for piece in pair]
    if private:
        lines.append(b"Cache-Control: private\r\n")
    return [status_line(status), *lines]


def _private(value: bytes) -> bytes:
    lowered = value.lower()
    return value if b"private" in lowered or b"no-store" in lowered else value + b", private"
