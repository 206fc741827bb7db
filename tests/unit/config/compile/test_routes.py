"""Routes and upstreams as the plan has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.expressions import CelExpression
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.provisions import CredentialsOffered, Form, IdentityField, Mint, Origin, PermissionNeed, Value
from jwtgate.policy.requirements import ConsumerMapping, ConsumerName, Introspect, Place, ScopeNeed, Source
from jwtgate.policy.traffic.upstreams import NOWHERE, Target

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


def test_rel_10_a_route_may_have_time_limits_of_its_own(plan: Compile) -> None:
    limits = {"connect_seconds": 1, "first_byte_seconds": 2, "idle_seconds": 3}
    compiled = plan({"routes/orders/timeouts": limits, "upstreams/echo/connect_seconds": 9})
    own, shared = route(compiled).upstream, route(compiled, "health").upstream
    assert (own.connect_seconds, own.first_byte_seconds, own.idle_seconds) == (1.0, 2.0, 3.0)
    assert shared.connect_seconds == 9.0
    partly = route(plan({"routes/orders/timeouts": {"idle_seconds": 3}})).upstream
    assert (partly.connect_seconds, partly.idle_seconds) == (2.0, 3.0)


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


def test_sec_116_what_a_value_finds_a_credential_in_stays_here(plan: Compile) -> None:
    found = "has(request.query.tok) ? request.query.tok : request.headers['x-Tok']"
    places = [{"value": {"header": "X-Token"}}, {"value": {"cel": found}}, {"value": {"request": "path"}}]
    compiled = route(plan({"routes/orders/from": places}))
    assert compiled.removed_fields == {b"x-token", b"x-tok"}
    assert compiled.removed_parameters == {"tok"}
    forwarding = route(plan({"routes/orders/from": places, "routes/orders/forward_token": True}))
    assert not forwarding.removed_fields | forwarding.removed_parameters


def test_slots_keep_their_names_and_order(plan: Compile) -> None:
    slots = {
        "b": {"issuers": "main", "audience": "x", "scope": {"any": ["s"], "claim": "scp"}},
        "a": {"issuers": "other", "auth": "optional", "from": {"cookie": "c"}},
    }
    compiled = route(plan({"routes/orders/issuers": ..., "routes/orders/slots": slots}))
    assert [(slot.name, slot.required) for slot in compiled.slots] == [("b", True), ("a", False)]
    assert compiled.slots[0].audiences == {"x"}
    assert compiled.slots[0].scope == ScopeNeed(("scp",), frozenset(), (frozenset({"s"}),))
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
        IdentityField(b"X-D", Value(Origin.CONSTANT, constant="text"), Form.VISIBLE),
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


@pytest.mark.parametrize(
    "changes",
    [
        {"routes/orders/require": "request.host == 'a'"},
        {"routes/orders/issue/when": "token.access.iat > now"},
        {"routes/orders/issue/generator": "a", "routes/orders/issue/generator_told": {"request": True}},
        {"routes/orders/permission": {"GET": "a", "*": "b"}},
        {"routes/orders/permission": {"header": "X-Permission"}},
        {"routes/orders/permission": {"cel": "request.path"}},
        {"routes/orders/headers/X-A": {"cel": "now"}},
        {"routes/orders/headers/X-A": {"header": "X-B"}},
        {"routes/orders/path": "/orders/{id}", "routes/orders/headers/X-A": {"path_parameter": "id"}},
    ],
)
def test_nothing_is_remembered_that_the_request_or_the_time_decides(plan: Compile, changes: dict[str, Any]) -> None:
    assert not route(plan(changes)).remembered


@pytest.mark.parametrize(
    "changes",
    [
        {"routes/orders/require": "token.access.sub == 'a'"},
        {"routes/orders/issue/when": "token.access.sub == 'a' && 'b' in consumer.groups"},
        {"routes/orders/permission": "a"},
        {"routes/orders/permission": {"claim": "p"}},
        {"routes/orders/headers/X-A": {"permissions": True}},
        {"routes/orders/headers/X-A": {"consumer": "name"}},
        {"routes/orders/original_header": "X-Original"},
    ],
)
def test_what_the_caller_alone_decides_is_remembered(plan: Compile, changes: dict[str, Any]) -> None:
    assert route(plan(changes)).remembered


def test_path_parameters_are_read_only_where_something_asks_for_them(plan: Compile) -> None:
    path = {"routes/orders/path": "/orders/{id}"}
    assert route(plan(path)).templates == ()
    assert route(plan({**path, "routes/orders/require": "now > 0"})).templates == ("/orders/{id}",)
    assert route(plan({**path, "routes/orders/issue/when": "now > 0"})).templates == ("/orders/{id}",)
    assert route(plan({**path, "routes/orders/permission": {"path_parameter": "id"}})).templates == ("/orders/{id}",)


def test_a_slot_knows_who_proves_its_tokens(plan: Compile) -> None:
    asked = {"introspection": {"endpoint": "https://a.example", "auth": "none"}, "audience": "a"}
    changes = {
        "issuers/apps": {"consumers": {"claim": "key"}, "audience": "a", "issuer": "https://apps.example"},
        "issuers/asked": asked,
        "routes/orders/issuers": ["main", "apps", "asked"],
        "routes/orders/introspect": "additionally",
        "routes/orders/original_header": "X-Original",
        "routes/orders/consumer": {"claim": ["sub", ["a", "b"]], "by": "id", "required": False, "numbers": True},
    }
    compiled = plan(changes)
    (slot,) = route(compiled).slots
    assert slot.issuers == {"https://issuer.example": compiled.issuers["main"]}
    assert slot.by_credential is compiled.issuers["apps"]
    assert slot.introspector is compiled.issuers["asked"]
    assert slot.introspect is Introspect.ADDITIONALLY
    assert slot.consumer == ConsumerMapping((("sub",), ("a", "b")), (ConsumerName.ID,), required=False, numbers=True)
    assert slot.original_field == b"X-Original"
    assert b"x-original" in compiled.identity_names


def test_a_slot_that_says_nothing_of_it_asks_about_opaque_tokens(plan: Compile) -> None:
    asked = {"discovered": True, "auth": "none"}
    compiled = plan({"issuers/main/introspection": asked})
    (slot,) = route(compiled).slots
    assert slot.introspect is Introspect.OPAQUE
    assert slot.introspector is compiled.issuers["main"] is slot.issuers["https://issuer.example"]
    (slot,) = route(plan({})).slots
    assert (slot.introspector, slot.by_credential, slot.consumer, slot.original_field) == (None, None, None, None)


def test_a_permission_is_asked_for_by_method(plan: Compile) -> None:
    need = route(plan({"routes/orders/permission": {"GET": "read", "PUT": {"claim": "p"}}})).permission
    by_method = (
        ("GET", Value(Origin.CONSTANT, constant="read")),
        ("PUT", Value(Origin.CLAIM, slot="access", path=("p",))),
    )
    assert need == PermissionNeed(by_method)
    need = route(plan({"routes/orders/permission": "any"})).permission
    assert need == PermissionNeed(otherwise=Value(Origin.CONSTANT, constant="any"))


def test_an_anonymous_consumer_and_conditions_are_handed_on(plan: Compile) -> None:
    changes = {
        "consumers": {"nobody": {}},
        "routes/orders/anonymous_consumer": "nobody",
        "routes/orders/anonymous_consumer_also_for_refused_tokens": True,
        "routes/orders/require": ["now > 0", "'a' in permissions"],
    }
    compiled = route(plan(changes))
    assert (compiled.anonymous, compiled.anonymous_for_refused) == ("nobody", True)
    assert compiled.conditions == (CelExpression("now > 0"), CelExpression("'a' in permissions"))


def test_a_route_that_mints_leads_nowhere(plan: Compile) -> None:
    mint = {"profiles": ["machine"], "credentials": "own", "claims": ["role"], "most_ttl_seconds": 60}
    changes = {
        "signing/profiles": {"machine": {"audience": "a"}},
        "routes/mint": {"path": "/mint", "auth": "required", "issuers": "main", "mint": mint},
    }
    compiled = route(plan(changes), "mint")
    assert compiled.upstream is NOWHERE
    assert compiled.mint == Mint(frozenset({"machine"}), CredentialsOffered.OWN, frozenset({"role"}), 60)
    assert not compiled.remembered
    mint.update(claims="any", credentials="any")
    compiled = route(plan(changes), "mint")
    assert compiled.mint == Mint(frozenset({"machine"}), CredentialsOffered.ANY, None, 60)
    del mint["credentials"]
    assert route(plan(changes), "mint").mint == Mint(frozenset({"machine"}), None, None, 60)


def test_methods_permitted_are_a_set(plan: Compile) -> None:
    made = plan({"routes/orders/methods_permitted": ["GET", "POST"]})
    assert {route.name: route.methods_permitted for route in made.routes} == {
        "orders": frozenset({"GET", "POST"}),
        "health": None,
    }


@pytest.mark.parametrize(
    ("said", "passing"),
    [
        ({}, set()),
        ({"trailers": ["X-Sum"]}, {b"x-sum"}),
        ({"grpc": True}, {b"grpc-status", b"grpc-message", b"grpc-status-details-bin"}),
        ({"grpc": True, "trailers": ["a"]}, {b"a", b"grpc-status", b"grpc-message", b"grpc-status-details-bin"}),
    ],
)
def test_sec_92_trailers_pass_by_name(plan: Compile, said: dict[str, Any], passing: set[bytes]) -> None:
    changes = {f"routes/orders/{name}": value for name, value in said.items()}
    compiled = route(plan({**changes, "upstreams/echo/protocol": "http2"}))
    assert (compiled.trailers, compiled.grpc) == (passing, "grpc" in said)
    assert compiled.upstream.protocol == "http2"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (True, False, False)),
        ({"store_away": "refuse_sensitive"}, (True, False, False)),
        ({"store_away": "refuse_all"}, (True, True, False)),
        ({"store_away": "allow_all"}, (False, False, False)),
    ],
)
def test_sec_76_the_document_says_which_routes_need_the_store(
    plan: Compile, changes: dict[str, Any], expected: tuple[bool, ...]
) -> None:
    other = {"path": "/other", "auth": "optional", "issuers": "main", "upstream": "echo"}
    compiled = plan({"routes/orders/sensitive": True, "routes/other": other, **changes})
    assert tuple(route(compiled, name).needs_store for name in ("orders", "other", "health")) == expected
