"""The inside of a chunked body: sizes, extensions, line ends, trailers (SEC-92).

A request whose body breaks off has reached the upstream in part: nothing complete, and its connection has ended.
"""

from __future__ import annotations

from .case import CHUNKED, INNER, Sent, family, in_chunks, named, passed

LONG = b"x" * 4100
SIZES = {
    "none": b"",
    "seventeen-digits": b"0" * 16 + b"3",
    "a-thousand-zeros": b"0" * 1000 + b"3",
    "2-to-the-64": b"10000000000000003",
    "2-to-the-64-in-f": b"fffffffffffffffff",
    "hexadecimal-prefix": b"0x3",
    "upper-case-prefix": b"0X3",
    "hash-prefix": b"#3",
    "dollar-prefix": b"$3",
    "h-behind": b"3h",
    "plus": b"+3",
    "minus": b"-3",
    "underscore": b"0_3",
    "comma": b"0,3",
    "point": b"3.0",
    "blank-before": b" 3",
    "tab-before": b"\t3",
    "blank-behind": b"3 ",
    "tab-behind": b"3\t",
    "blanks-behind": b"3    ",
    "inner-blank": b"0 3",
    "letter-past-f": b"g",
    "letter-behind": b"3g",
    "double-quotes": b'"3"',
    "full-width": "３".encode(),
    "no-break-space": b"3\xa0",
    "escape": b"%33",
    "two": b"3\r\n3",
    "only-an-extension": b";a",
    "blank-before-an-extension": b"3 ;a=b",
    "tab-before-an-extension": b"3\t;a=b",
    "extension-without-semicolon": b"3a=b",
    "comma-extension": b"3,a=b",
    "long-extension": b"3;" + LONG,
}
_ENDS = {
    "bare-lf": b"\n",
    "bare-cr": b"\r",
    "two-cr": b"\r\r\n",
    "lf-cr": b"\n\r",
    "cr-cr": b"\r\r",
    "vertical-tab": b"\x0b",
    "nul-cr-lf": b"\0\r\n",
}
_BODY = b"3%(size)babc%(data)b0%(last)b%(end)b"
_PLACES = {"size": "the-size", "data": "the-data", "last": "the-last-size", "end": "the-body"}
BODIES = {
    "longer-than-its-size": b"3\r\nabcd\r\n0\r\n\r\n",
    "shorter-than-its-size": b"5\r\nabc\r\n0\r\n\r\n",
    "one-shorter-than-its-size": b"4\r\nabc\r\n0\r\n\r\n",
    "no-end-of-the-data": b"3\r\nabc0\r\n\r\n",
    "an-empty-line-behind-the-data": b"3\r\nabc\r\n\r\n0\r\n\r\n",
    "an-empty-line-before-the-size": b"\r\n3\r\nabc\r\n0\r\n\r\n",
    "a-request-in-the-place-of-a-size": INNER,
    "a-request-behind-a-chunk": b"3\r\nabc\r\n" + INNER,
    "a-request-in-the-trailers": b"3\r\nabc\r\n0\r\n" + INNER,
    "no-empty-line-at-the-end": b"3\r\nabc\r\n0\r\n",
    "extensions-long-together": (b"1;" + b"x" * 1000 + b"\r\na\r\n") * 5 + b"0\r\n\r\n",
    "trailers-long-together": b"3\r\nabc\r\n0\r\n" + (b"A: " + b"x" * 1000 + b"\r\n") * 5 + b"\r\n",
    "a-long-trailer": b"3\r\nabc\r\n0\r\nA: " + LONG + b"\r\n\r\n",
    "extensions-and-trailers-long-together": b"3;" + b"x" * 2100 + b"\r\nabc\r\n0\r\nA: " + b"x" * 2100 + b"\r\n\r\n",
}
TRAILERS = {
    "folded": b"A: b\r\n c",
    "folded-with-a-tab": b"A: b\r\n\tc",
    "first-folded": b" A: b",
    "without-colon": b"A",
    "without-name": b": b",
    "blank-before-the-colon": b"A : b",
    "tab-before-the-colon": b"A\t: b",
    "bare-lf": b"A: b\nC: d",
    "bare-cr": b"A: b\rC: d",
    "nul": b"A: \x00",
    "del": b"A: \x7f",
    "escape": b"A: \x1b[1m",
    "byte-past-ascii-in-the-name": b"\xe9: b",
    "quoted-name": b'"A": b',
    "slash-in-the-name": b"A/B: c",
}
_CONTROLS = [byte for byte in (*range(32), 127) if byte not in b"\t\r\n"]
_TAKEN = {
    "two": b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
    "three": b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n",
    "size-of-16-digits": b"0000000000000003\r\nabc\r\n0\r\n\r\n",
    "last-size-of-16-digits": b"3\r\nabc\r\n0000000000000000\r\n\r\n",
    "last-size-of-2-digits": b"3\r\nabc\r\n00\r\n\r\n",
    "extension": b"3;a\r\nabc\r\n0\r\n\r\n",
    "empty-extension": b"3;\r\nabc\r\n0\r\n\r\n",
    "extension-with-a-value": b'3;a="b;c";d=e\r\nabc\r\n0;f\r\n\r\n',
    "extension-with-blanks": b"3; a = b\r\nabc\r\n0\r\n\r\n",
    "extension-with-bytes-past-ascii": b'3;a="\xe9"\r\nabc\r\n0\r\n\r\n',
    "extension-like-a-size": b"3;5\r\nabc\r\n0;3\r\n\r\n",
    "extension-like-a-field": b"3;Content-Length: 9\r\nabc\r\n0\r\n\r\n",
    "trailer": b"3\r\nabc\r\n0\r\nA: b\r\n\r\n",
    "empty-trailer": b"3\r\nabc\r\n0\r\nA:\r\n\r\n",
    "two-trailers": b"3\r\nabc\r\n0\r\nA: b\r\nA: c\r\n\r\n",
    "trailer-content-length": b"3\r\nabc\r\n0\r\nContent-Length: 30\r\n\r\n",
    "trailer-transfer-encoding": b"3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "trailer-host": b"3\r\nabc\r\n0\r\nHost: other.example\r\n\r\n",
    "trailer-authorization": b"3\r\nabc\r\n0\r\nAuthorization: Bearer x\r\n\r\n",
    "trailer-connection": b"3\r\nabc\r\n0\r\nConnection: close\r\n\r\n",
    "trailer-identity": b"3\r\nabc\r\n0\r\nX-User-Id: root\r\n\r\n",
    "trailer-identity-underscore": b"3\r\nabc\r\n0\r\nX_User_Id: root\r\n\r\n",
}


