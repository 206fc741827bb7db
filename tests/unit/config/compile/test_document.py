"""What a document means, value by value."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.patterns import Pattern
from jwtgate.policy.plan import Listener, Plan, Route, Target, Tls
from jwtgate.policy.provisions import Form, IdentityField, Origin, Value
from jwtgate.policy.requirements import ClaimRule, Comparison, Place, ScopeNeed, Source, Times
from jwtgate.policy.sources import KeyText

Compile = Callable[[dict[str, Any]], Plan]


def route(plan: Plan, name: str = "orders") -> Route:
    return next(route for route in plan.routes if route.name == name)


def test_listeners_come_with_their_certificates(plan: Compile) -> None:
    listen = ["127.0.0.1:80", {"address": "[::1]:0", "tls": {"certificate": "c", "private_key": "k"}}]
    assert plan({"listen": listen, "status_listen": "127.0.0.1:81"}).listeners == (
        Listener("127.0.0.1", 80),
        Listener("::1", 0, Tls("/etc/gate/c", "/etc/gate/k")),
        Listener("127.0.0.1", 81, status_only=True),
    )


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


def test_an_issuer_is_one_object_wherever_it_stands(plan: Compile) -> None:
    compiled = plan(
        {"routes/copy": {"path": "/copy", "auth": "optional", "issuers": ["other", "main"], "upstream": "echo"}}
    )
    (slot,) = route(compiled, "copy").slots
    assert not slot.required
    assert slot.issuers["https://issuer.example"] is compiled.issuers["main"]
    assert route(compiled).slots[0].issuers == {"https://issuer.example": compiled.issuers["main"]}


def test_what_is_asked_of_an_issuer_is_kept(plan: Compile) -> None:
    changes = {
        "issuers/main/audience": "any",
        "issuers/main/type": ["at+jwt"],
        "issuers/main/type_optional": True,
        "issuers/main/leeway_seconds": 5,
        "issuers/main/exp_optional_for_legacy_tokens": True,
        "issuers/main/max_age_seconds": 60,
        "issuers/main/max_lifetime_seconds": 90,
        "issuers/main/keys_tried_without_kid": 3,
        "issuers/main/refuse_header_addresses": True,
    }
    issuer = plan(changes).issuers["main"]
    assert issuer.audiences is None
    assert issuer.types == {"at+jwt"}
    assert issuer.type_optional
    assert issuer.times == Times(5, False, 60, 90)
    assert issuer.keys_tried_without_kid == 3
    assert issuer.refuse_header_addresses


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"required": True}, ClaimRule(("a", 0), Comparison.PRESENT)),
        ({"equals": None}, ClaimRule(("a", 0), Comparison.EQUALS, (None,))),
        ({"one_of": [1, "1"]}, ClaimRule(("a", 0), Comparison.ONE_OF, (1, "1"))),
        ({"contains": {"b": 1}}, ClaimRule(("a", 0), Comparison.CONTAINS, ({"b": 1},))),
        ({"matches": "x+"}, ClaimRule(("a", 0), Comparison.MATCHES, pattern=Pattern("x+"))),
    ],
)
def test_a_rule_becomes_a_check(plan: Compile, asked: dict[str, object], rule: ClaimRule) -> None:
    claims = [{"claim": "a[0]", **asked}]
    assert plan({"issuers/main/claims": claims}).issuers["main"].rules == (rule,)
    assert route(plan({"routes/orders/claims": claims})).slots[0].rules == (rule,)


def test_keys_are_found_by_discovery_unless_said_otherwise(plan: Compile) -> None:
    source = plan({}).sources.keys["main"]
    assert (source.discovery, source.url, source.local) == ("", None, ())
    source = plan({"issuers/main/keys": {"url": "https://a.example/jwks"}}).sources.keys["main"]
    assert (source.discovery, source.url) == (None, "https://a.example/jwks")
    source = plan({"issuers/main/keys": {"discovery": "https://a.example/x"}}).sources.keys["main"]
    assert (source.discovery, source.url) == ("https://a.example/x", None)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"file": "a.json"}, KeyText(file="/etc/gate/a.json")),
        ({"pem": "${env:PEM}"}, KeyText(text="${env:PEM}")),
        ({"jwks": {"keys": []}}, KeyText(text='{"keys": []}')),
        ({"jwks": {"kty": "RSA"}}, KeyText(text='{"kty": "RSA"}')),
        ({"jwks": [{"kty": "RSA"}]}, KeyText(text='{"keys": [{"kty": "RSA"}]}')),
    ],
)
def test_keys_kept_here_are_handed_on_unread(plan: Compile, keys: dict[str, object], text: KeyText) -> None:
    assert plan({"issuers/main/keys": keys}).sources.keys["main"].local == (text,)


def test_a_secret_is_handed_on_as_its_reference(plan: Compile) -> None:
    changes = {
        "issuers/main/algorithms": "HS512",
        "issuers/main/keys": {"secret": "${env:S}", "base64url": True},
        "issuers/main/short_secret_allowed_for_legacy_credential": True,
    }
    wanted = KeyText(text="${env:S}", alg="HS512", base64url=True, short_secret_allowed_for_legacy_credential=True)
    assert plan(changes).sources.keys["main"].local == (wanted,)


def test_credentials_leave_the_request_from_every_place(plan: Compile) -> None:
    places = ["bearer", {"header": "X-Token", "prefix": "T "}, {"cookie": "tk"}, {"query": "token"}]
    compiled = route(plan({"routes/orders/from": places}))
    assert compiled.slots[0].sources == (
        Source(Place.AUTHORIZATION),
        Source(Place.FIELD, "x-token", "T "),
        Source(Place.COOKIE, "tk"),
        Source(Place.QUERY, "token"),
    )
    assert compiled.removed_fields == {b"authorization", b"x-token"}
    assert compiled.removed_cookies == {b"tk"}
    assert compiled.removed_parameters == {"token"}


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


def test_an_issued_token_is_described_in_full(plan: Compile) -> None:
    entry = {
        "audience": ["x", "y"], "header": "Authorization", "scheme": "Bearer", "type": "at+jwt", "issuer": "https://we",
        "ttl_seconds": 60, "copy": {"a.b": "c"}, "remove": ["d"], "reuse": False, "may_outlive_incoming_token": True,
        "add": {"e": 1, "f": {"claim": "g"}, "h": {"request": "client"}},
        "set": {"i": {"header": "X-Y"}, "j": {"constant": {}}},
    }  # fmt: skip
    (issue,) = route(plan({"routes/orders/issue": entry})).issue
    assert (issue.slot, issue.key, issue.iss, issue.audiences) == ("access", "default", "https://we", ("x", "y"))
    assert (issue.field, issue.prefix, issue.typ, issue.ttl_seconds) == (b"Authorization", "Bearer ", "at+jwt", 60)
    assert issue.copy == ((("a", "b"), "c"),)
    assert not issue.copy_all
    assert issue.add == (
        ("e", Value(Origin.CONSTANT, constant=1)),
        ("f", Value(Origin.CLAIM, slot="access", path=("g",))),
        ("h", Value(Origin.CLIENT)),
    )
    assert issue.set == (("i", Value(Origin.FIELD, field=b"x-y")), ("j", Value(Origin.CONSTANT, constant={})))
    assert issue.remove == {"d"}
    assert issue.may_outlive_incoming_token
    assert not issue.reuse


def test_our_name_is_the_issuer_unless_said_otherwise(plan: Compile) -> None:
    compiled = plan({"routes/orders/issue/copy": "all"})
    assert compiled.iss == route(compiled).issue[0].iss == "https://gate.example"
    assert route(compiled).issue[0].copy_all
    assert route(compiled).issue[0].copy == ()


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


def test_routes_are_found_by_method_host_and_path(plan: Compile) -> None:
    compiled = plan({"routes/orders/methods": ["GET"], "routes/orders/hosts": ["*.Shop.example"]})
    found = compiled.router.find("GET", "eu.shop.example", "/orders/1")
    assert found is route(compiled)
    assert compiled.router.find("PUT", "eu.shop.example", "/orders/1") is None
    assert compiled.router.find("GET", "other.example", "/orders/1") is None
    assert compiled.router.find("PUT", "any", "/health") is route(compiled, "health")


def test_rules_of_the_whole_gateway_are_carried_over(plan: Compile) -> None:
    compiled = plan(
        {
            "paths": {"repeated_slashes": "merge", "encoded_slashes": "keep", "parameters": "keep"},
            "fields": {"unusual_names": "drop"},
            "limits": {"fields": 50},
            "own": {"keys": "/keys", "metadata": None},
            "token_limit_bytes": 4096,
            "trusted_proxies": ["10.0.0.0/8"],
        }
    )
    assert compiled.paths.merge_repeated_slashes
    assert not compiled.paths.keep_repeated_slashes
    assert compiled.paths.keep_encoded_slashes
    assert compiled.paths.keep_parameters
    assert not compiled.refuse_unusual_field_names
    assert compiled.limits.fields == 50
    assert (compiled.own.keys, compiled.own.metadata) == ("/keys", None)
    assert compiled.token_limit_bytes == 4096
    assert compiled.trusted_proxies == ("10.0.0.0/8",)


def test_a_plan_travels_to_another_process(plan: Compile) -> None:
    compiled = plan({"routes/orders/claims": [{"claim": "a", "matches": "x"}]})
    copy = pickle.loads(pickle.dumps(compiled))
    assert copy.routes == compiled.routes
    assert copy.router.find("GET", "any", "/orders/1") is copy.routes[0]
    assert "https://issuer.example" in repr(copy)
