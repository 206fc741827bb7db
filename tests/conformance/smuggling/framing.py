"""Where a body ends: lengths, codings, both, neither, and names that only look like them (SEC-90)."""

from __future__ import annotations

from .case import ABC, CHUNKED, INNER, Case, Sent, family, head, in_chunks, passed, post, refused

LENGTHS = {
    "list": b"3, 3",
    "list-of-two": b"3, 30",
    "list-without-blank": b"3,3",
    "comma-behind": b"3,",
    "comma-before": b",3",
    "semicolon": b"3;",
    "parameter": b"3;q=1",
    "plus": b"+3",
    "minus": b"-3",
    "minus-0": b"-0",
    "plus-0": b"+0",
    "inner-blank": b"1 3",
    "inner-tab": b"1\t3",
    "hexadecimal": b"0x3",
    "binary": b"0b11",
    "octal": b"0o3",
    "suffix": b"3L",
    "underscore": b"1_0",
    "exponent": b"3e0",
    "point": b"3.0",
    "point-behind": b"3.",
    "point-before": b".3",
    "apostrophe-group": b"1'000",
    "empty": b"",
    "blank": b" \t ",
    "letter-behind": b"3a",
    "letter-before": b"a3",
    "letters": b"three",
    "arabic-digits": "٣".encode(),
    "full-width-digits": "３".encode(),
    "superscript": "³".encode(),
    "superscript-latin-1": b"\xb3",
    "no-break-space-before": b"\xa03",
    "no-break-space-behind": b"3\xa0",
    "vertical-tab": b"\x0b3",
    "form-feed": b"\x0c3",
    "vertical-tab-behind": b"3\x0b",
    "nul-behind": b"3\x00",
    "nul-before": b"\x003",
    "del-behind": b"3\x7f",
    "double-quotes": b'"3"',
    "single-quotes": b"'3'",
    "brackets": b"(3)",
    "comment": b"3 (three)",
    "escape": b"%33",
    "not-a-number": b"NaN",
    "infinity": b"inf",
    "null": b"null",
    "true": b"true",
    "chunked": b"chunked",
    "nineteen-digits": b"0" * 18 + b"3",
    "forty-digits": b"0" * 39 + b"3",
    "2-to-the-63": b"9223372036854775811",
    "2-to-the-64": b"18446744073709551619",
    "2-to-the-64-negative": b"-18446744073709551613",
}
_LENGTHS_TOO_LARGE = {
    "2-to-the-32": b"4294967299",
    "eighteen-nines": b"9" * 18,
    "one-past-the-limit": b"10485761",
}
CODINGS = {
    "chunked-twice": b"chunked, chunked",
    "chunked-twice-without-blank": b"chunked,chunked",
    "gzip": b"gzip",
    "gzip-then-chunked": b"gzip, chunked",
    "chunked-then-gzip": b"chunked, gzip",
    "deflate-then-chunked": b"deflate, chunked",
    "compress": b"compress",
    "identity": b"identity",
    "identity-then-chunked": b"identity, chunked",
    "chunked-then-identity": b"chunked, identity",
    "trailers": b"trailers",
    "star": b"*",
    "zero": b"0",
    "longer-word": b"chunkedx",
    "shorter-word": b"chunke",
    "prefixed-word": b"xchunked",
    "prefixed-x-dash": b"x-chunked",
    "dash-behind": b"chunked-",
    "point-behind": b"chunked.",
    "parameter": b"chunked;q=1",
    "semicolon": b"chunked;",
    "double-quotes": b'"chunked"',
    "single-quotes": b"'chunked'",
    "brackets": b"(chunked)",
    "comment": b"chunked (yes)",
    "comma-behind": b"chunked,",
    "comma-before": b",chunked",
    "commas-around": b",chunked,",
    "two-words": b"chunked chunked",
    "word-behind": b"chunked x",
    "word-before": b"x chunked",
    "colon": b": chunked",
    "equals": b"=chunked",
    "empty": b"",
    "blank": b" \t ",
    "vertical-tab-before": b"\x0bchunked",
    "vertical-tab-behind": b"chunked\x0b",
    "form-feed-before": b"\x0cchunked",
    "nul-behind": b"chunked\x00",
    "nul-before": b"\x00chunked",
    "nul-inside": b"chu\x00nked",
    "del-behind": b"chunked\x7f",
    "inner-blank": b"chun ked",
    "inner-tab": b"chun\tked",
    "inner-dash": b"chun-ked",
    "no-break-space-before": b"\xa0chunked",
    "no-break-space-behind": b"chunked\xa0",
    "soft-hyphen": b"chun\xadked",
    "byte-order-mark": b"\xef\xbb\xbfchunked",
    "kelvin-sign": "chun\u212aed".encode(),
    "full-width-letters": "ｃｈｕｎｋｅｄ".encode(),
    "cyrillic-letters": "\u0441hunk\u0435d".encode(),
    "backslash": b"\\chunked",
    "escape": b"%63hunked",
    "cr-behind": b"chunked\r",
    "lf-behind": b"chunked\n",
    "folded": b"\r\n chunked",
    "folded-behind": b"chunked\r\n ",
}
# What some reader takes for `Transfer-Encoding` or `Content-Length`, by dropping, folding or joining.
ALIASES = {
    "blank-before-the-colon": b"%b : %b",
    "tab-before-the-colon": b"%b\t: %b",
    "blanks-before-the-colon": b"%b  : %b",
    "cr-before-the-colon": b"%b\r: %b",
    "nul-before-the-colon": b"%b\x00: %b",
    "vertical-tab-before-the-colon": b"%b\x0b: %b",
    "no-break-space-before-the-colon": b"%b\xa0: %b",
    "leading-blank": b" %b: %b",
    "leading-tab": b"\t%b: %b",
    "leading-nul": b"\x00%b: %b",
    "leading-vertical-tab": b"\x0b%b: %b",
    "leading-cr": b"\r%b: %b",
    "leading-lf": b"\n%b: %b",
    "leading-byte-order-mark": b"\xef\xbb\xbf%b: %b",
    "leading-colon": b":%b: %b",
    "quoted": b'"%b": %b',
    "no-colon": b"%b %b",
    "equals": b"%b= %b",
    "behind-a-bare-cr": b"A: b\r%b: %b",
    "behind-a-bare-lf": b"A: b\n%b: %b",
    "behind-cr-cr-lf": b"A: b\r\r\n%b: %b",
    "behind-lf-cr": b"A: b\n\r%b: %b",
    "behind-a-nul": b"A: b\x00%b: %b",
    "in-a-folded-line": b"A: b\r\n %b: %b",
    "in-a-folded-line-of-a-tab": b"A: b\r\n\t%b: %b",
}
FRAMING_NAMES = {"coding": (b"Transfer-Encoding", b"chunked"), "length": (b"Content-Length", b"30")}
_SPELLINGS = {
    "coding-underscore": b"Transfer_Encoding: chunked",
    "coding-point": b"Transfer.Encoding: chunked",
    "coding-plus": b"Transfer+Encoding: chunked",
    "coding-long-s": "Tran\u017ffer-Encoding: chunked".encode(),
    "coding-dotless-i": "Transfer-Encod\u0131ng: chunked".encode(),
    "coding-escape": b"Transfer%2DEncoding: chunked",
    "length-underscore": b"Content_Length: 30",
    "length-point": b"Content.Length: 30",
    "length-escape": b"Content%2DLength: 30",
    "length-en-dash": "Content\u2013Length: 30".encode(),
}
_LENGTH_LINES = {"0": b"Content-Length: 0", "3": b"Content-Length: 3", "as-long": b"Content-Length: %d" % len(ABC)}
_CODING_LINES = {
    "chunked": CHUNKED,
    "upper-case": b"TRANSFER-ENCODING: CHUNKED",
    "identity": b"Transfer-Encoding: identity",
    "gzip": b"Transfer-Encoding: gzip, chunked",
    "empty": b"Transfer-Encoding:",
}
TWO_LINES = {
    "the-same-length": (b"Content-Length: 3", b"Content-Length: 3"),
    "the-same-length-with-zeros": (b"Content-Length: 3", b"Content-Length: 03"),
    "lengths": (b"Content-Length: 3", b"Content-Length: 30"),
    "lengths-the-other-way": (b"Content-Length: 30", b"Content-Length: 3"),
    "lengths-in-two-cases": (b"Content-Length: 3", b"content-length: 0"),
    "a-length-and-an-empty-one": (b"Content-Length: 3", b"Content-Length:"),
    "an-empty-length-and-a-length": (b"Content-Length:", b"Content-Length: 3"),
    "a-length-and-none": (b"Content-Length: 3", b"Content-Length: -1"),
    "lengths-apart": (b"Content-Length: 3", b"A: b", b"Content-Length: 4"),
    "lengths-of-zero": (b"Content-Length: 0", b"Content-Length: 0"),
    "the-same-coding": (CHUNKED, CHUNKED),
    "chunked-in-two-cases": (CHUNKED, b"transfer-encoding: Chunked"),
    "gzip-and-chunked": (b"Transfer-Encoding: gzip", CHUNKED),
    "chunked-and-gzip": (CHUNKED, b"Transfer-Encoding: gzip"),
    "chunked-and-identity": (CHUNKED, b"Transfer-Encoding: identity"),
    "identity-and-chunked": (b"Transfer-Encoding: identity", CHUNKED),
    "chunked-and-an-empty-coding": (CHUNKED, b"Transfer-Encoding:"),
    "an-empty-coding-and-chunked": (b"Transfer-Encoding:", CHUNKED),
    "chunked-and-nonsense": (CHUNKED, b"Transfer-Encoding: x"),
    "codings-apart": (CHUNKED, b"A: b", CHUNKED),
}


