"""Answers of a route's own: worked out, given as a call was answered, or refused; and who may keep them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .rig import Client, Document, Gateway, Message, Upstream, document, request, response, say, token

OWN = {"issue": None, "headers": None, "upstream": None}


@contextmanager
def answering(respond: Document, *, side: Upstream | None = None, **route: Any) -> Iterator[tuple[Client, Gateway]]:
    """A client of a gateway whose route `/orders/*` answers so, after a call of `side` if there is one."""
    called: Document = {} if side is None else {"calls": {"who": {"upstream": "side"}}}
    upstreams = {} if side is None else {"upstreams": {"side": {"targets": [side.url]}}}
    changes = {**upstreams, "routes": {"orders": {**OWN, **called, "respond": respond, **route}}}
    with Gateway(document("http://127.0.0.1:9", **changes)) as gateway, Client(gateway.port) as client:
        yield client, gateway


def asked(client: Client, **claims: Any) -> Message:
    return client.ask(request("/orders/1", bearer=token(**claims)))


@pytest.mark.parametrize(
    ("headers", "more", "values"),
    [
        ({}, {}, ["private"]),
        ({"Cache-Control": "public"}, {}, ["public", "private"]),
        ({"Cache-Control": "no-store"}, {}, ["no-store"]),
        ({"Cache-Control": "max-age=1, Private"}, {}, ["max-age=1, Private"]),
        ({"Cache-Control": "public"}, {"private_responses": False}, ["public"]),
        ({}, {"private_responses": False}, []),
    ],
)
def test_an_answer_to_a_proven_caller_is_private_unless_the_route_says_otherwise(
    headers: Document, more: Document, values: list[str]
) -> None:
    with answering({"headers": headers}, **more) as (client, _):
        assert asked(client).values("Cache-Control") == values


def test_status_body_and_media_type_may_be_worked_out() -> None:
    respond = {
        "status": {"claim": "code"},
        "body": {"claim": "said"},
        "content_type": {"claim": "type"},
    }
    with answering(respond) as (client, _):
        answer = asked(client, code=418, said={"a": 1})
        assert (answer.status, answer.body, answer.value("Content-Type")) == (418, b'{"a":1}', "application/json")
        answer = asked(client, code=200, said="<p>", type="text/html")
        assert (answer.status, answer.body, answer.value("Content-Type")) == (200, b"<p>", "text/html")
        assert asked(client, code=200).body == b""


@pytest.mark.parametrize("claims", [{}, {"code": "200"}, {"code": 99}, {"code": 200, "type": "a/b\r\nX: y"}])
def test_what_cannot_be_an_answer_is_our_fault(claims: Document) -> None:
    respond = {"status": {"claim": "code"}, "content_type": {"claim": "type"}}
    with answering(respond) as (client, gateway):
        answer = asked(client, **claims)
        assert answer.status == 500
        assert gateway.line_of(answer)["reason"] == "expression_failed"


def test_an_answer_may_be_that_of_a_call() -> None:
    said = response(b"tea", "Content-Type: text/plain", "X-A: 1", "X-A: 2", "X-Gone: 1", status=418)
    with (
        Upstream(say(said)) as side,
        answering({"call": "who"}, side=side, response_headers={"set": {"X-New": "1"}, "remove": ["X-Gone"]}) as both,
    ):
        answer = asked(both[0])
        assert (answer.status, answer.body, answer.value("Content-Type")) == (418, b"tea", "text/plain")
        assert (answer.values("X-A"), answer.value("X-New"), answer.value("X-Gone")) == (["1", "2"], "1", None)
        assert answer.value("Content-Length") == "3"


def test_sec_112_a_call_that_echoes_what_is_ours_does_not_tell_the_client() -> None:
    said = response(b"", "X-User-Id: root", "X-Request-Id: forged", "Connection: X-Hop", "X-Hop: 1")
    other = {"path": "/other", "auth": "required", "issuers": ["main"], "upstream": "echo"}
    with Upstream(say(said)) as side:
        changes = {
            "upstreams": {"side": {"targets": [side.url]}},
            "routes": {
                "orders": {**OWN, "calls": {"who": {"upstream": "side"}}, "respond": {"call": "who"}},
                "other": {**other, "headers": {"X-User-Id": {"claim": "sub"}}},
            },
        }
        with Gateway(document("http://127.0.0.1:9", **changes)) as gateway, Client(gateway.port) as client:
            answer = asked(client)
            assert (answer.value("X-User-Id"), answer.value("X-Hop")) == (None, None)
            assert answer.value("X-Request-Id") not in (None, "forged")


@pytest.mark.parametrize(
    ("reason", "status"), [("route_unknown", 404), ("permission_missing", 403), ("overloaded", 503)]
)
def test_a_route_may_always_refuse(reason: str, status: int) -> None:
    with answering({"refusal": reason}, answers={"*": {"headers": {"X-Why": {"refusal": "reason"}}}}) as (client, _):
        answer = asked(client)
        assert (answer.status, answer.value("X-Why")) == (status, reason)
        assert client.ask(request("/orders/1")).value("X-Why") == "credential_missing"


def test_a_path_and_a_query_may_be_worked_out() -> None:
    changes = {"rewrite": {"path": {"claim": "to"}, "query": {"claim": "ask"}}, "issue": None}
    with (
        Upstream() as upstream,
        Gateway(document(upstream.url, routes={"orders": changes})) as gateway,
        Client(gateway.port) as client,
    ):
        for to, ask, sent in (
            ("/a b", "x=1", b"/a%20b?x=1"),
            ("/c", {"y": ["1", "2"]}, b"/c?y=1&y=2"),
            ("/d", None, b"/d"),
        ):
            upstream.forget()
            assert client.ask(request("/orders/1?old=1", bearer=token(to=to, ask=ask))).status == 200
            assert upstream.one_request().start == b"GET %b HTTP/1.1" % sent
        upstream.forget()
        assert client.ask(request("/orders/1", bearer=token(to="/a/../admin"))).status == 400
        assert client.ask(request("/orders/1", bearer=token(to=7))).status == 500
        assert upstream.requests == []
