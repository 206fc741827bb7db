"""Both readers of heads, the compiled one and the one in Python, read and refuse the same, whatever comes (SEC-90…98).

The one in Python is the reference: here each is given the same bytes, in the same pieces and in one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.conformance.smuggling.answers import BAD, BROKEN, CUT
from tests.conformance.smuggling.corpus import CASES
from tests.unit.gateway.messages import CUTS, EDITS, Edits, edited, pieces_of

from jwtgate.errors import ConfigError
from jwtgate.gateway.heads.framing import HeadReader, Malformed, RequestReader, ResponseReader
from jwtgate.gateway.heads.reading import COMPILED, IN_PYTHON, PlainHeads, plain_heads
from jwtgate.policy.request import STRICT_PATHS, canonical_path

try:
    BUILT = plain_heads({"JWTGATE_HEADS": COMPILED})
except ConfigError:
    pytest.skip("the compiled reader of heads is not built", allow_module_level=True)

LIMIT = 2000
Made = Callable[[PlainHeads], HeadReader]

REQUESTS = [
    b"GET /orders/7?a=b HTTP/1.1\r\nHost: gate.example:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
    b"Authorization: Bearer aaaa.bbbb.cccc\r\nX-Empty:\r\nX-Blanks: \t a b \t\r\n\r\n",
    b"POST /a HTTP/1.1\r\nhost: a\r\nCONTENT-LENGTH: 3\r\nConnection: Keep-Alive\r\n\r\nabc",
    b"PUT /a HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"OPTIONS /%7Ea/b;c=d,e HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"DELETE / HTTP/1.1\r\n\r\n",
    b"HEAD / HTTP/1.0\r\nHost: a\r\n\r\n",
]
SAID = [
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
    b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: Close\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-Until: the end\r\n\r\nwhatever",
    b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n",
]


def heads_in(reader: HeadReader, data: bytes, cuts: list[int]) -> Iterator[object]:
    """All that this reader says of each head in these bytes, where it ends, and what it is refused as."""
    for piece in pieces_of(data, cuts):
        at = 0
        while at < len(piece):
            try:
                at = reader.read(piece, at, limit_bytes=LIMIT)
            except Malformed as error:
                yield type(error)
                return
            if not at:
                break
            start = (reader.method, reader.target) if isinstance(reader, RequestReader) else reader.status  # type: ignore[attr-defined]
            yield at, start, reader.http_11, reader.keep_alive, reader.fields
        yield reader.begun


def check_agreement(made: Made, data: bytes, cuts: list[int]) -> None:
    assert list(heads_in(made(BUILT), data, cuts)) == list(heads_in(made(IN_PYTHON), data, cuts))


@pytest.mark.parametrize("data", REQUESTS + [case.raw for case in CASES])
def test_requests_are_read_the_same(data: bytes) -> None:
    check_agreement(RequestReader, data, [])


@pytest.mark.parametrize("data", SAID + [answer.raw for answer in (*BAD, *BROKEN, *CUT)])
def test_answers_are_read_the_same(data: bytes) -> None:
    check_agreement(ResponseReader, data, [])


@pytest.mark.parametrize(
    ("made", "data"), [(RequestReader, each) for each in REQUESTS] + [(ResponseReader, each) for each in SAID]
)
def test_messages_are_read_the_same_wherever_they_are_cut(made: Made, data: bytes) -> None:
    for cut in range(1, len(data)):
        check_agreement(made, data, [cut])


@pytest.mark.parametrize(
    ("made", "data"), [(RequestReader, REQUESTS[0]), (RequestReader, REQUESTS[1]), (ResponseReader, SAID[0])]
)
def test_every_byte_at_every_place_is_read_the_same(made: Made, data: bytes) -> None:
    for place in range(len(data)):
        for byte in b"\x00\t\n\r !#%,:;?@\x7f\x80\xff0Aa_~":
            check_agreement(made, data[:place] + bytes((byte,)) + data[place + 1 :], [])


def test_plain_heads_are_read_by_the_compiled_reader_itself() -> None:
    requests = [BUILT.request(data[: data.find(b"\r\n\r\n") + 4]) for data in REQUESTS]
    answers = [BUILT.answer(data[: data.find(b"\r\n\r\n") + 4]) for data in SAID]
    assert [at for at, read in enumerate(requests) if read is not None] == [0, 1, 3, 5]
    assert [at for at, read in enumerate(answers) if read is not None] == [0, 6]


def check_line(line: bytes) -> None:
    """What the compiled reader says of a line is what the one in Python and the canonical path say."""
    ours, reference = BUILT.line(line), IN_PYTHON.line(line)
    assert (ours and ours[:2]) == (reference and reference[:2])
    if ours is not None and ours[2]:
        assert BUILT.target(ours[1]) == ours[2:]


def check_target(target: bytes) -> bool:
    """Whether the compiled reader reads it, which is as a target that is refused by nobody and changed by nobody."""
    read = BUILT.target(target)
    if read is not None:
        path, brings, query = target.partition(b"?")
        assert (read[0].encode(), read[1]) == (path, query)
        assert bool(brings) == bool(query)  # a bare `?` would be lost on the way
        assert canonical_path(path, STRICT_PATHS) == read[0]
        assert re.fullmatch(rb"[!-~]*", query)
        assert b"#" not in query
    return read is not None


TARGETS = [b"/orders/7?a=b", b"/", b"/a/", b"/a.b/..c/...", b"/a/.b?/../%2e//;", b"/a@b:c,d=e+f*!$&'()~_-?x?y"]
ODD = [b"", b"a", b"?a", b"/a?", b"//", b"/a//b", b"/.", b"/..", b"/a/./b", b"/a/../b", b"/a/..", b"/%41", b"/a;b"]


def test_targets_that_are_canonical_are_read_by_the_compiled_reader_itself() -> None:
    assert [check_target(target) for target in TARGETS + ODD] == [True] * len(TARGETS) + [False] * len(ODD)


@pytest.mark.parametrize("target", TARGETS + ODD)
def test_every_byte_at_every_place_of_a_request_line_is_read_the_same(target: bytes) -> None:
    line = b"GET %b HTTP/1.1\r\n" % target
    for place in range(len(line)):
        for byte in range(256):
            check_line(line[:place] + bytes((byte,)) + line[place + 1 :])
            check_target(target[:place] + bytes((byte,)) + target[place + 1 :])
        check_line(line[:place])
    check_line(line + b"a")


@settings(max_examples=600)
@given(st.text("/.?%;a#\x7f2e\\", max_size=12))
def test_targets_are_read_the_same(tail: str) -> None:
    check_target(b"/" + tail.encode())
    check_line(b"GET /%b HTTP/1.1\r\n" % tail.encode())


NAMES = [b"Content-Length", b"content-length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"X-A", b"X ", b""]
VALUES = [b"", b"0", b"3", b"03", b"+3", b"3, 3", b"9" * 15, b"9" * 16, b"9" * 20, b"chunked", b"Chunked ", b"a\x00"]
OPTIONS = [b"close", b"Keep-Alive", b"close, x", b"\tclose\t", b"upgrade", b"keep-alive, close"]
FORMS = [b"%b: %b\r\n", b"%b:%b\r\n", b"%b: %b\n", b" %b: %b\r\n"]
LINES = st.lists(
    st.builds(
        lambda name, value, form: form % (name, value),
        st.sampled_from(NAMES),
        st.sampled_from(VALUES + OPTIONS),
        st.sampled_from(FORMS[:1] * 6 + FORMS),
    ),
    max_size=4,
)
STARTS: list[tuple[Made, bytes]] = [
    *((RequestReader, start) for start in (b"GET / HTTP/1.1", b"POST /a?b HTTP/1.1", b"PUT  / HTTP/1.1")),
    *((RequestReader, start) for start in (b"GET http://a/ HTTP/1.1", b"M / HTTP/1.1", b"GET /# HTTP/1.1")),
    *((ResponseReader, start) for start in (b"HTTP/1.1 200 OK", b"HTTP/1.1 204 ", b"HTTP/1.1 500", b"HTTP/1.1 101 A")),
    *(
        (ResponseReader, start)
        for start in (b"HTTP/1.1 099 A", b"HTTP/1.1 599 \t~", b"HTTP/1.1 999 A", b"HTTP/1.1 304 ")
    ),
]


@settings(max_examples=600)
@given(st.sampled_from(STARTS), LINES, CUTS)
def test_heads_that_frame_their_message_are_read_the_same(
    start: tuple[Made, bytes], lines: list[bytes], cuts: list[int]
) -> None:
    made, first = start
    check_agreement(made, b"".join((first, b"\r\n", *lines, b"\r\n", first, b"\r\n\r\n")), cuts)


@settings(max_examples=600)
@given(st.sampled_from(REQUESTS), EDITS, CUTS)
@example(REQUESTS[0], [(3, 1, b"\t")], [])
def test_requests_with_mistakes_are_read_the_same(data: bytes, edits: Edits, cuts: list[int]) -> None:
    check_agreement(RequestReader, edited(data, edits), cuts)


@settings(max_examples=600)
@given(st.sampled_from(SAID), EDITS, CUTS)
def test_answers_with_mistakes_are_read_the_same(data: bytes, edits: Edits, cuts: list[int]) -> None:
    check_agreement(ResponseReader, edited(data, edits), cuts)
