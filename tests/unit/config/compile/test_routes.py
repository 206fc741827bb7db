"""Routes and upstreams as the plan has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.policy.plan import Plan, Route, Target
from jwtgate.policy.provisions import Form, IdentityField, Origin, Value
from jwtgate.policy.requirements import Place, ScopeNeed, Source

Compile = Callable[[dict[str, Any]], Plan]


def route(plan: Plan, name: str = "orders") -> Route:
    return next(route for route in plan.routes if route.name == name)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://A.example", Target("a.example", 80, False, "a.example")),
        ("https://a.example:443/", Target("a.example", 443, True, "a.example")),
        ("http://a.example:8080", Target("a.example", 8080, False, "a.example:8080")),
        ("https://[::1]:1", Target("::1", 1, True, "[::1]:1")),
    ],
)
def test_a_target_knows_its_authority(plan: Compile, url: str, target: Target) -> None:
    upstream = route(plan({"upstreams/echo/targets": url, "upstreams/echo/connect_seconds": 1})).upstream
    assert upstream.targets == (target,)
    assert upstream.connect_seconds == 1


def test_credentials_leave_the_request_from_every_place(plan: Compile) -> None:
    places = ["bearer", {"header": "X-Token", "prefix": "T "}, {"cookie": "tk"}, {"query": "token"}]
    compiled = route(plan({"routes/orders/from": places}))
    assert compiled.slots[0].sources == (
        Source(Place.AUTHORIZATION),
        Source(Place.FIELD, "x-token", ("T ",)),
        Source(Place.COOKIE, "tk"),
        Source(Place.QUERY, "token"),
    )
    assert compiled.removed_fields == {b"authorization", b"x-token"}
    assert compiled.removed_cookies == {b"tk"}
    assert compiled.removed_parameters == {"token"}


def test_of_several_prefixes_the_longest_comes_first(plan: Compile) -> None:
    compiled = route(plan({"routes/orders/from": {"header": "Authorization", "prefix": ["", "T", "T "]}}))
    assert compiled.slots[0].sources == (Source(Place.FIELD, "authorization", ("T ", "T", "")),)


def test_the_first_source_wins_only_where_the_document_says_so(plan: Compile) -> None:
    assert not route(plan({})).slots[0].first_source_wins
    assert route(plan({"routes/orders/first_source_wins_for_legacy_clients": True})).slots[0].first_source_wins


def test_what_a_log_says_of_the_request_is_found_anew_for_each(plan: Compile) -> None:
    of_caller = route(plan({"routes/orders/log": {"who": {"claim": "sub"}, "kind": "order"}}))
    assert of_caller.log == (
        ("who", Value(Origin.CLAIM, slot="access", path=("sub",))),
        ("kind", Value(Origin.CONSTANT, constant="order")),
    )
    assert of_caller.remembered
    assert not route(plan({"routes/orders/log": {"method": {"request": "method"}}})).remembered


def test_an_answer_with_a_part_of_the_path_knows_the_templates_and_is_remembered_all_the_same(plan: Compile) -> None:
    for value in ({"path_parameter": "id"}, {"cel": "request.path"}):
        changes = {"routes/orders/path": "/orders/{id}", "routes/orders/answers": {"refusal": {"body": value}}}
        assert (route(plan(changes)).templates, route(plan(changes)).remembered) == (("/orders/{id}",), True)
    assert route(plan({"routes/orders/answers": {"refusal": {"body": {"request": "path"}}}})).templates == ()


def test_sec_116_a_forwarded_token_stays_where_it_is(plan: Compile) -> None:
    compiled = route(plan({"routes/orders/forward_token": True}))
    assert not compiled.removed_fields | compiled.removed_cookies
    assert route(plan({})).removed_fields == {b"authorization"}


def test_slots_keep_their_names_and_order(plan: Compile) -> None:
    slots = {
        "b": {"issuers": "main", "audience": "x", "scope": {"any": ["s"], "claim": "scp"}},
        "a": {"issuers": "other", "auth": "optional", "from": {"cookie": "c"}},
    }
    compiled = route(plan({"routes/orders/issuers": ..., "routes/orders/slots": slots}))
    assert [(slot.name, slot.required) for slot in compiled.slots] == [("b", True), ("a", False)]
    assert compiled.slots[0].audiences == {"x"}
    assert compiled.slots[0].scope == ScopeNeed(("scp",), frozenset(), frozenset({"s"}))
    assert compiled.slots[1].scope is None
    assert compiled.issue[0].slot == "b"


def test_an_empty_scope_asks_nothing(plan: Compile) -> None:
    assert route(plan({"routes/orders/scope": []})).slots[0].scope is None


def test_identity_fields_have_a_form(plan: Compile) -> None:
    headers = {
        "X-A": {"claim": "groups", "separator": ";"},
        "X-B": {"claims": True},
        "X-C": {"claims": True, "form": "json"},
        "X-D": "text",
    }
    claims = Value(Origin.CLAIMS, slot="access")
    assert route(plan({"routes/orders/headers": headers})).identity == (
        IdentityField(b"X-A", Value(Origin.CLAIM, slot="access", path=("groups",)), Form.TEXT, ";"),
        IdentityField(b"X-B", claims, Form.BASE64URL),
        IdentityField(b"X-C", claims, Form.JSON),
        IdentityField(b"X-D", Value(Origin.CONSTANT, constant="text")),
    )


def test_sec_112_names_we_set_anywhere_are_folded_for_everywhere(plan: Compile) -> None:
    changes = {"routes/health/headers": {"X_Zone.Id": "a"}, "routes/orders/from": {"header": "X-Token"}}
    assert plan(changes).identity_names == {b"x-jwt-assertion", b"x-caller", b"x-zone-id"}


@pytest.mark.parametrize(
    ("changes", "remembered"),
    [
        ({}, True),
        ({"routes/orders/issue/add": {"a": {"claim": "b"}, "c": 1}}, True),
        ({"routes/orders/issue/add": {"a": {"request": "path"}}}, False),
        ({"routes/orders/issue/set": {"a": {"header": "X-Y"}}}, False),
        ({"routes/orders/issue/reuse": False}, False),
    ],
)
def test_an_outcome_is_remembered_only_when_the_request_takes_no_part(
    plan: Compile, changes: dict[str, Any], remembered: bool
) -> None:
    assert route(plan(changes)).remembered is remembered