def _sent(body: bytes) -> Sent:
    return Sent(method=b"POST", lines=(CHUNKED,), body=body)


_WHOLE = dict.fromkeys(_PLACES, b"\r\n")
CASES = [
    *family("chunk-size", SIZES, lambda size: in_chunks(size + b"\r\nabc\r\n0\r\n\r\n")),
    *family(
        "chunk-last-size",
        {name: size for name, size in SIZES.items() if name not in ("two", "none")},
        lambda size: in_chunks(b"3\r\nabc\r\n" + size.replace(b"3", b"0") + b"\r\n\r\n"),
    ),
    *(
        case
        for place, name in _PLACES.items()
        for case in family(
            f"chunk-end-of-{name}",
            _ENDS,
            lambda end, place=place: in_chunks(_BODY % {k.encode(): v for k, v in (_WHOLE | {place: end}).items()}),
        )  # type: ignore[misc]
    ),
    *family("chunk-body", BODIES, in_chunks),
    *family("chunk-trailer", TRAILERS, lambda line: in_chunks(b"3\r\nabc\r\n0\r\n" + line + b"\r\n\r\n")),
    *family(
        "chunk-extension-with-byte", named(_CONTROLS), lambda byte: in_chunks(b"3;a" + byte + b"\r\nabc\r\n0\r\n\r\n")
    ),
    *(passed(f"chunks-{name}", in_chunks(body), _sent(b"abc")) for name, body in _TAKEN.items()),
    passed("chunks-none", in_chunks(b"0\r\n\r\n"), _sent(b"")),
    passed("chunks-size-in-upper-case", in_chunks(b"A\r\nabcdefghij\r\n0\r\n\r\n"), _sent(b"abcdefghij")),
    passed("chunks-that-look-like-an-end", in_chunks(b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"), _sent(b"0\r\n\r\n")),
    passed("chunks-that-are-line-ends", in_chunks(b"4\r\n\r\n\r\n\r\n0\r\n\r\n"), _sent(b"\r\n\r\n")),
    passed("chunks-that-are-a-request", in_chunks(b"%x\r\n%b\r\n0\r\n\r\n" % (len(INNER), INNER)), _sent(INNER)),
    passed("chunks-of-any-byte", in_chunks(b"100\r\n%b\r\n0\r\n\r\n" % bytes(range(256))), _sent(bytes(range(256)))),
]
