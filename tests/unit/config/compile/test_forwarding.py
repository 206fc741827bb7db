"""Where requests go and what becomes of them, as the plan has it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from jwtgate.config.compile.forwarding import conditions_of, path_forms
from jwtgate.config.patterns import PathPattern
from jwtgate.config.sections.document import Document
from jwtgate.jose.encoding import JSON
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.provisions import Form, IdentityField, Origin, Value
from jwtgate.policy.rooms.listed import Conditions, ListedRouter
from jwtgate.policy.rooms.match import Router
from jwtgate.policy.traffic.forwarding import (
    PathForm,
    Respond,
    RespondAsCalled,
    Responding,
    RespondRefusal,
    RespondWorded,
    form_of,
)
from jwtgate.policy.traffic.upstreams import Balance, Ejection, HashedBy, HashKey, HealthCheck, Target

Compile = Callable[[dict[str, Any]], Plan]
Load = Callable[[dict[str, Any]], Document]
MATCH = {
    "path_prefix": "/a",
    "path_pattern": r"^/b/\d",
    "schemes": "https",
    "ports": 8443,
    "clients": "10.0.0.0/8",
    "headers": {"X-A": ["One", "two"]},
    "when": "request.path != ''",
}


def route(plan: Plan, name: str = "orders") -> Route:
    return next(route for route in plan.routes if route.name == name)


def test_the_forms_of_a_path_stand_side_by_side(load: Load) -> None:
    section = load({"routing": "listed", "routes/orders/match": MATCH}).routes["orders"]
    pattern = PathPattern(r"^/b/\d")
    assert path_forms(section) == (form_of("/orders/*"), PathForm("/a"), PathForm("/b/", pattern=pattern))
    assert conditions_of(section) == Conditions(
        schemes=frozenset({"https"}),
        ports=frozenset({8443}),
        clients=(ip_network("10.0.0.0/8"),),
        fields=((b"x-a", frozenset({b"one", b"two"})),),
        when=conditions_of(section).when,
    )
    assert conditions_of(section).ask_more


def test_methods_alone_need_no_look_at_the_request(load: Load) -> None:
    conditions = conditions_of(load({"routes/orders/methods": ["GET"]}).routes["orders"])
    assert conditions == Conditions(frozenset({"GET"}))
    assert not conditions.ask_more


def test_a_listed_order_has_an_index_of_its_own(plan: Compile) -> None:
    listed = plan({"routing": "listed", "routes/orders/match": MATCH})
    assert isinstance(listed.router, ListedRouter)
    assert isinstance(plan({}).router, Router)
    copy = pickle.loads(pickle.dumps(listed))
    found = copy.router.find("GET", "any", "/health", lambda: pytest.fail("nobody needs to look"))
    assert found is route(copy, "health")


def test_targets_without_a_weight_are_left_out(plan: Compile) -> None:
    targets = [{"url": "http://a", "weight": 0}, {"url": "https://[::1]:8443", "weight": 2}]
    upstream = route(plan({"upstreams/echo": {"targets": targets, "host": "b", "retries": 0}})).upstream
    assert upstream.targets == (Target("::1", 8443, tls=True, authority="[::1]:8443", weight=2),)
    assert (upstream.host, upstream.retries, upstream.is_told_more) == ("b", 0, False)


@pytest.mark.parametrize("flag", ["x_real_ip", "forwarded_port", "forwarded_path"])
def test_an_upstream_may_be_told_more(plan: Compile, flag: str) -> None:
    assert route(plan({f"upstreams/echo/{flag}": True})).upstream.is_told_more


def test_what_is_rewritten_follows_the_rules_of_paths(plan: Compile) -> None:
    rewrite = {"strip_matched_prefix": True, "add_prefix": "/b", "pattern": "c", "replacement": "d", "method": "PUT"}
    found = route(plan({"routes/orders/rewrite": rewrite, "paths": {"repeated_slashes": "merge"}})).rewriting
    assert found is not None
    assert found.sent("GET", "/orders/c") == ("PUT", "/b/d")
    assert found.rules.merge_repeated_slashes
    assert route(plan({})).rewriting is None


def test_edits_are_fields_with_values_and_names_to_remove(plan: Compile) -> None:
    edits = {"set": {"X_A": "1"}, "add": {"X-B": {"claim": "sub"}}, "remove": ["X-C"]}
    compiled = plan({"routes/orders/request_headers": edits, "routes/orders/response_headers": edits})
    found = route(compiled)
    fields = (
        IdentityField(b"X_A", Value(Origin.CONSTANT, constant="1"), Form.VISIBLE),
        IdentityField(b"X-B", Value(Origin.CLAIM, slot="access", path=("sub",))),
    )
    assert found.sent_fields == fields
    assert found.answer_fields == tuple(replace(field, form=Form.VISIBLE) for field in fields)
    assert {b"x-a", b"x-c", b"authorization"} == found.removed_fields
    assert found.answer_removed == {b"x_a", b"x-c"}
    assert compiled.identity_names.isdisjoint({b"x-a", b"x-b", b"x-c"})


@pytest.mark.parametrize("direction", ["request_headers", "response_headers"])
def test_what_asks_the_request_is_decided_each_time(plan: Compile, direction: str) -> None:
    place = f"routes/orders/{direction}"
    assert route(plan({place: {"set": {"X-A": "1", "X-B": {"claim": "sub"}}}})).remembered
    assert not route(plan({place: {"set": {"X-A": {"request": "path"}}}})).remembered
    assert route(plan({place: {"add": {"X-A": {"cel": "request.path"}}}})).templates == ("/orders/*",)


@pytest.mark.parametrize("name", ["path", "query"])
def test_a_path_that_is_worked_out_is_so_each_time(plan: Compile, name: str) -> None:
    found = route(plan({"routes/orders/rewrite": {name: {"request": name}}}))
    rewriting = found.rewriting
    assert rewriting is not None
    assert getattr(rewriting, f"{name}_value") == Value(Origin(name))
    assert (found.remembered, rewriting.path) == (False, None)
    written = route(plan({"routes/orders/rewrite": {"path": "/a"}})).rewriting
    assert written is not None
    assert (written.path, written.path_value) == ("/a", None)


def test_a_field_may_show_what_is_visible_as_it_stands(plan: Compile) -> None:
    found = route(plan({"routes/orders/headers": {"X-A": {"claim": "sub", "form": "visible"}}}))
    assert found.identity[0].form is Form.VISIBLE


def own(respond: dict[str, Any]) -> dict[str, Any]:
    asked = {"auth": "required", "issuers": ["main"], "calls": {"who": {"upstream": "echo"}}}
    return {"routes/own": {"path": "/own", "respond": respond, **asked}}


def constant(value: JSON) -> Value:
    return Value(Origin.CONSTANT, constant=value)


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        ({}, Respond()),
        ({"status": 404, "body": {"constant": {"a": None}}}, Respond(404, "application/json", b'{"a":null}')),
        ({"json": "a"}, Respond(200, "application/json", b'"a"')),
        ({"json": {"constant": None}}, Respond(200, "application/json", b"null")),
        ({"call": "who"}, RespondAsCalled("who")),
        ({"call": "who", "status": 202, "content_type": "a/b"}, RespondAsCalled("who", constant(202), constant("a/b"))),
        ({"refusal": "permission_missing"}, RespondRefusal("permission_missing")),
        (
            {"status": {"claim": "code"}, "body": "a"},
            RespondWorded(Value(Origin.CLAIM, slot="access", path=("code",)), constant("a"), constant(None)),
        ),
        (
            {"json": {"request": "path"}, "content_type": "text/plain"},
            RespondWorded(constant(200), Value(Origin.PATH), constant("text/plain"), as_json=True),
        ),
        ({"body": "<p>", "content_type": "text/html"}, Respond(200, "text/html", b"<p>")),
    ],
)
def test_an_answer_of_ours_is_ready_to_be_sent(plan: Compile, respond: dict[str, Any], said: Responding) -> None:
    found = route(plan(own(respond)), "own")
    assert (found.respond, found.remembered, found.upstream.targets) == (said, False, ())


def test_the_fields_of_an_answer_of_ours_may_be_values(plan: Compile) -> None:
    found = route(plan(own({"status": 302, "headers": {"Location": {"request": "path"}}})), "own")
    assert found.answer_fields == (IdentityField(b"Location", Value(Origin.PATH), Form.VISIBLE),)


def test_a_target_named_twice_is_one_that_weighs_more(plan: Compile) -> None:
    targets = [{"url": "http://a", "weight": 2}, "http://b", "http://a:80/"]
    found = route(plan({"upstreams/echo/targets": targets})).upstream.targets
    assert [(target.host, target.weight) for target in found] == [("a", 3), ("b", 1)]


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("consumer", HashKey(HashedBy.CONSUMER)),
        ("client", HashKey(HashedBy.CLIENT)),
        ({"header": "X-User"}, HashKey(HashedBy.HEADER, b"x-user")),
        ({"cookie": "Session"}, HashKey(HashedBy.COOKIE, b"Session")),
    ],
)
def test_what_is_hashed_is_known_by_its_name(plan: Compile, by: object, key: HashKey) -> None:
    changes = {"upstreams/echo/balance": "consistent_hash", "upstreams/echo/hash_by": by}
    upstream = route(plan(changes)).upstream
    assert (upstream.balance, upstream.hash_by) == (Balance.CONSISTENT_HASH, key)


def test_rel_13_checks_and_ejections_are_compiled(plan: Compile) -> None:
    check = {"path": "/health", "host": "a", "every_seconds": 1, "healthy_after": 1}
    changes = {"upstreams/echo/health_check": check, "upstreams/echo/ejection": {"statuses": 500, "for_seconds": 2}}
    upstream = route(plan(changes)).upstream
    assert upstream.health_check == HealthCheck("/health", host="a", every_seconds=1.0, healthy_after=1)
    assert upstream.ejection == Ejection(statuses=frozenset({500}), for_seconds=2.0)
    some = route(plan({"upstreams/echo/health_check": {"path": "/", "statuses": 204}})).upstream.health_check
    assert some is not None
    assert some.statuses == {204}
    unwatched = route(plan({})).upstream
    assert (unwatched.health_check, unwatched.ejection, unwatched.hash_by) == (None, None, None)
