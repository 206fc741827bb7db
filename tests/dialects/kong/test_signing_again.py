"""Tokens are verified, or not, and signed again: scenarios E1, E5, E6 and E11."""

from __future__ import annotations

import time

import jwt
import pytest
from tests.dialects.kong.kong_process import KongProcess
from tests.dialects.kong.neighbours import ISS, OTHER_KEY, Neighbours, claims, token
from tests.dialects.kong.seen import key_of, new_token, values, verified


def test_e1_one_jwt_is_verified_and_signed_again(kong: KongProcess, neighbours: Neighbours) -> None:
    plugin = kong.signer(f"config.access_token_jwks_uri={neighbours.certs}")
    assert (plugin["name"], plugin["enabled"]) == ("jwt-signer", True)
    config = plugin["config"]
    assert config["access_token_signing_algorithm"] == "RS256"
    assert (config["access_token_optional"], config["channel_token_optional"]) == (False, True)
    asked = claims(scope="a b", team={"name": "x"})
    given = token(**asked)
    answer = kong.get(bearer=given)
    signed = new_token(answer)
    assert jwt.get_unverified_header(signed)["alg"] == "RS256"
    assert verified(kong, signed) == {**asked, "iss": "kong", "original_iss": ISS}
    assert given not in answer.body


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(lambda: token(OTHER_KEY), id="a wrong signature"),
        pytest.param(lambda: token(exp=int(time.time()) - 10), id="an expired token"),
        pytest.param(lambda: "opaque", id="an opaque token"),
        pytest.param(lambda: None, id="no token"),
        pytest.param(lambda: token() + "x", id="a longer signature"),
        pytest.param(lambda: "", id="an empty token"),
    ],
)
def test_e1_whatever_is_not_a_good_jwt_is_a_401(kong: KongProcess, neighbours: Neighbours, bad: object) -> None:
    assert callable(bad)
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}")
    answer = kong.get(bearer=bad())
    assert answer.status == 401
    assert (answer.field("www-authenticate") or "").startswith('Bearer realm="127.0.0.1')
    assert answer.value == {"message": "Unauthorized"}


def test_e1_a_basic_scheme_is_read_too(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}")
    assert verified(kong, new_token(kong.get("/demo", f"Authorization: Basic {token()}")))["iss"] == "kong"
    assert kong.get("/demo", f"Authorization: Digest {token()}").status == 401


def test_e1_the_realm_may_be_named(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", "config.realm=our realm")
    assert (kong.get().field("www-authenticate") or "").startswith('Bearer realm="our realm"')


def test_e1_a_jwt_without_a_place_for_keys_is_a_401(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer()
    assert kong.get(bearer=token()).status == 401


def test_e5_without_validation_every_jwt_is_signed_again(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer("config.verify_access_token_signature=false", "config.verify_access_token_expiry=false")
    for given in (token(), token(OTHER_KEY), token(exp=1), token(exp=None)):
        signed = verified(kong, new_token(kong.get(bearer=given)))
        sent = jwt.decode(given, options={"verify_signature": False})
        assert signed == {**sent, "iss": "kong", "original_iss": ISS}
    for bad in (None, "opaque", "a.b.c"):
        assert kong.get(bearer=bad).status == 401


def test_e5_the_expiry_is_still_checked_when_only_signatures_are_not(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer("config.verify_access_token_signature=false")
    assert kong.get(bearer=token(OTHER_KEY)).status == 200
    assert kong.get(bearer=token(OTHER_KEY, exp=1)).status == 401


def test_e6_both_tokens_are_required_by_default(kong: KongProcess, neighbours: Neighbours) -> None:
    plugin = kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", both_tokens=True)
    answer = kong.get(bearer=token())
    assert answer.status == 500
    assert answer.value["message"] == "An unexpected error occurred"
    kong.send("PATCH", f"/plugins/{plugin['id']}", {"config": {"channel_token_request_header": "X-Channel"}})
    assert kong.get(bearer=token()).status == 401
    kong.send("PATCH", f"/plugins/{plugin['id']}", {"config": {"channel_token_optional": True}})
    assert kong.get(bearer=token()).status == 200
    assert kong.get("/demo", "X-Channel: bad", bearer=token()).status == 401


@pytest.mark.parametrize("leeway", [60, -60])
def test_e11_the_expiry_is_shifted(kong: KongProcess, neighbours: Neighbours, leeway: int) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", f"config.access_token_upstream_leeway={leeway}")
    asked = claims()
    assert verified(kong, new_token(kong.get(bearer=token(**asked))))["exp"] == asked["exp"] + leeway


def test_a_token_that_may_be_missing_may_not_be_bad(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", "config.access_token_optional=true")
    assert values(kong.get(), "authorization") == []
    assert kong.get(bearer="bad").status == 401


def test_an_original_token_is_forwarded_where_that_is_asked_for(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}", "config.original_access_token_upstream_header=X-Original"
    )
    given = token()
    answer = kong.get("/demo", "X-Original: forged", bearer=given)
    assert values(answer, "x-original") == [given]
    assert new_token(answer) != given


def test_no_header_for_a_new_token_means_that_none_is_made(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", "config.access_token_upstream_header=")
    assert values(kong.get(bearer=token()), "authorization") == []
    assert kong.get(bearer="bad").status == 401


def test_two_headers_of_one_name_are_a_schema_violation(kong: KongProcess, neighbours: Neighbours) -> None:
    pairs = ("config.access_token_upstream_header=X-A", "config.original_access_token_upstream_header=x-a")
    answer = kong.post("/plugins", "name=jwt-signer", *pairs)
    assert (answer.status, answer.value["code"]) == (400, 2)


def test_another_header_may_bring_the_token(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}", "config.access_token_request_header=X-Token")
    answer = kong.get("/demo", f"X-Token: {token()}")
    assert verified(kong, new_token(answer))["sub"] == "alice"
    assert values(answer, "x-token") == []
    assert kong.get(bearer=token()).status == 401


@pytest.mark.parametrize(("header", "good", "bad"), [("bearer", "Bearer", "Basic"), ("basic", "Basic", "Bearer")])
def test_a_header_may_name_its_scheme(
    kong: KongProcess, neighbours: Neighbours, header: str, good: str, bad: str
) -> None:
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}", f"config.access_token_request_header=authorization:{header}"
    )
    assert kong.get("/demo", f"Authorization: {good} {token()}").status == 200
    assert kong.get("/demo", f"Authorization: {bad} {token()}").status == 401


def test_a_key_of_another_set_is_not_published(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(f"config.access_token_jwks_uri={neighbours.certs}")
    assert key_of(kong, token()) is None