def _refused() -> list[Case]:
    cases = [
        *family("length", LENGTHS, lambda value: post(b"Content-Length: " + value, body=b"abc")),
        *family("length", _LENGTHS_TOO_LARGE, lambda value: post(b"Content-Length: " + value, body=b"abc"), 413),
        *family("coding", CODINGS, lambda value: post(b"Transfer-Encoding: " + value, body=ABC)),
        *family(
            "two-lines",
            {name: b"\r\n".join(lines) for name, lines in TWO_LINES.items()},
            lambda lines: post(lines, body=ABC),
        ),
        *family("alias", _SPELLINGS, lambda line: post(line, body=ABC)),
        *family("alias-beside-a-length", _SPELLINGS, lambda line: post(b"Content-Length: 3", line, body=b"abc")),
        refused("length-and-coding-and-a-request", post(b"Content-Length: 6", CHUNKED, body=b"0\r\n\r\n" + INNER)),
        refused("coding-in-1.0", post(CHUNKED, body=ABC, version=b"1.0")),
        refused("coding-in-1.0-kept-alive", post(CHUNKED, b"Connection: keep-alive", body=ABC, version=b"1.0")),
        refused("coding-and-length-in-1.0", post(CHUNKED, b"Content-Length: 3", body=ABC, version=b"1.0")),
        refused("an-unknown-coding-in-1.0", post(b"Transfer-Encoding: x", body=ABC, version=b"1.0")),
        refused("a-length-past-18-digits-in-1.0", post(b"Content-Length: " + b"0" * 19, version=b"1.0")),
    ]
    for kind, (name, value) in FRAMING_NAMES.items():
        lines = {alias: form % (name, value) for alias, form in ALIASES.items()}
        cases += family(f"alias-{kind}", lines, lambda line: post(line, body=ABC))
    for length, line in _LENGTH_LINES.items():
        for coding, other in _CODING_LINES.items():
            cases.append(refused(f"length-{length}-then-coding-{coding}", post(line, other, body=ABC)))
            cases.append(refused(f"coding-{coding}-then-length-{length}", post(other, line, body=ABC)))
    return cases


