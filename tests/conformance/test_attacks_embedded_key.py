"""A key, or the address of one, in the token's own header (CVE-2018-0114, CVE-2022-23529's relatives)."""

from __future__ import annotations

import pytest

from jwtgate.errors import TokenRefused
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import UnverifiedToken, sign_token


def reason_of(text: str, *keys: Key, algorithms: frozenset[str]) -> str:
    with pytest.raises(TokenRefused) as caught:
        UnverifiedToken.parse(text).verify(keys, algorithms)
    return caught.value.reason


OURS, THEIRS = generate_key("ES256", kid="k"), generate_key("ES256", kid="k")
ES = frozenset({"ES256"})
MEMBERS = {
    "jwk": THEIRS.to_jwk(),
    "jku": "http://127.0.0.1:1/keys",
    "x5u": "file:///etc/passwd",
    "x5c": [THEIRS.to_pem()],
    "x5t#S256": THEIRS.thumbprint(),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_sec_14_a_key_in_the_header_verifies_nothing(name: str) -> None:
    text = sign_token({}, THEIRS, alg="ES256", header={name: MEMBERS[name]})
    assert reason_of(text, OURS.public(), algorithms=ES) == "signature_wrong"
    assert reason_of(text, algorithms=ES) == "key_unknown"


@pytest.mark.parametrize("name", MEMBERS)
def test_sec_14_our_own_key_is_used_whatever_the_header_says(name: str) -> None:
    text = sign_token({}, OURS, alg="ES256", header={name: MEMBERS[name]})
    assert UnverifiedToken.parse(text).verify([OURS.public()], ES).header[name] == MEMBERS[name]
