"""Field lists of HTTP/2 as heads of HTTP/1.1, or a refusal (RFC 9113 section 8.2 and 8.3).

Nothing that could mean something else in HTTP/1.1 passes: what is written here is read once more by the one strict
reader of heads, which then finds nothing it has not been told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from jwtgate.gateway.heads.framing import Malformed

Fields = Sequence[tuple[bytes, bytes]]

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?").fullmatch
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_PATH = re.compile(rb"/[\x21-\x7e\x80-\xff]*|\*").fullmatch
_AUTHORITY = re.compile(rb"[\x21-\x7e]+").fullmatch
_STATUS = re.compile(rb"[1-5][0-9][0-9]").fullmatch
_LENGTH = re.compile(rb"[0-9]{1,18}").fullmatch
_OF_CONNECTION = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})


class Head:
    """A head in HTTP/1.1. `length`: that of its body; None: it is sent in chunks."""

    __slots__ = ("length", "text")

    def __init__(self, text: bytes, length: int | None) -> None:
        self.text = text
        self.length = length


def request_head(fields: Fields, *, ended: bool) -> Head:
    """The head of a request. `ended`: no body follows. Raises `Malformed`."""
    said, lines = _pseudo(fields, allowed=(b":method", b":scheme", b":path", b":authority"))
    method, authority = said.get(b":method", b""), said.get(b":authority")
    if not _METHOD(method):
        raise Malformed("the method")
    if authority is not None and not _AUTHORITY(authority):
        raise Malformed("the authority")
    if method == b"CONNECT":
        path = authority or b""
        if b":path" in said or b":scheme" in said or not path:
            raise Malformed("what CONNECT is for")
    else:
        path = said.get(b":path", b"")
        if not _PATH(path) or said.get(b":scheme") not in (b"http", b"https"):
            raise Malformed("the path or the scheme")
    text = _lines_of(_ordinary(lines, host=authority))
    host = b"host: %b\r\n" % authority if authority is not None else b""
    return _framed(b"%b %b HTTP/1.1\r\n%b%b" % (method, path, host, text), lines, ended=ended)


def answer_head(fields: Fields, *, ended: bool, bodiless: bool) -> Head:
    """The head of an answer. `bodiless`: it has no body whatever its length says. Raises `Malformed`."""
    said, lines = _pseudo(fields, allowed=(b":status",))
    status = said.get(b":status", b"")
    if not _STATUS(status) or status == b"101":
        raise Malformed("the status")
    text = b"HTTP/1.1 %b \r\n%b" % (status, _lines_of(_ordinary(lines, host=None)))
    if status[0] == b"1"[0] or bodiless or status in (b"204", b"304"):
        _said_length(lines)
        return Head(text + b"\r\n", 0)
    return _framed(text, lines, ended=ended, default=b"content-length: 0\r\n")


def trailer_lines(fields: Fields) -> bytes:
    """Trailer fields as the lines that end a chunked body. Raises `Malformed`."""
    _, lines = _pseudo(fields, allowed=())
    return _lines_of(_ordinary(lines, host=None))


def _pseudo(fields: Fields, *, allowed: Iterable[bytes]) -> tuple[dict[bytes, bytes], Fields]:
    """The pseudo-header fields, which stand before all others and once each, and those others."""
    said: dict[bytes, bytes] = {}
    for at, (name, value) in enumerate(fields):
        if name[:1] != b":":
            return said, fields[at:]
        if name not in allowed or name in said:
            raise Malformed("a pseudo-header field")
        said[name] = value
    return said, ()


def _ordinary(fields: Fields, *, host: bytes | None) -> Iterable[tuple[bytes, bytes]]:
    """The fields that go on. `host`: what the authority already said, which `Host` may only repeat."""
    crumbs = []
    for name, value in fields:
        if not _NAME(name) or not _VALUE(value):
            raise Malformed("a field that is not one")  # a colon in front says it comes too late
        if name in _OF_CONNECTION:
            raise Malformed("a field of a connection")
        if name == b"te":
            if value.lower() != b"trailers":
                raise Malformed("TE")
        elif name == b"cookie":
            crumbs.append(value)
        elif name == b"host" and host is not None:
            if value.lower() != host.lower():
                raise Malformed("Host beside another authority")
        else:
            yield name, value
    if crumbs:  # RFC 9113 section 8.2.3
        yield b"cookie", b"; ".join(crumbs)


def _lines_of(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % field for field in fields)


def _framed(text: bytes, fields: Fields, *, ended: bool, default: bytes = b"") -> Head:
    """The head with its end, once its framing is settled."""
    length = _said_length(fields)
    if length is not None:
        if ended and length:
            raise Malformed("Content-Length and no body")
        return Head(text + b"\r\n", length)
    if ended:
        return Head(b"%b%b\r\n" % (text, default), 0)
    return Head(text + b"transfer-encoding: chunked\r\n\r\n", None)


def _said_length(fields: Fields) -> int | None:
    """The one length that is said, if any, whatever it is the length of."""
    lengths = [value for name, value in fields if name == b"content-length"]
    if len(lengths) > 1 or not all(_LENGTH(value) for value in lengths):
        raise Malformed("Content-Length")
    return int(lengths[0]) if lengths else None
