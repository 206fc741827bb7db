"""Requests sent behind one another: where one ends, and that the next is the client's (SEC-90, SEC-99)."""

from __future__ import annotations

from .case import ABC, CHUNKED, HOST, INNER, Case, Sent, head, passed, post, refused, start

_AS_LONG = b"Content-Length: %d" % len(INNER)
_POSTED = Sent(method=b"POST", lines=(b"Content-Length: 3",), body=b"abc")
_STREAMED = Sent(method=b"POST", lines=(CHUNKED,), body=b"abc")
_SMUGGLED = Sent(target=b"/open/smuggled")
# What is whole, and what reaches the upstream of it.
_FIRST: dict[str, tuple[bytes, Sent]] = {
    "get": (head(), Sent()),
    "length": (post(b"Content-Length: 3", body=b"abc"), _POSTED),
    "chunks": (post(CHUNKED, body=ABC), _STREAMED),
    "empty-chunks": (post(CHUNKED, body=b"0\r\n\r\n"), Sent(method=b"POST", lines=(CHUNKED,))),
    "trailers": (post(CHUNKED, body=b"3\r\nabc\r\n0\r\nA: b\r\n\r\n"), _STREAMED),
    "length-0": (post(b"Content-Length: 0"), Sent(method=b"POST", lines=(b"Content-Length: 0",))),
    "a-body-that-is-a-request": (
        post(_AS_LONG, body=INNER),
        Sent(method=b"POST", lines=(_AS_LONG,), body=INNER),
    ),
}
# What cannot be read, behind something that can.
_NONSENSE = {
    "nonsense": (b"nonsense\r\n\r\n", 400),
    "no-host": (b"GET /open/a HTTP/1.1\r\n\r\n", 400),
    "length-and-coding": (post(b"Content-Length: 3", CHUNKED, body=ABC), 400),
    "two-lengths": (post(b"Content-Length: 3", b"Content-Length: 4", body=b"abc"), 400),
    "an-unknown-method": (start(b"SMUGGLE /open/a HTTP/1.1"), 501),
    "a-bare-lf-inside": (b"GET /open/a HTTP/1.1\n" + HOST + b"\r\n\r\n", 400),
    "a-folded-line": (head(b"A: b", b" c"), 400),
    "an-encoded-slash": (start(b"GET /open%2fa HTTP/1.1"), 400),
    "a-status-line": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 400),
    "a-chunk": (ABC, 400),
    "the-preface-of-http-2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a-broken-chunk": (post(CHUNKED, body=b"3\r\nabcd\r\n"), 400),
}


def _nowhere(*lines: bytes, body: bytes = b"", method: bytes = b"POST", path: bytes = b"/nowhere") -> bytes:
    return head(*lines, start=method + b" " + path + b" HTTP/1.1") + body


CASES: list[Case] = [
    *(
        passed(f"{one}-then-{other}", first + second, sent, next_sent)
        for one, (first, sent) in _FIRST.items()
        for other, (second, next_sent) in _FIRST.items()
    ),
    *(
        Case(f"{one}-then-{other}", first + second, (200, status), (sent,))
        for one, (first, sent) in list(_FIRST.items())[:5]
        for other, (second, status) in _NONSENSE.items()
    ),
    *(
        passed(f"{one}-then-an-empty-line-then-get", first + b"\r\n" + head(), sent, Sent())
        for one, (first, sent) in _FIRST.items()
    ),
    *(
        Case(f"{one}-then-a-bare-cr", first + b"\r" + head(), (200, 400), (sent,))
        for one, (first, sent) in _FIRST.items()
    ),
    *(
        Case(f"{one}-then-a-bare-lf", first + b"\n" + head(), (200, 400), (sent,))
        for one, (first, sent) in _FIRST.items()
    ),
    # A length one byte off: what is too much begins the next request, what is too little is taken from it.
    Case("a-length-too-short", post(b"Content-Length: 3", body=b"abcX") + head(), (200, 501), (_POSTED,)),
    Case(
        "a-length-too-short-by-a-request-line",
        post(b"Content-Length: 3", body=b"abc/open/a HTTP/1.1\r\n"),
        (200, 400),
        (_POSTED,),
    ),
    Case(
        "a-length-too-long",
        post(b"Content-Length: 5", body=b"abc") + head(),
        (200, 501),
        (Sent(method=b"POST", lines=(b"Content-Length: 5",), body=b"abcGE"),),
    ),
    Case("a-body-without-a-length", post(body=b"abc") + head(), (200, 501), (Sent(method=b"POST"),)),
    passed("a-request-without-a-length-is-the-next", post(body=INNER), Sent(method=b"POST"), _SMUGGLED),
    passed(
        "a-request-behind-length-0-is-the-next",
        post(b"Content-Length: 0", body=INNER),
        _FIRST["length-0"][1],
        _SMUGGLED,
    ),
    passed(
        "a-request-behind-the-last-chunk-is-the-next",
        post(CHUNKED, body=b"0\r\n\r\n" + INNER),
        _FIRST["empty-chunks"][1],
        _SMUGGLED,
    ),
    Case("behind-close-nothing-is-read", head(b"Connection: close") + INNER, (200,), (Sent(),)),
    Case("behind-http-1.0-nothing-is-read", head(start=b"GET /open/a HTTP/1.0") + INNER, (200,), (Sent(),)),
    passed("fifty-at-once", head() * 50, *[Sent()] * 50),
    # What is refused with a body: the body is no request.
    Case("nowhere-with-a-request-for-a-body", _nowhere(_AS_LONG, body=INNER), (404,), open=True),
    Case("nowhere-with-length-0", _nowhere(b"Content-Length: 0"), (404,), open=True),
    Case("nowhere-without-a-body", _nowhere(method=b"GET"), (404,), open=True),
    Case("nowhere-in-chunks", _nowhere(CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(INNER), INNER)), (404,)),
    Case("nowhere-with-a-long-body", _nowhere(b"Content-Length: 200000", body=INNER), (404,)),
    Case("no-token-with-a-request-for-a-body", _nowhere(_AS_LONG, body=INNER, path=b"/orders/1"), (401,), open=True),
    Case("no-token-in-chunks", _nowhere(CHUNKED, body=ABC, path=b"/orders/1"), (401,)),
    Case(
        "a-bad-token-with-a-request-for-a-body",
        _nowhere(b"Authorization: Bearer x", _AS_LONG, body=INNER, path=b"/orders/1"),
        (401,),
        open=True,
    ),
    Case(
        "two-tokens-with-a-request-for-a-body",
        _nowhere(*[b"Authorization: Bearer x"] * 2, _AS_LONG, body=INNER, path=b"/orders/1"),
        (400,),
        open=True,
    ),
    refused("an-encoded-slash-with-a-request-for-a-body", post(_AS_LONG).replace(b"/open/a", b"/open%2fa") + INNER),
    refused("an-unusual-name-with-a-request-for-a-body", post(b"X_A: b", _AS_LONG, body=INNER)),
    refused("too-large-with-a-request-for-a-body", post(b"Content-Length: 10485761", body=INNER), 413),
    refused("connect-with-a-request-behind", start(b"CONNECT gate.example:443 HTTP/1.1") + INNER, 501),
    refused("http-2-with-a-request-behind", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + INNER),
    Case(
        "our-own-address-with-a-body", _nowhere(_AS_LONG, body=INNER, path=b"/.well-known/jwks.json"), (501,), (), True
    ),
]
