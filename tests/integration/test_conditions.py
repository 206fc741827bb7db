"""Expressions that look at the request, and refusals that look as their route says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from jwtgate.jose.encoding import base64url_decode

from .rig import Client, Document, Gateway, Message, Upstream, gateway_and_upstream, request, token


def route(path: str, **settings: Any) -> Document:
    return {"path": path, "auth": "required", "issuers": "main", "upstream": "echo", **settings}


OWNER = "token.access.sub == request.path_parameters.id"
LOGIN = {"status": 303, "headers": {"Location": {"cel": "'/login?to=' + request.path"}, "X-Why": "expired"}, "body": ""}
CHANGES: Document = {
    "routes": {
        "owner": route("/users/{id}", require=OWNER),
        "tenant": route("/tenant", require=["request.headers['x-tenant'] in token.access.tenants", "now > 0"]),
        "odd": route("/odd", require="token.access.level"),
        "deep": route("/deep", require="token.access.list.all(a, token.access.list.all(b, a + b >= 0))"),
        "maybe": route("/maybe", auth="optional", require="has(token.access) || request.query.guest == 'yes'"),
        "shown": route(
            "/shown",
            headers={
                "X-Tier": {"cel": "token.access.plan.seats > 9 ? 'gold' : 'plain'"},
                "X-Team": {"cel": "has(token.access.team) ? token.access.team : 'none'"},
            },
        ),
        "issued": route(
            "/issued",
            issue={
                "audience": "https://orders.internal",
                "when": "token.access.sub != 'robot'",
                "copy": ["sub"],
                "set": {"from": {"cel": "request.method + ' ' + request.path"}},
            },
        ),
        "answers": route(
            "/answers/{id}",
            require=OWNER,
            answers={
                "token_expired": LOGIN,
                "token_refused": {"status": 403, "challenge": False},
                "condition_not_met": {"body": {"cel": "{'user': request.path_parameters.id}"}},
                "refusal": {"body": "<h1>no</h1>", "content_type": "text/html", "headers": {"X-Gate": "a"}},
                "*": {"headers": {"X-Gate": "b"}},
            },
            log={"user": {"claim": "sub"}, "asked": {"path_parameter": "id"}, "kind": "answers"},
            upstream="gone",
        ),
        "nothing": route("/nothing", answers={"refusal": {"body": {"cel": "token.access.sub"}}}),
        "first": route(
            "/first",
            **{"from": [{"header": "authorization", "prefix": ["Bearer ", "JWT ", ""]}, {"cookie": "t"}]},
            first_source_wins_for_legacy_clients=True,
        ),
    },
    "upstreams": {"gone": {"targets": "http://127.0.0.1:1"}},
}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream(**CHANGES) as both:
        yield both


@pytest.fixture
def client(both: tuple[Gateway, Upstream]) -> Iterator[Client]:
    both[1].forget()
    with Client(both[0].port) as client:
        yield client


def ask(client: Client, target: str, *fields: str, method: str = "GET", **claims: Any) -> Message:
    return client.ask(request(target, *fields, method=method, bearer=token(**claims)))


def shown(answer: Message) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]


def payload(text: str) -> Any:
    return json.loads(base64url_decode(text.split(".")[1]))


DENIED = (403, "condition_not_met")


# What is required.


def test_a_claim_may_have_to_equal_a_part_of_the_path(client: Client, both: tuple[Gateway, Upstream]) -> None:
    assert ask(client, "/users/alice").status == 200
    assert ask(client, "/users/al%C3%AEce", sub="alîce").status == 200
    assert shown(ask(client, "/users/bob")) == DENIED
    assert shown(ask(client, "/users/Alice")) == DENIED
    assert [each.start.split()[1] for each in both[1].requests] == [b"/users/alice", b"/users/al%C3%AEce"]


def test_a_claim_may_have_to_hold_a_header_field(client: Client) -> None:
    assert ask(client, "/tenant", "X-Tenant: b", tenants=["a", "b"]).status == 200
    assert shown(ask(client, "/tenant", "X-Tenant: c", tenants=["a", "b"])) == DENIED


@pytest.mark.parametrize(
    ("target", "fields", "claims"),
    [
        ("/tenant", (), {"tenants": ["a"]}),
        ("/tenant", ("X-Tenant: a", "X-Tenant: a"), {"tenants": ["a"]}),
        ("/tenant", ("X-Tenant: a",), {}),
        ("/tenant", ("X-Tenant: a",), {"tenants": 1}),
        ("/odd", (), {"level": 1}),
        ("/odd", (), {"level": "true"}),
        ("/odd", (), {}),
        ("/odd", (), {"level": False}),
        ("/deep", (), {"list": list(range(2000))}),
        ("/deep", (), {"list": [2**70]}),
    ],
)
def test_sec_50_an_expression_that_fails_or_is_not_true_denies(
    client: Client, both: tuple[Gateway, Upstream], target: str, fields: tuple[str, ...], claims: dict[str, Any]
) -> None:
    assert shown(ask(client, target, *fields, **claims)) == DENIED
    assert both[1].requests == []


def test_the_same_expressions_let_others_in(client: Client) -> None:
    assert ask(client, "/odd", level=True).status == 200
    assert ask(client, "/deep", list=[1, 2]).status == 200


def test_a_condition_is_asked_of_a_caller_without_a_token_too(client: Client) -> None:
    assert ask(client, "/maybe").status == 200
    assert client.ask(request("/maybe?guest=yes")).status == 200
    assert shown(client.ask(request("/maybe?guest=no"))) == DENIED
    assert shown(client.ask(request("/maybe"))) == DENIED


def test_the_log_says_which_condition_and_the_answer_does_not(both: tuple[Gateway, Upstream]) -> None:
    gateway, _ = both
    with Client(gateway.port) as client:
        answer, failed = ask(client, "/users/bob"), ask(client, "/odd", level="secret-level")
    assert b"path_parameters" not in answer.body
    assert gateway.line_of(answer)["detail"] == {"expression": OWNER}
    assert gateway.line_of(failed)["detail"] == {"expression": "token.access.level", "cause": "neither true nor false"}
    assert b"secret-level" not in gateway.raw_log()


# What the upstream is told.


def test_a_field_has_the_value_of_an_expression(client: Client, both: tuple[Gateway, Upstream]) -> None:
    assert ask(client, "/shown", plan={"seats": 20}, team="blue").status == 200
    assert ask(client, "/shown", plan={"seats": 1}).status == 200
    first, second = both[1].requests
    assert (first.value("X-Tier"), first.value("X-Team")) == ("gold", "blue")
    assert (second.value("X-Tier"), second.value("X-Team")) == ("plain", "none")


def test_sec_50_a_field_whose_expression_fails_lets_nothing_through(
    client: Client, both: tuple[Gateway, Upstream]
) -> None:
    assert shown(ask(client, "/shown")) == DENIED
    assert shown(ask(client, "/shown", plan={"seats": "many"})) == DENIED
    assert both[1].requests == []


def test_a_token_is_issued_when_its_condition_holds_and_is_made_for_this_request(
    client: Client, both: tuple[Gateway, Upstream]
) -> None:
    for method in ("GET", "DELETE"):
        assert ask(client, "/issued", method=method).status == 200
    assert ask(client, "/issued", "X-JWT-Assertion: mine", sub="robot").status == 200
    *issued, without = both[1].requests
    claims = [payload(each.value("X-JWT-Assertion") or "") for each in issued]
    assert [(each["sub"], each["from"]) for each in claims] == [("alice", "GET /issued"), ("alice", "DELETE /issued")]
    assert without.value("X-JWT-Assertion") is None


# Answers and logs of one's own.


def test_an_expired_token_may_lead_to_a_page_to_log_in_again(client: Client) -> None:
    answer = ask(client, "/answers/alice%20b", exp=1_000_000)
    assert (answer.status, answer.body) == (303, b"")
    assert answer.value("Location") == "/login?to=/answers/alice%2520b"
    assert answer.value("X-Why") == "expired"
    assert answer.value("X-Gate") is None
    assert (answer.value("WWW-Authenticate") or "").startswith('Bearer realm="jwtgate", error="invalid_token"')


def test_the_most_particular_answer_is_given(client: Client) -> None:
    of_class = ask(client, "/answers/alice", aud="https://other.example")
    assert (of_class.status, of_class.value("WWW-Authenticate"), of_class.value("X-Gate")) == (403, None, None)
    of_reason = ask(client, "/answers/bob")
    assert (of_reason.status, json.loads(of_reason.body)) == (403, {"user": "bob"})
    of_refusals = client.ask(request("/answers/alice"))
    assert (of_refusals.status, of_refusals.body, of_refusals.value("X-Gate")) == (401, b"<h1>no</h1>", "a")
    assert of_refusals.value("Content-Type") == "text/html"
    assert of_refusals.value("WWW-Authenticate") == 'Bearer realm="jwtgate"'
    of_all = ask(client, "/answers/alice")
    assert (*shown(of_all), of_all.value("X-Gate")) == (502, "upstream_unreachable", "b")


def test_the_log_says_what_happened_and_what_the_route_adds(both: tuple[Gateway, Upstream]) -> None:
    gateway, _ = both
    with Client(gateway.port) as client:
        expired, denied = ask(client, "/answers/alice", exp=1_000_000), ask(client, "/answers/bob")
        reached = ask(client, "/answers/alice")
    line = gateway.line_of(expired)
    assert (line["status"], line["reason"]) == (303, "token_expired")
    line = gateway.line_of(denied)
    assert (line["reason"], line["log"]) == ("condition_not_met", {"user": "alice", "asked": "bob", "kind": "answers"})
    line = gateway.line_of(reached)
    assert (line["reason"], line["log"]["asked"]) == ("upstream_unreachable", "alice")


def test_an_answer_that_cannot_be_worded_is_still_a_refusal(client: Client) -> None:
    assert shown(client.ask(request("/nothing"))) == (401, "credential_missing")


def test_a_connection_goes_on_after_answers_of_ones_own(client: Client) -> None:
    for _ in range(3):
        assert ask(client, "/answers/alice", exp=1_000_000).status == 303
        assert ask(client, "/users/alice").status == 200


# Where a credential may stand.


@pytest.mark.parametrize("scheme", ["Bearer ", "JWT ", ""])
def test_a_field_may_have_one_prefix_of_several(client: Client, both: tuple[Gateway, Upstream], scheme: str) -> None:
    assert client.ask(request("/first", f"Authorization: {scheme}{token()}")).status == 200
    assert both[1].one_request().value("Authorization") is None


def test_the_first_source_decides_where_the_document_says_so(client: Client, both: tuple[Gateway, Upstream]) -> None:
    assert client.ask(request("/first", f"Cookie: t={token()}")).status == 200
    assert client.ask(request("/first", f"Cookie: t={token()}", "Authorization: Basic YTpi")).status == 401
    assert client.ask(request("/first", "Cookie: t=bad", bearer=token())).status == 200
    assert both[1].requests[-1].value("Cookie") is None
