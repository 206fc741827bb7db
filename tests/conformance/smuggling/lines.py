"""Where a line ends, and which bytes may stand in a field (SEC-91, SEC-113)."""

from __future__ import annotations

from .case import HOST, TARGET, Case, Sent, family, head, named, passed, refused

_START = b"GET " + TARGET + b" HTTP/1.1"
ENDS = {
    "bare-lf": b"\n",
    "bare-cr": b"\r",
    "two-cr": b"\r\r\n",
    "lf-cr": b"\n\r",
    "two-lf": b"\n\n",
    "cr-cr": b"\r\r",
    "vertical-tab": b"\x0b",
    "form-feed": b"\x0c",
    "nul": b"\0",
    "nul-cr-lf": b"\0\r\n",
    "cr-nul-lf": b"\r\0\n",
    "cr-blank-lf": b"\r \n",
}
_PLACES = ("the-request-line", "the-host", "a-field", "the-last-field")
_FIRST = {
    "lf": b"\n",
    "lf-lf": b"\n\n",
    "cr": b"\r",
    "two-cr": b"\r\r\n",
    "cr-lf-lf": b"\r\n\n",
    "tab": b"\t",
    "blank-line": b" \r\n",
    "nul": b"\0",
    "nul-line": b"\0\r\n",
    "byte-order-mark": b"\xef\xbb\xbf",
    "vertical-tab": b"\x0b",
    "a-letter": b"X\r\n",
    "a-field": b"A: b\r\n",
    "the-preface-of-a-proxy": b"\r\n\r\n\x00\r\nQUIT\n",
}
_FOLDED = {
    "value": head(b"A: b", b" c"),
    "value-with-a-tab": head(b"A: b", b"\tc"),
    "value-twice": head(b"A: b", b" c", b" d"),
    "empty-value": head(b"A:", b" b"),
    "nothing": head(b"A: b", b" "),
    "nothing-but-a-tab": head(b"A: b", b"\t"),
    "host-behind": head(host=HOST + b"\r\n .other.example"),
    "another-host": head(b"A: b", b" Host: other.example"),
    "identity": head(b"A: b", b" X-User-Id: root"),
    "first-line": _START + b"\r\n A: b\r\n" + HOST + b"\r\n\r\n",
    "first-line-with-a-tab": _START + b"\r\n\tA: b\r\n" + HOST + b"\r\n\r\n",
    "request-line": b"GET " + TARGET + b"\r\n HTTP/1.1\r\n" + HOST + b"\r\n\r\n",
    "name": head(b"A", b" : b"),
    "last-line": head(b"A: b", b" \r"),
}
CONTROLS = [byte for byte in (*range(32), 127) if byte not in b"\t\r\n"]
NO_TOKEN = [
    *(byte for byte in (*range(33), 127) if byte not in b"\r\n"),
    *b'"(),/;<=>?@[\\]{}',
    0x80,
    0xA0,
    0xAD,
    0xC3,
    0xFF,
]
_UNUSUAL = b"!#$%&'*+.^_`|~"
NAMES = {
    "empty": b": b",
    "only-blanks": b"  : b",
    "only-a-colon": b":",
    "without-colon": b"Abc",
    "without-colon-and-a-value": b"Abc def",
    "an-empty-line-of-blanks": b"   ",
    "a-colon-first": b":a: b",
    "blank-before-the-colon": b"A : b",
    "tab-before-the-colon": b"A\t: b",
    "inner-blank": b"A B: c",
    "bytes-of-utf-8": "Ä: b".encode(),
    "a-status-line": b"HTTP/1.1 200 OK",
    "a-request-line": _START,
    "an-equals-sign": b"A= b",
}


def _ending(place: int, end: bytes) -> bytes:
    lines = [_START, HOST, b"A: b", b"C: d"]
    ends = [b"\r\n"] * 4
    ends[place] = end
    return b"".join(line + end for line, end in zip(lines, ends, strict=True)) + b"\r\n"


