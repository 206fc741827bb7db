"""Messages of ours, taken out of their framing."""

from __future__ import annotations

from typing import Any

import pytest

from jwtgate.gateway.http2.outgoing import Outgoing


class Parts:
    """Writes down what is to be sent."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def send_interim(self, fields: Any) -> None:
        self.said.append(("interim", *fields))

    def send_head(self, fields: Any, *, last: bool) -> None:
        self.said.append(("head", *fields, last))

    def send_body(self, data: bytes) -> None:
        self.said.append(("body", data))

    def send_end(self, trailers: Any) -> None:
        self.said.append(("end", *trailers))


def parts_of(*pieces: bytes, bodiless: bool = False) -> list[tuple[Any, ...]]:
    parts = Parts()
    outgoing = Outgoing(parts)
    outgoing.bodiless = bodiless
    for piece in pieces:
        outgoing.take(piece)
    return parts.said


STATUS = (b":status", b"200")


def test_an_answer_with_a_length() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b: c\r\nConnection: close\r\n\r\n"
    fields = (STATUS, (b"content-length", b"5"), (b"x-a", b"b: c"))
    assert parts_of(head + b"he", b"llo") == [("head", *fields, False), ("body", b"he"), ("body", b"llo"), ("end",)]


def test_an_answer_in_chunks_with_trailers() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    said = parts_of(head, b"5\r\nhello\r\n", b"0\r\nX-Sum: a\r\n\r\n")
    assert said == [("head", STATUS, False), ("body", b"hello"), ("end", (b"x-sum", b"a"))]


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"])
def test_an_answer_without_a_body_ends_with_its_head(head: bytes) -> None:
    ((what, *_, last),) = parts_of(head)
    assert (what, last) == ("head", True)


def test_an_answer_to_head_ends_with_its_head_whatever_its_length() -> None:
    said = parts_of(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", bodiless=True)
    assert said == [("head", STATUS, (b"content-length", b"5"), True)]


def test_an_answer_may_come_behind_a_word_to_go_on() -> None:
    said = parts_of(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert [each[0] for each in said] == ["interim", "head"]
    assert said[0] == ("interim", (b":status", b"100"))


def test_a_request_says_its_pseudo_header_fields_first() -> None:
    said = parts_of(b"POST /x HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok")
    pseudo = ((b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"a.example"), (b":path", b"/x"))
    assert said[0] == ("head", *pseudo, (b"x-a", b"b"), (b"content-length", b"2"), False)
    assert said[1:] == [("body", b"ok"), ("end",)]


def test_a_request_without_a_body_ends_with_its_head() -> None:
    assert parts_of(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")[0][-1] is True


def test_what_follows_the_end_is_not_sent() -> None:
    assert len(parts_of(b"HTTP/1.1 204 No Content\r\n\r\n", b"more")) == 1
