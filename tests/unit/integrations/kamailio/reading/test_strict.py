from __future__ import annotations

import pytest

from jwtgate.integrations.kamailio.outcome import Failed
from jwtgate.integrations.kamailio.reading.strict import read_strictly, undecoded
from jwtgate.jose.encoding import base64url_encode, json_bytes
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.signature import sign_compact
from jwtgate.jose.token import sign_token

KEY = generate_key("ES256", kid="k1")
OTHER = generate_key("ES256", kid="k2")


def keys(alg: str, kid: str | None) -> tuple[Key, ...]:
    assert alg == "ES256"
    return (KEY,)


def test_the_header_and_the_claims_of_a_good_token_are_given() -> None:
    header, claims = read_strictly(sign_token({"a": 1}, KEY, alg="ES256"), "ES256", keys)
    assert (header["kid"], claims) == ("k1", {"a": 1})


def test_the_kid_is_handed_to_whoever_knows_the_keys() -> None:
    asked: list[str | None] = []
    read_strictly(sign_token({}, KEY, alg="ES256"), "ES256", lambda _, kid: asked.append(kid) or (KEY,))
    assert asked == ["k1"]


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (sign_token({}, OTHER, alg="ES256"), "bad-signature"),
        ("abc", "malformed"),
        ("é.é.é", "malformed"),
        (sign_compact(b"[1]", KEY, alg="ES256"), "malformed"),
        (sign_compact(b'{"a":1,"a":2}', KEY, alg="ES256"), "malformed"),
        (sign_compact(b'{"a":"\\u0000"}', KEY, alg="ES256"), "malformed"),
        (sign_compact(b'{"a":9223372036854775808}', KEY, alg="ES256"), "malformed"),
        (f"{base64url_encode(json_bytes({'alg': 'none'}))}.e30.eA", "alg-unknown"),
        (f"{base64url_encode(json_bytes({'alg': 'ES256', 'crit': ['x'], 'x': 1}))}.e30.eA", "extension-unknown"),
        (f"{base64url_encode(json_bytes({'alg': 'PS256'}))}.e30.eA", "key-unusable"),
    ],
)
def test_sec_12_what_is_not_plainly_good_is_refused_without_a_status(token: str, reason: str) -> None:
    with pytest.raises(Failed) as caught:
        read_strictly(token, "ES256", keys)
    assert (caught.value.reason, caught.value.status) == (reason, 0)


def test_sec_20_the_token_does_not_choose_the_algorithm() -> None:
    with pytest.raises(Failed) as caught:
        read_strictly(sign_token({}, KEY, alg="ES256"), "RS256", keys)
    assert (caught.value.reason, caught.value.status) == ("alg-mismatch", 2)


def test_the_log_says_why() -> None:
    assert undecoded("malformed").line == "failed to decode jwt value (malformed)"