_THREE = b"Content-Length: 3"
POSTED = Sent(method=b"POST", lines=(_THREE,), body=b"abc")
EMPTY = Sent(method=b"POST", lines=(b"Content-Length: 0",))
STREAMED = Sent(method=b"POST", lines=(CHUNKED,), body=b"abc")


def _passed() -> list[Case]:
    lengths = {
        "plain": b"3",
        "zeros": b"0003",
        "eighteen-digits": b"0" * 17 + b"3",
        "blanks-around": b"\t 3 \t",
        "no-blank": b"03",
    }
    codings = {
        "upper": b" CHUNKED",
        "mixed": b" cHuNkEd",
        "tab": b"\tchunked",
        "no-blank": b"chunked",
        "blank-behind": b" chunked ",
    }
    names = {"lower": b"content-length", "upper": b"CONTENT-LENGTH", "mixed": b"cOnTeNt-LeNgTh"}
    # Names no reader takes for one that frames: they go on, and frame nothing.
    strangers = (b"TransferEncoding: chunked", b"X-Transfer-Encoding: chunked", b"Transfer-Encodings: chunked")
    strangers += (
        b"Content-Lengths: 30",
        b"X-Content-Length: 30",
        b"Content--Length: 30",
        b"Transfer-Encoding2: chunked",
    )
    return [
        passed("plain", head(), Sent()),
        passed("no-length", post(), Sent(method=b"POST")),
        passed("length-0", post(b"Content-Length: 0"), EMPTY),
        passed("length-0-on-get", head(b"Content-Length: 0"), Sent(lines=(b"Content-Length: 0",))),
        passed("a-get-with-a-length", head(_THREE) + b"abc", Sent(lines=(_THREE,), body=b"abc")),
        passed("a-get-in-chunks", head(CHUNKED) + ABC, Sent(lines=(CHUNKED,), body=b"abc")),
        passed(
            "a-body-that-is-a-request",
            post(b"Content-Length: %d" % len(INNER), body=INNER),
            Sent(method=b"POST", lines=(b"Content-Length: %d" % len(INNER),), body=INNER),
        ),
        passed("in-chunks", in_chunks(ABC), STREAMED),
        *(
            passed(f"length-{name}", post(b"Content-Length:" + value, body=b"abc"), POSTED)
            for name, value in lengths.items()
        ),
        *(
            passed(f"coding-{name}", post(b"transfer-ENCODING:" + value, body=ABC), STREAMED)
            for name, value in codings.items()
        ),
        *(passed(f"length-name-{name}", post(value + b": 3", body=b"abc"), POSTED) for name, value in names.items()),
        *(
            passed(
                f"stranger-{line.partition(b':')[0].decode()}",
                post(_THREE, line, body=b"abc"),
                Sent(method=b"POST", lines=(line, _THREE), body=b"abc"),
            )
            for line in strangers
        ),
        passed("te-is-not-transfer-encoding", head(b"TE: chunked"), Sent()),
        passed(
            "a-trailer-announced",
            post(b"Trailer: A", CHUNKED, body=b"0\r\nA: b\r\n\r\n"),
            Sent(method=b"POST", lines=(CHUNKED,)),
        ),
    ]


CASES = [*_refused(), *_passed()]
