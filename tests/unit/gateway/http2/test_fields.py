"""Field lists as heads of HTTP/1.1, and those that cannot become one (RFC 9113 section 8)."""

from __future__ import annotations

import pytest

from jwtgate.gateway.heads.framing import Malformed, RequestReader, ResponseReader
from jwtgate.gateway.http2.fields import Fields, answer_head, request_head, trailer_lines

GET = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a.example"), (b":path", b"/x?y")]
POST = [(b":method", b"POST"), *GET[1:]]
OK = [(b":status", b"200")]


def test_a_request_is_written_as_http_1() -> None:
    head = request_head([*GET, (b"accept", b"*/*")], ended=True)
    assert head.text == b"GET /x?y HTTP/1.1\r\nhost: a.example\r\naccept: */*\r\n\r\n"
    assert head.length == 0


@pytest.mark.parametrize(
    ("more", "ended", "length", "line"),
    [
        ([], False, None, b"transfer-encoding: chunked\r\n"),
        ([(b"content-length", b"5")], False, 5, b"content-length: 5\r\n"),
        ([(b"content-length", b"0")], True, 0, b"content-length: 0\r\n"),
    ],
)
def test_the_framing_of_a_body_is_told_once(more: Fields, ended: bool, length: int | None, line: bytes) -> None:
    head = request_head([*POST, *more], ended=ended)
    assert head.length == length
    assert head.text.count(line) == 1
    assert (b"chunked" in head.text) is (length is None)


def test_what_is_written_is_read_back_by_the_reader_of_heads() -> None:
    fields = [*POST, (b"x-a", b"b\tc \xe9"), (b"cookie", b"a=1"), (b"x-empty", b""), (b"cookie", b"b=2")]
    head, reader = request_head(fields, ended=False), RequestReader()
    assert reader.read(head.text, 0, limit_bytes=1000) == len(head.text)
    assert (reader.method, reader.target) == ("POST", b"/x?y")
    assert reader.fields == [
        (b"host", b"a.example"),
        (b"x-a", b"b\tc \xe9"),
        (b"x-empty", b""),
        (b"cookie", b"a=1; b=2"),
        (b"transfer-encoding", b"chunked"),
    ]


def test_host_stands_for_an_authority_that_is_not_there() -> None:
    fields = [field for field in GET if field[0] != b":authority"]
    assert b"\r\nhost: b.example\r\n" in request_head([*fields, (b"host", b"b.example")], ended=True).text


def test_host_may_repeat_the_authority() -> None:
    assert request_head([*GET, (b"host", b"A.example")], ended=True).text.lower().count(b"host:") == 1


def test_connect_asks_for_an_authority_alone() -> None:
    assert request_head([(b":method", b"CONNECT"), (b":authority", b"a:1")], ended=False).text.startswith(
        b"CONNECT a:1 "
    )


@pytest.mark.parametrize("name", [b"X-A", b"x a", b"x:a", b"", b"x-a\r\n", b"x-\x00", b"x-\xe9", b"x-a ", b":late"])
def test_sec_91_a_name_that_is_none_is_refused(name: bytes) -> None:
    with pytest.raises(Malformed):
        request_head([*GET, (b"x-b", b"c"), (name, b"d")], ended=True)


@pytest.mark.parametrize(
    "value", [b"\r", b"a\nb", b"a\r\nb: c", b"a\x00", b"\x7f", b"\x1b[", b" a", b"a ", b"\ta", b"a\t"]
)
def test_sec_91_a_value_that_is_none_is_refused(value: bytes) -> None:
    for read in (lambda fields: request_head([*GET, *fields], ended=True), trailer_lines):
        with pytest.raises(Malformed):
            read([(b"x-a", value)])
    with pytest.raises(Malformed):
        answer_head([*OK, (b"x-a", value)], ended=True, bodiless=False)


