"""Who is asked, and what a client may say of its connection: Host, Connection, Upgrade, Expect (SEC-93, SEC-94)."""

from __future__ import annotations

from .case import ABC, CHUNKED, HOST, INNER, Case, Sent, family, head, passed, post, refused

_HOSTS = {
    "twice-the-same": HOST + b"\r\n" + HOST,
    "twice": HOST + b"\r\nHost: other.example",
    "second-in-another-case": HOST + b"\r\nhOST: other.example",
    "second-without-value": HOST + b"\r\nHost:",
    "first-without-value": b"Host:\r\n" + HOST,
    "second-apart": HOST + b"\r\nA: b\r\nHost: gate.example",
    "without-value": b"Host:",
    "of-blanks": b"Host: \t ",
    "list": b"Host: gate.example, other.example",
    "list-without-blank": b"Host: gate.example,other.example",
    "inner-blank": b"Host: gate.example other.example",
    "inner-tab": b"Host: gate.example\tother.example",
    "path": b"Host: gate.example/open",
    "slash-at-the-end": b"Host: gate.example/",
    "query": b"Host: gate.example?a",
    "fragment": b"Host: gate.example#a",
    "backslash": b"Host: gate.example\\other.example",
    "user": b"Host: other.example@gate.example",
    "user-and-password": b"Host: a:b@gate.example",
    "address": b"Host: http://gate.example",
    "port-of-letters": b"Host: gate.example:http",
    "port-without-digits": b"Host: gate.example:",
    "port-too-long": b"Host: gate.example:123456",
    "port-with-a-sign": b"Host: gate.example:-80",
    "port-twice": b"Host: gate.example:80:81",
    "port-of-other-digits": "Host: gate.example:８０".encode(),
    "only-a-port": b"Host: :80",
    "only-a-dot": b"Host: .",
    "half-a-bracket": b"Host: [::1",
    "other-half-of-a-bracket": b"Host: ::1]",
    "no-brackets": b"Host: ::1",
    "empty-brackets": b"Host: []",
    "letters-in-brackets": b"Host: [gate.example]",
    "zone-in-brackets": b"Host: [fe80::1%25eth0]",
    "behind-the-brackets": b"Host: [::1]x",
    "escape": b"Host: g%61te.example",
    "nul": b"Host: gate.example\0other.example",
    "nul-at-the-end": b"Host: gate.example\0",
    "byte-past-ascii": b"Host: g\xe4te.example",
    "full-width": "Host: ｇate.example".encode(),
    "no-break-space": b"Host: \xa0gate.example",
    "blank-before-the-colon": b"Host : gate.example",
    "tab-before-the-colon": b"Host\t: gate.example",
    "leading-blank": b" Host: gate.example",
    "folded": b"Host:\r\n gate.example",
    "angle-brackets": b"Host: <gate.example>",
    "quotes": b'Host: "gate.example"',
    "semicolon": b"Host: gate.example;a",
    "star": b"Host: *",
    "too-long": b"Host: " + b"a" * 256,
}
_HOSTS_PASSED = {
    "with-a-port": b"gate.example:8080",
    "upper-case": b"GATE.EXAMPLE",
    "an-address": b"127.0.0.1",
    "an-address-with-a-port": b"127.0.0.1:80",
    "in-brackets": b"[::1]",
    "in-brackets-with-a-port": b"[::1]:8080",
    "with-its-last-dot": b"gate.example.",
    "underscore": b"gate_1.example",
}
_EXPECTATIONS = {
    "unknown": b"Expect: wonders",
    "list": b"Expect: 100-continue, wonders",
    "twice-in-one": b"Expect: 100-continue, 100-continue",
    "parameter": b"Expect: 100-continue;a=b",
    "empty": b"Expect:",
    "another-number": b"Expect: 200-ok",
    "prefix": b"Expect: 100-continued",
}
_A_B, _C_D = b"A: b", b"C: d"
_POSTED = Sent(method=b"POST", lines=(b"Content-Length: 3",), body=b"abc")
_STREAMED = Sent(method=b"POST", lines=(CHUNKED,), body=b"abc")
# What a client nominates, with `A: b` and `C: d` behind it: the lines of these that go on.
_NOMINATED = {
    "a-field": (b"A", (_C_D,)),
    "both": (b"A, C", ()),
    "in-lower-case": (b"a", (_C_D,)),
    "keep-alive-and-a-field": (b"keep-alive ,\ta,", (_C_D,)),
    "commas": (b",,A,,", (_C_D,)),
    "a-tab-around": (b"\tA\t", (_C_D,)),
    "a-quoted-name": (b'"A"', (_A_B, _C_D)),
    "a-longer-name": (b"AB", (_A_B, _C_D)),
    "a-semicolon": (b"A;", (_A_B, _C_D)),
    "a-no-break-space": (b"\xa0A", (_A_B, _C_D)),
    "itself": (b"Connection, A", (_C_D,)),
    "the-host": (b"Host", (_A_B, _C_D)),
    "what-we-tell": (b"X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Request-Id", (_A_B, _C_D)),
    "what-we-tell-in-any-case": (b"x-FORWARDED-for,X-REQUEST-ID", (_A_B, _C_D)),
    "nothing": (b"", (_A_B, _C_D)),
    "a-star": (b"*", (_A_B, _C_D)),
    "upgrade": (b"Upgrade", (_A_B, _C_D)),
}
_ONE_HOP = (
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: keep-alive",
    b"Proxy-Authorization: Basic x",
    b"Proxy-Authenticate: Basic",
    b"TE: trailers",
    b"Trailer: A",
    b"HTTP2-Settings: AAMAAABkAAQ",
    b"Upgrade: h2c",
    b"Upgrade: websocket",
    b"Upgrade: TLS/1.0",
)
_INNER_LENGTH = b"Content-Length: %d" % len(INNER)
_WITH_BODIES = {
    "h2c-with-a-body": ((b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 3"), b"abc", _POSTED),
    "h2c-in-chunks": ((b"Connection: upgrade", b"Upgrade: h2c", CHUNKED), ABC, _STREAMED),
    "an-upgrade-nobody-nominates": ((b"Upgrade: h2c", b"Content-Length: 3"), b"abc", _POSTED),
    "connection-names-the-length": ((b"Connection: Content-Length", b"Content-Length: 3"), b"abc", _POSTED),
    "connection-names-the-coding": ((b"Connection: Transfer-Encoding", CHUNKED), ABC, _STREAMED),
    "keep-alive-names-a-length": ((b"Keep-Alive: Content-Length: 30", b"Content-Length: 3"), b"abc", _POSTED),
}

CASES: list[Case] = [
    refused("host-none", head(host=b"A: b")),
    refused("host-none-at-all", b"GET /open/a HTTP/1.1\r\n\r\n"),
    refused("host-none-in-1.0", b"GET /open/a HTTP/1.0\r\n\r\n"),
    refused("host-only-in-the-target", b"GET http://gate.example/open/a HTTP/1.1\r\n\r\n"),
    *family("host", _HOSTS, lambda host: head(host=host)),
    *family("expect", _EXPECTATIONS, lambda line: post(line, b"Content-Length: 3", body=b"abc")),
    *(passed(f"host-{name}", head(host=b"Host: " + host), Sent(host=host)) for name, host in _HOSTS_PASSED.items()),
    *(
        passed(f"connection-names-{name}", head(b"Connection: " + value, _A_B, _C_D), Sent(lines=lines))
        for name, (value, lines) in _NOMINATED.items()
    ),
    *(
        passed(f"one-hop-{line.decode().replace(': ', '-')}", head(line, _A_B), Sent(lines=(_A_B,)))
        for line in _ONE_HOP
    ),
    *(passed(name, post(*lines, body=body), sent) for name, (lines, body, sent) in _WITH_BODIES.items()),
    passed("two-connections", head(b"Connection: A", b"Connection: C", _A_B, _C_D), Sent()),
    passed(
        "h2c", head(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ"), Sent()
    ),
    passed(
        "websocket-with-a-request-for-a-body",
        head(b"Connection: upgrade", b"Upgrade: websocket", _INNER_LENGTH) + INNER,
        Sent(lines=(_INNER_LENGTH,), body=INNER),
    ),
    passed("expect-with-the-body-at-once", post(b"Expect: 100-continue", b"Content-Length: 3", body=b"abc"), _POSTED),
    passed("expect-without-a-body", head(b"Expect: 100-continue"), Sent()),
    Case("connection-close", head(b"Connection: close"), (200,), (Sent(),)),
    Case("connection-close-in-a-list", head(b"Connection: A, close", _A_B), (200,), (Sent(),)),
    Case("connection-close-in-upper-case", head(b"Connection: CLOSE"), (200,), (Sent(),)),
    Case("http-1.0", head(start=b"GET /open/a HTTP/1.0"), (200,), (Sent(),)),
    passed("http-1.0-kept-alive", head(b"Connection: keep-alive", start=b"GET /open/a HTTP/1.0"), Sent()),
]
