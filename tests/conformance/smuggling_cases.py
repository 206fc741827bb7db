"""Requests that two readers might read in two ways, as data.

`REFUSED`: answered with an error and the end of the connection, and nothing of it reaches an upstream as a request.
`PASSED`: exactly one well-formed request reaches the upstream, and what follows on the connection is a request again.
"""

from __future__ import annotations

from dataclasses import dataclass

HOST = b"Host: gate.example\r\n"
TARGET = b"/open/a"


@dataclass(frozen=True)
class Case:
    """A request, named after the trick in it. Where it passes: the target, body and fields that reach the upstream."""

    name: str
    raw: bytes
    status: int = 400
    target: bytes = TARGET
    body: bytes = b""
    fields: tuple[tuple[bytes, bytes], ...] = ()


def head(*lines: bytes, start: bytes = b"GET " + TARGET + b" HTTP/1.1", host: bytes = HOST) -> bytes:
    """A head with these lines behind its `Host`."""
    return start + b"\r\n" + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return head(*lines, start=b"POST " + TARGET + b" HTTP/1.1") + body


def in_chunks(body: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", body=body)


def start(line: bytes) -> bytes:
    return head(start=line)


CHUNKED = b"Transfer-Encoding: chunked"
ABC = b"3\r\nabc\r\n0\r\n\r\n"
INNER = b"GET /open/smuggled HTTP/1.1\r\nHost: gate.example\r\n\r\n"
LONG = b"x" * 4100

_LENGTHS_REFUSED = {
    "a-list": b"3, 3",
    "a-list-without-blank": b"3,3",
    "a-plus": b"+3",
    "a-minus": b"-3",
    "an-inner-blank": b"1 3",
    "hexadecimal": b"0x3",
    "an-underscore": b"1_0",
    "an-exponent": b"3e0",
    "a-point": b"3.0",
    "empty": b"",
    "a-letter": b"3a",
    "digits-of-another-script": "٣".encode(),
    "a-vertical-tab": b"\x0b3",
    "nineteen-digits": b"0000000000000000003",
    "more-than-64-bits": b"18446744073709551619",
    "quotes": b'"3"',
    "a-semicolon": b"3;",
    "a-nul": b"3\x00",
}
_CODINGS_REFUSED = {
    "chunked-twice": b"chunked, chunked",
    "chunked-twice-without-blank": b"chunked,chunked",
    "gzip-then-chunked": b"gzip, chunked",
    "chunked-then-gzip": b"chunked, gzip",
    "identity": b"identity",
    "identity-then-chunked": b"identity, chunked",
    "a-longer-word": b"chunkedx",
    "a-prefixed-word": b"xchunked",
    "a-parameter": b"chunked;q=1",
    "quotes": b'"chunked"',
    "a-comma-behind": b"chunked,",
    "a-comma-before": b",chunked",
    "empty": b"",
    "a-vertical-tab": b"\x0bchunked",
    "a-vertical-tab-behind": b"chunked\x0b",
    "a-nul": b"chunked\x00",
    "an-inner-blank": b"chun ked",
    "a-no-break-space": b"\xa0chunked",
    "a-backslash": b"\\chunked",
}
_NAMES_REFUSED = {
    "content-length-blank-before-colon": b"Content-Length : 3",
    "content-length-tab-before-colon": b"Content-Length\t: 3",
    "content-length-underscore": b"Content_Length: 3",
    "content-length-leading-blank": b" Content-Length: 3",
    "content-length-leading-tab": b"\tContent-Length: 3",
    "content-length-nul": b"Content-Length\x00: 3",
    "content-length-folded": b"Content-Length:\r\n 3",
    "content-length-vertical-tab": b"\x0bContent-Length: 3",
    "transfer-encoding-blank-before-colon": b"Transfer-Encoding : chunked",
    "transfer-encoding-underscore": b"Transfer_Encoding: chunked",
    "transfer-encoding-leading-blank": b" Transfer-Encoding: chunked",
    "transfer-encoding-folded": b"Transfer-Encoding:\r\n chunked",
    "transfer-encoding-point": b"Transfer.Encoding: chunked",
    "transfer-encoding-cr": b"Transfer-Encoding\r: chunked",
    "host-folded": b"X-A: b\r\n Host: other.example",
}
_CHUNKS_REFUSED = {
    "seventeen-digits": b"00000000000000003\r\nabc\r\n0\r\n\r\n",
    "more-than-64-bits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "hexadecimal-prefix": b"0x3\r\nabc\r\n0\r\n\r\n",
    "a-plus": b"+3\r\nabc\r\n0\r\n\r\n",
    "a-minus": b"-3\r\nabc\r\n0\r\n\r\n",
    "an-underscore": b"0_3\r\nabc\r\n0\r\n\r\n",
    "a-blank-before": b" 3\r\nabc\r\n0\r\n\r\n",
    "a-blank-behind": b"3 \r\nabc\r\n0\r\n\r\n",
    "a-tab-behind": b"3\t\r\nabc\r\n0\r\n\r\n",
    "a-blank-before-an-extension": b"3 ;a=b\r\nabc\r\n0\r\n\r\n",
    "no-size": b"\r\nabc\r\n0\r\n\r\n",
    "only-an-extension": b";a\r\nabc\r\n0\r\n\r\n",
    "a-letter-past-f": b"g\r\nabc\r\n0\r\n\r\n",
    "a-bare-lf-behind-the-size": b"3\nabc\r\n0\r\n\r\n",
    "a-bare-cr-behind-the-size": b"3\rabc\r\n0\r\n\r\n",
    "a-bare-lf-behind-an-extension": b"3;a\nabc\r\n0\r\n\r\n",
    "a-bare-cr-in-an-extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "a-nul-in-an-extension": b"3;a\x00\r\nabc\r\n0\r\n\r\n",
    "longer-than-its-size": b"3\r\nabcd\r\n0\r\n\r\n",
    "shorter-than-its-size": b"5\r\nabc\r\n0\r\n\r\n",
    "a-bare-lf-behind-the-data": b"3\r\nabc\n0\r\n\r\n",
    "a-bare-cr-behind-the-data": b"3\r\nabc\r0\r\n\r\n",
    "no-end-of-the-data": b"3\r\nabc0\r\n\r\n",
    "no-empty-line-at-the-end": b"3\r\nabc\r\n0\r\n",
    "a-bare-lf-at-the-end": b"3\r\nabc\r\n0\r\n\n",
    "a-bare-lf-behind-the-last-size": b"3\r\nabc\r\n0\n\r\n",
    "a-folded-trailer": b"3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n",
    "a-trailer-without-colon": b"3\r\nabc\r\n0\r\nA\r\n\r\n",
    "a-trailer-with-a-blank-before-its-colon": b"3\r\nabc\r\n0\r\nA : b\r\n\r\n",
    "a-trailer-with-a-bare-lf": b"3\r\nabc\r\n0\r\nA: b\n\r\n",
    "a-trailer-with-a-nul": b"3\r\nabc\r\n0\r\nA: \x00\r\n\r\n",
    "a-long-extension": b"3;" + LONG + b"\r\nabc\r\n0\r\n\r\n",
    "long-extensions-together": (b"1;" + b"x" * 1000 + b"\r\na\r\n") * 5 + b"0\r\n\r\n",
    "long-trailers": b"3\r\nabc\r\n0\r\n" + (b"A: " + b"x" * 1000 + b"\r\n") * 5 + b"\r\n",
    "a-request-in-the-trailers": b"3\r\nabc\r\n0\r\n" + INNER,
}
_LINE_ENDS_REFUSED = {
    "a-bare-lf-behind-the-request-line": b"GET /open/a HTTP/1.1\n" + HOST + b"\r\n",
    "a-bare-lf-behind-a-field": b"GET /open/a HTTP/1.1\r\nHost: gate.example\nA: b\r\n\r\n",
    "a-bare-lf-behind-the-head": b"GET /open/a HTTP/1.1\r\nHost: gate.example\r\n\n",
    "bare-lf-everywhere": b"GET /open/a HTTP/1.1\nHost: gate.example\n\n",
    "a-bare-cr-behind-the-request-line": b"GET /open/a HTTP/1.1\r" + HOST + b"\r\n",
    "a-bare-cr-behind-a-field": b"GET /open/a HTTP/1.1\r\nHost: gate.example\rA: b\r\n\r\n",
    "two-cr-behind-a-field": b"GET /open/a HTTP/1.1\r\nHost: gate.example\r\r\n\r\n",
    "a-cr-in-a-value": head(b"A: b\rContent-Length: 3"),
    "an-lf-in-a-value": head(b"A: b\nContent-Length: 3"),
    "lf-before-cr": b"GET /open/a HTTP/1.1\n\r" + HOST + b"\r\n",
    "an-lf-first": b"\n" + head(),
    "a-cr-first": b"\r" + head(),
    "two-cr-first": b"\r\r\n" + head(),
    "a-blank-first": b" " + head(),
    "a-folded-first-line": b"GET /open/a HTTP/1.1\r\n A: b\r\n" + HOST + b"\r\n",
    "a-nul-first": b"\x00" + head(),
}
_REQUEST_LINES_REFUSED = {
    "two-blanks-before-the-target": b"GET  /open/a HTTP/1.1",
    "two-blanks-behind-the-target": b"GET /open/a  HTTP/1.1",
    "a-tab-before-the-target": b"GET\t/open/a HTTP/1.1",
    "a-tab-behind-the-target": b"GET /open/a\tHTTP/1.1",
    "a-blank-at-the-end": b"GET /open/a HTTP/1.1 ",
    "a-blank-in-the-target": b"GET /open/a b HTTP/1.1",
    "no-version": b"GET /open/a",
    "version-0.9": b"GET /open/a HTTP/0.9",
    "version-1.2": b"GET /open/a HTTP/1.2",
    "version-2.0": b"GET /open/a HTTP/2.0",
    "version-1.10": b"GET /open/a HTTP/1.10",
    "version-01.1": b"GET /open/a HTTP/01.1",
    "version-1.": b"GET /open/a HTTP/1.",
    "version-1": b"GET /open/a HTTP/1",
    "version-with-a-comma": b"GET /open/a HTTP/1,1",
    "version-in-lower-case": b"GET /open/a http/1.1",
    "a-blank-in-the-version": b"GET /open/a HTTP /1.1",
    "another-protocol": b"GET /open/a RTSP/1.0",
    "another-protocol-of-version-1.1": b"GET /open/a RTSP/1.1",
    "a-method-with-an-at-sign": b"G@T /open/a HTTP/1.1",
    "no-method": b"/open/a HTTP/1.1",
    "no-target": b"GET HTTP/1.1",
    "an-empty-target": b"GET  HTTP/1.1",
    "a-star": b"OPTIONS * HTTP/1.1",
    "a-relative-target": b"GET open/a HTTP/1.1",
    "an-absolute-target-of-another-host": b"GET http://other.example/open/a HTTP/1.1",
    "an-absolute-target-with-a-user": b"GET http://gate.example@other.example/open/a HTTP/1.1",
    "an-absolute-target-of-another-scheme": b"GET ftp://gate.example/open/a HTTP/1.1",
    "an-absolute-target-without-host": b"GET http:///open/a HTTP/1.1",
    "an-absolute-target-without-slashes": b"GET http:/open/a HTTP/1.1",
    "two-slashes": b"GET //open/a HTTP/1.1",
    "a-backslash": b"GET /open\\a HTTP/1.1",
    "an-encoded-nul": b"GET /open/%00 HTTP/1.1",
    "encoded-dots": b"GET /open/%2e%2e/a HTTP/1.1",
    "an-encoded-slash": b"GET /open%2fa HTTP/1.1",
    "a-path-parameter": b"GET /open;a/a HTTP/1.1",
    "a-fragment": b"GET /open/a#b HTTP/1.1",
    "a-control-in-the-path": b"GET /open/\x01 HTTP/1.1",
    "del-in-the-path": b"GET /open/\x7f HTTP/1.1",
    "del-in-the-query": b"GET /open/a?\x7f HTTP/1.1",
    "a-byte-past-ascii-in-the-path": b"GET /open/\xe9 HTTP/1.1",
    "a-byte-past-ascii-in-the-query": b"GET /open/a?\xe9 HTTP/1.1",
    "a-nul-in-the-query": b"GET /open/a?\x00 HTTP/1.1",
    "angle-brackets-in-the-path": b"GET /open/<a> HTTP/1.1",
}
_METHODS_REFUSED = {
    "in-lower-case": b"get /open/a HTTP/1.1",
    "in-mixed-case": b"GeT /open/a HTTP/1.1",
    "unknown": b"SMUGGLE /open/a HTTP/1.1",
    "connect": b"CONNECT gate.example:443 HTTP/1.1",
    "trace": b"TRACE /open/a HTTP/1.1",
}
_HOSTS_REFUSED = {
    "none": b"",
    "twice-the-same": HOST + HOST,
    "twice": HOST + b"Host: other.example\r\n",
    "a-second-in-another-case": HOST + b"hOST: other.example\r\n",
    "a-second-without-value": HOST + b"Host:\r\n",
    "a-first-without-value": b"Host:\r\n" + HOST,
    "without-value": b"Host:\r\n",
    "a-list": b"Host: gate.example, other.example\r\n",
    "an-inner-blank": b"Host: gate.example other.example\r\n",
    "a-path": b"Host: gate.example/open\r\n",
    "a-user": b"Host: other.example@gate.example\r\n",
    "a-port-of-letters": b"Host: gate.example:http\r\n",
    "half-a-bracket": b"Host: [::1\r\n",
    "a-nul": b"Host: gate.example\x00other.example\r\n",
    "a-byte-past-ascii": b"Host: g\xe4te.example\r\n",
    "a-blank-before-the-colon": b"Host : gate.example\r\n",
    "too-long": b"Host: " + b"a" * 300 + b"\r\n",
}
_OTHERS_REFUSED = {
    "length-and-coding": post(b"Content-Length: 6", CHUNKED, body=b"0\r\n\r\n" + INNER),
    "coding-and-length": post(CHUNKED, b"Content-Length: 3", body=b"8\r\nSMUGGLED\r\n0\r\n\r\n"),
    "coding-and-length-0": post(CHUNKED, b"Content-Length: 0", body=ABC),
    "the-same-length-twice": post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"),
    "two-lengths": post(b"Content-Length: 3", b"Content-Length: 30", body=b"abc" + INNER),
    "two-lengths-in-two-cases": post(b"Content-Length: 3", b"content-length: 0", body=b"abc"),
    "the-same-coding-twice": post(CHUNKED, CHUNKED, body=ABC),
    "two-codings": post(b"Transfer-Encoding: gzip", CHUNKED, body=ABC),
    "coding-in-1.0": head(CHUNKED, b"Connection: keep-alive", start=b"POST /open/a HTTP/1.0") + ABC,
    "an-unknown-expectation": post(b"Expect: wonders", b"Content-Length: 3", body=b"abc"),
    "an-empty-name": head(b": b"),
    "a-name-without-colon": head(b"Abc"),
    "a-byte-past-ascii-in-a-name": head(b"X-\xe9: b"),
    "del-in-a-name": head(b"X-\x7f: b"),
    "a-control-in-a-name": head(b"X-\x01: b"),
    "a-nul-in-a-value": head(b"A: b\x00c"),
    "a-control-in-a-value": head(b"A: b\x01c"),
    "an-escape-in-a-value": head(b"A: b\x1b[1m"),
    "del-in-a-value": head(b"A: b\x7fc"),
    "a-folded-value": head(b"A: b", b" c"),
    "a-value-folded-with-a-tab": head(b"A: b", b"\tc"),
    "the-preface-of-http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a-tls-handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "101-fields": head(*(b"A-%d: b" % number for number in range(101))),
}
_STATUS = {"101-fields": 431}


def _refused() -> list[Case]:
    cases = [
        *(
            Case(f"length-{name}", post(b"Content-Length: " + value, body=b"abc"))
            for name, value in _LENGTHS_REFUSED.items()
        ),
        *(
            Case(f"coding-{name}", post(b"Transfer-Encoding: " + value, body=ABC))
            for name, value in _CODINGS_REFUSED.items()
        ),
        *(Case(f"name-{name}", post(line, body=b"abc")) for name, line in _NAMES_REFUSED.items()),
        *(Case(f"chunk-{name}", in_chunks(body)) for name, body in _CHUNKS_REFUSED.items()),
        *(Case(f"line-end-{name}", raw) for name, raw in _LINE_ENDS_REFUSED.items()),
        *(Case(f"request-line-{name}", start(line)) for name, line in _REQUEST_LINES_REFUSED.items()),
        *(Case(f"method-{name}", start(line), 501) for name, line in _METHODS_REFUSED.items()),
        *(Case(f"host-{name}", head(host=host)) for name, host in _HOSTS_REFUSED.items()),
        *(Case(name, raw, _STATUS.get(name, 400)) for name, raw in _OTHERS_REFUSED.items()),
    ]
    cases += [Case(f"name-with-{sign}", head(b"X-A%cB: c" % sign)) for sign in b' "(),/:;<=>?@[\\]{}' if sign != 0x3A]
    # Characters a name may have, and that some upstream takes for a dash or drops.
    return cases + [Case(f"name-with-token-character-{sign}", head(b"X-A%cB: c" % sign)) for sign in b"!#$%&'*+.^_`|~"]


REFUSED = _refused()

_F = Case  # what passes, and what of it
PASSED = [
    _F("plain", head()),
    _F("with-a-length", post(b"Content-Length: 3", body=b"abc"), body=b"abc"),
    _F("with-length-0", post(b"Content-Length: 0")),
    _F("a-length-with-zeros", post(b"Content-Length: 0003", body=b"abc"), body=b"abc"),
    _F("a-length-with-blanks-around", post(b"Content-Length: \t 3 \t", body=b"abc"), body=b"abc"),
    _F("a-get-with-a-length", head(b"Content-Length: 3") + b"abc", body=b"abc"),
    _F("a-body-that-looks-like-a-request", post(b"Content-Length: %d" % len(INNER), body=INNER), body=INNER),
    _F("in-chunks", in_chunks(ABC), body=b"abc"),
    _F("an-empty-chunked-body", in_chunks(b"0\r\n\r\n")),
    _F("two-chunks", in_chunks(b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), body=b"abc"),
    _F("chunks-that-look-like-an-end", in_chunks(b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"), body=b"0\r\n\r\n"),
    _F("a-chunk-that-looks-like-a-request", in_chunks(b"%x\r\n%b\r\n0\r\n\r\n" % (len(INNER), INNER)), body=INNER),
    _F("a-size-of-16-digits", in_chunks(b"0000000000000003\r\nabc\r\n0\r\n\r\n"), body=b"abc"),
    _F("a-size-in-upper-case", in_chunks(b"A\r\nabcdefghij\r\n0\r\n\r\n"), body=b"abcdefghij"),
    _F("a-last-size-of-many-zeros", in_chunks(b"3\r\nabc\r\n000000\r\n\r\n"), body=b"abc"),
    _F("an-extension", in_chunks(b"3;a\r\nabc\r\n0\r\n\r\n"), body=b"abc"),
    _F("an-extension-with-a-value", in_chunks(b'3;a="b;c";d=e\r\nabc\r\n0;f\r\n\r\n'), body=b"abc"),
    _F("an-extension-with-bytes-past-ascii", in_chunks(b'3;a="\xe9"\r\nabc\r\n0\r\n\r\n'), body=b"abc"),
    _F("a-trailer", in_chunks(b"3\r\nabc\r\n0\r\nA: b\r\n\r\n"), body=b"abc"),
    _F("a-length-in-the-trailers", in_chunks(b"3\r\nabc\r\n0\r\nContent-Length: 30\r\n\r\n"), body=b"abc"),
    _F("identity-in-the-trailers", in_chunks(b"3\r\nabc\r\n0\r\nX-User-Id: root\r\n\r\n"), body=b"abc"),
    _F("chunked-in-upper-case", post(b"Transfer-Encoding: CHUNKED", body=ABC), body=b"abc"),
    _F("chunked-behind-a-tab", post(b"Transfer-Encoding:\tchunked", body=ABC), body=b"abc"),
    _F("chunked-behind-no-blank", post(b"transfer-encoding:chunked", body=ABC), body=b"abc"),
    _F("chunked-before-a-blank", post(b"Transfer-Encoding: chunked ", body=ABC), body=b"abc"),
    _F("te-is-not-transfer-encoding", head(b"TE: chunked")),
    _F("an-empty-line-first", b"\r\n" + head()),
    _F("empty-lines-first", b"\r\n\r\n\r\n" + head()),
    _F("an-empty-value", head(b"A:", b"B: c"), fields=((b"A", b""), (b"B", b"c"))),
    _F("a-blank-value", head(b"A: \t ", b"B: c"), fields=((b"A", b""), (b"B", b"c"))),
    _F("blanks-around-a-value", head(b"A:\t b c \t"), fields=((b"A", b"b c"),)),
    _F("a-tab-in-a-value", head(b"A: b\tc"), fields=((b"A", b"b\tc"),)),
    _F("bytes-past-ascii-in-a-value", head(b"A: \xe9\xff"), fields=((b"A", b"\xe9\xff"),)),
    _F("100-fields", head(*(b"A-%d: b" % number for number in range(99)))),
    _F("dot-segments", start(b"GET /x/../open/./a HTTP/1.1")),
    _F("an-escape-that-needs-none", start(b"GET /open/%61 HTTP/1.1")),
    _F("an-escape-in-lower-case", start(b"GET /open/%c3%a9 HTTP/1.1"), target=b"/open/%C3%A9"),
    _F("a-query", start(b"GET /open/a?b=/../c&d=%2e HTTP/1.1"), target=b"/open/a?b=/../c&d=%2e"),
    _F("an-empty-query", start(b"GET /open/a? HTTP/1.1")),
    _F("an-absolute-target", start(b"GET http://gate.example/open/a?b HTTP/1.1"), target=b"/open/a?b"),
    _F("an-absolute-target-in-upper-case", start(b"GET HTTP://GATE.example/open/a HTTP/1.1")),
    _F("a-host-with-a-port", head(host=b"Host: gate.example:8080\r\n")),
    _F("a-host-in-brackets", head(host=b"Host: [::1]:8080\r\n")),
    _F("a-host-with-its-last-dot", head(host=b"Host: gate.example.\r\n")),
    _F("h2c", head(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ")),
    _F(
        "h2c-with-a-body", post(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 3", body=b"abc"), body=b"abc"
    ),
    _F("h2c-in-chunks", post(b"Connection: upgrade", b"Upgrade: h2c", CHUNKED, body=ABC), body=b"abc"),
    _F(
        "websocket-with-a-request-for-a-body",
        head(b"Connection: upgrade", b"Upgrade: websocket", b"Content-Length: %d" % len(INNER)) + INNER,
        body=INNER,
    ),
    _F("an-upgrade-nobody-nominates", post(b"Upgrade: h2c", b"Content-Length: 3", body=b"abc"), body=b"abc"),
    _F(
        "connection-names-the-length",
        post(b"Connection: Content-Length", b"Content-Length: 3", body=b"abc"),
        body=b"abc",
    ),
    _F("connection-names-the-coding", post(b"Connection: Transfer-Encoding", CHUNKED, body=ABC), body=b"abc"),
    _F("connection-names-the-host", head(b"Connection: Host")),
    _F("connection-names-a-field", head(b"Connection: A", b"A: b", b"C: d"), fields=((b"C", b"d"),)),
    _F("connection-is-a-list", head(b"Connection: keep-alive ,\ta,", b"A: b", b"C: d"), fields=((b"C", b"d"),)),
    _F("two-connections", head(b"Connection: A", b"Connection: B", b"A: b", b"B: c")),
    _F("a-trailer-announced", post(b"Trailer: A", CHUNKED, body=b"0\r\nA: b\r\n\r\n")),
]
