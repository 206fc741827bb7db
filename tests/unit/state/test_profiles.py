from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import generate_key
from jwtgate.jose.token import UnverifiedToken, VerifiedToken
from jwtgate.policy.provisions import Issue, IssuedHeader, Origin, Value
from jwtgate.state.issued_tokens import IssuedTokens
from jwtgate.state.keys.keyring import Signer
from jwtgate.state.profiles import sign_under_profile

NOW = 1_800_000_000
KEY = generate_key("ES256", kid="k1")
TOKENS = IssuedTokens({"main": Signer(KEY, "ES256")})
PARTNER = Issue(
    "partner",
    "",
    "main",
    "https://gate.example",
    ("https://partner.example",),
    typ="partner+jwt",
    header=IssuedHeader(extra=(("cty", "text"),)),
    ttl_seconds=600,
    set=(("tier", Value(Origin.CONSTANT, constant="gold")),),
)


def sign(profile: Issue = PARTNER, *, ttl_seconds: int | None = None, **claims: JSON) -> VerifiedToken:
    text = sign_under_profile(profile, claims, issued_tokens=TOKENS, now=NOW, ttl_seconds=ttl_seconds)
    return UnverifiedToken.parse(text).verify((KEY.public(),), {"ES256"})


def without_id(claims: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in claims.items() if name != "jti"}


def test_sec_156_a_token_has_what_its_profile_says_and_all_it_must() -> None:
    token = sign(sub="ada")
    assert token.header == {"alg": "ES256", "kid": "k1", "typ": "partner+jwt", "cty": "text"}
    assert without_id(token.claims) == {
        "sub": "ada", "tier": "gold", "iss": "https://gate.example", "aud": "https://partner.example",
        "iat": NOW, "exp": NOW + 600,
    }  # fmt: skip
    assert token.claims["jti"]


def test_the_profile_stands_over_what_is_given() -> None:
    given: dict[str, JSON] = {"tier": "free", "iss": "me", "aud": "you", "exp": 9_999_999_999, "iat": 1, "jti": "x"}
    assert without_id(sign(**given).claims) == without_id(sign().claims)


@pytest.mark.parametrize(("asked", "lives"), [(None, 600), (60, 60), (900, 600)])
def test_a_life_that_is_asked_for_can_only_be_shorter(asked: int | None, lives: int) -> None:
    assert sign(ttl_seconds=asked).claims["exp"] == NOW + lives


def test_every_token_is_another() -> None:
    assert sign().claims["jti"] != sign().claims["jti"]
    assert sign(replace(PARTNER, reuse=False)).claims["jti"] != sign(replace(PARTNER, reuse=False)).claims["jti"]


@pytest.mark.parametrize(
    "profile",
    [
        replace(PARTNER, generator="acme"),
        replace(PARTNER, set=(("who", Value(Origin.CONSUMER, path=("name",))),)),
        replace(PARTNER, add=(("from", Value(Origin.CLIENT)),)),
    ],
)
def test_a_profile_that_looks_at_requests_is_the_gateways_alone(profile: Issue) -> None:
    with pytest.raises(ConfigError, match="'partner' takes claims from a request"):
        sign(profile)


def test_without_its_key_nothing_is_signed() -> None:
    with pytest.raises(DependencyFault) as caught:
        sign(replace(PARTNER, key="other"))
    assert caught.value.reason == "signer_unavailable"
