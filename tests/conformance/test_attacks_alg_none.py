"""Unsigned tokens under every spelling of `none` (CVE-2015-9235 and its many heirs)."""

from __future__ import annotations

import json

import pytest

from jwtgate.errors import TokenRefused
from jwtgate.jose.algorithms import ALGORITHMS
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import UnverifiedToken


def forge(header: object, signature: bytes, payload: bytes = b'{"sub":"root"}') -> str:
    return ".".join(base64url_encode(part) for part in (json.dumps(header).encode(), payload, signature))


def reason_of(text: str, *keys: Key, algorithms: frozenset[str]) -> str:
    with pytest.raises(TokenRefused) as caught:
        UnverifiedToken.parse(text).verify(keys, algorithms)
    return caught.value.reason


KEY = generate_key("ES256").public()
EVERYTHING = frozenset(ALGORITHMS) | {"none"}
SPELLINGS = [
    "none",
    "None",
    "NONE",
    "nOnE",
    "noNE",
    "none ",
    " none",
    "none\0",
    "n\u043ene",
    "",
    "null",
    None,
    0,
    False,
    [],
    {},
    ["none"],
]


@pytest.mark.parametrize("alg", SPELLINGS)
@pytest.mark.parametrize("signature", [b"x", b"\0" * 64])
def test_sec_11_none_is_refused_in_any_spelling_even_where_it_is_listed(alg: object, signature: bytes) -> None:
    assert reason_of(forge({"alg": alg}, signature), KEY, algorithms=EVERYTHING) == "alg_unreadable"


@pytest.mark.parametrize("alg", ["none", "ES256"])
def test_sec_11_an_empty_signature_is_malformed(alg: str) -> None:
    assert reason_of(forge({"alg": alg}, b""), KEY, algorithms=EVERYTHING) == "token_malformed"


def test_sec_11_a_header_without_alg_is_refused() -> None:
    assert reason_of(forge({"typ": "JWT"}, b"x"), KEY, algorithms=EVERYTHING) == "alg_unreadable"
