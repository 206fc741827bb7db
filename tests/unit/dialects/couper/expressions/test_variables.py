from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.dialects.couper.expressions.evaluating import value_of
from tests.unit.policy.plans import NOON, ROUTE, known, principal, proven, request

from jwtgate.dialects.couper.expressions.variables import ROOTS, reader
from jwtgate.policy.calls.call import Call, Called, NeedCall
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.traffic.upstreams import Target, Upstream

VIEW = request(
    (b"host", b"api.example:8443"),
    (b"x-one", b"a"),
    (b"x-one", b"b"),
    (b"x-utf", "é".encode()),
    (b"x-latin", b"\xe9"),
    (b"cookie", b'a=1; b="2"; a=3'),
    (b"content-type", b"application/json; charset=utf-8"),
    path="/orders/a%20b/x",
    query="q=1&q=2&e=&n&s=a+b%2F",
    id="r-1",
    body=b'{"token": "t", "list": [1, 2.0]}',
    method="POST",
)
HERE = known(
    replace(principal(access=proven(sub="alice", groups=["a"], n=42.0)), permissions=("read", "write")),
    route=replace(ROUTE, templates=("/orders/{id}/x",)),
    view=VIEW,
)
SLOTS = {"J": "access", "my-jwt": "access", "other": "none"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("request.id", "r-1"),
        ("request.method", "POST"),
        ("request.url", "https://api.example:8443/orders/a%20b/x?q=1&q=2&e=&n&s=a+b%2F"),
        ("request.origin", "https://api.example:8443"),
        ("request.protocol", "https"),
        ("request.host", "api.example"),
        ("request.port", 8443),
        ("request.path", "/orders/a b/x"),
        ("request.remote_ip", "192.0.2.7"),
        ("request.headers.x-one", "a"),
        ('request.headers["x-one"]', "a"),
        ("request.headers.x-utf", "é"),
        ("request.headers.x-latin", "é"),
        ("request.headers.X-One", None),
        ('request.headers[to_lower("X-One")]', "a"),
        ("request.cookies.a", "1"),
        ("request.cookies.b", "2"),
        ("request.cookies.c", None),
        ("request.query.q", ["1", "2"]),
        ("request.query.q[1]", "2"),
        ("request.query.q[2]", None),
        ("request.query.e[0]", ""),
        ("request.query.n[0]", ""),
        ("request.query.s[0]", "a b/"),
        ("request.query.none[0]", None),
        ("request.path_params.id", "a b"),
        ("request.path_params", {"id": "a b"}),
        ("request.path_params.none", None),
        ("request.body", '{"token": "t", "list": [1, 2.0]}'),
        ("request.json_body.token", "t"),
        ("request.json_body.list", [1, 2]),
        ("request.form_body.a", None),
        ("request.none", None),
        ("request.context.J.sub", "alice"),
        ('request.context["my-jwt"].groups[0]', "a"),
        ("request.context.J.n", 42),
        ("request.context.J.none.none", None),
        ("request.context.other.sub", None),
        ("request.context.other", None),
        ("request.context.unknown.sub", None),
        ("request.context.granted_permissions", ["read", "write"]),
        ("json_encode(request.context.granted_permissions)", '["read","write"]'),
        ("request.context.required_permission", None),
        ("request.context.J.iss == request.context.my-jwt.iss", True),
        ("env.A", "a"),
        ("env.NONE", None),
        ('env["A"]', "a"),
        ("couper.environment", "test"),
        ("couper.none", None),
        ("backend_requests.default.url", None),
        ("backends.b.tokens", None),
    ],
)
def test_a_variable_is_what_it_names(text: str, value: object) -> None:
    assert value_of(text, HERE, slots=SLOTS, env={"A": "a"}, environment="test") == value


def test_a_whole_object_holds_all_that_its_parts_do() -> None:
    whole = value_of("request", HERE, slots=SLOTS)
    assert whole["context"]["J"] == whole["context"]["my-jwt"]
    assert whole["context"]["granted_permissions"] == ["read", "write"]
    assert whole["headers"]["x-one"] == "a"
    assert whole["query"]["q"] == ["1", "2"]
    assert value_of("request.context.J", HERE, slots=SLOTS)["sub"] == "alice"
    assert value_of("couper.version", HERE) == "1"


def test_an_unproven_caller_has_no_context() -> None:
    here = known(view=VIEW)
    for text in ("request.context.J.sub", "request.context.J", "request.context.granted_permissions"):
        assert value_of(text, here, slots=SLOTS) is None


