"""Calls: what is one, how long it may take, and how it is told no."""

from __future__ import annotations

import pytest

from jwtgate.gateway.grpc import call_answer, call_seconds, is_call
from jwtgate.gateway.heads.request_head import RequestHead


def a_head(*fields: tuple[bytes, bytes]) -> RequestHead:
    return RequestHead("POST", b"/a.B/C", fields=list(fields), http_11=True)


@pytest.mark.parametrize("kind", [b"application/grpc", b"application/grpc+proto", b"Application/gRPC;x=y"])
def test_a_call_says_so(kind: bytes) -> None:
    assert is_call(a_head((b"Content-Type", kind)))


@pytest.mark.parametrize("kind", [b"application/grpc-web", b"application/json", b"text/application/grpc", b""])
def test_anything_else_is_none(kind: bytes) -> None:
    assert not is_call(a_head((b"content-type", kind)))
    assert not is_call(a_head())


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (b"2H", 7200.0),
        (b"3M", 180.0),
        (b"4S", 4.0),
        (b"500m", 0.5),
        (b"7u", 7e-6),
        (b"8n", 8e-9),
        (b"99999999S", 99999999),
    ],
)
def test_a_deadline_is_a_number_and_its_unit(said: bytes, seconds: float) -> None:
    assert call_seconds(a_head((b"grpc-timeout", said))) == pytest.approx(seconds)


@pytest.mark.parametrize("said", [(), (b"",), (b"5",), (b"S",), (b"-5S",), (b"5s",), (b"999999999S",), (b"1S", b"2S")])
def test_what_is_no_deadline_is_none(said: tuple[bytes, ...]) -> None:
    assert call_seconds(a_head(*((b"grpc-timeout", each) for each in said))) == float("inf")


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (400, "request_malformed", "13"),
        (401, "token_expired", "16"),
        (403, "scope_insufficient", "7"),
        (404, "route_unknown", "12"),
        (408, "request_slow", "2"),
        (429, "rate_limit_exceeded", "14"),
        (500, "internal", "2"),
        (502, "upstream_unreachable", "14"),
        (503, "issuer_unreachable", "14"),
        (504, "upstream_slow", "14"),
        (504, "deadline_passed", "4"),
    ],
)
def test_a_status_is_told_as_grpc_knows_it(status: int, reason: str, code: str) -> None:
    said, fields = call_answer(status, [], reason)
    assert said == 200
    assert dict(fields)["grpc-status"] == code


def test_the_sentence_is_told_and_what_describes_a_body_is_not() -> None:
    fields = [("Content-Type", "application/json"), ("WWW-Authenticate", "Bearer"), ("X-Request-Id", "1")]
    assert call_answer(401, fields, "token_expired")[1] == [
        ("content-type", "application/grpc"),
        ("grpc-status", "16"),
        ("grpc-message", "The token has expired."),
        *fields[1:],
    ]


def test_an_answer_without_a_reason_has_no_sentence() -> None:
    assert dict(call_answer(200, [], "")[1])["grpc-message"] == ""
