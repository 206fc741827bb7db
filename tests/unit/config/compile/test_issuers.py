"""Issuers as the plan has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.patterns import Pattern
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.requirements import ClaimRule, Comparison, Times
from jwtgate.policy.sources import KeyText

Compile = Callable[[dict[str, Any]], Plan]


def route(plan: Plan, name: str = "orders") -> Route:
    return next(route for route in plan.routes if route.name == name)


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
