"""Tokens of ours for an upstream that wants the caller's own claims, signed with keys somebody else made."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.integration.rig import (
    AUDIENCE,
    ISS,
    OUR_ISS,
    Client,
    Document,
    Gateway,
    Message,
    Upstream,
    document,
    request,
    token,
)

from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import UnverifiedToken

PAIR, OTHER, OLD, MAC = (
    generate_key("RS256", kid="r1"),
    generate_key("ES256", kid="e1"),
    generate_key("RS256", kid="r0"),
    generate_key("HS512", kid="h1"),
)
LEGACY: dict[str, Any] = {
    "audience": "same_as_incoming",
    "copy": "all",
    "also_copy": {"iss": "original_iss"},
    "copy_registered_for_legacy_upstream": True,
    "lifetime": "incoming",
    "no_exp_when_incoming_has_none_for_legacy_upstream": True,
    "header": "Authorization",
    "scheme": "Bearer",
}


def whole(upstream: str) -> Document:
    made = document(upstream)
    keys = {"keys": [each.to_private_jwk() for each in (MAC, OTHER, PAIR, OLD)]}
    made["signing"] = {
        "issuer": OUR_ISS,
        "keys": {"set-rs256": {"alg": "RS256", "jwks": keys}, "set-hs512": {"alg": "HS512", "jwks": keys}},
    }
    made["issuers"]["main"] |= {"exp_optional_for_legacy_tokens": True, "leeway_seconds": 30}
    words = {
        "set": {"role": {"constant": {"a": [1, "b"]}}, "n": 5, "aud": "there"},
        "add": {"sub": "x", "x": True},
        "remove": ["scope"],
    }
    issues = {
        "plain": {**LEGACY, "key": "set-rs256"},
        "mac": {**LEGACY, "key": "set-hs512"},
        "sooner": {**LEGACY, "key": "set-rs256", "exp_shift_seconds": -600},
        "later": {**LEGACY, "key": "set-rs256", "exp_shift_seconds": 600, "may_outlive_incoming_token": True},
        "worded": {**LEGACY, "key": "set-rs256", **words},
    }
    made["routes"] = {
        name: {"path": f"/{name}", "auth": "required", "issuers": ["main"], "upstream": "echo", "issue": issue}
        for name, issue in issues.items()
    }
    return made


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(upstream: Upstream) -> Iterator[Gateway]:
    with Gateway(whole(upstream.url)) as gateway:
        yield gateway


def forwarded(gateway: Gateway, upstream: Upstream, path: str, bearer: str) -> str:
    """The token the upstream gets."""
    upstream.forget()
    with Client(gateway.port) as client:
        assert client.ask(request(path, bearer=bearer)).status == 200
    (seen,) = upstream.requests
    scheme, _, text = (seen.value("Authorization") or "").partition(" ")
    assert scheme == "Bearer"
    return text


def read(text: str, key: Key = PAIR, alg: str = "RS256") -> dict[str, Any]:
    return dict(UnverifiedToken.parse(text).verify([key], {alg}).claims)


def incoming(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": ISS,
        "aud": [AUDIENCE, "b"],
        "sub": "alice",
        "scope": "orders:read",
        "iat": now - 5,
        "nbf": now - 5,
        "jti": "theirs",
        "exp": now + 300,
        "cnf": None,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def test_all_claims_go_on_but_for_who_made_the_token(gateway: Gateway, upstream: Upstream) -> None:
    claims = incoming()
    made = forwarded(gateway, upstream, "/plain", token(**claims))
    assert read(made) == {**claims, "iss": OUR_ISS, "original_iss": ISS}
    assert UnverifiedToken.parse(made).kid == "r1"


@pytest.mark.parametrize(
    "changes",
    [
        lambda now: {"exp": now + 10 * 366 * 86400},
        lambda now: {"exp": None},
        lambda now: {"exp": now - 5},
        lambda now: {"iat": None, "jti": None, "nbf": None},
    ],
)
def test_times_go_on_as_they_are(
    gateway: Gateway, upstream: Upstream, changes: Callable[[int], dict[str, Any]]
) -> None:
    claims = incoming(**changes(int(time.time())))
    made = forwarded(gateway, upstream, "/plain", token(**{"iat": None, "exp": None, **claims}))
    assert read(made) == {**claims, "iss": OUR_ISS, "original_iss": ISS}


@pytest.mark.parametrize(("path", "shift"), [("/sooner", -600), ("/later", 600)])
def test_the_end_may_be_shifted(gateway: Gateway, upstream: Upstream, path: str, shift: int) -> None:
    claims = incoming()
    assert read(forwarded(gateway, upstream, path, token(**claims)))["exp"] == claims["exp"] + shift


def test_a_token_is_sent_again_while_it_lasts_and_never_once_it_has_ended(gateway: Gateway, upstream: Upstream) -> None:
    counters = gateway.embedded.worker.counters

    def hits(exp: int) -> int:
        before, incoming_token = counters.remembered_hits, token(**incoming(exp=exp))
        for _ in range(3):
            forwarded(gateway, upstream, "/sooner", incoming_token)
        return counters.remembered_hits - before

    now = int(time.time())
    assert (hits(now + 1200), hits(now + 300)) == (2, 0)


def test_claims_are_worded_as_the_route_says(gateway: Gateway, upstream: Upstream) -> None:
    claims = incoming()
    del claims["scope"]
    made = read(forwarded(gateway, upstream, "/worded", token(**claims)))
    assert made == {
        **claims,
        "iss": OUR_ISS,
        "original_iss": ISS,
        "role": {"a": [1, "b"]},
        "n": 5,
        "aud": "there",
        "x": True,
    }


def test_a_secret_of_a_set_signs_and_is_never_shown(gateway: Gateway, upstream: Upstream) -> None:
    made = forwarded(gateway, upstream, "/mac", token(**incoming()))
    assert read(made, MAC, "HS512")["iss"] == OUR_ISS
    shown = keys_of(gateway)
    assert [each["kid"] for each in shown] == ["r1", "e1", "r0"]
    assert all(each.keys().isdisjoint({"d", "p", "q", "k"}) for each in shown)


def keys_of(gateway: Gateway) -> list[dict[str, Any]]:
    with Client(gateway.port) as client:
        answer: Message = client.ask(request("/.well-known/jwks.json"))
    keys: list[dict[str, Any]] = json.loads(answer.body)["keys"]
    return keys
