"""Messages of our own, taken out of their HTTP/1.1 framing as they are written, to leave as frames.

What is read here was written by us a moment ago, from what had been parsed: a head comes whole, with a line for each
field, and the framing it tells of is the one that follows.
"""

from __future__ import annotations

from typing import Protocol

from jwtgate.gateway.heads.framing import ChunkedBody
from jwtgate.gateway.http2.fields import Fields

_NOT_SENT = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"host"})


class Frames(Protocol):
    """Where the parts of a message go."""

    def send_interim(self, fields: Fields) -> None:
        """An answer before the answer."""

    def send_head(self, fields: Fields, *, last: bool) -> None:
        """The head; `last`: nothing follows it."""

    def send_body(self, data: bytes) -> None:
        """Some of the body."""

    def send_end(self, trailers: Fields) -> None:
        """The end, with these trailer fields."""


class Outgoing:
    """Takes one message apart. `bodiless`: an answer that has no body, whatever its head says."""

    __slots__ = ("_begun", "_chunks", "_left", "_to", "bodiless", "done")

    def __init__(self, to: Frames) -> None:
        self._to = to
        self._begun = False
        self._chunks: ChunkedBody | None = None
        self._left = 0
        self.bodiless = False
        self.done = False

    def take(self, data: bytes) -> None:
        """Some of the message, as it stands on a connection of HTTP/1.1."""
        at = 0
        while at < len(data) and not self.done:
            at = self._take_body(data, at) if self._begun else self._take_head(data, at)

    def _take_head(self, data: bytes, at: int) -> int:
        end = data.index(b"\r\n\r\n", at)
        line, *lines = data[at:end].split(b"\r\n")
        fields: list[tuple[bytes, bytes]] = []
        host = b""
        for each in lines:
            raw, _, value = each.partition(b": ")
            name = raw.lower()
            if name == b"host":
                host = value
            elif name == b"transfer-encoding":
                self._chunks = ChunkedBody()
            elif name not in _NOT_SENT:
                fields.append((name, value))
                if name == b"content-length":
                    self._left = int(value)
        self._send_head(line, host, fields)
        return end + 4

    def _send_head(self, line: bytes, host: bytes, fields: list[tuple[bytes, bytes]]) -> None:
        first, second, _ = line.split(b" ", 2)
        if first.startswith(b"HTTP/"):
            fields.insert(0, (b":status", second))
            if second[:1] == b"1":
                self._to.send_interim(fields)
                return
            self.bodiless = self.bodiless or second in (b"204", b"304")
        else:
            said = ((b":method", first), (b":scheme", b"http"), (b":authority", host), (b":path", second))
            fields[:0] = said
        self._begun = True
        self.done = self.bodiless or (self._chunks is None and not self._left)
        self._to.send_head(fields, last=self.done)

    def _take_body(self, data: bytes, at: int) -> int:
        chunks = self._chunks
        if chunks is None:
            piece = data[at : at + self._left]
            at += len(piece)
            self._left -= len(piece)
            self.done = not self._left
        else:
            piece, at = chunks.take(data, at)
            self.done = chunks.done
        if piece:
            self._to.send_body(piece)
        if self.done:
            self._to.send_end(chunks.trailers if chunks is not None else ())
        return at
