"""The head of an upstream's answer: read strictly, written anew for the client (RFC 9112 section 6, RFC 9111 5.2.2)."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping

from jwtgate.gateway.heads.fields import (
    CACHE,
    CODING,
    CONNECTION,
    FORWARD,
    LENGTH,
    REMOVE,
    UPGRADE,
    content_length,
    nominated,
    status_line,
)
from jwtgate.gateway.heads.framing import Framing, Malformed

_MOST_FIELDS = 200
_BODILESS = (204, 304)
_NONE: frozenset[bytes] = frozenset()
# With field names behind it, `private` is said of those fields alone.
_PRIVATE = re.compile(rb"(?:^|,)[ \t]*(?:private|no-store)[ \t]*(?:,|$)", re.IGNORECASE).search


class AnswerHead:
    """What the head of an answer says. `Malformed` when it can be read in more than one way."""

    __slots__ = ("_lines", "_private", "_written", "chunked", "length", "nominated", "status", "upgrade")

    def __init__(self, status: int, fields: list[tuple[bytes, bytes]], kinds: Mapping[bytes, int]) -> None:
        if not 100 <= status <= 599 or len(fields) > _MOST_FIELDS:
            raise Malformed("a status that is none" if len(fields) <= _MOST_FIELDS else "more fields than is sane")
        self.status = status
        self.length: int | None = None
        self.chunked = False
        self.upgrade = b""
        self.nominated: set[bytes] | None = None
        self._private = False
        self._written: dict[Hashable, bytes] = {}
        self._lines: list[bytes] = []
        lines = self._lines
        for name, value in fields:
            kind = kinds[name]
            if kind == FORWARD:
                lines += (name, b": ", value, b"\r\n")
            elif kind != REMOVE:
                self._read(kind, name, value)
        if self.chunked and self.length is not None:
            raise Malformed("Transfer-Encoding beside Content-Length")
        if status < 200 and (self.chunked or self.length):
            raise Malformed("a body where there is none")

    def _read(self, kind: int, name: bytes, value: bytes) -> None:
        if kind == LENGTH:
            if self.length is not None or (length := content_length(value)) is None:
                raise Malformed("Content-Length")
            self.length = length
        elif kind == CODING:
            if self.chunked or value.lower() != b"chunked":
                raise Malformed("Transfer-Encoding")
            self.chunked = True
        elif kind == CONNECTION:
            self.nominated = nominated(value) | (self.nominated or set())
        elif kind == UPGRADE:
            self.upgrade = value.lower()
        elif kind == CACHE:
            self._private = self._private or _PRIVATE(value) is not None
            self._lines += (name, b": ", value, b"\r\n")

    @property
    def fields(self) -> dict[str, tuple[str, ...]]:
        """What it says beside its framing: values by their lower-case names, in the order of arrival."""
        found: dict[str, tuple[str, ...]] = {}
        lines = self._kept_lines(_NONE)
        for raw, value in zip(lines[::4], lines[2::4], strict=True):
            name = raw.lower().decode("latin-1")
            found[name] = (*found.get(name, ()), value.decode("latin-1"))
        if self.length is not None:
            found["content-length"] = (str(self.length),)
        return found

    @property
    def is_interim(self) -> bool:
        """Whether the answer itself is still to come."""
        return self.status < 200 and self.status != 101

    @property
    def is_websocket(self) -> bool:
        """Whether this changes to the WebSocket protocol (RFC 6455 section 4.1)."""
        return self.upgrade == b"websocket" and self.nominated is not None and b"upgrade" in self.nominated

    def framing(self, method: str) -> Framing:
        """How the body of this answer to `method` ends."""
        if method == "HEAD" or self.status in _BODILESS:
            return Framing.NONE
        if self.chunked:
            return Framing.CHUNKED
        return Framing.LENGTH if self.length is not None else Framing.CLOSE

    def written(self, ours: bytes, *, private: bool, removed: frozenset[bytes] = _NONE) -> bytes:
        """The head for the client, `ours` being whole lines of it. `private`: no shared cache may keep the answer.

        `removed`: names in lower case whose fields are left out.
        """
        key = (private, removed) if removed else private
        written = self._written.get(key)
        if written is None:
            written = self._written[key] = self._write(private, removed)
        return b"".join((written, ours, b"\r\n"))

    def _write(self, private: bool, removed: frozenset[bytes]) -> bytes:
        said = self._private and b"cache-control" not in removed | (self.nominated or _NONE)
        told = b"Cache-Control: private\r\n" if private and not said else b""
        if self.length is not None and self.status != 204:
            told += b"Content-Length: %d\r\n" % self.length
        return b"".join((status_line(self.status), *self._kept_lines(removed), told))

    def _kept_lines(self, removed: frozenset[bytes]) -> list[bytes]:
        lines = self._lines
        without = removed | self.nominated if self.nominated else removed
        if not without:
            return lines
        kept = (lines[at : at + 4] for at in range(0, len(lines), 4) if lines[at].lower() not in without)
        return [piece for line in kept for piece in line]

    def switching(self, ours: bytes = b"", *, removed: frozenset[bytes] = _NONE) -> bytes:
        """The head that tells the client of the change to WebSocket, with these lines of ours in it."""
        lines = (b"Connection: Upgrade\r\n", b"Upgrade: websocket\r\n")
        return b"".join((status_line(101), *lines, *self._kept_lines(removed), ours, b"\r\n"))
