"""Issuers as the plan has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.patterns import Pattern
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.requirements import (
    ClaimRule,
    Comparison,
    CredentialLookup,
    Grants,
    Introspection,
    TimeClaims,
    Times,
)
from jwtgate.policy.sources import ClientAuth, Fetching, IntrospectionSource, KeyText

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
        ({"any_of": ["x", 1]}, ClaimRule(("a", 0), Comparison.ANY_OF, ("x", 1))),
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


def test_a_rule_may_hold_only_where_the_claim_is(plan: Compile) -> None:
    claims = [{"claim": "a", "equals": 1, "if_present": True}, {"claim": "a", "matches": "x", "if_present": True}]
    rules = plan({"issuers/main/claims": claims}).issuers["main"].rules
    assert [rule.if_present for rule in rules] == [True, True]


@pytest.mark.parametrize(
    ("consumers", "lookup"),
    [
        ({"claim": "a.b"}, CredentialLookup(("a", "b"))),
        ({"header": "a.b"}, CredentialLookup(header="a.b")),
        ({"claim": "iss", "header": "iss"}, CredentialLookup(("iss",), "iss")),
    ],
)
def test_consumers_bring_their_own_keys(plan: Compile, consumers: dict[str, str], lookup: CredentialLookup) -> None:
    compiled = plan({"issuers/apps": {"consumers": consumers, "audience": "a"}})
    issuer = compiled.issuers["apps"]
    assert (issuer.credentials, issuer.iss, issuer.algorithms) == (lookup, None, frozenset())
    assert "apps" not in compiled.sources.keys


def test_an_issuer_that_is_only_asked_has_no_keys(plan: Compile) -> None:
    asked = {
        "endpoint": "https://a.example/i",
        "client_id": "me",
        "client_secret": "${env:S}",
        "hint": None,
        "claims": {"scope": "scp", "exp": "a.b"},
        "jwt_claim": "jwt",
        "rules": [{"claim": "x", "equals": 1}],
        "body": {"a": "b"},
        "timeout_seconds": 1.5,
        "attempts": 2,
        "leeway_seconds": 0,
        "exp_required": True,
    }
    compiled = plan({"issuers/asked": {"introspection": asked, "audience": "a", "ca_file": "ca.pem"}})
    assert "asked" not in compiled.sources.keys
    assert compiled.issuers["asked"].introspection == Introspection(
        times=Times(0, True),
        audiences=frozenset({"a"}),
        moved=(("scope", ("scp",)), ("exp", ("a", "b"))),
        jwt_claim=("jwt",),
        rules=(ClaimRule(("x",), Comparison.EQUALS, (1,)),),
        hint=None,
    )
    assert compiled.sources.introspection["asked"] == IntrospectionSource(
        issuer="asked",
        iss=None,
        endpoint="https://a.example/i",
        client_id="me",
        client_secret="${env:S}",
        body=(("a", "b"),),
        attempts=2,
        fetching=Fetching(connect_seconds=1.5, total_seconds=1.5, ca_file="/etc/gate/ca.pem"),
    )


def test_an_answer_is_checked_like_a_token_unless_said_otherwise(plan: Compile) -> None:
    changes = {"issuers/main/leeway_seconds": 7, "issuers/main/introspection": {"discovered": True, "auth": "none"}}
    compiled = plan(changes)
    found = compiled.issuers["main"].introspection
    assert found is not None
    assert found.times == Times(7, exp_required=False)
    assert found.audiences == {"https://api.example"}
    assert found.hint == "access_token"
    source = compiled.sources.introspection["main"]
    assert (source.endpoint, source.discovery, source.auth) == (None, "", ClientAuth.NONE)
    assert source.signed_algorithms == frozenset()
    asked = {**changes, "issuers/main/audience": "any", "issuers/main/keys": {"discovery": "https://a.example/x"}}
    compiled = plan(asked)
    assert compiled.issuers["main"].introspection.audiences is None  # type: ignore[union-attr]
    assert compiled.sources.introspection["main"].discovery == "https://a.example/x"


def test_sec_69_signed_answers_are_verified_with_the_algorithms_of_the_issuer(plan: Compile) -> None:
    asked = {"discovered": True, "authorization": "Basic ${env:A}", "signed": True}
    source = plan({"issuers/main/introspection": asked}).sources.introspection["main"]
    assert source.signed
    assert source.signed_algorithms == {"RS256"}
    assert (source.auth, source.authorization) == (ClientAuth.AUTHORIZATION, "Basic ${env:A}")
    assert "Basic" not in repr(source)


def test_a_private_key_of_ours_is_handed_on_unread(plan: Compile) -> None:
    asked = {"endpoint": "https://a.example", "auth": "private_key_jwt", "client_id": "me"}
    for key, text in (
        ({"file": "k.pem"}, KeyText(file="/etc/gate/k.pem")),
        ({"pem": "${env:K}"}, KeyText(text="${env:K}")),
    ):
        compiled = plan({"issuers/main/introspection": {**asked, "client_key": key}})
        assert compiled.sources.introspection["main"].client_key == text


def test_claims_become_permissions(plan: Compile) -> None:
    permissions = {"claim": "p", "roles_claim": "r", "roles": {"admin": ["a"]}, "implied": {"a": "b"}}
    grants = plan({"issuers/main/permissions": permissions}).issuers["main"].grants
    assert grants == Grants(("p",), ("r",), {"admin": ("a",)}, {"a": ("b",)})
    assert plan({}).issuers["main"].grants is None


def test_a_key_set_may_ask_who_we_are(plan: Compile) -> None:
    keys = {
        "url": "https://a.example",
        "username": "me",
        "password": "${env:P}",
        "client_certificate": "c",
        "client_key": "k",
    }
    source = plan({"issuers/main/keys": keys}).sources.keys["main"]
    assert (source.username, source.password) == ("me", "${env:P}")
    assert (source.client_certificate_file, source.client_key_file) == ("/etc/gate/c", "/etc/gate/k")


def test_what_nobody_asks_for_is_compiled_away(plan: Compile) -> None:
    issuer = plan({"issuers/main/introspection": {"endpoint": "https://a.example", "auth": "none"}}).issuers["main"]
    assert (issuer.times.held_in, issuer.signature_unverified, issuer.keys_again) == (None, False, False)
    assert issuer.introspection is not None
    assert (issuer.introspection.times.held_in, issuer.introspection.inner_unchecked) == (None, False)


@pytest.mark.parametrize(
    ("keys", "held_in"),
    [
        ({"exp_claim": "a.b"}, TimeClaims(exp=("a", "b"))),
        ({"nbf_claim": "a"}, TimeClaims(nbf=("a",))),
        ({"nbf_required": True}, TimeClaims(nbf_required=True)),
        ({"exp_not_looked_at_for_legacy_tokens": True}, TimeClaims(exp=None)),
        ({"nbf_not_looked_at_for_legacy_tokens": True}, TimeClaims(nbf=None)),
        ({"iat_not_looked_at_for_legacy_tokens": True}, TimeClaims(iat=None)),
    ],
)
def test_times_are_read_where_the_document_says(plan: Compile, keys: dict[str, Any], held_in: TimeClaims) -> None:
    times = plan({f"issuers/main/{key}": value for key, value in keys.items()}).issuers["main"].times
    assert times.held_in == held_in
    assert times.exp_required is (held_in.exp is not None)


def test_times_of_an_answer_are_read_where_its_issuer_is_trusted_to_say_so(plan: Compile) -> None:
    asked = {"endpoint": "https://a.example", "auth": "none", "jwt_claim": "jwt"}
    for name, held_in in (("exp", TimeClaims(exp=None)), ("nbf", TimeClaims(nbf=None)), ("iat", TimeClaims(iat=None))):
        keys = {**asked, f"{name}_not_looked_at_for_legacy_issuer": True}
        reading = plan({"issuers/main/introspection": keys}).issuers["main"].introspection
        assert reading is not None
        assert reading.times.held_in == held_in
    unseen = {
        **asked,
        "inner_claims_not_checked_for_legacy_issuer": True,
        "active_kept_for_legacy_upstream": True,
    }
    reading = plan({"issuers/main/introspection": unseen}).issuers["main"].introspection
    assert reading is not None
    assert (reading.inner_unchecked, reading.active_kept) == (True, True)


def test_an_unverified_issuer_has_no_keys_and_takes_the_tokens_that_name_it(plan: Compile) -> None:
    trusting = {"audience": "any", "issuer": "https://third.example", "signature_not_verified_for_legacy_issuer": True}
    compiled = plan({"issuers/third": trusting, "routes/orders/issuers": ["main", "third"]})
    assert "third" not in compiled.sources.keys
    slot = route(compiled).slots[0]
    assert slot.issuers["https://third.example"].signature_unverified
    assert (slot.any_iss, slot.issuers["https://issuer.example"].signature_unverified) == (None, False)


def test_tokens_of_any_issuer_are_the_one_issuers_that_does_not_look_at_iss(plan: Compile) -> None:
    anyone = {
        "audience": "any",
        "algorithms": "RS256",
        "keys": {"url": "https://x"},
        "iss_not_looked_at_for_legacy_issuer": True,
        "max_remaining_seconds": 60,
        "keys_fetched_again_after_wrong_signature": True,
    }
    compiled = plan({"issuers/third": anyone, "routes/orders/issuers": ["main", "third"]})
    slot = route(compiled).slots[0]
    assert slot.any_iss is not None
    assert (slot.any_iss.name, slot.any_iss.iss, slot.any_iss.keys_again) == ("third", None, True)
    assert slot.any_iss.times.max_remaining_seconds == 60
    assert slot.issuers.keys() == {"https://issuer.example"}
    assert compiled.sources.keys["third"].iss == ""


def test_an_api_key_has_no_times_and_is_decoded_where_it_stands_in_the_query(plan: Compile) -> None:
    door = {"consumers": {"api_key": True}, "audience": "any"}
    changes = {"issuers/keys": door, "routes/orders/issuers": "keys", "routes/orders/from": {"query": "key"}}
    slot = route(plan(changes)).slots[0]
    assert slot.by_credential is not None
    assert slot.by_credential.takes_api_keys
    assert (slot.by_credential.times.exp_required, slot.by_credential.audiences) == (False, None)
    assert slot.sources[0].decoded
    of_tokens = {**changes, "issuers/keys": {**door, "consumers": {"claim": "key"}}}
    slot = route(plan(of_tokens)).slots[0]
    assert slot.by_credential is not None
    assert (slot.by_credential.takes_api_keys, slot.sources[0].decoded) == (False, False)


def test_how_the_keys_of_an_issuer_are_read_is_kept(plan: Compile) -> None:
    flags = ("keys_by_kid_alone", "keys_must_say_use", "keys_without_alg_serve_every_algorithm")
    changes = {
        "issuers/main/keys": {"url": "https://a.example/keys", "headers": {"X-Probe": "1"}},
        **{f"issuers/main/{flag}": True for flag in flags},
        "issuers/main/keys_fetched_for_unknown_kid": False,
        "issuers/main/refresh_seconds": 3,
        "issuers/main/max_stale_seconds": 2,
    }
    made = plan(changes)
    source, other = made.sources.keys["main"], made.sources.keys["other"]
    assert made.issuers["main"].keys_by_kid_alone
    assert (source.use_required, source.serves_every_algorithm, source.first_of_a_kid) == (True, True, True)
    assert (source.fetched_for_unknown_kid, source.fields) == (False, (("X-Probe", "1"),))
    assert (source.refresh_seconds, source.max_stale_seconds) == (3, 5)
    assert (other.use_required, other.serves_every_algorithm, other.first_of_a_kid) == (False, False, False)
    assert (other.fetched_for_unknown_kid, other.fields, other.unusable_skipped) == (True, (), False)


def test_legacy_tokens_and_sets_are_read_as_the_document_says(plan: Compile) -> None:
    changes = {
        "issuers/main/exp_optional_for_legacy_tokens": True,
        "issuers/main/exp_zero_counts_as_none_for_legacy_tokens": True,
        "issuers/main/keys": {"file": "a.json", "unusable_skipped": True},
    }
    made = plan(changes)
    assert made.issuers["main"].times.exp_zero_is_none
    assert not made.issuers["other"].times.exp_zero_is_none
    assert made.sources.keys["main"].unusable_skipped


def test_a_guessable_secret_is_told_to_be_one(plan: Compile) -> None:
    changes = {
        "issuers/main/algorithms": ["HS256"],
        "issuers/main/keys": {"secret": "${env:S}"},
        "issuers/main/guessable_secret_allowed_for_legacy_credential": True,
    }
    (text,) = plan(changes).sources.keys["main"].local
    assert text.guessable_secret_allowed_for_legacy_credential
    assert not text.short_secret_allowed_for_legacy_credential
