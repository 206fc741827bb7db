"""Critical headers that a verifier does not understand (CVE-2025-59420, CVE-2026-32597)."""

from __future__ import annotations

import json

import pytest

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.signature import sign_bytes
from jwtgate.jose.token import UnverifiedToken


def forge(header: object, signature: bytes, payload: bytes = b'{"sub":"root"}') -> str:
    return ".".join(base64url_encode(part) for part in (json.dumps(header).encode(), payload, signature))


def reason_of(text: str, *keys: Key, algorithms: frozenset[str]) -> str:
    with pytest.raises(TokenRefused) as caught:
        UnverifiedToken.parse(text).verify(keys, algorithms)
    return caught.value.reason


KEY = generate_key("ES256")
CRITS = [
    [],
    ["exp"],
    ["bork"],
    ["b64"],
    ["alg"],
    ["bork", "bork"],
    "bork",
    {"bork": 1},
    None,
    1,
    [1],
    [None],
    [["bork"]],
    True,
]


@pytest.mark.parametrize("crit", CRITS)
@pytest.mark.parametrize("b64", [{}, {"b64": True}, {"b64": False}], ids=str)
def test_sec_12_a_signed_token_with_crit_is_refused(crit: object, b64: dict[str, object]) -> None:
    data = forge({"alg": "ES256", "bork": 1, "crit": crit, **b64}, b"").rstrip(".")
    text = f"{data}.{base64url_encode(sign_bytes('ES256', KEY, data.encode()))}"
    assert reason_of(text, KEY, algorithms=frozenset({"ES256"})) == "crit_unknown"