_EMPTY_LINES = {name: end for name, end in ENDS.items() if name not in ("vertical-tab", "form-feed", "nul")}
_REFUSED = [
    *(
        refused(f"line-end-{name}-behind-{place}", _ending(at, end))
        for at, place in enumerate(_PLACES)
        for name, end in ENDS.items()
    ),
    *family("line-end-of-the-head", _EMPTY_LINES, lambda end: _START + b"\r\n" + HOST + b"\r\n" + end),
    *family(
        "line-ends-everywhere",
        {name: ENDS[name] for name in ("bare-lf", "bare-cr", "two-cr", "lf-cr")},
        lambda end: end.join((_START, HOST, b"", b"")),
    ),
    *family("first", _FIRST, lambda first: first + head()),
    *family("folded", _FOLDED, lambda raw: raw),
    *family("value-with-byte", named(CONTROLS), lambda byte: head(b"A: b" + byte + b"c")),
    *family("value-begins-with-byte", named((0, 11, 12, 27, 127)), lambda byte: head(b"A: " + byte + b"b")),
    *family("value-ends-with-byte", named((0, 11, 12, 27, 127)), lambda byte: head(b"A: b" + byte)),
    *family("value-with-cr-before", named(b"CTH:"), lambda byte: head(b"A: b\r" + byte + b"ontent-Length: 3")),
    *family("value-with-lf-before", named(b"CTH:"), lambda byte: head(b"A: b\n" + byte + b"ontent-Length: 3")),
    *family("name-with-byte", named(NO_TOKEN), lambda byte: head(b"X-A" + byte + b"B: c")),
    *family("name-with-unusual-byte", named(_UNUSUAL), lambda byte: head(b"X-A" + byte + b"B: c")),
    *family("name-ends-with-unusual-byte", named(_UNUSUAL), lambda byte: head(b"X-A" + byte + b": c")),
    *family("name-begins-with-unusual-byte", named(_UNUSUAL), lambda byte: head(byte + b"X-A: c")),
    *family("name", NAMES, head),
]
_VALUES = {
    "empty": (b"A:", b"A: "),
    "blank": (b"A: \t ", b"A: "),
    "blanks-around": (b"A:\t b c \t", b"A: b c"),
    "without-blank": (b"A:b", b"A: b"),
    "inner-tab": (b"A: b\tc", b"A: b\tc"),
    "bytes-past-ascii": (b"A: \xe9\xff\x80", b"A: \xe9\xff\x80"),
    "next-line-of-latin-1": (b"A: b\x85C: d", b"A: b\x85C: d"),
    "line-separator": ("A: b\u2028C: d".encode(), "A: b\u2028C: d".encode()),
    "no-break-space-around": (b"A: \xa0b\xa0", b"A: \xa0b\xa0"),
    "escaped-line-end": (b"A: b%0d%0aC: d", b"A: b%0d%0aC: d"),
    "written-line-end": (rb"A: b\r\nC: d", rb"A: b\r\nC: d"),
    "low-bytes-of-wide-letters": ("A: b\u010d\u010aC: d".encode(), "A: b\u010d\u010aC: d".encode()),
    "colons": (b"A: b: c:: d", b"A: b: c:: d"),
    "a-request-line": (b"A: " + _START, b"A: " + _START),
    "every-visible-byte": (b"A: " + bytes(range(33, 127)), b"A: " + bytes(range(33, 127))),
    "one-letter-name": (b"a: b", b"a: b"),
    "name-of-digits": (b"123: b", b"123: b"),
    "name-of-dashes": (b"--: b", b"--: b"),
}
_PASSED = [
    *(
        passed(f"value-{name}", head(line, b"B: c"), Sent(lines=(sent, b"B: c")))
        for name, (line, sent) in _VALUES.items()
    ),
    passed("an-empty-line-first", b"\r\n" + head(), Sent()),
    passed("empty-lines-first", b"\r\n\r\n\r\n" + head(), Sent()),
    passed("the-same-field-twice", head(b"A: b", b"a: c"), Sent(lines=(b"A: b", b"a: c"))),
    passed(
        "100-fields",
        head(*(b"A-%d: b" % number for number in range(99))),
        Sent(lines=tuple(b"A-%d: b" % number for number in range(99))),
    ),
    refused("first-a-proxy-line", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + head(), 501),
    refused("101-fields", head(*(b"A-%d: b" % number for number in range(100))), 431),
    refused("a-head-past-64-kib", head(b"A: " + b"x" * 65_600), 431),
    refused("a-name-past-64-kib", head(b"A" * 65_600 + b": b"), 431),
]

CASES: list[Case] = [*_REFUSED, *_PASSED]
