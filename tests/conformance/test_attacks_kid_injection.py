"""A `kid` that is a path, a query or a pattern to careless readers."""

from __future__ import annotations

import pytest

from jwtgate.errors import TokenRefused
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import UnverifiedToken, sign_token

KEY = generate_key("ES256", kid="k1")
KEYS = KeySet([KEY.public()])
KIDS = [
    "../../../../dev/null",
    "/dev/null",
    "file:///dev/null",
    "k1/../k1",
    "' OR '1'='1",
    "k1' --",
    "*)(uid=*",
    ".*",
    "k?",
    "*",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "%s%n",
    "k1\0",
    "k1\r\nX: y",
    "K1",
    " k1",
    "k1 ",
    "",
    "http://127.0.0.1:1/keys",
    "k\u0661",
]


@pytest.mark.parametrize("kid", KIDS)
def test_sec_15_a_kid_is_compared_for_equality_and_nothing_else(kid: str) -> None:
    token = UnverifiedToken.parse(sign_token({}, KEY.with_kid(kid), alg="ES256"))
    assert token.kid == kid
    assert KEYS.candidates(token.alg, token.kid, most_tries=4) == ()


def test_sec_15_the_same_kid_finds_its_key() -> None:
    token = UnverifiedToken.parse(sign_token({}, KEY, alg="ES256"))
    keys = KEYS.candidates(token.alg, token.kid)
    assert token.verify(keys, frozenset({"ES256"})).kid == "k1"


@pytest.mark.parametrize("kid", [None, 1, ["k1"], {"k1": 1}, True, "k" * 257])
def test_sec_15_a_kid_of_another_type_or_length_is_refused(kid: object) -> None:
    text = sign_token({}, KEY.with_kid(None), alg="ES256", header={"kid": kid})
    with pytest.raises(TokenRefused) as caught:
        UnverifiedToken.parse(text)
    assert caught.value.reason == "token_malformed"