@pytest.mark.parametrize(
    ("media_type", "body", "value"),
    [
        (b"application/json", b'{"a":1}', {"a": 1}),
        (b"application/problem+json", b"[1]", [1]),
        (b"text/plain", b'{"a":1}', None),
        (b"application/json", b'{"a":1', None),
        (b"application/json", b'{"a":1,"a":2}', None),
        (b"application/json", b"", None),
        (b"application/json", None, None),
    ],
)
def test_a_body_is_json_when_it_says_so_and_is(media_type: bytes, body: bytes | None, value: object) -> None:
    here = known(view=request((b"content-type", media_type), body=body))
    assert value_of("request.json_body", here) == value


def test_a_form_is_read_when_it_says_so() -> None:
    form = request((b"content-type", b"application/x-www-form-urlencoded"), body=b"a=1&a=2&token=x%20y", method="POST")
    assert value_of("request.form_body", known(view=form)) == {"a": ["1", "2"], "token": ["x y"]}
    assert value_of("request.form_body.token[0]", known(view=form)) == "x y"
    other = replace(form, fields=((b"content-type", b"text/plain"),))
    assert value_of("request.form_body", known(view=other)) == {}
    assert value_of("request.form_body", known(view=replace(form, body=None))) == {}
    assert value_of("request.body", known(view=replace(form, body=None))) is None


def test_a_body_is_read_once_for_all_expressions() -> None:
    here = replace(HERE, answers={})
    first = value_of("request.json_body", here)
    assert len(here.answers) == 1
    assert value_of("request.json_body", here) == first


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_a_port_that_is_not_written_is_that_of_the_scheme(scheme: str, port: int) -> None:
    here = known(view=request((b"host", b"api.example"), scheme=scheme))
    assert value_of("request.port", here) == port


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("backend_responses.first.status", 200),
        ("backend_responses.first.headers.x-a", "1"),
        ("backend_responses.first.json_body.a", [1]),
        ("backend_responses.first.body", '{"a":[1]}'),
        ("backend_responses.first.cookies.c", "1"),
        ("backend_responses.first.none", None),
        ("backend_responses.second.status", None),
        ("backend_responses.none.status", None),
        ("backend_response.status", 200),
        ("length(keys(backend_responses))", 3),
        ("backend_responses.first.json_body", {"a": [1]}),
        ("backend_responses.second", None),
    ],
)
def test_what_a_call_was_answered_is_read_by_couper_s_name(text: str, value: Any) -> None:
    fields = {"x-a": ("1", "2"), "content-type": ("application/json",), "set-cookie": ("c=1; Path=/",)}
    here = replace(HERE, called={"call-1": Called(200, fields, b'{"a":[1]}')}, answers={})
    calls = {"first": "call-1", "second": "call-2", "default": "call-1"}
    assert value_of(text, here, calls=calls) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("backend_requests.one.method", "POST"),
        ("backend_requests.one.url", "https://b.example/a%20b?c=1&c=2"),
        ("backend_requests.one.path", "/a b"),
        ("backend_requests.one.query.c", ["1", "2"]),
        ("backend_requests.one.headers.x-a", "1"),
        ("backend_requests.one.body", "d=%20"),
        ("backend_requests.one.form_body", {"d": [" "]}),
        ("backend_requests.one.json_body", None),
        ("backend_request.method", "POST"),
        ("length(keys(backend_requests.one))", 8),
        ("backend_requests.one.none", None),
        ("backend_requests.unknown.url", None),
        ("backend_requests.two.url", None),
    ],
)
def test_what_a_call_asked_is_read_by_couper_s_name(text: str, value: Any) -> None:
    upstream = Upstream("b", (Target("b.example", 443, True, "b.example"),))
    call = Call("call-1", upstream, Value(Origin.PATH), Value(Origin.METHOD))
    fields = ((b"X-A", b"1"), (b"Content-Type", b"application/x-www-form-urlencoded"))
    asked = NeedCall(call, "POST", "/a%20b?c=1&c=2", fields, b"d=%20")
    here = replace(HERE, called={"call-1": Called(200, {}, b"", asked), "call-2": Called(200, {}, b"")}, answers={})
    assert value_of(text, here, calls={"one": "call-1", "default": "call-1", "two": "call-2"}) == value


@pytest.mark.parametrize(
    ("text", "permission"),
    [
        ('"read"', "read"),
        ('{post = "write", "*" = "any"}', "write"),
        ('{get = "read", "*" = "any"}', "any"),
        ('{get = "read"}', None),
        ("request.path_params.id", "a b"),
        ("1", None),
    ],
)
def test_the_permission_a_route_asks_for_may_be_read(text: str, permission: str | None) -> None:
    assert value_of("request.context.required_permission", HERE, required_permission=text) == permission


def test_there_are_only_so_many_variables() -> None:
    assert {"request", "env", "couper", "backend_requests", "backend_responses", "backends"} <= ROOTS
    assert reader("none", (), {}) is None
    assert HERE.now == NOON
