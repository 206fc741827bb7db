"""One name twice, so that two readers see two tokens."""

from __future__ import annotations

import pytest

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import generate_key
from jwtgate.jose.signature import sign_bytes
from jwtgate.jose.token import UnverifiedToken

KEY = generate_key("ES256")


def signed(header: bytes, claims: bytes) -> str:
    data = f"{base64url_encode(header)}.{base64url_encode(claims)}"
    return f"{data}.{base64url_encode(sign_bytes('ES256', KEY, data.encode()))}"


HEADERS = [
    b'{"alg":"none","alg":"ES256"}',
    b'{"alg":"ES256","kid":"a","kid":"b"}',
    b'{"alg":"ES256","\\u0061lg":"ES256"}',
]
CLAIMS = [
    b'{"sub":"a","sub":"root"}',
    b'{"sub":"a","s\\u0075b":"root"}',
    b'{"cnf":{"jkt":"a","jkt":"b"}}',
    b'{"a":[{"b":1,"b":1}]}',
]


@pytest.mark.parametrize("header", HEADERS)
def test_sec_8_a_repeated_name_in_the_header_is_refused(header: bytes) -> None:
    with pytest.raises(TokenRefused) as caught:
        UnverifiedToken.parse(signed(header, b"{}"))
    assert caught.value.reason == "token_malformed"


@pytest.mark.parametrize("claims", CLAIMS)
def test_sec_8_a_repeated_name_in_the_claims_is_refused(claims: bytes) -> None:
    with pytest.raises(TokenRefused) as caught:
        UnverifiedToken.parse(signed(b'{"alg":"ES256"}', claims))
    assert caught.value.reason == "token_malformed"


def test_names_that_differ_in_case_are_two_names() -> None:
    text = signed(b'{"alg":"ES256","Alg":"none"}', b'{"sub":"a","Sub":"root"}')
    assert UnverifiedToken.parse(text).verify([KEY], frozenset({"ES256"})).claims["sub"] == "a"
