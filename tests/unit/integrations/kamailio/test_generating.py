from __future__ import annotations

from typing import Any

import pytest

from jwtgate import ANY, verify
from jwtgate.integrations.kamailio.generating import generate, written
from jwtgate.integrations.kamailio.key_texts import KeyText
from jwtgate.integrations.kamailio.outcome import Failed
from jwtgate.integrations.kamailio.passport import Passport
from jwtgate.integrations.kamailio.settings import Settings
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import generate_key

PAIR = generate_key("ES256").with_kid(None)
KEY = KeyText(PAIR.to_private_pem().encode(), "name", jwk_read=True, warn=lambda _: None)
AT_17 = Settings(clock=lambda: 17.9)


def header_and_claims(token: str) -> tuple[Any, Any]:
    found = verify(token, PAIR, algorithms=["ES256"], issuer=ANY, audience=ANY, exp_required=False, now=20)
    return dict(found.header), dict(found.claims)


def test_a_token_has_the_time_in_whole_seconds_and_what_was_asked() -> None:
    token = generate(KEY, "ES256", "a=b", "kid=k1;alg=none", settings=AT_17)
    assert header_and_claims(token) == ({"alg": "ES256", "kid": "k1", "typ": "JWT"}, {"a": "b", "iat": 17})


def test_a_passport_brings_its_own_header() -> None:
    passport = Passport("+12155551212", "12125551213", x5u="https://c.example/a.pem")
    header, claims = header_and_claims(generate(KEY, "ES256", passport, "", settings=AT_17))
    assert header == {"alg": "ES256", "typ": "passport", "x5u": "https://c.example/a.pem"}
    assert claims == {"dest": {"tn": ["12125551213"]}, "iat": 17, "orig": {"tn": "12155551212"}}


@pytest.mark.parametrize(
    ("alg", "claims", "headers", "reason"),
    [
        ("ES256", "a=;b", "", "claims-malformed"),
        ("ES256", "iat=5", "", "claims-malformed"),
        ("ES256", "a=b", "kid=", ""),
        ("ES256", "a=b", "kid=a;kid=b", "headers-malformed"),
        ("ES256", Passport("1", "2"), "", "claims-malformed"),
        ("RS256", Passport("1", "2", x5u="https://c/a"), "", "claims-malformed"),
        ("none", "a=b", "", "alg-unknown"),
        ("RS256", "a=b", "", "key-unusable"),
    ],
)
def test_what_will_not_do_is_told(alg: str, claims: Any, headers: str, reason: str) -> None:
    if not reason:
        assert generate(KEY, alg, claims, headers, settings=AT_17)
        return
    with pytest.raises(Failed) as caught:
        generate(KEY, alg, claims, headers, settings=AT_17)
    assert caught.value.reason == reason


def test_members_are_sorted_and_escaped_as_little_as_can_be() -> None:
    assert written({"b": "é/\x0b\\u001f", "a": {"d": 1, "c": None}}) == (
        '{"a":{"c":null,"d":1},"b":"é/\\u000B\\\\u001f"}'.encode()
    )


def test_the_reference_takes_any_bytes_as_a_secret() -> None:
    pem = KeyText(PAIR.to_pem().encode(), "name", jwk_read=False, warn=lambda _: None)
    compat = Settings(clock=lambda: 17, compat=True)
    token = generate(pem, "HS256", "a=b", "", settings=compat)
    text, _, signature = token.rpartition(".")
    assert signature == base64url_encode(pem.mac("HS256", text.encode()))
    with pytest.raises(Failed):
        generate(pem, "HS256", "a=b", "", settings=AT_17)
