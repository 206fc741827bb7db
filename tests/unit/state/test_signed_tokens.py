"""Tokens for expressions: what is written stands there as it was said, the same each time."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import JSON, base64url_decode
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import UnverifiedToken
from jwtgate.policy.facts import NeedSigned
from jwtgate.state.keys.keyring import Signer
from jwtgate.state.signed_tokens import SignedTokens

SECRET = Key.secret(
    b"$3cRe4",
    alg="HS256",
    short_secret_allowed_for_legacy_credential=True,
    guessable_secret_allowed_for_legacy_credential=True,
)
PAIR = generate_key("ES256", kid="k")
TOKENS = SignedTokens({"mac": Signer(SECRET, "HS256"), "pair": Signer(PAIR, "ES256")})


def parts(claims: Mapping[str, JSON], header: Mapping[str, JSON] | None = None) -> tuple[str, str]:
    """The text of the header and that of the claims."""
    first, second, _ = TOKENS.sign(NeedSigned("mac", header or {}, claims)).split(".")
    return base64url_decode(first).decode(), base64url_decode(second).decode()


def test_the_text_of_a_token_is_known_to_the_byte() -> None:
    claims: dict[str, JSON] = {"sub": "12345", "iss": "the_issuer", "aud": "THE_AUDIENCE"}
    assert TOKENS.sign(NeedSigned("mac", {}, claims)) == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
        ".eyJhdWQiOiJUSEVfQVVESUVOQ0UiLCJpc3MiOiJ0aGVfaXNzdWVyIiwic3ViIjoiMTIzNDUifQ"
        ".Hf-ZtIlsxR2bDOdAEMaDHaOBmfVWTQi9U68yV4YHW9w"
    )


def test_a_pair_signs_without_a_kid_nobody_asked_for() -> None:
    token = UnverifiedToken.parse(TOKENS.sign(NeedSigned("pair", {"typ": "at+jwt"}, {"a": 1})))
    assert (token.kid, token.typ) == (None, "at+jwt")
    assert token.verify([PAIR.public()], {"ES256"}).claims == {"a": 1}


def test_the_algorithm_is_that_of_the_key_whatever_the_header_says() -> None:
    header, _ = parts({}, {"alg": "none", "kid": "x", "b": {"z": 1, "a": 2}})
    assert header == '{"alg":"HS256","b":{"a":2,"z":1},"kid":"x","typ":"JWT"}'


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"b": 1, "a": {"d": [{"z": 1, "y": 2}], "c": None}}, '{"a":{"c":null,"d":[{"y":2,"z":1}]},"b":1}'),
        ({"a": "<b> & </b>"}, r'{"a":"\u003cb\u003e \u0026 \u003c/b\u003e"}'),
        ({"<": "\u2028\u2029"}, r'{"\u003c":"\u2028\u2029"}'),
        ({"a": 60.0, "b": -0.5, "c": [1e3, 1.5e3], "d": True}, '{"a":60,"b":-0.5,"c":[1000,1500],"d":true}'),
        ({"a": 1e20}, '{"a":100000000000000000000}'),
        ({"ä": "ü\n\"\\"}, '{"ä":"ü\\n\\"\\\\"}'),
        ({}, "{}"),
    ],
)  # fmt: skip
def test_members_are_sorted_and_markup_is_escaped(claims: dict[str, JSON], text: str) -> None:
    assert parts(claims)[1] == text


def nested() -> JSON:
    value: JSON = 1
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("key", "claims"),
    [
        *(("other", {}), ("mac", {"a": float("nan")}), ("mac", {"a": object()}), ("mac", {"a": "\ud800"})),
        pytest.param("mac", {"a": nested()}, id="nested"),
    ],
)
def test_what_cannot_be_signed_is_a_fault_that_quotes_nothing(key: str, claims: dict[str, JSON]) -> None:
    with pytest.raises(DependencyFault) as caught:
        TOKENS.sign(NeedSigned(key, {}, claims))
    assert (caught.value.reason, caught.value.detail["key"]) == ("signer_unavailable", key)
    assert set(caught.value.detail) == {"key", "cause"}


def test_slow_keys_are_known() -> None:
    slow = SignedTokens({"rsa": Signer(generate_key("RS256"), "RS256")})
    assert slow.is_slow(NeedSigned("rsa", {}, {}))
    assert not TOKENS.is_slow(NeedSigned("pair", {}, {}))
    assert not TOKENS.is_slow(NeedSigned("other", {}, {}))