@pytest.mark.parametrize("name", [b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"])
def test_sec_96_a_field_of_a_connection_is_refused(name: bytes) -> None:
    with pytest.raises(Malformed):
        request_head([*GET, (name, b"x")], ended=True)
    with pytest.raises(Malformed):
        answer_head([*OK, (name, b"x")], ended=True, bodiless=False)


@pytest.mark.parametrize("value", [b"trailers", b"Trailers"])
def test_te_says_trailers_and_goes_no_further(value: bytes) -> None:
    assert b"te:" not in request_head([*GET, (b"te", value)], ended=True).text


@pytest.mark.parametrize("lengths", [(b"5", b"5"), (b"5", b"6"), (b"+5",), (b"",), (b"0x5",), (b"5, 5",), (b"1" * 19,)])
def test_sec_90_a_length_is_one_number(lengths: tuple[bytes, ...]) -> None:
    with pytest.raises(Malformed):
        request_head([*POST, *((b"content-length", length) for length in lengths)], ended=False)
    for bodiless in (True, False):
        with pytest.raises(Malformed):
            answer_head([*OK, *((b"content-length", each) for each in lengths)], ended=bodiless, bodiless=bodiless)


def test_sec_96_a_request_with_a_length_and_no_body_is_refused() -> None:
    with pytest.raises(Malformed):
        request_head([*POST, (b"content-length", b"5")], ended=True)


def without(name: bytes) -> Fields:
    return [field for field in GET if field[0] != name]


@pytest.mark.parametrize(
    "fields",
    [
        *(without(name) for name in (b":method", b":scheme", b":path")),
        *(
            [*without(b":path"), (b":path", path)]
            for path in (b"", b"x", b"/a b", b"/a\r\n", b"http://a/", b"*x", b"/\x7f")
        ),
        *([*without(b":method"), (b":method", method)] for method in (b"", b"G T", b"GET\r\n", b"G(", b"\xe9")),
        *([*without(b":scheme"), (b":scheme", scheme)] for scheme in (b"", b"ftp", b"HTTP", b"http\r\n")),
        *([*without(b":authority"), (b":authority", host)] for host in (b"", b"a b", b"a\r\n", b"\xe9")),
        [*GET, (b":path", b"/y")],
        [*GET, (b":status", b"200")],
        [*GET, (b":protocol", b"websocket")],
        [*GET, (b"host", b"b.example")],
        [(b":method", b"CONNECT"), *GET[1:]],
        [(b":method", b"CONNECT")],
        [(b"x-a", b"b"), *GET],
    ],
)
def test_sec_96_a_request_that_lacks_or_doubles_something_is_refused(fields: Fields) -> None:
    with pytest.raises(Malformed):
        request_head(fields, ended=True)


@pytest.mark.parametrize(
    ("fields", "ended", "bodiless", "length", "line"),
    [
        ([], False, False, None, b"transfer-encoding: chunked\r\n"),
        ([], True, False, 0, b"content-length: 0\r\n"),
        ([(b"content-length", b"7")], False, False, 7, b"content-length: 7\r\n"),
        ([(b"content-length", b"7")], True, True, 0, b"content-length: 7\r\n"),
    ],
    ids=["no length", "nothing", "a length", "an answer to HEAD"],
)
def test_an_answer_is_written_as_http_1(
    fields: Fields, ended: bool, bodiless: bool, length: int | None, line: bytes
) -> None:
    head, reader = answer_head([*OK, *fields], ended=ended, bodiless=bodiless), ResponseReader()
    assert head.length == length
    assert line in head.text
    assert reader.read(head.text, 0, limit_bytes=1000) == len(head.text)
    assert reader.status == 200


@pytest.mark.parametrize("status", [b"204", b"304", b"103"])
def test_some_answers_have_no_body_and_no_framing(status: bytes) -> None:
    head = answer_head([(b":status", status)], ended=False, bodiless=False)
    assert (head.length, head.text) == (0, b"HTTP/1.1 %b \r\n\r\n" % status)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [(b":status", b"99")],
        [(b":status", b"600")],
        [(b":status", b"abc")],
        [(b":status", b"101")],
        [*OK, *OK],
        GET,
    ],
)
def test_sec_98_an_answer_has_one_status(fields: Fields) -> None:
    with pytest.raises(Malformed):
        answer_head(fields, ended=True, bodiless=False)


def test_trailers_are_lines() -> None:
    assert trailer_lines([(b"x-a", b"b"), (b"grpc-status", b"0")]) == b"x-a: b\r\ngrpc-status: 0\r\n"


def test_trailers_have_no_pseudo_header_fields() -> None:
    with pytest.raises(Malformed):
        trailer_lines([(b":status", b"200")])
