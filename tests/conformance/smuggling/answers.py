"""What a hostile or broken upstream may answer, and what its client then sees (SEC-98)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import chunks, framing, lines
from .case import ABC, CHUNKED, named

OK = b"HTTP/1.1 200 OK"
_THREE = b"Content-Length: 3"
_STRAY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"


@dataclass(frozen=True, slots=True)
class Told:
    """What the client is told. `fields`: all of them but those of ours; without a body where it may not have one."""

    status: int = 200
    fields: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b"abc"


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes of an upstream, which ends the connection behind them where `ends`. `told` None: nothing of them, but 502.

    `kept`: the connection is used again.
    """

    id: str
    raw: bytes
    told: Told | None = None
    method: str = "GET"
    ends: bool = False
    kept: bool = False


def answer(*fields: bytes, start: bytes = OK, body: bytes = b"") -> bytes:
    """An answer with these lines and this body."""
    return b"".join(line + b"\r\n" for line in (start, *fields)) + b"\r\n" + body


def _bad(prefix: str, table: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> list[Answer]:
    entries = table.items() if isinstance(table, Mapping) else table
    return [Answer(f"{prefix}-{name}", raw) for name, raw in entries]


def _starting(line: bytes) -> bytes:
    return answer(_THREE, start=line, body=b"abc")


def _with(*fields: bytes, body: bytes = b"abc") -> bytes:
    return answer(*fields, _THREE, body=body)


def _in_chunks(body: bytes) -> bytes:
    return answer(CHUNKED, body=body)


_STARTS = {
    "no-http": b"SSH-2.0-x",
    "nothing": b"",
    "a-request": b"GET / HTTP/1.1",
    "version-0.9": b"HTTP/0.9 200 OK",
    "version-1.2": b"HTTP/1.2 200 OK",
    "version-2.0": b"HTTP/2.0 200 OK",
    "version-2": b"HTTP/2 200 OK",
    "version-11.1": b"HTTP/11.1 200 OK",
    "version-1.11": b"HTTP/1.11 200 OK",
    "version-1": b"HTTP/1 200 OK",
    "no-version": b"HTTP 200 OK",
    "lower-case": b"http/1.1 200 OK",
    "icy": b"ICY 200 OK",
    "rtsp": b"RTSP/1.0 200 OK",
    "a-blank-first": b" HTTP/1.1 200 OK",
    "an-empty-line-first": b"\r\nHTTP/1.1 200 OK",
    "a-bare-lf-first": b"\nHTTP/1.1 200 OK",
    "a-byte-order-mark-first": b"\xef\xbb\xbfHTTP/1.1 200 OK",
    "a-nul-first": b"\0HTTP/1.1 200 OK",
    "no-status": b"HTTP/1.1",
    "no-status-but-a-blank": b"HTTP/1.1 ",
    "a-status-of-letters": b"HTTP/1.1 abc OK",
    "a-status-of-two-digits": b"HTTP/1.1 20 OK",
    "a-status-of-one-digit": b"HTTP/1.1 2 OK",
    "a-status-of-four-digits": b"HTTP/1.1 2000 OK",
    "a-status-with-a-sign": b"HTTP/1.1 +200 OK",
    "a-negative-status": b"HTTP/1.1 -200 OK",
    "a-hexadecimal-status": b"HTTP/1.1 0xc8 OK",
    "a-status-of-000": b"HTTP/1.1 000 OK",
    "a-status-of-099": b"HTTP/1.1 099 OK",
    "a-status-of-600": b"HTTP/1.1 600 OK",
    "a-status-of-999": b"HTTP/1.1 999 OK",
    "a-tab-before-the-status": b"HTTP/1.1\t200 OK",
    "a-word-behind-the-status": b"HTTP/1.1 200OK",
    "a-bare-cr-in-the-reason": b"HTTP/1.1 200 O\rK",
    "a-bare-lf-in-the-reason": b"HTTP/1.1 200 O\nK",
    "a-nul-in-the-reason": b"HTTP/1.1 200 O\0K",
}
_INTERIM = {
    "with-a-length": answer(_THREE, start=b"HTTP/1.1 103 Early", body=b"abc") + _STRAY,
    "with-a-coding": answer(CHUNKED, start=b"HTTP/1.1 100 Continue", body=ABC) + _STRAY,
    "with-nonsense-behind": answer(start=b"HTTP/1.1 100 Continue") + b"nonsense\r\n\r\n",
    "with-a-bare-lf": b"HTTP/1.1 100 Continue\n\n" + _STRAY,
    "switching": answer(b"Connection: Upgrade", b"Upgrade: websocket", start=b"HTTP/1.1 101 Switching Protocols"),
    "switching-to-h2c": answer(b"Connection: Upgrade", b"Upgrade: h2c", start=b"HTTP/1.1 101 Switching Protocols"),
    "switching-to-nothing": answer(start=b"HTTP/1.1 101 Switching Protocols") + _STRAY,
    "switching-behind-an-interim": answer(start=b"HTTP/1.1 100 Continue")
    + answer(b"Connection: Upgrade", b"Upgrade: x", start=b"HTTP/1.1 101 Switching Protocols"),
}
_FRAMING = {
    "length-and-coding": answer(_THREE, CHUNKED, body=ABC),
    "coding-and-length": answer(CHUNKED, _THREE, body=ABC),
    "coding-and-length-0": answer(CHUNKED, b"Content-Length: 0", body=ABC),
    "coding-in-1.0": answer(CHUNKED, start=b"HTTP/1.0 200 OK", body=ABC),
    "two-lengths-of-204": answer(_THREE, b"Content-Length: 4", start=b"HTTP/1.1 204 No Content"),
    "two-lengths-of-304": answer(_THREE, _THREE, start=b"HTTP/1.1 304 Not Modified"),
    "a-coding-of-204-and-a-length": answer(CHUNKED, _THREE, start=b"HTTP/1.1 204 No Content"),
    "201-fields": answer(*[b"A: b"] * 200, _THREE, body=b"abc"),
    "a-head-past-64-kib": answer(*[b"A: " + b"x" * 1000] * 70),
    "a-line-past-64-kib": answer(b"A: " + b"x" * 70_000),
}
_FIELDS_OF_FRAMING = {
    f"alias-{kind}-{alias}": _with(form % (name, value))
    for kind, (name, value) in framing.FRAMING_NAMES.items()
    for alias, form in framing.ALIASES.items()
}
_LINE_ENDS = {
    f"{name}-behind-{place}": end_of.replace(b"@", end)
    for place, end_of in {
        "the-status-line": OK + b"@" + _THREE + b"\r\n\r\nabc",
        "a-field": OK + b"\r\nA: b@" + _THREE + b"\r\n\r\nabc",
        "the-last-field": OK + b"\r\n" + _THREE + b"@\r\nabc",
    }.items()
    for name, end in lines.ENDS.items()
}
_BROKEN = {
    "at-once": b"",
    "in-the-status-line": b"HTTP/1.1 2",
    "behind-the-status-line": OK + b"\r\n",
    "in-the-head": answer(_THREE)[:-2],
    "before-the-last-lf": answer(_THREE)[:-1],
    "behind-an-interim": answer(start=b"HTTP/1.1 100 Continue"),
}
_CUT = {
    "before-the-body": answer(_THREE),
    "in-the-body": answer(_THREE, body=b"ab"),
    "before-a-chunk": _in_chunks(b""),
    "in-a-size": _in_chunks(b"3"),
    "in-a-chunk": _in_chunks(b"3\r\nab"),
    "behind-a-chunk": _in_chunks(b"3\r\nabc"),
    "before-the-last-chunk": _in_chunks(b"3\r\nabc\r\n"),
    "in-the-last-chunk": _in_chunks(b"3\r\nabc\r\n0\r\n"),
    "in-the-trailers": _in_chunks(b"3\r\nabc\r\n0\r\nA: b\r\n"),
    "before-the-very-last-lf": _in_chunks(b"3\r\nabc\r\n0\r\n\r"),
}
BAD = [
    *_bad("start", {name: _starting(line) for name, line in _STARTS.items()}),
    *_bad("interim", _INTERIM),
    *_bad("framing", _FRAMING),
    *_bad(
        "length", {name: answer(b"Content-Length: " + value, body=b"abc") for name, value in framing.LENGTHS.items()}
    ),
    *_bad("coding", {name: answer(b"Transfer-Encoding: " + v, body=ABC) for name, v in framing.CODINGS.items()}),
    *_bad("two", {name: answer(*two, body=ABC) for name, two in framing.TWO_LINES.items()}),
    *_bad("field", _FIELDS_OF_FRAMING),
    *_bad("line-end", _LINE_ENDS),
    *_bad("value-with-byte", ((name, _with(b"A: b" + byte + b"c")) for name, byte in named(lines.CONTROLS))),
    *_bad("name-with-byte", ((name, _with(b"X-A" + byte + b"B: c")) for name, byte in named(lines.NO_TOKEN))),
    *_bad("name", {name: _with(line) for name, line in lines.NAMES.items()}),
    *_bad("folded", {"value": _with(b"A: b", b" c"), "tab": _with(b"A: b", b"\tc"), "first": _with(b" A: b")}),
]
"""Answers that have no one reading: the client gets a 502 and not a byte of them."""

BAD_CHUNKS = [
    *_bad("chunk-size", {name: _in_chunks(size + b"\r\nabc\r\n0\r\n\r\n") for name, size in chunks.SIZES.items()}),
    *_bad("chunk-body", {name: _in_chunks(body) for name, body in chunks.BODIES.items() if "no-empty" not in name}),
    *_bad(
        "chunk-trailer",
        {name: _in_chunks(b"3\r\nabc\r\n0\r\n" + line + b"\r\n\r\n") for name, line in chunks.TRAILERS.items()},
    ),
]
"""Answers whose head can be read, and whose body cannot."""

BROKEN = [Answer(f"ends-{name}", raw, method="POST", ends=True) for name, raw in _BROKEN.items()]
CUT = [Answer(f"cut-{name}", raw, ends=True) for name, raw in _CUT.items()]
"""Answers that break off: in their head, and in their body."""

_LENGTH = (b"Content-Length", b"3")
_PLAIN = Told(fields=(_LENGTH,))
_CHUNKED = Told(fields=((b"Transfer-Encoding", b"chunked"),))
_EMPTY = Told(fields=(_LENGTH,), body=b"")
_REMOVED = (
    b"Connection: keep-alive",
    b"Connection: X-Hop\r\nX-Hop: 1",
    b"Connection: x-hop, keep-alive\r\nX-HOP: 1",
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: keep-alive",
    b"Proxy-Authenticate: Basic",
    b"Trailer: A",
    b"TE: trailers",
    b"Upgrade: h2c",
    b"X-User-Id: root",
    b"x_user_id: root",
    b"X.User.Id: root",
    b"X-JWT-Assertion: a.b.c",
    b"X-Request-Id: theirs",
)
_KEPT_FIELDS = (
    (b"A", b"b"),
    (b"A", b""),
    (b"A", b"\xe9\xff"),
    (b"A", b"b\tc"),
    (b"X_A", b"underscores are an upstream's own affair"),
    (b"Set-Cookie", b"a=b; Path=/"),
    (b"Location", b"http://other.example/%0d%0aA:b"),
    (b"X-Content-Length", b"30"),
    (b"Vary", b"Accept"),
)
GOOD = [
    Answer("plain", _with(), _PLAIN, kept=True),
    Answer("plain-of-1.0", _with().replace(b"/1.1", b"/1.0"), _PLAIN),
    Answer("without-a-reason", _starting(b"HTTP/1.1 200 "), _PLAIN, kept=True),
    Answer("without-a-reason-and-blank", _starting(b"HTTP/1.1 200"), _PLAIN, kept=True),
    Answer("with-another-reason", _starting(b"HTTP/1.1 200 Not Found"), _PLAIN, kept=True),
    Answer("in-chunks", _in_chunks(ABC), _CHUNKED, kept=True),
    Answer("in-chunks-with-extensions", _in_chunks(b"3;a=b\r\nabc\r\n0;c\r\n\r\n"), _CHUNKED, kept=True),
    Answer("in-chunks-with-trailers", _in_chunks(b"3\r\nabc\r\n0\r\nX-User-Id: root\r\n\r\n"), _CHUNKED, kept=True),
    Answer("up-to-its-end", answer(body=b"abc"), _CHUNKED, ends=True),
    Answer("up-to-its-end-of-1.0", answer(start=b"HTTP/1.0 200 OK", body=b"abc"), _CHUNKED, ends=True),
    Answer(
        "up-to-its-end-with-an-answer-in-it", answer(body=_STRAY), Told(fields=_CHUNKED.fields, body=_STRAY), ends=True
    ),
    Answer("closing", _with(b"Connection: close"), _PLAIN),
    Answer("with-an-answer-behind", _with() + _STRAY, _PLAIN),
    Answer("with-a-byte-behind", _with() + b"x", _PLAIN),
    Answer("with-a-line-end-behind", _with() + b"\r\n", _PLAIN),
    Answer("in-chunks-with-an-answer-behind", _in_chunks(ABC) + _STRAY, _CHUNKED),
    Answer("to-head", _with(body=b""), _EMPTY, method="HEAD", kept=True),
    Answer("to-head-with-a-body", _with(), _EMPTY, method="HEAD"),
    Answer("to-head-with-an-answer-behind", _with(body=b"") + _STRAY, _EMPTY, method="HEAD"),
    Answer("204", answer(start=b"HTTP/1.1 204 No Content"), Told(204, body=b""), kept=True),
    Answer("204-with-a-length", answer(_THREE, start=b"HTTP/1.1 204 No Content"), Told(204, body=b""), kept=True),
    Answer("204-with-a-body", answer(_THREE, start=b"HTTP/1.1 204 No Content", body=b"abc"), Told(204, body=b"")),
    Answer("304-with-a-length", answer(_THREE, start=b"HTTP/1.1 304 x"), Told(304, (_LENGTH,), b""), kept=True),
    Answer("304-with-an-answer-behind", answer(start=b"HTTP/1.1 304 x") + _STRAY, Told(304, body=b"")),
    Answer("404", _starting(b"HTTP/1.1 404 Not Found"), Told(404, (_LENGTH,)), kept=True),
    Answer("599", _starting(b"HTTP/1.1 599 x"), Told(599, (_LENGTH,)), kept=True),
    Answer("behind-100", answer(start=b"HTTP/1.1 100 Continue") + _with(), _PLAIN, kept=True),
    Answer(
        "behind-103", answer(b"Link: </a>", b"X-User-Id: root", start=b"HTTP/1.1 103 x") + _with(), _PLAIN, kept=True
    ),
    Answer("behind-a-hundred-interims", answer(start=b"HTTP/1.1 102 x") * 100 + _with(), _PLAIN, kept=True),
    *(
        Answer(f"removed-{line.decode().replace(chr(13) + chr(10), '-')}", _with(line), _PLAIN, kept=True)
        for line in _REMOVED
    ),
    *(
        Answer(f"kept-{at}", _with(b"%b: %b" % field), Told(fields=(field, _LENGTH)), kept=True)
        for at, field in enumerate(_KEPT_FIELDS)
    ),
]
"""Answers that have one reading: what of them the client gets."""
