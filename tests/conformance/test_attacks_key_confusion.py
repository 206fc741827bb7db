"""A token signed with an algorithm of another family than the key (CVE-2016-5431, CVE-2022-29217, CVE-2024-33663)."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jwtgate.errors import KeyRefused, TokenRefused
from jwtgate.jose.algorithms import ALGORITHMS
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import UnverifiedToken, sign_token


def forge(header: object, signature: bytes, payload: bytes = b'{"sub":"root"}') -> str:
    return ".".join(base64url_encode(part) for part in (json.dumps(header).encode(), payload, signature))


def reason_of(text: str, *keys: Key, algorithms: frozenset[str]) -> str:
    with pytest.raises(TokenRefused) as caught:
        UnverifiedToken.parse(text).verify(keys, algorithms)
    return caught.value.reason


RSA = generate_key("RS256")
PUBLIC = Key.from_jwk({name: value for name, value in RSA.to_jwk().items() if name != "alg"})
EVERYTHING = frozenset(ALGORITHMS)
DER = PUBLIC.material.verifier.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
TEXTS = [PUBLIC.to_pem().encode(), PUBLIC.to_pem().strip().encode(), DER, json.dumps(PUBLIC.to_jwk()).encode()]


@pytest.mark.parametrize("secret", TEXTS, ids=["pem", "pem without its end", "der", "jwk"])
def test_sec_20_a_public_key_never_verifies_a_mac(secret: bytes) -> None:
    head = forge({"alg": "HS256"}, b"").rstrip(".")
    signature = hmac.digest(secret, head.encode(), hashlib.sha256)
    text = f"{head}.{base64url_encode(signature)}"
    assert reason_of(text, PUBLIC, algorithms=EVERYTHING) == "alg_not_allowed"


@pytest.mark.parametrize("secret", TEXTS, ids=["pem", "pem without its end", "der", "jwk"])
def test_sec_21_the_text_of_a_public_key_is_never_held_as_a_secret(secret: bytes) -> None:
    with pytest.raises(KeyRefused) as caught:
        Key.secret(secret, alg="HS256")
    assert caught.value.reason == "key_is_public"


def test_sec_20_an_allowed_algorithm_must_fit_the_key_too() -> None:
    ec = generate_key("ES256")
    text = sign_token({}, ec, alg="ES256")
    assert reason_of(text, PUBLIC, algorithms=EVERYTHING) == "alg_not_allowed"


def test_sec_20_a_key_for_one_padding_never_verifies_the_other() -> None:
    text = sign_token({}, Key.from_pem(RSA.to_private_pem()), alg="PS256")
    assert UnverifiedToken.parse(text).verify([PUBLIC], EVERYTHING).alg == "PS256"
    assert reason_of(text, PUBLIC.bound_to("RS256"), algorithms=EVERYTHING) == "alg_not_allowed"
