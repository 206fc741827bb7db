"""Calls a route makes before it answers or forwards, over sockets: what is asked, what is taken, what fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .rig import (
    PATIENCE_SECONDS,
    Client,
    Document,
    Gateway,
    Upstream,
    document,
    request,
    response,
    say,
    say_and_close,
    token,
    until,
)

JSON = "Content-Type: application/json"


@contextmanager
def served(side: Upstream, calls: Document, **route: Any) -> Iterator[tuple[Client, Upstream, Gateway]]:
    """A client of a gateway whose route `/orders/{id}` makes these calls of another upstream before it forwards."""
    orders = {"path": "/orders/{id}", "calls": calls, "issue": None, **route}
    changes = {"upstreams": {"side": {"targets": [side.url]}}, "routes": {"orders": orders}}
    with (
        Upstream() as upstream,
        Gateway(document(upstream.url, **changes)) as gateway,
        Client(gateway.port) as client,
    ):
        yield client, upstream, gateway


@pytest.fixture
def side() -> Iterator[Upstream]:
    with Upstream(say(response(b'{"plan":"gold"}', JSON, "X-User-Id: 7"))) as side:
        yield side


def test_what_a_call_says_may_come_from_the_request_and_its_caller(side: Upstream) -> None:
    call = {
        "upstream": "side",
        "method": "PUT",
        "path": {"cel": "'/users/' + request.path_parameters.id"},
        "query": {"constant": {"a": ["1", 2], "b": "x y"}},
        "headers": {"X-Sub": {"claim": "sub"}, "X-None": {"claim": "none"}, "X-Two": {"constant": ["a", "b"]}},
        "json": {"claim": "scope"},
    }
    with served(side, {"user": call}) as (client, upstream, _):
        answer = client.ask(request("/orders/17?q=1", bearer=token()))
        asked = side.one_request()
        assert (answer.status, asked.start) == (200, b"PUT /users/17?a=1&a=2&b=x+y HTTP/1.1")
        assert (asked.values("X-Sub"), asked.values("X-None")) == (["alice"], [])
        assert asked.values("X-Two") == ["a", "b"]
        assert (asked.body, asked.value("Content-Type")) == (b'"orders:read"', "application/json")
        assert asked.value("Host") == f"127.0.0.1:{side.port}"
        assert asked.value("Authorization") is None
        assert asked.value("X-Request-Id") == answer.value("X-Request-Id")
        assert upstream.one_request().start == b"GET /orders/17?q=1 HTTP/1.1"


def test_a_call_may_pass_on_the_fields_of_the_request_without_its_credentials(side: Upstream) -> None:
    call = {"upstream": "side", "passes_request_fields": True, "headers": {"X-Ours": {"constant": "yes"}}}
    lines = ("X-Ours: no", "X-Theirs: yes", "Accept-Encoding: gzip", "Connection: x-hop", "X-Hop: 1", "Cookie: a=b")
    with served(side, {"user": call}) as (client, _, _gateway):
        assert client.ask(request("/orders/17", *lines, bearer=token())).status == 200
        asked = side.one_request()
    assert (asked.values("X-Ours"), asked.values("X-Theirs")) == (["yes"], ["yes"])
    assert not [name for name in ("Accept-Encoding", "X-Hop", "Cookie", "Authorization") if asked.values(name)]


def test_calls_are_made_in_order_and_their_answers_are_known_from_then_on(side: Upstream) -> None:
    calls = {
        "first": {"upstream": "side"},
        "second": {
            "upstream": "side",
            "path": {"cel": "'/plans/' + calls.first.json.plan"},
            "body": {"cel": "calls.first.headers['x-user-id']"},
        },
    }
    edits = {
        "request_headers": {"set": {"X-Plan": {"cel": "calls.second.json.plan"}}},
        "response_headers": {"set": {"X-Status": {"cel": "calls.first.status"}}},
    }
    with served(side, calls, **edits) as (client, upstream, _):
        answer = client.ask(request("/orders/1", bearer=token()))
        assert (answer.status, answer.value("X-Status")) == (200, "200")
        assert upstream.one_request().value("X-Plan") == "gold"
        assert [each.start for each in side.requests] == [b"GET / HTTP/1.1", b"POST /plans/gold HTTP/1.1"]
        assert (side.requests[1].body, side.requests[1].value("Content-Type")) == (b"7", "text/plain; charset=utf-8")


def test_connections_of_calls_are_kept(side: Upstream) -> None:
    with served(side, {"one": {"upstream": "side"}, "two": {"upstream": "side"}}) as (client, _, _):
        assert client.ask(request("/orders/1", bearer=token())).status == 200
        assert client.ask(request("/orders/2", bearer=token())).status == 200
        assert (len(side.requests), len(side.connections)) == (4, 1)


def test_nobody_is_called_for_whom_is_not_let_through(side: Upstream) -> None:
    with served(side, {"one": {"upstream": "side"}}) as (client, upstream, _):
        assert client.ask(request("/orders/1")).status == 401
        assert client.ask(request("/orders/1", bearer=token(aud="https://other.example"))).status == 401
        assert (side.requests, upstream.requests) == ([], [])


@pytest.mark.parametrize(
    ("script", "status", "reason", "detail"),
    [
        (say(response(status="404 Not Found")), 502, "upstream_unexpected", {"call": "one", "status": 404}),
        (say(response(b"", "Location: /b", status="302 Found")), 502, "upstream_unexpected", {"status": 302}),
        (say(b"nonsense\r\n\r\n"), 502, "upstream_malformed", {"call": "one"}),
        (say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"), 502, "upstream_malformed", {}),
        (say(response(b"x" * 65)), 502, "upstream_malformed", {"cause": "an answer larger than the call allows"}),
        (say_and_close(response(b"ab", length=9)), 502, "upstream_malformed", {"cause": "the connection ended early"}),
        (
            say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
            502,
            "upstream_malformed",
            {"call": "one"},
        ),
        (lambda *_: None, 504, "upstream_slow", {"call": "one"}),
    ],
)
def test_a_call_that_fails_is_a_fault_and_nothing_is_forwarded(
    side: Upstream, script: Any, status: int, reason: str, detail: Document
) -> None:
    side.script = script
    seconds = 0.5 if reason == "upstream_slow" else PATIENCE_SECONDS
    call = {"upstream": "side", "expected_status": 200, "most_bytes": 64, "timeout_seconds": seconds}
    with served(side, {"one": call}) as (client, upstream, gateway):
        answer = client.ask(request("/orders/1", bearer=token()))
        line = gateway.line_of(answer)
        assert (answer.status, line["reason"], upstream.requests) == (status, reason, [])
        assert {name: line["detail"].get(name) for name in detail} == detail
        assert b"nonsense" not in answer.body
        assert {each.start for each in side.requests} == {b"GET / HTTP/1.1"}
        # The caller's connection is still good, and so is the next call.
        side.script = say(response(b"ok"))
        assert client.ask(request("/orders/1", bearer=token())).status == 200


def test_where_no_status_is_expected_any_will_do(side: Upstream) -> None:
    side.script = say(response(b"no", status="500 Internal Server Error"))
    told = {"request_headers": {"set": {"X-Status": {"cel": "calls.one.status"}}}}
    with served(side, {"one": {"upstream": "side"}}, **told) as (client, upstream, _):
        assert client.ask(request("/orders/1", bearer=token())).status == 200
        assert upstream.one_request().value("X-Status") == "500"


def test_an_upstream_nobody_answers_at_is_a_fault() -> None:
    with Upstream() as gone:
        pass
    with served(gone, {"one": {"upstream": "side"}}) as (client, upstream, gateway):
        answer = client.ask(request("/orders/1", bearer=token()))
        assert (answer.status, gateway.line_of(answer)["reason"]) == (502, "upstream_unreachable")
        assert upstream.requests == []


def test_sec_110_a_request_cannot_lead_a_call_elsewhere(side: Upstream) -> None:
    call = {"upstream": "side", "path": {"cel": "'/users/' + request.query.id"}}
    with served(side, {"one": call}) as (client, _, gateway):
        for wanted in ("../admin", "..", "a/../../b", "%252e%252e/admin", "a%2Fb%2Fc%2F%2e%2e%2Fd", "a%252fb"):
            answer = client.ask(request(f"/orders/1?id={wanted}", bearer=token()))
            assert (answer.status, gateway.line_of(answer)["reason"]) == (400, "path_not_canonical"), wanted
        assert side.requests == []
        assert client.ask(request("/orders/1?id=a%20b%23c%3Fd%0D%0AX:y", bearer=token())).status == 400
        assert client.ask(request("/orders/1?id=a%20b%23c%3Fd", bearer=token())).status == 200
        assert side.one_request().start == b"GET /users/a%20b%23c%3Fd HTTP/1.1"


def test_a_client_that_goes_takes_its_call_with_it(side: Upstream) -> None:
    side.script = lambda *_: None
    with served(side, {"one": {"upstream": "side"}}) as (client, upstream, gateway):
        client.send(request("/orders/1", bearer=token()))
        until(lambda: side.requests)
        client.close()
        until(lambda: side.connections[0].end == "eof")
        assert gateway.log()[0]["reason"] == "client_gone"
        assert upstream.requests == []


def test_an_idle_connection_that_was_closed_meanwhile_is_asked_again(side: Upstream) -> None:
    with served(side, {"one": {"upstream": "side"}}) as (client, _, _):
        assert client.ask(request("/orders/1", bearer=token())).status == 200
        side.play(lambda served, _: served.close())
        assert client.ask(request("/orders/1", bearer=token())).status == 200
        assert len(side.requests) == 3


def test_a_body_is_held_back_while_calls_are_made(side: Upstream) -> None:
    with served(side, {"one": {"upstream": "side"}}) as (client, upstream, _):
        body = json.dumps({"n": list(range(50_000))}).encode()
        assert client.ask(request("/orders/1", method="POST", bearer=token(), body=body)).status == 200
        assert upstream.one_request().body == body


def test_a_route_may_answer_with_what_it_was_told(side: Upstream) -> None:
    respond = {"headers": {"X-Plan": {"cel": "calls.one.json.plan"}}, "body": "ok"}
    changes = {"headers": None, "upstream": None, "respond": respond}
    with served(side, {"one": {"upstream": "side"}}, **changes) as (client, upstream, _):
        answer = client.ask(request("/orders/1", bearer=token()))
        assert (answer.status, answer.value("X-Plan"), upstream.requests) == (200, "gold", [])
