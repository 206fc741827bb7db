"""Where heads and chunked bodies end, whatever pieces they come in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.gateway.messages import pieces_of

from jwtgate.errors import ConfigError
from jwtgate.gateway.heads.framing import (
    EXTRA_LIMIT_BYTES,
    ChunkedBody,
    HeadReader,
    HeadTooLarge,
    Malformed,
    MethodUnknown,
    RequestReader,
    ResponseReader,
)
from jwtgate.gateway.heads.reading import PlainHeads, plain_heads

REQUEST = b"POST /a?b=c HTTP/1.1\r\nHost: gate.example\r\nX-One:  1 \t\r\nX-Empty:\r\n\r\n"
FIELDS = [(b"Host", b"gate.example"), (b"X-One", b"1"), (b"X-Empty", b"")]
ANSWER = b"HTTP/1.1 404 What\r\nContent-Length: 2\r\n\r\n"
LIMIT = 1000


@pytest.fixture(params=["python", "compiled"])
def plain(request: pytest.FixtureRequest) -> PlainHeads:
    """Each reader of plain heads there is."""
    try:
        return plain_heads({"JWTGATE_HEADS": request.param})
    except ConfigError:
        pytest.skip("the compiled reader of heads is not built")


def read_head(reader: HeadReader, *pieces: bytes) -> bytes:
    """What stands behind the head that came in these pieces."""
    for piece in pieces[:-1]:
        assert reader.read(piece, 0, limit_bytes=LIMIT) == 0
    end = reader.read(pieces[-1], 0, limit_bytes=LIMIT)
    assert end
    return pieces[-1][end:]


@pytest.mark.parametrize("cut", range(1, len(REQUEST)))
def test_a_head_is_the_same_wherever_it_was_cut(plain: PlainHeads, cut: int) -> None:
    reader = RequestReader(plain)
    assert read_head(reader, REQUEST[:cut], REQUEST[cut:] + b"body") == b"body"
    assert (reader.method, reader.target, reader.http_11) == ("POST", b"/a?b=c", True)
    assert reader.fields == FIELDS
    assert reader.keep_alive
    assert not reader.begun


def test_a_head_may_come_byte_by_byte_and_is_begun_meanwhile(plain: PlainHeads) -> None:
    reader = RequestReader(plain)
    assert not reader.begun
    assert reader.read(REQUEST[:1], 0, limit_bytes=LIMIT) == 0
    assert reader.begun
    read_head(reader, *(REQUEST[at : at + 1] for at in range(1, len(REQUEST))))
    assert reader.fields == FIELDS


def test_heads_follow_one_another_within_the_same_bytes(plain: PlainHeads) -> None:
    reader = RequestReader(plain)
    second = b"GET /b HTTP/1.0\r\n\r\n"
    data = REQUEST + b"body" + second
    at = reader.read(data, 0, limit_bytes=LIMIT)
    assert reader.read(data, at + 4, limit_bytes=LIMIT) == len(data)
    assert (reader.method, reader.target, reader.http_11, reader.keep_alive) == ("GET", b"/b", False, False)
    assert reader.fields == []


def test_a_head_that_says_close_is_the_last(plain: PlainHeads) -> None:
    reader = RequestReader(plain)
    read_head(reader, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert not reader.keep_alive


@pytest.mark.parametrize(
    "fields", [b"", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Upgrade: x\r\n"]
)
def test_what_a_head_announces_does_not_swallow_the_next(plain: PlainHeads, fields: bytes) -> None:
    reader = RequestReader(plain)
    for _ in range(3):
        read_head(reader, b"POST /a HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
        assert reader.target == b"/a"


@pytest.mark.parametrize("whole", [False, True])
def test_sec_95_a_head_over_its_limit_is_refused_with_and_without_its_end(plain: PlainHeads, whole: bool) -> None:
    head = b"GET / HTTP/1.1\r\nX: " + b"x" * LIMIT
    with pytest.raises(HeadTooLarge):
        RequestReader(plain).read(head + b"\r\n\r\n" * whole, 0, limit_bytes=LIMIT)


def test_sec_95_a_head_of_exactly_its_limit_is_read(plain: PlainHeads) -> None:
    start = b"GET / HTTP/1.1\r\nX: "
    head = start + b"x" * (LIMIT - len(start) - 4) + b"\r\n\r\n"
    assert RequestReader(plain).read(head + b"x" * LIMIT, 0, limit_bytes=LIMIT) == LIMIT


@pytest.mark.parametrize("method", [b"BREW", b"GETX", b"get", b"M!#$%&'*+-.^_`|~9"])
def test_sec_93_a_method_nobody_knows_is_told_from_what_is_none(plain: PlainHeads, method: bytes) -> None:
    with pytest.raises(MethodUnknown):
        RequestReader(plain).read(method + b" / HTTP/1.1\r\n\r\n", 0, limit_bytes=LIMIT)


@pytest.mark.parametrize("start", [b"\x16\x03\x01", b"G\x00T / HTTP/1.1", b"GE(T / HTTP/1.1", b"{} / HTTP/1.1"])
def test_what_is_no_method_is_malformed(plain: PlainHeads, start: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        RequestReader(plain).read(start + b"\r\n\r\n", 0, limit_bytes=LIMIT)
    assert not isinstance(caught.value, MethodUnknown)


@pytest.mark.parametrize(
    "head",
    [
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1 \r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/1.2\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET / RTSP/1.0\r\n\r\n",
        b"GET / ICE/1.0\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"\nGET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\x01b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX : a\r\n\r\n",
        b"GET / HTTP/1.1\r\n: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\n X: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX\xe4: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_sec_91_a_head_with_two_readings_is_malformed_however_it_comes(plain: PlainHeads, head: bytes) -> None:
    for pieces in ([head], [head[at : at + 1] for at in range(len(head))]):
        reader = RequestReader(plain)
        with pytest.raises(Malformed):
            read_head(reader, *pieces)


def test_sec_91_nonsense_is_not_waited_on(plain: PlainHeads) -> None:
    with pytest.raises(Malformed):
        RequestReader(plain).read(b"GET / HTTP/1.1\r\nX\x00", 0, limit_bytes=LIMIT)


def test_an_answer_is_read_by_its_status(plain: PlainHeads) -> None:
    reader = ResponseReader(plain)
    assert read_head(reader, ANSWER + b"ok") == b"ok"
    assert (reader.status, reader.http_11, reader.keep_alive) == (404, True, True)
    read_head(reader, b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert (reader.status, reader.http_11, reader.keep_alive) == (200, False, False)


@pytest.mark.parametrize(
    "start", [b"HTTP/2.0 200 OK", b"HTTP/1.2 200 OK", b"ICY 200 OK", b"HTTP/1.1  200 OK", b"200 OK"]
)
def test_sec_98_an_answer_of_another_version_is_malformed(plain: PlainHeads, start: bytes) -> None:
    with pytest.raises(Malformed):
        ResponseReader(plain).read(start + b"\r\n\r\n", 0, limit_bytes=LIMIT)


def taken(*pieces: bytes) -> tuple[bytes, bytes, bool]:
    """The body in these pieces, what stands behind it, and whether it is complete."""
    chunks, body, rest = ChunkedBody(), b"", b""
    for piece in pieces:
        part, at = chunks.take(piece, 0)
        body, rest = body + part, rest + piece[at:]
    return body, rest, chunks.done


CHUNKED = b"3;a=b\r\nabc\r\n00A;x\r\n0123456789\r\n0\r\nX-Trailer: 1\r\nY:\r\n\r\n"
BITS = st.sampled_from(
    [b"0", b"1", b"a", b"A", b"\r\n", b"\r", b"\n", b";", b"x", b"X:", b" ", b"1\r\na\r\n", b"0\r\n"]
)


@pytest.mark.parametrize("cut", range(1, len(CHUNKED)))
def test_sec_92_a_chunked_body_is_the_same_wherever_it_was_cut(cut: int) -> None:
    assert taken(CHUNKED[:cut], CHUNKED[cut:] + b"GET") == (b"abc0123456789", b"GET", True)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.lists(st.integers(0, 300), max_size=6))
def test_what_was_put_into_chunks_comes_out_again(parts: list[bytes], cuts: list[int]) -> None:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    assert taken(*pieces_of(framed, cuts)) == (b"".join(parts), b"", True)


@given(st.lists(BITS, max_size=12).map(b"".join), st.lists(st.integers(0, 60), max_size=4))
def test_sec_92_no_bytes_are_read_in_two_ways_by_being_cut(data: bytes, cuts: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> object:
        try:
            return taken(*pieces)
        except Malformed:
            return Malformed

    assert outcome(pieces_of(data, cuts)) == outcome([data])


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"x\r\n",
        b" 3\r\nabc\r\n",
        b"3 \r\nabc\r\n",
        b"+3\r\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b"3\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"1" * 17,
        b"3;\x00\r\n",
        b"3;a\rb\r\n",
        b"0\r\nX\r\n",
        b"0\r\n X: 1\r\n",
        b"0\r\nX: \x01",
        b"0\r\n\n",
    ],
)
def test_sec_92_what_is_no_chunk_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        taken(data)
    with pytest.raises(Malformed):
        taken(*(data[at : at + 1] for at in range(len(data))))


def test_sec_92_extensions_and_trailers_are_limited_one_by_one_and_together() -> None:
    line = b"1;" + b"x" * 1000 + b"\r\na\r\n"
    assert taken(line * 4)[0] == b"aaaa"
    with pytest.raises(Malformed):
        taken(line * 5)
    with pytest.raises(Malformed):
        taken(b"0\r\n" + (b"X: " + b"x" * 1000 + b"\r\n") * 5)
    with pytest.raises(Malformed):
        taken(b"1;" + b"x" * EXTRA_LIMIT_BYTES)


def test_an_unfinished_body_is_not_complete() -> None:
    assert taken(b"3\r\nab") == (b"ab", b"", False)
    assert taken(b"3\r\nabc\r\n0\r\n") == (b"abc", b"", False)


@pytest.mark.parametrize("cut", range(0, 40, 3))
def test_sec_92_trailers_stand_by_themselves(cut: int) -> None:
    data, body = b"2\r\nok\r\n0\r\nX-Sum: \t abc \r\ngrpc-status:0\r\nX-E:\r\n\r\n", ChunkedBody()
    for piece in (data[:cut], data[cut:]):
        body.take(piece, 0)
    assert body.trailers == [(b"x-sum", b"abc"), (b"grpc-status", b"0"), (b"x-e", b"")]


def test_a_body_without_trailers_has_none() -> None:
    body = ChunkedBody()
    body.take(b"2\r\nok\r\n0\r\n\r\n", 0)
    assert (body.done, body.trailers) == (True, [])
