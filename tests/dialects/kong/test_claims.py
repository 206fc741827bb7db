"""Scopes, consumers and claims of new tokens: scenarios E9, E10, E13 and E14."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.dialects.kong.kong_process import KongProcess
from tests.dialects.kong.neighbours import AS_SECRET, FUTURE, PAST, Neighbours, from_now, token
from tests.dialects.kong.seen import new_token, values, verified

CLAIM, REQUIRED = "config.access_token_scopes_claim", "config.access_token_scopes_required"
PATH = ["employee", "favourites", "beverage"]


def _drinking(beverage: object) -> str:
    return token(employee={"favourites": {"beverage": beverage}})


@pytest.mark.parametrize(
    "pairs",
    [
        (*(f"{CLAIM}[]={step}" for step in PATH), f"{REQUIRED}[]=coffee"),
        (*(f"{CLAIM}={step}" for step in PATH), f"{REQUIRED}=coffee"),
        (f"{CLAIM}={','.join(PATH)}", f"{REQUIRED}=coffee"),
        (f"{CLAIM}={json.dumps(PATH)}", f'{REQUIRED}=["coffee"]'),
    ],
)
def test_e9_a_nested_claim_holds_the_scope(kong: KongProcess, neighbours: Neighbours, pairs: tuple[str, ...]) -> None:
    plugin = kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", *pairs)
    assert plugin["config"]["access_token_scopes_claim"] == PATH
    for beverage, status in (("coffee", 200), (["coffee", "milk"], 200), ("tea", 403), ("Coffee", 403), (["tea"], 403)):
        assert kong.get(bearer=_drinking(beverage)).status == status, beverage
    assert kong.get(bearer=token()).status == 403


def test_e9_the_same_in_json(kong: KongProcess, neighbours: Neighbours) -> None:
    config = {
        "access_token_jwks_uri": neighbours.certs,
        "channel_token_optional": True,
        "access_token_scopes_claim": PATH,
        "access_token_scopes_required": ["coffee"],
    }
    assert kong.send("POST", "/plugins", {"name": "jwt-signer", "config": config}).status == 201
    assert kong.get(bearer=_drinking("coffee")).status == 200
    answer = kong.get(bearer=_drinking("tea"))
    assert (answer.status, answer.value) == (403, {"message": "Forbidden"})
    assert 'error="insufficient_scope"' in (answer.field("www-authenticate") or "")


@pytest.mark.parametrize(
    ("required", "scope", "status"),
    [
        (["scope1 scope2"], "scope1 scope2", 200),
        (["scope1 scope2"], "scope2 other scope1", 200),
        (["scope1 scope2"], "scope1", 403),
        (["scope1", "scope2"], "scope1", 200),
        (["scope1", "scope2"], "scope2", 200),
        (["scope1", "scope2"], "other", 403),
        (["scope1", "scope2"], ["other", "scope2"], 200),
        (["scope1"], "scope10", 403),
        (["scope1"], None, 403),
    ],
)
@pytest.mark.parametrize("is_introspected", [False, True])
def test_e10_words_are_all_wanted_and_entries_are_alternatives(
    kong: KongProcess, neighbours: Neighbours, is_introspected: bool, required: list[str], scope: Any, status: int
) -> None:
    if is_introspected:
        _introspecting(
            kong, neighbours, *(f"config.access_token_introspection_scopes_required[]={x}" for x in required)
        )
        neighbours.opaque["opaque-one"] = {"active": True, **({} if scope is None else {"scope": scope})}
        assert kong.get(bearer="opaque-one").status == status
        return
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", *(f"{REQUIRED}[]={each}" for each in required))
    assert kong.get(bearer=token(scope=scope)).status == status


def test_scopes_are_not_looked_at_where_that_is_said(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}",
        f"{REQUIRED}=scope1",
        "config.verify_access_token_scopes=false",
    )
    assert kong.get(bearer=token(scope="other")).status == 200


def _introspecting(kong: KongProcess, neighbours: Neighbours, *pairs: str) -> None:
    kong.signer(
        f"config.access_token_introspection_endpoint={neighbours.introspection}",
        f"config.access_token_introspection_authorization={AS_SECRET}",
        *pairs,
    )


def _consumer(kong: KongProcess, **members: str) -> dict[str, Any]:
    answer = kong.post("/consumers", *(f"{name}={value}" for name, value in members.items()))
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.value
    return made


def test_e13_a_claim_finds_a_consumer(kong: KongProcess, neighbours: Neighbours) -> None:
    jack = _consumer(kong, username="jack", custom_id="alice")
    _consumer(kong, username="bob")
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", "config.access_token_consumer_claim=sub")
    answer = kong.get("/demo", "X-Consumer-Username: forged", bearer=token(sub="alice"))
    assert values(answer, "x-consumer-username") == ["jack"]
    assert values(answer, "x-consumer-custom-id") == ["alice"]
    assert values(answer, "x-consumer-id") == [jack["id"]]
    second = kong.get(bearer=token(sub="bob"))
    assert values(second, "x-consumer-username") == ["bob"]
    assert values(second, "x-consumer-custom-id") == []
    for sub in ("carol", None, jack["id"]):
        answer = kong.get(bearer=token(sub=sub))
        assert (answer.status, answer.value) == (403, {"message": "Forbidden"}), sub


def test_e13_the_properties_tried_may_be_named(kong: KongProcess, neighbours: Neighbours) -> None:
    jack = _consumer(kong, username="jack", custom_id="alice")
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}",
        "config.access_token_consumer_claim=sub",
        "config.access_token_consumer_by=id,username",
    )
    assert values(kong.get(bearer=token(sub=jack["id"])), "x-consumer-username") == ["jack"]
    assert values(kong.get(bearer=token(sub="jack")), "x-consumer-username") == ["jack"]
    assert kong.get(bearer=token(sub="alice")).status == 403


def test_e13_the_same_of_what_introspection_answers(kong: KongProcess, neighbours: Neighbours) -> None:
    _consumer(kong, username="jack", custom_id="alice")
    _introspecting(kong, neighbours, "config.access_token_introspection_consumer_claim=sub")
    neighbours.opaque = {"one": {"active": True, "sub": "alice"}, "two": {"active": True, "sub": "nobody"}}
    assert values(kong.get(bearer="one"), "x-consumer-custom-id") == ["alice"]
    assert kong.get(bearer="two").status == 403


def test_e13_the_access_token_comes_first(kong: KongProcess, neighbours: Neighbours) -> None:
    for name in ("user", "network"):
        _consumer(kong, username=name)
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}",
        "config.access_token_consumer_claim=sub",
        f"config.channel_token_jwks_uri={neighbours.certs}",
        "config.channel_token_request_header=X-Channel",
        "config.channel_token_consumer_claim=sub",
        both_tokens=True,
    )
    answer = kong.get("/demo", f"X-Channel: {token(sub='network')}", bearer=token(sub="user"))
    assert values(answer, "x-consumer-username") == ["user"]


def test_e14_claims_are_added_set_and_removed(kong: KongProcess, neighbours: Neighbours) -> None:
    config = {
        "access_token_jwks_uri": neighbours.certs,
        "channel_token_optional": True,
        "add_claims": {"team": "a", "sub": "never"},
        "set_claims": {"roles": '["x","y"]', "level": "7", "plain": "7a"},
        "remove_access_token_claims": ["jti"],
        "set_access_token_claims": {"level": "8"},
    }
    assert kong.send("POST", "/plugins", {"name": "jwt-signer", "config": config}).status == 201
    signed = verified(kong, new_token(kong.get(bearer=token(roles="old"))))
    assert (signed["team"], signed["sub"]) == ("a", "alice")
    assert (signed["roles"], signed["level"], signed["plain"]) == (["x", "y"], 8, "7a")
    assert "jti" not in signed


def test_e14_claims_may_be_given_in_a_form(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}",
        "config.add_claims.team=a",
        "config.set_claims[roles]=x",
        'config.add_access_token_claims={"one":"1"}',
    )
    signed = verified(kong, new_token(kong.get(bearer=token())))
    assert (signed["team"], signed["roles"], signed["one"]) == ("a", "x", 1)


@pytest.mark.parametrize(
    ("pairs", "claims", "status"),
    [
        (("config.access_token_leeway=100",), {"exp": -20}, 200),
        (("config.verify_access_token_expiry=false",), {"exp": PAST}, 200),
        ((), {"exp": None}, 200),
        (("config.access_token_required_claims[]=exp",), {"exp": None}, 401),
        (("config.access_token_expiry_claim=other",), {"other": PAST}, 401),
        (("config.access_token_expiry_claim=other",), {"exp": PAST}, 200),
        ((), {"nbf": FUTURE}, 200),
        (("config.verify_access_token_notbefore=true",), {"nbf": FUTURE}, 401),
        (("config.verify_access_token_notbefore=true",), {"nbf": PAST}, 200),
        (("config.access_token_issuers_allowed=https://issuer.example/auth/realms/demo",), {}, 200),
        (("config.access_token_issuers_allowed=https://issuer.example",), {}, 401),
        (("config.access_token_issuers_allowed=x", "config.verify_access_token_issuer=false"), {}, 200),
        (("config.access_token_subjects_allowed=alice,bob",), {}, 200),
        (("config.access_token_subjects_allowed=bob",), {}, 401),
        (("config.access_token_subjects_allowed=bob",), {"sub": None}, 401),
        (
            ("config.access_token_subjects_allowed=bob", "config.access_token_optional_claims=sub"),
            {"sub": None},
            200,
        ),
        (("config.access_token_subjects_allowed=bob", "config.access_token_optional_claims=sub"), {}, 401),
        (("config.access_token_audiences_allowed=demo",), {}, 200),
        (("config.access_token_audiences_allowed=demo",), {"aud": ["other", "demo"]}, 200),
        (("config.access_token_audiences_allowed=demo",), {"aud": ["other"]}, 401),
        (("config.access_token_required_claims=azp",), {}, 401),
        (("config.access_token_required_claims=azp",), {"azp": "x"}, 200),
    ],
)
def test_claims_are_checked(
    kong: KongProcess, neighbours: Neighbours, pairs: tuple[str, ...], claims: dict[str, Any], status: int
) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", *pairs)
    assert kong.get(bearer=token(**from_now(claims))).status == status


def test_a_required_claim_may_be_nested(kong: KongProcess, neighbours: Neighbours) -> None:
    config = {
        "access_token_jwks_uri": neighbours.certs,
        "channel_token_optional": True,
        "access_token_required_claims": [["a", "b"]],
    }
    assert kong.send("POST", "/plugins", {"name": "jwt-signer", "config": config}).status == 201
    assert kong.get(bearer=token(a={"b": 1})).status == 200
    assert kong.get(bearer=token(a={"c": 1})).status == 401
