"""Tokens that cost more to refuse than to send (CVE-2025-30204, CVE-2025-61920, deep nesting, huge numbers)."""

from __future__ import annotations

import pytest

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import generate_key
from jwtgate.jose.signature import sign_compact
from jwtgate.jose.token import UnverifiedToken

KEY = generate_key("ES256")
HEAD = base64url_encode(b'{"alg":"ES256"}')


def reason_of(text: str | bytes) -> str:
    with pytest.raises(TokenRefused) as caught:
        UnverifiedToken.parse(text)
    return caught.value.reason


@pytest.mark.parametrize("letter", [".", "a", "a.", "\0", "é"])
def test_sec_6_ten_megabytes_of_anything_are_refused_by_their_length(letter: str) -> None:
    text = letter * (10_000_000 // len(letter))
    assert reason_of(text) == reason_of(text.encode()) == "token_too_large"


@pytest.mark.parametrize("letter", [".", "a."])
def test_sec_6_dots_within_the_limit_are_malformed(letter: str) -> None:
    assert reason_of(letter * (16_000 // len(letter))) == "token_malformed"


def test_sec_6_a_long_header_is_refused_before_it_is_decoded() -> None:
    assert reason_of(f"{'A' * 8_193}.e30.AAAA") == "token_too_large"


PAYLOADS = [
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b'{"a":' + b"[" * 5_000,
    b'{"exp":' + b"9" * 5_000 + b"}",
    b'{"exp":-' + b"9" * 5_000 + b"}",
    b'{"exp":1e999999}',
    b"{" + b",".join(b'"%d":0' % i for i in range(1_001)) + b"}",
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_sec_9_depth_digits_and_members_are_bounded(payload: bytes) -> None:
    assert reason_of(sign_compact(payload, KEY, alg="ES256")) == "token_malformed"


def test_a_large_honest_token_is_accepted() -> None:
    payload = b'{"groups":[' + b",".join(b'"group-%d"' % i for i in range(800)) + b"]}"
    text = sign_compact(payload, KEY, alg="ES256")
    assert len(text) > 12_000
    assert UnverifiedToken.parse(text).verify([KEY], frozenset({"ES256"}))
