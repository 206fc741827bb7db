"""ECDSA signatures that verify anything where zero is not refused (CVE-2022-21449)."""

from __future__ import annotations

import json

import pytest

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import UnverifiedToken


def forge(header: object, signature: bytes, payload: bytes = b'{"sub":"root"}') -> str:
    return ".".join(base64url_encode(part) for part in (json.dumps(header).encode(), payload, signature))


def reason_of(text: str, *keys: Key, algorithms: frozenset[str]) -> str:
    with pytest.raises(TokenRefused) as caught:
        UnverifiedToken.parse(text).verify(keys, algorithms)
    return caught.value.reason


SIZES = {"ES256": 32, "ES384": 48, "ES512": 66, "ES256K": 32}
ORDER_256 = bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")


@pytest.mark.parametrize("alg", SIZES)
def test_sec_25_zeros_sign_nothing(alg: str) -> None:
    size, key = SIZES[alg], generate_key(alg)
    one = (1).to_bytes(size, "big")
    signatures = [
        bytes(2 * size),
        bytes(size) + one,
        one + bytes(size),
        one + one,
        b"\0",
        bytes(8),
        bytes(2 * size + 2),
    ]
    signatures += [bytes.fromhex("3006020100020100"), bytes.fromhex("3006020101020100"), b"\xff" * (2 * size)]
    for signature in signatures:
        text = forge({"alg": alg}, signature)
        assert reason_of(text, key.public(), algorithms=frozenset({alg})) == "signature_wrong"


def test_sec_25_the_order_of_the_curve_counts_as_zero() -> None:
    key = generate_key("ES256")
    for signature in (ORDER_256 + ORDER_256, ORDER_256 + bytes(32), bytes(32) + ORDER_256):
        assert reason_of(forge({"alg": "ES256"}, signature), key, algorithms=frozenset({"ES256"})) == "signature_wrong"


@pytest.mark.parametrize("alg", ["Ed25519", "Ed448", "RS256", "PS256"])
def test_zeros_sign_nothing_elsewhere_either(alg: str) -> None:
    key = generate_key(alg)
    for size in (1, 64, 114, 256):
        assert reason_of(forge({"alg": alg}, bytes(size)), key, algorithms=frozenset({alg})) == "signature_wrong"
