"""A body that is read before the decision, over sockets: it takes part in it, is bounded, and goes on as it came."""

from __future__ import annotations

import json

import pytest

from .rig import Client, chunked, gateway_and_upstream, request, token

LIMIT = 70_000
FIRST = {"routes": {"orders": {"body_read_before_decision_bytes": LIMIT}}}
CHUNKED = "Transfer-Encoding: chunked"


def test_a_body_that_was_read_first_goes_on_as_it_came() -> None:
    body = json.dumps({"n": "x" * 60_000}).encode()
    with gateway_and_upstream(**FIRST) as (gateway, upstream), Client(gateway.port) as client:
        whole = request("/orders/1", method="POST", bearer=token(), body=body)
        assert client.ask(whole, 200, len(whole) - 5).status == 200
        head = request("/orders/1", CHUNKED, method="PUT", bearer=token())
        assert client.ask(head + chunked(b"abc", b"de" * 500), len(head) + 4).status == 200
        assert client.ask(request("/orders/1", bearer=token())).status == 200
        assert client.ask(request("/orders/1", CHUNKED, method="PUT", bearer=token()) + chunked()).status == 200
        assert [each.body for each in upstream.requests] == [body, b"abc" + b"de" * 500, b"", b""]
        assert upstream.requests[0].value("Content-Length") == str(len(body))
        assert upstream.requests[1].value("Transfer-Encoding") == "chunked"


def test_nothing_is_decided_before_the_body_is_there() -> None:
    with gateway_and_upstream(**FIRST) as (gateway, upstream), Client(gateway.port) as client:
        client.send(request("/orders/1", method="POST", bearer=token(), body=b"0123456789")[:-1])
        assert not client.has_news()
        assert upstream.requests == []
        assert client.ask(b"9").status == 200
        assert upstream.one_request().body == b"0123456789"


def test_a_refused_request_had_its_body_read_and_its_connection_stays() -> None:
    with gateway_and_upstream(**FIRST) as (gateway, upstream), Client(gateway.port) as client:
        assert client.ask(request("/orders/1", method="POST", body=b"abc")).status == 401
        assert client.ask(request("/orders/1", method="POST", body=b"abc", bearer=token())).status == 200
        assert upstream.one_request().body == b"abc"


@pytest.mark.parametrize(
    "asked",
    [
        request("/orders/1", f"Content-Length: {LIMIT + 1}", method="POST"),
        request("/orders/1", CHUNKED, method="POST") + chunked(b"x" * 40_000, b"x" * 30_001),
    ],
)
def test_sec_95_a_body_that_is_too_large_is_refused_and_not_held(asked: bytes) -> None:
    with gateway_and_upstream(**FIRST) as (gateway, upstream), Client(gateway.port) as client:
        client.send(asked)
        answer = client.answer()
        assert (answer.status, gateway.line_of(answer)["reason"]) == (413, "request_too_large")
        assert upstream.requests == []


def test_a_client_that_waits_for_word_is_told_to_go_on_once() -> None:
    with gateway_and_upstream(**FIRST) as (gateway, upstream), Client(gateway.port) as client:
        client.send(request("/orders/1", "Expect: 100-continue", "Content-Length: 3", method="POST", bearer=token()))
        assert client.answer().status == 100
        assert client.ask(b"abc").status == 200
        head = request("/orders/1", "Expect: 100-continue", CHUNKED, method="POST", bearer=token())
        client.send(head)
        assert client.answer().status == 100
        assert client.ask(chunked()).status == 200
        assert [each.body for each in upstream.requests] == [b"abc", b""]


def test_a_client_that_is_slow_with_it_is_not_waited_for() -> None:
    slow = {**FIRST, "limits": {"body_idle_seconds": 0.3}}
    with gateway_and_upstream(**slow) as (gateway, upstream), Client(gateway.port) as client:
        client.send(request("/orders/1", "Content-Length: 3", method="POST", bearer=token()) + b"a")
        assert client.answer().status == 408
        assert upstream.requests == []
